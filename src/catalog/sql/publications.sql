-- Publications of users.
SELECT p.oid, p.pubname::text AS name, pg_catalog.pg_get_userbyid(p.pubowner)::text AS owner, p.puballtables AS all_tables,
       pg_catalog.concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
         CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END) AS operations,
       coalesce((j.row ->> 'pubviaroot')::bool, false) AS via_root, coalesce(j.row ->> 'pubgencols', 'n') = 's' AS generated_columns
  FROM pg_catalog.pg_publication p, LATERAL (SELECT pg_catalog.to_jsonb(p) AS row) j
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = p.tableoid AND d.objid = p.oid AND d.deptype = 'e')
 ORDER BY p.pubname
