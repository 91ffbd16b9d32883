-- Definitions, deparsed under the current search_path. It may contain other operators, so operators are
-- schema-qualified here. Bodies of routines are in path_bodies.sql: older versions lack the function.
-- $1 oid[]: catalogs, $2 oid[]: OIDs of rows in them.
SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS class, c.oid,
       CASE WHEN c.relkind OPERATOR(pg_catalog.=) ANY ('{v,m}'::"char"[]) THEN pg_catalog.pg_get_viewdef(c.oid)
            WHEN c.relkind OPERATOR(pg_catalog.=) ANY ('{i,I}'::"char"[]) THEN pg_catalog.pg_get_indexdef(c.oid)
            WHEN c.relkind OPERATOR(pg_catalog.=) 'p'::"char" THEN pg_catalog.pg_get_partkeydef(c.oid) END AS definition,
       NULL::text AS second,
       (SELECT pg_catalog.concat_ws(' AND ', pg_catalog.format('ROW(%s) IS NOT NULL', pg_catalog.pg_get_expr(i.indexprs, i.indrelid)),
                                    '(' OPERATOR(pg_catalog.||) pg_catalog.pg_get_expr(i.indpred, i.indrelid) OPERATOR(pg_catalog.||) ')')
          FROM pg_catalog.pg_index i WHERE i.indexrelid OPERATOR(pg_catalog.=) c.oid) AS condition
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) p(class, oid)
  JOIN pg_catalog.pg_class c ON p.class OPERATOR(pg_catalog.=) c.tableoid AND c.oid OPERATOR(pg_catalog.=) p.oid
 UNION ALL
SELECT k.tableoid, k.oid, pg_catalog.pg_get_constraintdef(k.oid), NULL, NULL
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) p(class, oid)
  JOIN pg_catalog.pg_constraint k ON p.class OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
   AND k.conindid OPERATOR(pg_catalog.=) p.oid AND k.contype OPERATOR(pg_catalog.=) 'x'::"char"
 UNION ALL
SELECT k.tableoid, k.oid, pg_catalog.pg_get_constraintdef(k.oid), NULL,
       pg_catalog.concat('(', pg_catalog.pg_get_expr(k.conbin, k.conrelid), ')')
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) p(class, oid)
  JOIN pg_catalog.pg_constraint k ON p.class OPERATOR(pg_catalog.=) k.tableoid AND k.oid OPERATOR(pg_catalog.=) p.oid
 UNION ALL
SELECT e.tableoid, e.oid, pg_catalog.pg_get_expr(e.adbin, e.adrelid), NULL, NULL
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) p(class, oid)
  JOIN pg_catalog.pg_attrdef e ON p.class OPERATOR(pg_catalog.=) e.tableoid AND e.oid OPERATOR(pg_catalog.=) p.oid
 UNION ALL
SELECT r.tableoid, r.oid, pg_catalog.pg_get_ruledef(r.oid), NULL, NULL
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) p(class, oid)
  JOIN pg_catalog.pg_rewrite r ON p.class OPERATOR(pg_catalog.=) r.tableoid AND r.oid OPERATOR(pg_catalog.=) p.oid
 UNION ALL
SELECT t.tableoid, t.oid, pg_catalog.pg_get_triggerdef(t.oid, false), NULL, NULL
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) p(class, oid)
  JOIN pg_catalog.pg_trigger t ON p.class OPERATOR(pg_catalog.=) t.tableoid AND t.oid OPERATOR(pg_catalog.=) p.oid
 UNION ALL
SELECT o.tableoid, o.oid, pg_catalog.pg_get_expr(o.polqual, o.polrelid), pg_catalog.pg_get_expr(o.polwithcheck, o.polrelid), NULL
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) p(class, oid)
  JOIN pg_catalog.pg_policy o ON p.class OPERATOR(pg_catalog.=) o.tableoid AND o.oid OPERATOR(pg_catalog.=) p.oid
 UNION ALL
SELECT s.tableoid, s.oid, pg_catalog.pg_get_statisticsobjdef(s.oid), NULL, NULL
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) p(class, oid)
  JOIN pg_catalog.pg_statistic_ext s ON p.class OPERATOR(pg_catalog.=) s.tableoid AND s.oid OPERATOR(pg_catalog.=) p.oid
 UNION ALL
SELECT r.tableoid, r.oid, pg_catalog.pg_get_function_arguments(r.oid), NULL, NULL
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) p(class, oid)
  JOIN pg_catalog.pg_proc r ON p.class OPERATOR(pg_catalog.=) r.tableoid AND r.oid OPERATOR(pg_catalog.=) p.oid
 WHERE r.prokind OPERATOR(pg_catalog.<>) 'a'::"char"
 UNION ALL
SELECT t.tableoid, t.oid, pg_catalog.pg_get_expr(t.typdefaultbin, 'pg_catalog.pg_type'::pg_catalog.regclass), NULL, NULL
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) p(class, oid)
  JOIN pg_catalog.pg_type t ON p.class OPERATOR(pg_catalog.=) t.tableoid AND t.oid OPERATOR(pg_catalog.=) p.oid
