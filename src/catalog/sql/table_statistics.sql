-- Planner statistics of tables, as text, in the order of `TABLE_STATISTICS`. $1: schemas, $2: names of tables.
-- Columns that a version lacks resolve to `absent`.
SELECT x.*
  FROM (SELECT NULL::text AS relallfrozen) absent,
       LATERAL (SELECT n.nspname::text, c.relname::text, c.relpages::text, c.reltuples::text, c.relallvisible::text,
                       relallfrozen::text
                  FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS wanted (schema, name)
                  JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema::pg_catalog.name
                  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name::pg_catalog.name) x
