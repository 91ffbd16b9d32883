-- The workers and counters of one subscription. Columns a version lacks are NULL. $1: the subscription's oid. One row.
SELECT w.pid, w.received_lsn::text AS received_lsn, w.latest_end_lsn::text AS latest_end_lsn,
       w.latest_end_time::text AS latest_end_time,
       (SELECT pg_catalog.string_agg('pid ' || b.pid || COALESCE(' of role ' || b.usename || ', ' || b.state, ''), '; ')
          FROM pg_catalog.pg_stat_activity a
         CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(a.pid)) p (pid)
          LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = p.pid
         WHERE a.pid = w.pid AND a.wait_event_type = 'Lock') AS blocked_by,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_subscription o
         WHERE o.subid = $1::oid AND o.relid IS NOT NULL AND o.pid IS NOT NULL) AS table_workers,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_subscription o WHERE o.pid IS NOT NULL) AS all_workers,
       pg_catalog.current_setting('max_logical_replication_workers')::int8 AS worker_limit
  FROM (VALUES (true)) one (row)
  LEFT JOIN LATERAL (
       SELECT s.* FROM pg_catalog.pg_stat_subscription s, LATERAL (SELECT pg_catalog.to_jsonb(s) AS row) j
        WHERE s.subid = $1::oid AND s.relid IS NULL AND j.row ->> 'leader_pid' IS NULL
        ORDER BY s.pid LIMIT 1) w ON true
