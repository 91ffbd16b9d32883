-- Member relations of extensions. Most come with the extension; users added the others.
SELECT e.extname::text AS extension, e.extversion AS version, n.nspname::text AS schema, c.relname::text AS name
  FROM pg_catalog.pg_depend m
  JOIN pg_catalog.pg_extension e ON e.tableoid = m.refclassid AND e.oid = m.refobjid
  JOIN pg_catalog.pg_class c ON c.tableoid = m.classid AND c.oid = m.objid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE m.deptype = 'e' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
 ORDER BY 1, 3, 4
