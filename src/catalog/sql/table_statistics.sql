-- What the planner knows of tables as a whole ($1: schemas, $2: names), every value as text; the order of columns is that
-- of `TABLE_STATISTICS`. Columns that a version lacks mean those of `absent`.
SELECT x.*
  FROM (SELECT NULL::text AS relallfrozen) absent,
       LATERAL (SELECT n.nspname::text, c.relname::text, c.relpages::text, c.reltuples::text, c.relallvisible::text,
                       relallfrozen::text
                  FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS wanted (schema, name)
                  JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema::pg_catalog.name
                  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name::pg_catalog.name) x
