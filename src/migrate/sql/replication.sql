-- Conditions for publishing the database, except its tables. No parameters. One row.
SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS may_create,
       pg_catalog.pg_database_size(pg_catalog.current_database()) AS bytes,
       -- In megabytes, since 13; -1 is no limit.
       (SELECT s.setting::int8 FROM pg_catalog.pg_settings s WHERE s.name = 'max_slot_wal_keep_size') AS kept_megabytes,
       -- A list; NULL if the server has no such setting, or shows it to superusers and pg_read_all_settings only.
       (SELECT s.setting FROM pg_catalog.pg_settings s WHERE s.name = 'output_plugin_libraries') AS output_plugins,
       -- Transactions that have written: slot creation waits for them.
       ARRAY(SELECT a.pid FROM pg_catalog.pg_stat_activity a
              WHERE a.backend_xid IS NOT NULL AND a.xact_start < pg_catalog.clock_timestamp() - interval '1 hour'
              ORDER BY a.xact_start) AS old_pids,
       ARRAY(SELECT x.gid || ' of role ' || x.owner || ', prepared ' || x.prepared::timestamptz(0)
               FROM pg_catalog.pg_prepared_xacts x
              ORDER BY x.prepared) AS prepared
