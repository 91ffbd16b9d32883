-- Which of these tables exist. $1: schemas; $2: names.
SELECT w.schema_name, w.name
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) w (schema_name, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema_name::name
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name::name
 WHERE c.relkind IN ('r', 'p')
