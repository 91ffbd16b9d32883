-- Functions with a string body and without SET search_path that indexes and materialized views call, also through
-- views. Excludes functions of extensions, which the target creates itself. `relation`: the table of an index, or the
-- materialized view. Only SQL and PL/pgSQL: other validators may run any code.
WITH RECURSIVE reads (root, relation) AS (
  SELECT oid, oid FROM pg_catalog.pg_class WHERE relkind = 'm'
   UNION
  SELECT r.root, c.oid
    FROM reads r
    JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.relation
    JOIN pg_catalog.pg_depend d ON d.classid = w.tableoid AND d.objid = w.oid
    JOIN pg_catalog.pg_class c ON d.refclassid = c.tableoid AND d.refobjid = c.oid AND c.relkind = 'v'),
calls (relation, function, caller) AS (
  SELECT i.indrelid, d.refobjid, pg_catalog.concat('index ', i.indexrelid::pg_catalog.regclass)
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_depend d ON d.objid = i.indexrelid AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                               AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
   UNION
  SELECT r.root, d.refobjid, pg_catalog.concat('materialized view ', r.root::pg_catalog.regclass)
    FROM reads r
    JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.relation
    JOIN pg_catalog.pg_depend d ON d.classid = w.tableoid AND d.objid = w.oid
                               AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass)
SELECT c.relation, p.oid, p.oid::pg_catalog.regprocedure::text AS function, c.caller, v.proname::text AS validator
  FROM calls c
  JOIN pg_catalog.pg_proc p ON p.oid = c.function
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
  JOIN pg_catalog.pg_proc v ON v.oid = l.lanvalidator
 WHERE v.proname IN ('fmgr_sql_validator', 'plpgsql_validator')
   AND v.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
   AND pg_catalog.to_jsonb(p) ->> 'prosqlbody' IS NULL
   AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proconfig) s WHERE pg_catalog.starts_with(s, 'search_path='))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                    WHERE e.classid = p.tableoid AND e.objid = p.oid AND e.deptype = 'e')
 ORDER BY p.oid, c.caller COLLATE "C"
