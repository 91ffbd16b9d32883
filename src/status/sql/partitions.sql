-- Partitions with rows of their own below these tables. $1: schemas; $2: names.
SELECT DISTINCT ln.nspname::text AS schema_name, leaf.relname::text AS name
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) w (schema_name, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema_name::name
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name::name
 CROSS JOIN LATERAL pg_catalog.pg_partition_tree(c.oid) t
  JOIN pg_catalog.pg_class leaf ON leaf.oid = t.relid
  JOIN pg_catalog.pg_namespace ln ON ln.oid = leaf.relnamespace
 WHERE c.relkind = 'p' AND t.isleaf AND leaf.relkind = 'r'
 ORDER BY 1, 2
