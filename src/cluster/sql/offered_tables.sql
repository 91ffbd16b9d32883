-- Tables that a user can select, each with the bytes of its rows and large values as the planner last counted them: no
-- lock is needed for that. NULL for a table that is empty or has not been counted yet. A partitioned table includes its
-- partitions, which are not listed. No parameters.
SELECT n.nspname::text AS schema_name,
       c.relname::text AS name,
       nullif((greatest(c.relpages, 0)::pg_catalog.int8 + coalesce(t.relpages, 0)
         + coalesce((SELECT pg_catalog.sum(greatest(p.relpages, 0)::pg_catalog.int8 + coalesce(pt.relpages, 0))
                       FROM pg_catalog.pg_partition_tree(CASE c.relkind WHEN 'p' THEN c.oid END) tree
                       JOIN pg_catalog.pg_class p ON p.oid = tree.relid AND p.oid <> c.oid
                       LEFT JOIN pg_catalog.pg_class pt ON pt.oid = p.reltoastrelid), 0))::pg_catalog.int8, 0)
        * pg_catalog.current_setting('block_size')::pg_catalog.int8 AS bytes,
       -- Those that a time filter can be on.
       ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'
                AND a.atttypid IN ('pg_catalog.timestamptz'::pg_catalog.regtype,
                                   'pg_catalog.timestamp'::pg_catalog.regtype,
                                   'pg_catalog.date'::pg_catalog.regtype)
              ORDER BY a.attnum) AS time_columns
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
 WHERE c.relkind IN ('r', 'p')
   AND NOT c.relispartition
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.objid = c.oid
                      AND d.objsubid = 0
                      AND d.deptype = 'e')
 ORDER BY n.nspname <> 'public', n.nspname, c.relname
