-- Extensions of a database, and schemas of users. No parameters.
SELECT 'extension' AS kind, e.extname::text AS name, n.nspname::text AS schema, e.extrelocatable AS is_relocatable, true AS may_create
  FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
UNION ALL
SELECT 'schema', nspname::text, NULL, false, pg_catalog.has_schema_privilege(oid, 'CREATE')
  FROM pg_catalog.pg_namespace
 WHERE nspname <> 'information_schema' AND nspname <> 'public' AND nspname !~ '^pg_'
 ORDER BY 1, 2
