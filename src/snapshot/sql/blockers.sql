-- Sessions that hold locks which exclude even reading, on tables of this database.
-- No parameters.
SELECT DISTINCT a.pid,
       pg_catalog.left(COALESCE(a.query, ''), 200),
       c.relname::text
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
  JOIN pg_catalog.pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p')
 WHERE l.granted
   AND l.mode = 'AccessExclusiveLock'
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
 ORDER BY 1
