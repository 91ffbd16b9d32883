-- Logical slots. Columns a version lacks are NULL. $1: name, or NULL for all.
SELECT s.slot_name::text AS name, s.database::text AS database, s.plugin::text AS plugin, s.temporary,
       s.active_pid, s.restart_lsn::text AS restart_lsn, s.confirmed_flush_lsn::text AS confirmed_lsn,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL
            ELSE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn)::int8 END AS retained,
       j.row ->> 'wal_status' AS wal_status,
       (j.row ->> 'safe_wal_size')::int8 AS safe_wal_size,
       j.row ->> 'inactive_since' AS inactive_since,
       COALESCE(j.row ->> 'invalidation_reason',
                CASE WHEN (j.row ->> 'conflicting')::bool THEN 'conflict with recovery' END) AS invalidation,
       COALESCE((j.row ->> 'failover')::bool, false) AS failover
  FROM pg_catalog.pg_replication_slots s, LATERAL (SELECT pg_catalog.to_jsonb(s) AS row) j
 WHERE s.slot_type = 'logical' AND ($1::text IS NULL OR s.slot_name = $1::text::name)
 ORDER BY 1
