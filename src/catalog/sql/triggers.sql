-- Triggers of users, without those that enforce keys. Clones on partitions depend on the parent's trigger (`P`;
-- 12 to 14 mark them as internal). Only clones whose enabled state differs are returned.
SELECT t.oid, t.tgname::text AS name, t.tgrelid AS relation, t.tgenabled::text AS enabled,
       CASE WHEN parent.oid IS NULL THEN pg_catalog.pg_get_triggerdef(t.oid, false) END AS definition
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_depend p
         ON p.classid = t.tableoid AND p.objid = t.oid AND p.refclassid = t.tableoid AND p.deptype = 'P'
  LEFT JOIN pg_catalog.pg_trigger parent ON parent.oid = p.refobjid
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND CASE WHEN parent.oid IS NULL THEN NOT t.tgisinternal ELSE t.tgenabled <> parent.tgenabled END
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = t.tgconstraint AND k.contype <> 't')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = t.tableoid AND d.objid = t.oid AND d.deptype = 'e')
 ORDER BY t.oid
