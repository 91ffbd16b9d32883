-- Types of users. definition, of a base type: the text between the parentheses, without options in other columns.
-- Before 14, without multiranges, rngmultitypid resolves to `absent`.
SELECT t.oid, n.nspname::text AS schema, t.typname::text AS name, pg_catalog.pg_get_userbyid(t.typowner)::text AS owner,
       t.typtype::text AS kind, t.typarray AS array_oid, t.typrelid AS relation,
       ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels,
       CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END AS base,
       CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation THEN dc.collname::text END AS collation,
       dn.nspname::text AS collation_schema,
       CASE WHEN t.typtype = 'd'
            THEN coalesce(pg_catalog.pg_get_expr(t.typdefaultbin, 'pg_catalog.pg_type'::pg_catalog.regclass),
                          pg_catalog.quote_literal(t.typdefault)) END AS default_expression,
       t.typnotnull,
       pg_catalog.format_type(r.rngsubtype, NULL) AS subtype,
       CASE WHEN NOT o.opcdefault THEN o.opcname::text END AS operator_class, opn.nspname::text AS operator_class_schema,
       CASE WHEN r.rngcollation <> st.typcollation THEN rc.collname::text END AS range_collation,
       rn.nspname::text AS range_collation_schema,
       CASE WHEN r.rngcanonical <> 0 THEN r.rngcanonical::text END AS canonical,
       CASE WHEN r.rngsubdiff <> 0 THEN r.rngsubdiff::text END AS difference,
       CASE WHEN t.typtype = 'b' THEN pg_catalog.concat_ws(', ',
         'INPUT = ' || t.typinput::text,
         'OUTPUT = ' || t.typoutput::text,
         CASE WHEN t.typreceive <> 0 THEN 'RECEIVE = ' || t.typreceive::text END,
         CASE WHEN t.typsend <> 0 THEN 'SEND = ' || t.typsend::text END,
         CASE WHEN t.typmodin <> 0 THEN 'TYPMOD_IN = ' || t.typmodin::text END,
         CASE WHEN t.typmodout <> 0 THEN 'TYPMOD_OUT = ' || t.typmodout::text END,
         CASE WHEN t.typanalyze <> 0 THEN 'ANALYZE = ' || t.typanalyze::text END,
         'INTERNALLENGTH = ' || CASE t.typlen WHEN -1 THEN 'VARIABLE' ELSE t.typlen::text END,
         CASE WHEN t.typbyval THEN 'PASSEDBYVALUE' END,
         'CATEGORY = ' || pg_catalog.quote_literal(t.typcategory::text),
         CASE WHEN t.typispreferred THEN 'PREFERRED = true' END,
         'DEFAULT = ' || coalesce(pg_catalog.pg_get_expr(t.typdefaultbin, 0), pg_catalog.quote_literal(t.typdefault)),
         'ELEMENT = ' || CASE WHEN t.typelem <> 0 THEN pg_catalog.format_type(t.typelem, NULL) END,
         'DELIMITER = ' || pg_catalog.quote_literal(t.typdelim::text),
         CASE WHEN t.typcollation <> 0 THEN 'COLLATABLE = true' END) END AS definition,
       t.typalign::text AS alignment, t.typstorage::text AS storage,
       CASE WHEN t.typtype = 'b' THEN nullif(pg_catalog.to_jsonb(t) ->> 'typsubscript', '-') END AS subscript,
       m.oid AS multirange, m.typarray AS multirange_array, m.typname::text AS multirange_name, mn.nspname::text AS multirange_schema
  FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
  LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
  LEFT JOIN pg_catalog.pg_collation dc ON dc.oid = t.typcollation
  LEFT JOIN pg_catalog.pg_namespace dn ON dn.oid = dc.collnamespace
  LEFT JOIN (SELECT x.* FROM (SELECT 0::pg_catalog.oid AS rngmultitypid) absent,
              LATERAL (SELECT rngtypid, rngsubtype, rngsubopc, rngcollation, rngcanonical, rngsubdiff,
                              rngmultitypid AS multirange FROM pg_catalog.pg_range) x) r ON r.rngtypid = t.oid
  LEFT JOIN pg_catalog.pg_type st ON st.oid = r.rngsubtype
  LEFT JOIN pg_catalog.pg_opclass o ON o.oid = r.rngsubopc
  LEFT JOIN pg_catalog.pg_namespace opn ON opn.oid = o.opcnamespace
  LEFT JOIN pg_catalog.pg_collation rc ON rc.oid = r.rngcollation
  LEFT JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.collnamespace
  LEFT JOIN pg_catalog.pg_type m ON m.oid = r.multirange
  LEFT JOIN pg_catalog.pg_namespace mn ON mn.oid = m.typnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c'
        OR t.typtype = 'b' AND t.oid IS DISTINCT FROM (SELECT e.typarray FROM pg_catalog.pg_type e WHERE e.oid = t.typelem)
        OR t.typtype = 'p' AND NOT t.typisdefined)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = t.tableoid AND d.objid = t.oid AND d.deptype = 'e')
 ORDER BY t.oid
