-- What the target provides for subscriptions of its own. $1: slots of this run, whose subscriptions are not counted;
-- $2: databases that exist and stay. One row.
SELECT ARRAY(SELECT d.datname::text FROM pg_catalog.pg_database d
              WHERE d.datname::text = ANY ($2::text[])
                AND NOT pg_catalog.has_database_privilege(r.oid, d.oid, 'CREATE')
              ORDER BY 1) AS closed,
       pg_catalog.current_setting('max_logical_replication_workers')::int8 AS max_workers,
       pg_catalog.current_setting('max_worker_processes')::int8 AS max_processes,
       -- Since 18 origins have a setting of their own.
       pg_catalog.current_setting('max_active_replication_origins', true)::int8 AS max_origins,
       pg_catalog.current_setting('max_replication_slots')::int8 AS max_slots,
       other.enabled AS other_subscriptions,
       -- Each subscription has an origin.
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_origin) - other.ours AS other_origins,
       -- Background workers except those of subscriptions and of parallel queries.
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a
         WHERE a.backend_type NOT IN ('client backend', 'autovacuum launcher', 'autovacuum worker', 'archiver',
                                      'background writer', 'checkpointer', 'io worker', 'parallel worker', 'slotsync worker',
                                      'standalone backend', 'startup', 'walreceiver', 'walsender', 'walsummarizer',
                                      'walwriter')
           AND a.backend_type NOT LIKE 'logical replication %worker') AS other_processes
  FROM pg_catalog.pg_roles r,
       (SELECT pg_catalog.count(*) FILTER (WHERE o.subenabled AND NOT o.ours) AS enabled,
               pg_catalog.count(*) FILTER (WHERE o.ours) AS ours
          FROM (SELECT s.subenabled, COALESCE(s.subslotname::text = ANY ($1::text[]), false) AS ours
                  FROM pg_catalog.pg_subscription s) o) other
 WHERE r.rolname = CURRENT_USER
