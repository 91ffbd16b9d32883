-- User mappings. Their options may be read by superusers, by the mapped role, and by the server's owner for PUBLIC:
-- the view shows NULL to others, and also where there are none.
SELECT m.umid AS oid, m.srvname::text AS server, CASE WHEN m.umuser <> 0 THEN m.usename::text END AS role,
       m.umoptions::text[] AS options,
       m.umoptions IS NOT NULL OR pg_catalog.pg_has_role(CASE m.umuser WHEN 0 THEN s.srvowner ELSE m.umuser END, 'USAGE') AS is_readable
  FROM pg_catalog.pg_user_mappings m
  JOIN pg_catalog.pg_foreign_server s ON s.oid = m.srvid
 ORDER BY m.srvname, m.usename
