-- Aggregates of users. definition: the text between the parentheses of CREATE AGGREGATE.
SELECT p.oid, n.nspname::text AS schema, p.proname::text AS name, pg_catalog.pg_get_userbyid(p.proowner)::text AS owner,
       pg_catalog.pg_get_function_arguments(p.oid) AS arguments,
       a.aggtranstype = 'pg_catalog.internal'::pg_catalog.regtype AS has_internal_state,
       'pg_catalog.anyarray'::pg_catalog.regtype IN (a.aggtranstype, a.aggmtranstype)
         AND EXISTS (SELECT FROM pg_catalog.pg_proc f
                WHERE f.oid IN (a.aggtransfn, a.aggcombinefn, a.aggfinalfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn) AND f.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
                  AND f.proname IN ('array_append', 'array_prepend', 'array_cat', 'array_position', 'array_positions',
                                    'array_remove', 'array_replace', 'width_bucket')
                  AND 'pg_catalog.anyarray'::pg_catalog.regtype = ANY (f.proargtypes)) AS uses_old_arrays,
       pg_catalog.concat_ws(', ',
         'SFUNC = ' || a.aggtransfn::text,
         'STYPE = ' || pg_catalog.format_type(a.aggtranstype, NULL),
         'SSPACE = ' || nullif(a.aggtransspace, 0),
         CASE WHEN a.aggfinalfn <> 0 THEN 'FINALFUNC = ' || a.aggfinalfn::text END,
         CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
         CASE WHEN a.aggfinalfn <> 0 AND a.aggfinalmodify <> usual.modify THEN 'FINALFUNC_MODIFY = ' || final.word END,
         CASE WHEN a.aggcombinefn <> 0 THEN 'COMBINEFUNC = ' || a.aggcombinefn::text END,
         CASE WHEN a.aggserialfn <> 0 THEN 'SERIALFUNC = ' || a.aggserialfn::text END,
         CASE WHEN a.aggdeserialfn <> 0 THEN 'DESERIALFUNC = ' || a.aggdeserialfn::text END,
         'INITCOND = ' || pg_catalog.quote_literal(a.agginitval),
         CASE WHEN a.aggmtransfn <> 0 THEN 'MSFUNC = ' || a.aggmtransfn::text END,
         CASE WHEN a.aggminvtransfn <> 0 THEN 'MINVFUNC = ' || a.aggminvtransfn::text END,
         CASE WHEN a.aggmtranstype <> 0 THEN 'MSTYPE = ' || pg_catalog.format_type(a.aggmtranstype, NULL) END,
         'MSSPACE = ' || nullif(a.aggmtransspace, 0),
         CASE WHEN a.aggmfinalfn <> 0 THEN 'MFINALFUNC = ' || a.aggmfinalfn::text END,
         CASE WHEN a.aggmfinalextra THEN 'MFINALFUNC_EXTRA' END,
         CASE WHEN a.aggmfinalfn <> 0 AND a.aggmfinalmodify <> usual.modify THEN 'MFINALFUNC_MODIFY = ' || mfinal.word END,
         'MINITCOND = ' || pg_catalog.quote_literal(a.aggminitval),
         'SORTOP = OPERATOR(' || pg_catalog.quote_ident(opn.nspname) || '.' || op.oprname || ')',
         CASE p.proparallel WHEN 's' THEN 'PARALLEL = SAFE' WHEN 'r' THEN 'PARALLEL = RESTRICTED' END,
         CASE a.aggkind WHEN 'h' THEN 'HYPOTHETICAL' END) AS definition
  FROM pg_catalog.pg_aggregate a
  JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  LEFT JOIN pg_catalog.pg_operator op ON op.oid = a.aggsortop
  LEFT JOIN pg_catalog.pg_namespace opn ON opn.oid = op.oprnamespace,
       LATERAL (SELECT CASE a.aggkind WHEN 'n' THEN 'r'::"char" ELSE 'w'::"char" END AS modify) usual,
       LATERAL (SELECT CASE a.aggfinalmodify WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END AS word) final,
       LATERAL (SELECT CASE a.aggmfinalmodify WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END AS word) mfinal
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = p.tableoid AND d.objid = p.oid AND d.deptype = 'e')
 ORDER BY p.oid
