-- Types of table columns whose values depend on definitions that no lock on the table protects: labels of an enum,
-- attributes of a composite type, at any depth.
-- $1: the tables' OIDs.
WITH RECURSIVE
-- Types of initdb depend only on each other, and do not change.
stored AS MATERIALIZED (
  SELECT a.attrelid AS relation, a.atttypid AS type FROM pg_catalog.pg_attribute a
   WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND a.atttypid >= 16384),
reach(root, type) AS (
  SELECT DISTINCT s.type, s.type FROM stored s
  UNION
  SELECT r.root, part.type
    FROM reach r
    JOIN pg_catalog.pg_type t ON t.oid = r.type
    CROSS JOIN LATERAL (
      SELECT t.typelem
      UNION ALL
      SELECT t.typbasetype
      UNION ALL
      SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0
      UNION ALL
      SELECT g.rngsubtype FROM pg_catalog.pg_range g WHERE g.rngtypid = t.oid
      UNION ALL
      SELECT g.rngtypid FROM pg_catalog.pg_range g
       WHERE t.typtype = 'm' AND (pg_catalog.to_jsonb(g) ->> 'rngmultitypid')::oid = t.oid) part(type)
   WHERE part.type >= 16384)
SELECT DISTINCT s.relation, t.oid, t.typrelid, n.nspname::text, t.typname::text
  FROM stored s
  JOIN reach r ON r.root = s.type
  JOIN pg_catalog.pg_type t ON t.oid = r.type
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
 WHERE t.typtype IN ('c', 'e')
