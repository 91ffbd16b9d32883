-- The source's side of one replication. Columns a version lacks, and those that the role may not read, are NULL. $1: the
-- slot's name, or NULL. One row.
SELECT pg_catalog.pg_is_in_recovery() AS is_standby,
       pg_catalog.current_setting('wal_level') AS wal_level,
       CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_current_wal_flush_lsn()::text END AS flush_lsn,
       pg_catalog.current_setting('max_slot_wal_keep_size', true) AS slot_wal_limit,
       r.pid, r.application_name, pg_catalog.host(r.client_addr) AS client, r.state,
       r.sent_lsn::text AS sent_lsn, r.write_lsn::text AS write_lsn, r.flush_lsn::text AS acknowledged_lsn,
       r.replay_lsn::text AS replay_lsn,
       (pg_catalog.date_part('epoch', r.write_lag) * 1000)::int8 AS write_lag,
       (pg_catalog.date_part('epoch', r.flush_lag) * 1000)::int8 AS flush_lag,
       (pg_catalog.date_part('epoch', r.replay_lag) * 1000)::int8 AS replay_lag
  FROM (VALUES (true)) one (row)
  LEFT JOIN pg_catalog.pg_replication_slots s ON s.slot_name = $1::text::name
  -- The WAL sender is found through its slot: anybody may use its application name.
  LEFT JOIN pg_catalog.pg_stat_replication r ON r.pid = s.active_pid
