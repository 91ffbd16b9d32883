-- Names and types of objects. version: ctid and xmin of the catalog row. If versions are equal, nobody has changed
-- the row in between, not even temporarily.
-- $1: schemas; $2: enums; $3: relations of composite types; $4: tables that are not locked.
SELECT 'schema' AS kind, n.oid, n.oid AS owner, n.nspname::text AS value, n.xmin::text || n.ctid::text AS version
  FROM pg_catalog.pg_namespace n WHERE n.oid = ANY ($1)
UNION ALL
SELECT 'label', e.oid, e.enumtypid, e.enumlabel::text, e.xmin::text || e.ctid::text
  FROM pg_catalog.pg_enum e WHERE e.enumtypid = ANY ($2)
UNION ALL
-- A dropped attribute remains, and its number is not reused: no version is required.
SELECT 'attributes', a.attrelid, a.attrelid,
       pg_catalog.string_agg(a.attnum || ' ' || a.atttypid || ' ' || a.attisdropped, ',' ORDER BY a.attnum), ''
  FROM pg_catalog.pg_attribute a WHERE a.attrelid = ANY ($3) AND a.attnum > 0
 GROUP BY a.attrelid
UNION ALL
SELECT 'table', c.oid, c.oid, c.relnamespace || ' ' || c.relname, c.xmin::text || c.ctid::text
  FROM pg_catalog.pg_class c WHERE c.oid = ANY ($4)
