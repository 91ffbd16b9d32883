-- What the target lets our role do, and what is free there. Columns a version lacks are NULL. No parameters. One row.
SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS may_create,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_subscription s WHERE s.pid IS NOT NULL) AS workers,
       pg_catalog.current_setting('max_logical_replication_workers')::int8 AS worker_limit,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_origin) AS origins,
       COALESCE(pg_catalog.current_setting('max_active_replication_origins', true),
                pg_catalog.current_setting('max_replication_slots'))::int8 AS origin_limit
