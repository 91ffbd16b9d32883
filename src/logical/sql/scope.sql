-- Tables, each with its own name first and then those of the partitioned tables above it. No parameters.
SELECT c.oid,
       ARRAY(SELECT n.nspname::text
               FROM pg_catalog.pg_partition_ancestors(c.oid) WITH ORDINALITY above (oid, place)
               JOIN pg_catalog.pg_class a ON a.oid = above.oid
               JOIN pg_catalog.pg_namespace n ON n.oid = a.relnamespace
              ORDER BY above.place) AS above_schemas,
       ARRAY(SELECT a.relname::text
               FROM pg_catalog.pg_partition_ancestors(c.oid) WITH ORDINALITY above (oid, place)
               JOIN pg_catalog.pg_class a ON a.oid = above.oid
               JOIN pg_catalog.pg_namespace n ON n.oid = a.relnamespace
              ORDER BY above.place) AS above_names,
       n.nspname::text AS schema_name, c.relname::text AS name
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
