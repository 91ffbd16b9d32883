-- Operators, and functions outside pg_catalog, that stored expressions call, with node type and number of calls.
-- is_hidden: a node finds an operator by name, and the definition does not show its schema. Columns that a version
-- lacks are NULL. $1 oid[]: catalogs, $2 oid[]: OIDs of rows in them.
WITH part AS (SELECT p.class, p.oid FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) p(class, oid)),
tree AS (
  SELECT p.class, p.oid, pg_catalog.concat(r.ev_qual::text, r.ev_action::text) AS tree
    FROM part p JOIN pg_catalog.pg_rewrite r ON p.class = r.tableoid AND r.oid = p.oid
   UNION ALL
  SELECT p.class, p.oid, r.ev_action::text
    FROM part p JOIN pg_catalog.pg_rewrite r ON p.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND r.ev_class = p.oid AND r.ev_type = '1'
   UNION ALL
  SELECT p.class, p.oid, pg_catalog.concat(i.indexprs::text, i.indpred::text)
    FROM part p JOIN pg_catalog.pg_index i ON p.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND i.indexrelid = p.oid
   UNION ALL
  SELECT p.class, p.oid, t.partexprs::text
    FROM part p JOIN pg_catalog.pg_partitioned_table t ON p.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND t.partrelid = p.oid
   UNION ALL
  SELECT p.class, p.oid, e.adbin::text FROM part p JOIN pg_catalog.pg_attrdef e ON p.class = e.tableoid AND e.oid = p.oid
   UNION ALL
  SELECT p.class, p.oid, k.conbin::text FROM part p JOIN pg_catalog.pg_constraint k ON p.class = k.tableoid AND k.oid = p.oid
   UNION ALL
  SELECT p.class, p.oid, t.tgqual::text FROM part p JOIN pg_catalog.pg_trigger t ON p.class = t.tableoid AND t.oid = p.oid
   UNION ALL
  SELECT p.class, p.oid, pg_catalog.concat(o.polqual::text, o.polwithcheck::text)
    FROM part p JOIN pg_catalog.pg_policy o ON p.class = o.tableoid AND o.oid = p.oid
   UNION ALL
  SELECT p.class, p.oid, pg_catalog.to_jsonb(s) ->> 'stxexprs'
    FROM part p JOIN pg_catalog.pg_statistic_ext s ON p.class = s.tableoid AND s.oid = p.oid
   UNION ALL
  SELECT p.class, p.oid, pg_catalog.concat(r.proargdefaults::text, pg_catalog.to_jsonb(r) ->> 'prosqlbody')
    FROM part p JOIN pg_catalog.pg_proc r ON p.class = r.tableoid AND r.oid = p.oid
   UNION ALL
  SELECT p.class, p.oid, t.typdefaultbin::text FROM part p JOIN pg_catalog.pg_type t ON p.class = t.tableoid AND t.oid = p.oid)
SELECT tree.class, tree.oid,
       tree.tree ~ '\{(DISTINCTEXPR|NULLIFEXPR|ROWCOMPARE|CASETESTEXPR)|:usingClause \(|:testexpr \{BOOLEXPR' AS is_hidden,
       (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(counted.node, counted.schema, counted.identity, counted.calls))::text
          FROM (SELECT call.node, object.schema, object.identity, pg_catalog.count(*) AS calls
                  FROM (SELECT m[1] AS node, CASE m[2] WHEN 'opno' THEN 'pg_catalog.pg_operator'::pg_catalog.regclass
                                                       ELSE 'pg_catalog.pg_proc'::pg_catalog.regclass END AS class,
                               m[3]::pg_catalog.oid AS oid
                          FROM pg_catalog.regexp_matches(tree.tree, '\{(\w+) :(opno|funcid|aggfnoid|winfnoid) (\d+)', 'g') m
                         UNION ALL
                        SELECT 'ROWCOMPARE', 'pg_catalog.pg_operator'::pg_catalog.regclass, number::pg_catalog.oid
                          FROM pg_catalog.regexp_matches(tree.tree, '\{ROWCOMPARE(?:EXPR)? :\w+ \d+ :opnos \(o ([\d ]+)\)', 'g') m,
                               pg_catalog.regexp_split_to_table(m[1], ' ') number) call,
                       pg_catalog.pg_identify_object(call.class, call.oid, 0) object
                 WHERE call.class = 'pg_catalog.pg_operator'::pg_catalog.regclass OR object.schema IS DISTINCT FROM 'pg_catalog'
                 GROUP BY call.node, object.schema, object.identity) counted) AS calls
  FROM tree
 WHERE tree.tree <> ''
 ORDER BY tree.class, tree.oid
