-- Subscriptions of this database. Only columns that every role may read. No parameters.
SELECT s.oid, s.subname::text AS name, s.subenabled AS is_enabled, s.subslotname::text AS slot,
       s.subpublications AS publications, pg_catalog.obj_description(s.oid, 'pg_subscription') AS comment, r.rolname::text AS owner, r.rolsuper AS is_owner_superuser
  FROM pg_catalog.pg_subscription s
  JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
  JOIN pg_catalog.pg_roles r ON r.oid = s.subowner
 WHERE d.datname = pg_catalog.current_database()
 ORDER BY s.subname
