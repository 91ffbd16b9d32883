-- Dependencies. A column counts as its relation. A generated column counts as its expression: where it is
-- referenced, and, before 15, where it is dependent. `e`: extension membership. Pinned objects have no rows.
WITH generated AS (
  SELECT a.attrelid, a.attnum, e.tableoid, e.oid
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
   WHERE a.attgenerated <> '')
SELECT coalesce(g.tableoid, d.classid) AS from_class, coalesce(g.oid, d.objid) AS from_oid,
       d.refclassid AS to_class, d.refobjid AS to_oid, d.deptype::text AS kind
  FROM pg_catalog.pg_depend d
  LEFT JOIN generated g ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                       AND g.attrelid = d.objid AND g.attnum = d.objsubid
                       AND d.refclassid <> 'pg_catalog.pg_type'::pg_catalog.regclass
                       AND d.refclassid <> 'pg_catalog.pg_collation'::pg_catalog.regclass
 WHERE d.deptype <> 'p' AND (d.classid, d.objid) <> (d.refclassid, d.refobjid)
   AND (d.deptype <> 'e' OR d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass)
 UNION
SELECT d.classid, d.objid, g.tableoid, g.oid, d.deptype::text
  FROM generated g
  JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                             AND d.refobjid = g.attrelid AND d.refobjsubid = g.attnum
 WHERE d.deptype <> 'p' AND (d.classid, d.objid) <> (g.tableoid, g.oid)
   AND (d.classid, d.objid) <> (d.refclassid, d.refobjid)
 ORDER BY 1, 2, 3, 4, 5
