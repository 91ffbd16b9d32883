-- Transforms of users.
SELECT t.oid, pg_catalog.format_type(t.trftype, NULL) AS type_name, l.lanname::text AS language,
       CASE WHEN t.trffromsql <> 0 THEN t.trffromsql::pg_catalog.regprocedure::text END AS from_sql,
       CASE WHEN t.trftosql <> 0 THEN t.trftosql::pg_catalog.regprocedure::text END AS to_sql
  FROM pg_catalog.pg_transform t
  JOIN pg_catalog.pg_language l ON l.oid = t.trflang
 WHERE t.oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = t.tableoid AND d.objid = t.oid AND d.deptype = 'e')
 ORDER BY t.oid
