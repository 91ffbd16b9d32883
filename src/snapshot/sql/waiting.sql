-- Sessions that wait for a lock of one session, and whether somebody who has written waits for any
-- lock: such a transaction may stand behind them, and holds up the creation of a slot.
-- $1 int4: the pid of the session that holds the locks
SELECT a.pid,
       pg_catalog.left(COALESCE(a.query, ''), 200),
       COALESCE((SELECT pg_catalog.min(c.relname::text)
                   FROM pg_catalog.pg_locks l
                   JOIN pg_catalog.pg_class c ON c.oid = l.relation
                  WHERE l.pid = a.pid AND NOT l.granted), ''),
       EXISTS (SELECT
                 FROM pg_catalog.pg_locks writer
                 JOIN pg_catalog.pg_locks wish ON wish.pid = writer.pid AND NOT wish.granted
                WHERE writer.locktype = 'transactionid' AND writer.granted)
  FROM pg_catalog.pg_stat_activity a
 WHERE $1 = ANY (pg_catalog.pg_blocking_pids(a.pid))
 ORDER BY a.pid
