-- Number of connections that the connecting role may still open: one row for each limit of the server, the role
-- and a database. $1: process IDs of this command, including ended ones. These sessions are not counted:
-- the server may notice the end of one later than we do.
WITH me AS (
    SELECT r.oid, r.rolname, r.rolsuper, r.rolconnlimit
      FROM pg_catalog.pg_roles r
     WHERE r.rolname = CURRENT_USER
), sessions AS (
    -- Values that the role may not see are NULL.
    SELECT a.datid, a.usesysid
      FROM pg_catalog.pg_stat_get_activity(NULL) a
     WHERE a.datid IS NOT NULL
       AND coalesce(a.backend_type, 'client backend') = 'client backend'
       AND a.pid <> pg_catalog.pg_backend_pid()
       AND a.pid <> ALL ($1::int4[])
), reserved AS (
    SELECT s.name, s.setting::int8
      FROM pg_catalog.pg_settings s, me
     WHERE NOT me.rolsuper
       AND (s.name = 'superuser_reserved_connections'
            OR s.name = 'reserved_connections'
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles p
                                WHERE p.rolname = 'pg_use_reserved_connections'
                                  AND pg_catalog.pg_has_role(me.oid, p.oid, 'MEMBER')))
)
SELECT 'server' AS kind, NULL::text AS name,
       pg_catalog.current_setting('max_connections')::int8
           - coalesce((SELECT pg_catalog.sum(reserved.setting) FROM reserved), 0)::int8
           - (SELECT pg_catalog.count(*) FROM sessions) AS free
UNION ALL
SELECT 'role', me.rolname::text,
       me.rolconnlimit - (SELECT pg_catalog.count(*) FROM sessions WHERE usesysid = me.oid)
  FROM me
 WHERE me.rolconnlimit >= 0 AND NOT me.rolsuper
UNION ALL
SELECT 'database', d.datname::text,
       d.datconnlimit - (SELECT pg_catalog.count(*) FROM sessions WHERE datid = d.oid)
  FROM pg_catalog.pg_database d, me
 WHERE d.datconnlimit >= 0 AND NOT me.rolsuper
