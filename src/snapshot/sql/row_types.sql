-- Of tables' columns the types whose values change with a definition that no lock on the table protects: the labels of an
-- enum, the attributes of a row type; at any depth.
-- $1: the tables' oids.
WITH RECURSIVE
-- Types that initdb has made are made of each other, and do not change.
component(whole, part) AS MATERIALIZED (
  SELECT t.oid, t.typelem FROM pg_catalog.pg_type t WHERE t.typelem >= 16384
  UNION ALL
  SELECT t.oid, t.typbasetype FROM pg_catalog.pg_type t WHERE t.typbasetype >= 16384
  UNION ALL
  SELECT t.oid, a.atttypid
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid
   WHERE t.typrelid >= 16384 AND a.attnum > 0 AND a.atttypid >= 16384
  UNION ALL
  SELECT r.rngtypid, r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngsubtype >= 16384
  UNION ALL
  SELECT m.multirange, m.range
    FROM (SELECT (pg_catalog.to_jsonb(r) ->> 'rngmultitypid')::oid AS multirange, r.rngtypid AS range
            FROM pg_catalog.pg_range r) m
   WHERE m.multirange >= 16384),
reach(relation, type) AS (
  SELECT a.attrelid, a.atttypid FROM pg_catalog.pg_attribute a
   WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND a.atttypid >= 16384
  UNION
  SELECT r.relation, c.part FROM reach r JOIN component c ON c.whole = r.type)
SELECT r.relation, t.oid, t.typrelid, n.nspname::text, t.typname::text
  FROM reach r
  JOIN pg_catalog.pg_type t ON t.oid = r.type
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
 WHERE t.typtype IN ('c', 'e')
