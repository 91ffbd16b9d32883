-- Properties of the server for the checks. No parameters. One row.
SELECT pg_catalog.pg_is_in_recovery() AS standby,
       (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) AS system_identifier,
       pg_catalog.current_setting('wal_level') AS wal_level,
       pg_catalog.current_setting('max_replication_slots')::int8
           - (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_slots) AS free_slots,
       pg_catalog.current_setting('max_wal_senders')::int8
           - (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_get_wal_senders()) AS free_senders,
       r.rolname::text AS role,
       r.rolsuper AS superuser,
       r.rolreplication AS replication,
       r.rolcreatedb AS createdb,
       r.rolcreaterole AS createrole,
       EXISTS (SELECT FROM pg_catalog.pg_roles provider
                WHERE provider.rolname IN ('rds_replication', 'cloudsqlreplica', 'azure_pg_admin')
                  AND pg_catalog.pg_has_role(r.oid, provider.oid, 'MEMBER')) AS provider_replication,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts) AS prepared,
       -- Since 18: timeout of an inactive slot, with its unit; 0 means no timeout.
       (SELECT pg_catalog.current_setting(s.name) FROM pg_catalog.pg_settings s
         WHERE s.name = 'idle_replication_slot_timeout' AND s.setting <> '0') AS idle_slot_timeout
  FROM pg_catalog.pg_roles r
 WHERE r.rolname = CURRENT_USER
