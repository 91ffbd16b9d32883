-- Columns of these tables. $1: schemas; $2: names.
SELECT n.nspname::text AS schema_name, c.relname::text AS name, a.attname::text AS column_name,
       a.attgenerated <> '' AS is_generated,
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '' AS is_required
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) w (schema_name, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema_name::name
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name::name
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind IN ('r', 'p')
 ORDER BY 1, 2, a.attnum
