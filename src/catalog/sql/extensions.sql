-- Installed extensions with their configuration tables and conditions.
SELECT e.oid, e.extname::text AS name, n.nspname::text AS schema, e.extversion AS version,
       coalesce(e.extconfig, '{}')::pg_catalog.oid[] AS config,
       coalesce(e.extcondition, '{}')::text[] AS conditions
  FROM pg_catalog.pg_extension e
  JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
 ORDER BY e.oid
