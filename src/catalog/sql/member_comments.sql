-- Comments on objects of extensions: most come with the extension, some are a user's.
SELECT e.extname::text AS extension, e.extversion AS version, d.description AS text,
       CASE i.type WHEN 'table column' THEN 'COLUMN' WHEN 'foreign-data wrapper' THEN 'FOREIGN DATA WRAPPER'
         WHEN 'table constraint' THEN 'CONSTRAINT' WHEN 'domain constraint' THEN 'CONSTRAINT'
         WHEN 'composite type' THEN 'TYPE' WHEN 'composite type column' THEN 'COLUMN' WHEN 'view column' THEN 'COLUMN'
         WHEN 'materialized view column' THEN 'COLUMN' WHEN 'foreign table column' THEN 'COLUMN'
         ELSE pg_catalog.upper(i.type) END || ' '
         || CASE i.type WHEN 'procedure' THEN (SELECT pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
                                                                    pg_catalog.pg_get_function_identity_arguments(p.oid))
                                             FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                                            WHERE p.oid = d.objoid)
              WHEN 'aggregate' THEN pg_catalog.replace(i.identity, '()', '(*)')
              WHEN 'domain constraint' THEN pg_catalog.regexp_replace(i.identity, ' on ', ' ON DOMAIN ')
              ELSE i.identity END AS object
  FROM pg_catalog.pg_extension e
  JOIN pg_catalog.pg_depend m ON m.refclassid = e.tableoid AND m.refobjid = e.oid AND m.deptype = 'e'
  JOIN pg_catalog.pg_description d ON d.classoid = m.classid AND d.objoid = m.objid,
       LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) i
 ORDER BY 1, 4
