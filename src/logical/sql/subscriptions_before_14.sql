-- Subscriptions of this database. Only columns that every role may read: the oid is none of them before 14, so it is that of
-- the statistics. Names are unique in a database only: the tables of this database show which oid is meant. No parameters.
SELECT k.oid, s.subname::text AS name, s.subenabled AS is_enabled, s.subslotname::text AS slot,
       s.subpublications AS publications, pg_catalog.obj_description(k.oid, 'pg_subscription') AS comment,
       r.rolname::text AS owner, r.rolsuper AS is_owner_superuser
  FROM pg_catalog.pg_subscription s
  JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
  JOIN pg_catalog.pg_roles r ON r.oid = s.subowner
 CROSS JOIN LATERAL (
       SELECT t.subid AS oid
         FROM pg_catalog.pg_stat_subscription t
        WHERE t.subname = s.subname
        ORDER BY EXISTS (SELECT FROM pg_catalog.pg_subscription_rel e WHERE e.srsubid = t.subid) DESC, t.subid
        LIMIT 1) k
 WHERE d.datname = pg_catalog.current_database()
 ORDER BY s.subname
