-- Names of this database's subscriptions, and whether we are superuser.
SELECT s.subname::text AS name, pg_catalog.current_setting('is_superuser') = 'on' AS is_superuser
  FROM pg_catalog.pg_subscription s
 WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
 ORDER BY s.subname
