-- Triggers that enforce foreign keys and deferrable keys, if ALTER TABLE changed when they fire. They are
-- identified by the original key: the server generates the names of constraints that it clones to partitions.
WITH RECURSIVE changed AS MATERIALIZED (
  SELECT t.oid, t.tgrelid, t.tgfoid, t.tgenabled, t.tgconstraint
    FROM pg_catalog.pg_trigger t
   WHERE t.tgisinternal AND t.tgenabled <> 'O' AND t.tgconstraint <> 0),
above(trigger, oid) AS (
  SELECT oid, tgconstraint FROM changed
  UNION ALL
  SELECT a.trigger, k.conparentid
    FROM above a
    JOIN pg_catalog.pg_constraint k ON k.oid = a.oid
   WHERE k.contype = 'f' AND k.conparentid <> 0)
SELECT t.oid, k.oid AS constraint_oid, k.conname::text AS constraint, kn.nspname::text AS table_schema, kc.relname::text AS table_name,
       n.nspname::text AS schema, c.relname::text AS name, p.proname::text AS function, t.tgenabled::text AS enabled
  FROM changed t
  JOIN above a ON a.trigger = t.oid
  JOIN pg_catalog.pg_constraint k ON k.oid = a.oid AND (k.contype <> 'f' OR k.conparentid = 0)
  JOIN pg_catalog.pg_class kc ON kc.oid = k.conrelid
  JOIN pg_catalog.pg_namespace kn ON kn.oid = kc.relnamespace
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
 WHERE k.contype <> 't' AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = c.tableoid AND d.objid IN (c.oid, kc.oid) AND d.deptype = 'e')
 ORDER BY t.oid
