-- Uses of multiranges, which servers before 14 lack, by users: relations with the number of the column, routines and
-- domains with 0.
WITH multirange AS (
  SELECT t.oid FROM pg_catalog.pg_type t
    LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
   WHERE t.typtype = 'm' OR e.typtype = 'm'
      OR t.typtype = 'p' AND t.typname IN ('anymultirange', 'anycompatiblemultirange')),
mine AS (
  SELECT oid FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
SELECT c.tableoid AS class, c.oid, a.attnum::pg_catalog.int2 AS number
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
 WHERE c.relkind <> 'i' AND a.atttypid IN (SELECT oid FROM multirange) AND c.relnamespace IN (SELECT oid FROM mine)
 UNION ALL
SELECT p.tableoid, p.oid, 0::pg_catalog.int2
  FROM pg_catalog.pg_proc p
 WHERE p.pronamespace IN (SELECT oid FROM mine)
   AND EXISTS (SELECT FROM multirange m
                WHERE m.oid = p.prorettype OR m.oid = ANY (p.proargtypes) OR m.oid = ANY (p.proallargtypes))
 UNION ALL
SELECT t.tableoid, t.oid, 0::pg_catalog.int2
  FROM pg_catalog.pg_type t
 WHERE t.typtype = 'd' AND t.typbasetype IN (SELECT oid FROM multirange) AND t.typnamespace IN (SELECT oid FROM mine)
 ORDER BY 1, 2, 3
