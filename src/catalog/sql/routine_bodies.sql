-- SQL-standard bodies of routines, since 14.
SELECT p.oid, pg_catalog.pg_get_function_sqlbody(p.oid) AS body,
       EXISTS (SELECT FROM pg_catalog.pg_depend d
                WHERE d.classid = p.tableoid AND d.objid = p.oid
                  AND d.refclassid = p.tableoid AND d.refobjid = p.oid) AS names_itself
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE p.prosqlbody IS NOT NULL AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
