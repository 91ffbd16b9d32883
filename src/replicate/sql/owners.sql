-- Owners of these tables to which our role cannot SET ROLE. Only for servers of 16 and newer. $1: schemas; $2: names.
SELECT o.rolname::text AS owner, pg_catalog.min(n.nspname || '.' || c.relname) AS example, pg_catalog.count(*) AS tables
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) w (schema_name, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema_name::name
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name::name
  JOIN pg_catalog.pg_roles o ON o.oid = c.relowner
 WHERE NOT pg_catalog.pg_has_role(c.relowner, 'SET')
 GROUP BY o.rolname
 ORDER BY o.rolname
