-- Transactions that have written and are still open: a slot's creation waits for them.
SELECT a.pid, COALESCE(pg_catalog.round(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start))::int8, 0),
       pg_catalog.left(COALESCE(a.query, ''), 200)
  FROM pg_catalog.pg_stat_activity a
 WHERE a.backend_xid IS NOT NULL
 ORDER BY a.xact_start
