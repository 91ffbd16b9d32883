-- What failover slots depend on. No parameters. One row.
SELECT -- NULL before 17, which has no failover slots.
       (SELECT s.setting FROM pg_catalog.pg_settings s WHERE s.name = 'synchronized_standby_slots') AS standby_slots,
       -- Physical slots that a session uses and that are not invalidated. Temporary ones are those of backups.
       ARRAY(SELECT p.slot_name::text FROM pg_catalog.pg_replication_slots p
              WHERE p.slot_type = 'physical' AND NOT p.temporary AND p.active
                AND (pg_catalog.to_jsonb(p) ->> 'invalidation_reason') IS NULL
              ORDER BY 1) AS used,
       -- All slots that exist.
       ARRAY(SELECT p.slot_name::text FROM pg_catalog.pg_replication_slots p ORDER BY 1) AS slots,
       -- Standbys report what they have replayed, and pg_receivewal does not. A role without pg_monitor sees no
       -- state: then those count that use a permanent physical slot.
       (SELECT pg_catalog.count(*)
          FROM pg_catalog.pg_stat_replication r
               LEFT JOIN pg_catalog.pg_replication_slots p ON p.active_pid = r.pid
         WHERE COALESCE(p.slot_type, 'physical') = 'physical'
           AND CASE WHEN r.state IS NULL THEN NOT p.temporary
                    ELSE r.state IN ('catchup', 'streaming') AND r.replay_lsn IS NOT NULL END) AS standbys
