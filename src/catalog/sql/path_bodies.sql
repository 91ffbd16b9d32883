-- SQL-standard bodies of routines (since 14), deparsed under the current search_path: see path_definitions.sql.
-- $1 oid[]: catalogs, $2 oid[]: OIDs of rows in them.
SELECT r.tableoid AS class, r.oid, pg_catalog.pg_get_function_sqlbody(r.oid) AS body
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) p(class, oid)
  JOIN pg_catalog.pg_proc r ON p.class OPERATOR(pg_catalog.=) r.tableoid AND r.oid OPERATOR(pg_catalog.=) p.oid
 WHERE r.prosqlbody IS NOT NULL
