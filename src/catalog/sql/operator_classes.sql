-- Operator classes of users.
SELECT c.oid, n.nspname::text AS schema, c.opcname::text AS name, pg_catalog.pg_get_userbyid(c.opcowner)::text AS owner,
       am.amname::text AS method, fn.nspname::text AS family_schema, f.opfname::text AS family_name,
       c.opcdefault, pg_catalog.format_type(c.opcintype, NULL) AS type_name,
       CASE WHEN c.opckeytype <> 0 THEN pg_catalog.format_type(c.opckeytype, NULL) END AS storage
  FROM pg_catalog.pg_opclass c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.opcnamespace
  JOIN pg_catalog.pg_am am ON am.oid = c.opcmethod
  JOIN pg_catalog.pg_opfamily f ON f.oid = c.opcfamily
  JOIN pg_catalog.pg_namespace fn ON fn.oid = f.opfnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = c.tableoid AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY c.oid
