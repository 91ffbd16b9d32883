-- Objects whose definitions use operators outside pg_catalog, with the operators' schemas. Parts that one statement
-- creates count as one object: a relation with its defaults, checks and partition key, a domain with its checks.
WITH uses AS (
  SELECT d.classid, d.objid, n.nspname
    FROM pg_catalog.pg_operator o
    JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    JOIN pg_catalog.pg_depend d ON d.refclassid = o.tableoid AND d.refobjid = o.oid
   WHERE n.nspname <> 'pg_catalog')
SELECT owner.class, owner.oid, pg_catalog.array_agg(DISTINCT owner.nspname::text ORDER BY owner.nspname::text) AS schemas
  FROM (SELECT CASE WHEN r.ev_type = '1' THEN 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid ELSE u.classid END AS class,
               CASE WHEN r.ev_type = '1' THEN r.ev_class ELSE u.objid END AS oid, u.nspname
          FROM uses u JOIN pg_catalog.pg_rewrite r ON u.classid = r.tableoid AND u.objid = r.oid
         UNION ALL
        SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, e.adrelid, u.nspname
          FROM uses u JOIN pg_catalog.pg_attrdef e ON u.classid = e.tableoid AND u.objid = e.oid
         UNION ALL
        SELECT CASE WHEN k.conrelid <> 0 THEN 'pg_catalog.pg_class'::pg_catalog.regclass ELSE 'pg_catalog.pg_type'::pg_catalog.regclass END,
               CASE WHEN k.conrelid <> 0 THEN k.conrelid ELSE k.contypid END, u.nspname
          FROM uses u JOIN pg_catalog.pg_constraint k ON u.classid = k.tableoid AND u.objid = k.oid AND k.contype = 'c'
         UNION ALL
        SELECT u.classid, u.objid, u.nspname
          FROM uses u
         WHERE u.classid IN ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_type'::pg_catalog.regclass,
                             'pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_trigger'::pg_catalog.regclass,
                             'pg_catalog.pg_policy'::pg_catalog.regclass, 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass)) owner
 GROUP BY owner.class, owner.oid
 ORDER BY owner.class, owner.oid
