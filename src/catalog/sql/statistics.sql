-- Extended statistics. Columns that a version lacks resolve to `absent`.
SELECT s.oid, n.nspname::text AS schema, s.stxname::text AS name, pg_catalog.pg_get_userbyid(s.stxowner)::text AS owner,
       s.stxrelid AS relation, pg_catalog.pg_get_statisticsobjdef(s.oid) AS definition,
       s.has_expressions, CASE WHEN s.target >= 0 THEN s.target END AS target
  FROM (SELECT x.*
          FROM (SELECT -1 AS stxstattarget, NULL::pg_catalog.pg_node_tree AS stxexprs) absent,
       LATERAL (SELECT oid, tableoid, stxnamespace, stxname, stxowner, stxrelid, stxstattarget::pg_catalog.int4 AS target,
                       stxexprs IS NOT NULL AS has_expressions
                  FROM pg_catalog.pg_statistic_ext) x) s
  JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = s.tableoid AND d.objid = s.oid AND d.deptype = 'e')
 ORDER BY s.oid
