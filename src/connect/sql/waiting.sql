-- Sessions that wait for a lock of ours. behind: how many sessions wait for this one. Each wait chain that
-- ends with us has such a session at its end. by_nature: it waits until our virtual transaction ends, as
-- CREATE INDEX CONCURRENTLY does for transactions with locks or old snapshots.
-- $1 int4[]: process IDs of our sessions; IDs are reused, so application_name must match, too
WITH ours AS MATERIALIZED (
    SELECT COALESCE(pg_catalog.array_agg(pid), '{}') AS pids
      FROM pg_catalog.pg_stat_activity
     WHERE pid = ANY ($1)
       AND usename = CURRENT_USER
       AND application_name = pg_catalog.current_setting('application_name')
), waiting AS MATERIALIZED (
    SELECT l.pid,
           pg_catalog.pg_blocking_pids(l.pid) AS blockers,
           pg_catalog.bool_and(l.locktype = 'virtualxid') AS by_nature,
           pg_catalog.min(n.nspname::text || '.' || c.relname::text) AS relation
      FROM pg_catalog.pg_locks l
      LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation
      LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT l.granted
       AND l.pid IS NOT NULL
     GROUP BY l.pid
)
SELECT w.pid,
       COALESCE(a.usename::text, 'unknown') AS "user",
       COALESCE(w.relation, '') AS relation,
       pg_catalog.left(COALESCE(a.query, ''), 200) AS statement,
       COALESCE(a.query_start::text, '') AS since,
       w.by_nature,
       (SELECT pg_catalog.count(*) FROM waiting o WHERE w.pid = ANY (o.blockers) AND o.pid <> ALL (ours.pids)) AS behind
  FROM ours
  JOIN waiting w ON w.blockers && ours.pids AND w.pid <> ALL (ours.pids)
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = w.pid
 ORDER BY w.by_nature, w.pid
