-- Tables and partitioned tables, with what a change of definition or a rewrite alters.
-- Run twice: when the locks are acquired, and under the snapshot. No parameters.
SELECT c.oid,
       n.nspname::text,
       c.relname::text,
       c.relkind::text || ':' || c.relfilenode || ':' || c.relispartition || ':' || c.relnamespace AS storage,
       COALESCE((SELECT pg_catalog.string_agg(a.attnum || ':' || a.attname || ':' || a.atttypid || ':' || a.atttypmod
                                              || ':' || a.attisdropped || ':' || a.attgenerated::text, ',' ORDER BY a.attnum)
                   FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0), '') AS columns
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p')
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   -- Unreadable tables of extensions are not copied.
   AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
 ORDER BY c.oid
