-- What names and types mean. The version of a row is where it is and who wrote it: equal versions mean that nobody has
-- changed the row in between, not even there and back.
-- $1: schemas; $2: enums; $3: relations of row types; $4: tables that are not locked.
SELECT 'schema' AS kind, n.oid, n.oid AS owner, n.nspname::text AS value, n.xmin::text || n.ctid::text AS version
  FROM pg_catalog.pg_namespace n WHERE n.oid = ANY ($1)
UNION ALL
SELECT 'label', e.oid, e.enumtypid, e.enumlabel::text, e.xmin::text || e.ctid::text
  FROM pg_catalog.pg_enum e WHERE e.enumtypid = ANY ($2)
UNION ALL
-- An attribute that is dropped stays as such, and its number is not given again: no version is needed.
SELECT 'attributes', a.attrelid, a.attrelid,
       pg_catalog.string_agg(a.attnum || ' ' || a.atttypid || ' ' || a.attisdropped, ',' ORDER BY a.attnum), ''
  FROM pg_catalog.pg_attribute a WHERE a.attrelid = ANY ($3) AND a.attnum > 0
 GROUP BY a.attrelid
UNION ALL
SELECT 'table', c.oid, c.oid, c.relnamespace || ' ' || c.relname, c.xmin::text || c.ctid::text
  FROM pg_catalog.pg_class c WHERE c.oid = ANY ($4)
