-- Foreign data wrappers, foreign servers and user mappings of users. Mapping options are readable for superusers, the
-- mapped role with USAGE on the server, and the server's owner (if for PUBLIC). Others see NULL, as without options.
SELECT 'wrapper' AS kind, w.oid, w.fdwname::text AS name, pg_catalog.pg_get_userbyid(w.fdwowner)::text AS owner,
       h.proname::text AS handler, hn.nspname::text AS handler_schema, v.proname::text AS validator, vn.nspname::text AS validator_schema,
       NULL::text AS wrapper, NULL::text AS type, NULL::text AS version, NULL::text AS server, NULL::text AS role,
       coalesce(w.fdwoptions, '{}')::text[] AS options, true AS is_readable
  FROM pg_catalog.pg_foreign_data_wrapper w
  LEFT JOIN pg_catalog.pg_proc h ON h.oid = w.fdwhandler
  LEFT JOIN pg_catalog.pg_namespace hn ON hn.oid = h.pronamespace
  LEFT JOIN pg_catalog.pg_proc v ON v.oid = w.fdwvalidator
  LEFT JOIN pg_catalog.pg_namespace vn ON vn.oid = v.pronamespace
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = w.tableoid AND d.objid = w.oid AND d.deptype = 'e')
UNION ALL
SELECT 'server', s.oid, s.srvname::text, pg_catalog.pg_get_userbyid(s.srvowner)::text, NULL, NULL, NULL, NULL,
       w.fdwname::text, s.srvtype, s.srvversion, NULL, NULL, coalesce(s.srvoptions, '{}')::text[], true
  FROM pg_catalog.pg_foreign_server s
  JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = s.tableoid AND d.objid = s.oid AND d.deptype = 'e')
UNION ALL
SELECT 'mapping', m.umid, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, m.srvname::text,
       CASE WHEN m.umuser <> 0 THEN m.usename::text END, m.umoptions::text[],
       m.umoptions IS NOT NULL
         OR (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER)
         OR CASE WHEN m.umuser = 0 THEN pg_catalog.pg_has_role(s.srvowner, 'USAGE')
                 ELSE m.usename = CURRENT_USER
                      AND (pg_catalog.pg_has_role(s.srvowner, 'USAGE') OR pg_catalog.has_server_privilege(m.srvid, 'USAGE')) END
  FROM pg_catalog.pg_user_mappings m
  JOIN pg_catalog.pg_foreign_server s ON s.oid = m.srvid
 -- Excludes mappings of dropped roles: without a name they would be PUBLIC's.
 WHERE m.umuser = 0 OR EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid = m.umuser)
 ORDER BY 1, 2
