-- Casts, transforms and encoding conversions of users, without casts that were created with a range type.
-- is_users: a type of the cast, or type and functions of the transform, belong to users. Otherwise they belong to the
-- creator of the database or the extension.
WITH member AS MATERIALIZED (
  SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'),
schema AS MATERIALIZED (
  SELECT oid FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
users_type AS MATERIALIZED (
  SELECT t.oid FROM pg_catalog.pg_type t
   WHERE t.typnamespace IN (TABLE schema)
     AND NOT EXISTS (SELECT FROM member m WHERE m.classid = t.tableoid AND m.objid IN (t.oid, t.typelem))
     AND NOT EXISTS (SELECT FROM member m
                      WHERE m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND m.objid = t.typrelid)),
users_function AS MATERIALIZED (
  SELECT p.oid FROM pg_catalog.pg_proc p
   WHERE p.pronamespace IN (TABLE schema)
     AND NOT EXISTS (SELECT FROM member m WHERE m.classid = p.tableoid AND m.objid = p.oid))
SELECT 'cast' AS what, c.oid, pg_catalog.format_type(c.castsource, NULL) AS source,
       pg_catalog.format_type(c.casttarget, NULL) AS target,
       CASE WHEN c.castfunc <> 0 THEN c.castfunc::pg_catalog.regprocedure::text END AS function,
       NULL AS back, c.castmethod::text AS method, c.castcontext::text AS context,
       NULL AS schema, NULL AS name, NULL AS owner, false AS is_default,
       c.castsource IN (TABLE users_type) OR c.casttarget IN (TABLE users_type) AS is_users
  FROM pg_catalog.pg_cast c
 WHERE c.oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = c.tableoid AND d.objid = c.oid AND d.deptype IN ('i', 'e'))
UNION ALL
SELECT 'transform', t.oid, pg_catalog.format_type(t.trftype, NULL), l.lanname::text,
       CASE WHEN t.trffromsql <> 0 THEN t.trffromsql::pg_catalog.regprocedure::text END,
       CASE WHEN t.trftosql <> 0 THEN t.trftosql::pg_catalog.regprocedure::text END,
       NULL, NULL, NULL, NULL, NULL, false,
       t.trftype IN (TABLE users_type)
         AND (t.trffromsql = 0 OR t.trffromsql::oid IN (TABLE users_function))
         AND (t.trftosql = 0 OR t.trftosql::oid IN (TABLE users_function))
  FROM pg_catalog.pg_transform t
  JOIN pg_catalog.pg_language l ON l.oid = t.trflang
 WHERE t.oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = t.tableoid AND d.objid = t.oid AND d.deptype = 'e')
UNION ALL
SELECT 'conversion', c.oid, pg_catalog.pg_encoding_to_char(c.conforencoding)::text,
       pg_catalog.pg_encoding_to_char(c.contoencoding)::text, c.conproc::text, NULL, NULL, NULL,
       n.nspname::text, c.conname::text, pg_catalog.pg_get_userbyid(c.conowner)::text, c.condefault, true
  FROM pg_catalog.pg_conversion c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = c.tableoid AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY 1, 2
