-- Objects that a name may mean, with what they are, their extension, and whether they come with an object of a parent
-- table. No parameters.
WITH members AS (
    SELECT d.classid, d.objid, e.extname
      FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
     WHERE d.deptype = 'e' AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass),
relations AS (
    SELECT c.oid, c.relname, c.relkind, c.relispartition, n.nspname, m.extname
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN members m ON m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND m.objid = c.oid
     WHERE c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'),
types AS (
    SELECT t.oid, t.typname, n.nspname, m.extname
      FROM pg_catalog.pg_type t
      JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
      LEFT JOIN members m ON m.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND m.objid = t.oid
     WHERE t.typrelid = 0 AND t.typtype <> 'm' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_type element WHERE element.typarray = t.oid))
SELECT CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
                      WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'type' ELSE 'table' END AS kind,
       r.nspname::text AS schema_name, NULL::text AS relation_name, r.relname::text AS name,
       r.extname::text AS extension, false AS is_inherited
  FROM relations r
 WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
UNION ALL
SELECT 'index', r.nspname::text, r.relname::text, i.relname::text, r.extname::text, i.relispartition
  FROM relations i
  JOIN pg_catalog.pg_index x ON x.indexrelid = i.oid
  JOIN relations r ON r.oid = x.indrelid
UNION ALL
SELECT 'function', n.nspname::text, NULL, p.proname::text, m.extname::text, false
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  LEFT JOIN members m ON m.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND m.objid = p.oid
 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
                      AND d.deptype = 'i')
UNION ALL
SELECT 'trigger', r.nspname::text, r.relname::text, t.tgname::text, coalesce(m.extname, r.extname)::text,
       EXISTS (SELECT FROM pg_catalog.pg_depend d
                WHERE d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND d.objid = t.oid
                  AND d.refclassid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND d.deptype = 'P')
  FROM pg_catalog.pg_trigger t
  JOIN relations r ON r.oid = t.tgrelid
  LEFT JOIN members m ON m.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND m.objid = t.oid
 WHERE NOT t.tgisinternal
UNION ALL
SELECT CASE k.contype WHEN 'n' THEN 'not-null constraint' ELSE 'constraint' END,
       coalesce(r.nspname, t.nspname)::text, coalesce(r.relname, t.typname)::text, k.conname::text,
       coalesce(r.extname, t.extname)::text, k.coninhcount > 0 OR k.conparentid <> 0
  FROM pg_catalog.pg_constraint k
  LEFT JOIN relations r ON r.oid = k.conrelid
  LEFT JOIN types t ON t.oid = k.contypid
 WHERE k.contype IN ('c', 'n', 'p', 'u', 'x', 'f') AND (r.oid IS NOT NULL OR t.oid IS NOT NULL)
UNION ALL
SELECT 'type', t.nspname::text, NULL, t.typname::text, t.extname::text, false
  FROM types t
UNION ALL
SELECT 'policy', r.nspname::text, r.relname::text, p.polname::text, NULL, false
  FROM pg_catalog.pg_policy p
  JOIN relations r ON r.oid = p.polrelid
