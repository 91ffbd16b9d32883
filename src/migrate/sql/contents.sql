-- What stands in a database beside what every fresh one holds. Empty means all zero.
-- No parameters. One row.
WITH own AS (SELECT oid FROM pg_catalog.pg_namespace
              WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'),
     member AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e')
SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c
         WHERE c.relnamespace IN (SELECT oid FROM own) AND c.relkind IN ('r', 'p', 'f', 'm')
           AND NOT EXISTS (SELECT FROM member m
                            WHERE m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND m.objid = c.oid)) AS tables,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c
         WHERE c.relnamespace IN (SELECT oid FROM own) AND c.relkind NOT IN ('r', 'p', 'f', 'm')
           AND NOT EXISTS (SELECT FROM member m
                            WHERE m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND m.objid = c.oid))
     + (SELECT pg_catalog.count(*) FROM pg_catalog.pg_proc p
         WHERE p.pronamespace IN (SELECT oid FROM own)
           AND NOT EXISTS (SELECT FROM member m
                            WHERE m.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND m.objid = p.oid))
     + (SELECT pg_catalog.count(*) FROM pg_catalog.pg_type t
         WHERE t.typnamespace IN (SELECT oid FROM own)
           AND NOT EXISTS (SELECT FROM member m
                            WHERE m.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND m.objid = t.oid))
     + (SELECT pg_catalog.count(*) FROM pg_catalog.pg_namespace n
         WHERE n.oid IN (SELECT oid FROM own) AND n.nspname <> 'public'
           AND NOT EXISTS (SELECT FROM member m
                            WHERE m.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND m.objid = n.oid)
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extnamespace = n.oid))
     + (SELECT pg_catalog.count(*) FROM pg_catalog.pg_publication)
     + (SELECT pg_catalog.count(*) FROM pg_catalog.pg_event_trigger e
         WHERE NOT EXISTS (SELECT FROM member m
                            WHERE m.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass AND m.objid = e.oid)) AS others,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata) AS large_objects,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_default_acl) AS default_privileges,
       ARRAY(SELECT e.extname::text FROM pg_catalog.pg_extension e) AS extensions,
       pg_catalog.pg_database_size(pg_catalog.current_database()) AS bytes,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS may_create
