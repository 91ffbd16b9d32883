-- User mappings. Their options may be read by superusers, by the mapped role if it may use the server, and by the
-- server's owner for PUBLIC: the view shows NULL to others, and also where there are none. Members of the mapped role
-- do not see them.
SELECT m.umid AS oid, m.srvname::text AS server, CASE WHEN m.umuser <> 0 THEN m.usename::text END AS role,
       m.umoptions::text[] AS options,
       m.umoptions IS NOT NULL
         OR (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER)
         OR CASE WHEN m.umuser = 0 THEN pg_catalog.pg_has_role(s.srvowner, 'USAGE')
                 ELSE m.usename = CURRENT_USER
                      AND (pg_catalog.pg_has_role(s.srvowner, 'USAGE') OR pg_catalog.has_server_privilege(m.srvid, 'USAGE')) END AS is_readable
  FROM pg_catalog.pg_user_mappings m
  JOIN pg_catalog.pg_foreign_server s ON s.oid = m.srvid
 ORDER BY m.srvname, m.usename
