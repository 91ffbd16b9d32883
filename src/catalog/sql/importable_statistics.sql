-- Tables whose planner statistics can be imported completely. $1: schemas, $2: names.
-- Every column must be analyzed, and `pg_stats` must show all statistics. It lacks extended statistics, those of index
-- expressions, those of a type's own typanalyze function, and, before 17, those of ranges.
SELECT n.nspname::text AS schema, c.relname::text AS name
  FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS wanted (schema, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema::pg_catalog.name
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name::pg_catalog.name
 WHERE c.reltuples >= 0
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_statistic_ext e WHERE e.stxrelid = c.oid)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indexprs IS NOT NULL)
   AND EXISTS (SELECT FROM pg_catalog.pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = c.relname)
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_attribute a
           JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
           LEFT JOIN pg_catalog.pg_proc p ON p.oid = t.typanalyze
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND coalesce(a.attstattarget, -1) <> 0 AND a.attgenerated <> 'v'
            AND (p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace
                 OR p.proname IN ('range_typanalyze', 'multirange_typanalyze')
                    AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute known
                                     WHERE known.attrelid = 'pg_catalog.pg_stats'::pg_catalog.regclass
                                       AND known.attname = 'range_length_histogram')
                 OR NOT EXISTS (SELECT FROM pg_catalog.pg_stats s
                                 WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
                                   AND s.inherited = (c.relkind = 'p'))))
