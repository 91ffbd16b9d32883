-- Triggers that enforce foreign keys and deferrable keys, where somebody has changed when they fire.
SELECT t.oid, k.oid AS constraint_oid, k.conname::text AS constraint, kn.nspname::text AS table_schema, kc.relname::text AS table_name,
       n.nspname::text AS schema, c.relname::text AS name, p.proname::text AS function, t.tgenabled::text AS enabled
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
  JOIN pg_catalog.pg_class kc ON kc.oid = k.conrelid
  JOIN pg_catalog.pg_namespace kn ON kn.oid = kc.relnamespace
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
 WHERE t.tgisinternal AND t.tgenabled <> 'O' AND k.contype <> 't' AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = c.tableoid AND d.objid IN (c.oid, kc.oid) AND d.deptype = 'e')
 ORDER BY t.oid
