-- Operators of users, without shell operators, which exist only as commutator or negator of another.
SELECT o.oid, n.nspname::text AS schema, o.oprname::text AS name, pg_catalog.pg_get_userbyid(o.oprowner)::text AS owner,
       pg_catalog.quote_ident(n.nspname) || '.' || o.oprname AS symbol,
       CASE WHEN o.oprleft <> 0 THEN pg_catalog.format_type(o.oprleft, NULL) END AS left_type,
       CASE WHEN o.oprright <> 0 THEN pg_catalog.format_type(o.oprright, NULL) END AS right_type,
       pg_catalog.concat_ws(', ',
         'FUNCTION = ' || o.oprcode::text,
         'LEFTARG = ' || CASE WHEN o.oprleft <> 0 THEN pg_catalog.format_type(o.oprleft, NULL) END,
         'RIGHTARG = ' || CASE WHEN o.oprright <> 0 THEN pg_catalog.format_type(o.oprright, NULL) END,
         'COMMUTATOR = OPERATOR(' || pg_catalog.quote_ident(cn.nspname) || '.' || c.oprname || ')',
         'NEGATOR = OPERATOR(' || pg_catalog.quote_ident(gn.nspname) || '.' || g.oprname || ')',
         CASE WHEN o.oprcanmerge THEN 'MERGES' END,
         CASE WHEN o.oprcanhash THEN 'HASHES' END,
         CASE WHEN o.oprrest <> 0 THEN 'RESTRICT = ' || o.oprrest::text END,
         CASE WHEN o.oprjoin <> 0 THEN 'JOIN = ' || o.oprjoin::text END) AS definition,
       EXISTS (SELECT FROM pg_catalog.pg_proc f
                WHERE f.oid IN (o.oprcode) AND f.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
                  AND f.proname IN ('array_append', 'array_prepend', 'array_cat', 'array_position', 'array_positions',
                                    'array_remove', 'array_replace', 'width_bucket')
                  AND 'pg_catalog.anyarray'::pg_catalog.regtype = ANY (f.proargtypes)) AS uses_old_arrays
  FROM pg_catalog.pg_operator o
  JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
  LEFT JOIN pg_catalog.pg_operator c ON c.oid = o.oprcom
  LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = c.oprnamespace
  LEFT JOIN pg_catalog.pg_operator g ON g.oid = o.oprnegate
  LEFT JOIN pg_catalog.pg_namespace gn ON gn.oid = g.oprnamespace
 WHERE o.oprcode <> 0 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = o.tableoid AND d.objid = o.oid AND d.deptype = 'e')
 ORDER BY o.oid
