-- Comments on members of extensions: most come with the extension, some are a user's. Also comments of users on
-- system objects (OIDs below 12000). xmin identifies them: initdb writes its many hundreds in few transactions.
WITH member AS MATERIALIZED (
  SELECT m.classid, m.objid, e.extname::text AS extension, e.extversion AS version
    FROM pg_catalog.pg_depend m
    JOIN pg_catalog.pg_extension e ON e.tableoid = m.refclassid AND e.oid = m.refobjid
   WHERE m.deptype = 'e'),
commented AS (
  SELECT m.extension, m.version, d.classoid, d.objoid, d.objsubid, d.description
    FROM member m
    JOIN pg_catalog.pg_description d ON d.classoid = m.classid AND d.objoid = m.objid
  UNION ALL
  SELECT '', '', d.classoid, d.objoid, d.objsubid, d.description
    FROM pg_catalog.pg_description d
   WHERE d.objoid < 12000
     AND d.xmin::text IN (SELECT i.xmin::text FROM pg_catalog.pg_description i
                           WHERE i.objoid < 12000
                           GROUP BY 1 HAVING pg_catalog.count(*) < 100)
     AND NOT EXISTS (SELECT FROM member m WHERE m.classid = d.classoid AND m.objid = d.objoid)
     -- comments.sql reads that on schema public.
     AND (d.classoid, d.objoid) <> ('pg_catalog.pg_namespace'::pg_catalog.regclass, 2200))
SELECT d.extension, d.version, d.description AS text,
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
  FROM commented d,
       LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) i
 ORDER BY 1, 4
