-- Operator families of users, including implicit ones of operator classes.
SELECT f.oid, n.nspname::text AS schema, f.opfname::text AS name, pg_catalog.pg_get_userbyid(f.opfowner)::text AS owner,
       am.amname::text AS method
  FROM pg_catalog.pg_opfamily f
  JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
  JOIN pg_catalog.pg_am am ON am.oid = f.opfmethod
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = f.tableoid AND d.objid = f.oid AND d.deptype = 'e')
 ORDER BY f.oid
