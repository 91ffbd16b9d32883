-- Collations of users. Before 15, collcollate holds the ICU locale.
SELECT c.oid, n.nspname::text AS schema, c.collname::text AS name, pg_catalog.pg_get_userbyid(c.collowner)::text AS owner,
       c.collprovider::text AS provider, coalesce(c.collcollate::text, '') AS collate, coalesce(c.collctype::text, '') AS ctype,
       coalesce(j.row ->> 'colllocale', j.row ->> 'colliculocale', c.collcollate::text) AS locale,
       j.row ->> 'collicurules' AS rules, c.collisdeterministic AS is_deterministic
  FROM pg_catalog.pg_collation c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace,
       LATERAL (SELECT pg_catalog.to_jsonb(c) AS row) j
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = c.tableoid AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY c.oid
