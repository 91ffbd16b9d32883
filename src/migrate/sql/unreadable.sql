-- Relations of which the connecting role cannot read all rows. No parameters.
SELECT n.nspname::text, c.relname::text,
       CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN 'schema'
            WHEN c.relkind = 'S' THEN CASE WHEN NOT pg_catalog.has_sequence_privilege(c.oid, 'SELECT') THEN 'sequence' END
            WHEN NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') THEN 'table'
            WHEN pg_catalog.row_security_active(c.oid) THEN 'row security' END AS why
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'S')
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
   AND (NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
        OR CASE WHEN c.relkind = 'S' THEN NOT pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
                ELSE NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.row_security_active(c.oid) END)
   -- Of extensions, only configuration tables are read.
   AND NOT EXISTS (SELECT
                     FROM pg_catalog.pg_depend d
                     JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
                    WHERE d.classid = c.tableoid AND d.objid = c.oid AND d.deptype = 'e'
                      AND (e.extname = 'timescaledb' OR c.oid <> ALL (COALESCE(e.extconfig, '{}'))))
 ORDER BY 1, 2
