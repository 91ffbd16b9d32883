-- Access methods that users made.
SELECT a.oid, a.amname::text AS name, a.amtype::text AS kind, a.amhandler::text AS handler
  FROM pg_catalog.pg_am a
 WHERE a.oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = a.tableoid AND d.objid = a.oid AND d.deptype = 'e')
 ORDER BY a.oid
