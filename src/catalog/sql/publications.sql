-- Publications of users with their tables and schemas. Columns that a version lacks resolve to `absent`.
SELECT p.oid, p.pubname::text AS name, pg_catalog.pg_get_userbyid(p.pubowner)::text AS owner, p.puballtables AS all_tables,
       pg_catalog.concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
         CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END) AS operations,
       (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(r.oid::pg_catalog.int8, n.nspname, c.relname, pg_catalog.pg_get_expr(r.condition, r.prrelid),
                 ARRAY(SELECT a.attname::text
                         FROM pg_catalog.unnest(r.columns::int2[]) WITH ORDINALITY u(number, position)
                         JOIN pg_catalog.pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = u.number
                        ORDER BY u.position)) ORDER BY n.nspname, c.relname)::text
          FROM (SELECT x.*
                  FROM (SELECT NULL::pg_catalog.pg_node_tree AS prqual, NULL::pg_catalog.int2vector AS prattrs) absent,
               LATERAL (SELECT oid, prpubid, prrelid, prqual AS condition, prattrs AS columns FROM pg_catalog.pg_publication_rel) x) r
          JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE r.prpubid = p.oid) AS tables,
       -- A row of pg_publication_namespace (6237), which servers before 15 lack, depends on both.
       (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(o.objid::pg_catalog.int8, n.nspname) ORDER BY n.nspname)::text
          FROM pg_catalog.pg_depend o
          JOIN pg_catalog.pg_depend s ON s.classid = o.classid AND s.objid = o.objid AND s.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
          JOIN pg_catalog.pg_namespace n ON n.oid = s.refobjid
         WHERE o.classid = 6237 AND o.refclassid = p.tableoid AND o.refobjid = p.oid) AS schemas,
       coalesce((j.row ->> 'pubviaroot')::bool, false) AS via_root, coalesce(j.row ->> 'pubgencols', 'n') = 's' AS generated_columns
  FROM pg_catalog.pg_publication p, LATERAL (SELECT pg_catalog.to_jsonb(p) AS row) j
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = p.tableoid AND d.objid = p.oid AND d.deptype = 'e')
   -- Excludes those of our runs (logical/mark.rs).
   AND COALESCE(pg_catalog.obj_description(p.oid, 'pg_publication'), '') NOT LIKE '{"seren_replicator":%'
 ORDER BY p.pubname
