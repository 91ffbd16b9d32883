-- How far the target has applied. A role that may not read pg_stat_replication sees what the slot confirms, which is also
-- flushed. $1: the slot's name.
SELECT COALESCE(r.replay_lsn, s.confirmed_flush_lsn)::text AS applied
  FROM pg_catalog.pg_replication_slots s
  LEFT JOIN pg_catalog.pg_stat_replication r ON r.pid = s.active_pid
 WHERE s.slot_name = $1::text::name
