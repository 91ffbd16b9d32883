-- Open transactions that have written, including prepared ones: slot creation waits for them.
SELECT COALESCE('pid ' || a.pid, 'unknown') AS who,
       COALESCE(a.usename::text, 'unknown') AS "user",
       COALESCE(pg_catalog.round(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::numeric)::int8, 0) AS seconds,
       pg_catalog.left(COALESCE(a.query, ''), 200) AS statement
  FROM pg_catalog.pg_stat_activity a
 WHERE a.backend_xid IS NOT NULL
UNION ALL
SELECT 'prepared transaction ''' || x.gid || '''',
       x.owner::text,
       COALESCE(pg_catalog.round(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - x.prepared)::numeric)::int8, 0),
       'database ' || x.database::text
  FROM pg_catalog.pg_prepared_xacts x
 ORDER BY 3 DESC, 1
