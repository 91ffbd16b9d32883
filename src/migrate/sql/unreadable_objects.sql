-- Large objects that the connecting role may not read. No parameters. One row.
SELECT pg_catalog.count(*),
       COALESCE((pg_catalog.array_agg(m.oid::text ORDER BY m.oid))[1:5], '{}')
  FROM pg_catalog.pg_largeobject_metadata m
 WHERE NOT pg_catalog.pg_has_role(m.lomowner, 'USAGE')
   AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER)
   AND pg_catalog.current_setting('lo_compat_privileges') = 'off'
   AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(m.lomacl) a
                    WHERE a.privilege_type = 'SELECT'
                      AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE')))
