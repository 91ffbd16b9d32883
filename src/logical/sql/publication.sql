-- Publications. Properties that a version lacks are false. $1: names, or NULL for all of our runs.
SELECT p.pubname::text AS name,
       ARRAY(SELECT r.prrelid FROM pg_catalog.pg_publication_rel r
               JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE r.prpubid = p.oid ORDER BY r.oid) AS table_oids,
       -- Of filters, as the server has parsed them.
       ARRAY(SELECT pg_catalog.md5(k.row ->> 'prqual') FROM pg_catalog.pg_publication_rel r
               JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
                    LATERAL (SELECT pg_catalog.to_jsonb(r) AS row) k
              WHERE r.prpubid = p.oid ORDER BY r.oid) AS filter_digests,
       pg_catalog.obj_description(p.oid, 'pg_publication') AS comment,
       p.puballtables AS all_tables,
       p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AS all_operations,
       p.pubinsert AND p.pubtruncate AND NOT p.pubupdate AND NOT p.pubdelete AS only_inserts,
       COALESCE((j.row ->> 'pubviaroot')::bool, false) AS via_root,
       COALESCE(j.row ->> 'pubgencols', 'n') <> 'n' AS generated_columns,
       EXISTS (SELECT FROM pg_catalog.pg_publication_rel r, LATERAL (SELECT pg_catalog.to_jsonb(r) AS row) k
                WHERE r.prpubid = p.oid AND k.row ->> 'prattrs' IS NOT NULL) AS narrowed,
       -- Rows of pg_publication_namespace (6237), which servers before 15 lack.
       EXISTS (SELECT FROM pg_catalog.pg_depend o
                WHERE o.classid = 6237 AND o.refclassid = p.tableoid AND o.refobjid = p.oid) AS schemas,
       ARRAY(SELECT n.nspname::text FROM pg_catalog.pg_publication_rel r
               JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE r.prpubid = p.oid ORDER BY r.oid) AS table_schemas,
       ARRAY(SELECT c.relname::text FROM pg_catalog.pg_publication_rel r
               JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE r.prpubid = p.oid ORDER BY r.oid) AS table_names
  FROM pg_catalog.pg_publication p, LATERAL (SELECT pg_catalog.to_jsonb(p) AS row) j
 WHERE CASE WHEN $1::text[] IS NOT NULL THEN p.pubname::text = ANY ($1::text[])
            ELSE pg_catalog.obj_description(p.oid, 'pg_publication') LIKE '{"seren_replicator":%' END
 ORDER BY p.pubname
