-- Positions of named objects that do not exist here.
-- $1 kinds, $2 schemas, $3 names, $4 details: argument types of functions, arguments of procedures, names of columns.
SELECT o.place
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                  pg_catalog.unnest($4::text[])) WITH ORDINALITY o(kind, schema, name, detail, place),
       LATERAL (SELECT pg_catalog.format('%I.%I', o.schema, o.name)) n(qualified)
 WHERE NOT CASE o.kind
         WHEN 'routine' THEN pg_catalog.to_regprocedure(n.qualified || '(' || o.detail || ')') IS NOT NULL
         -- Includes OUT parameters, and, since 14, the keyword IN.
         WHEN 'procedure' THEN EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace s ON s.oid = p.pronamespace
                                        WHERE p.prokind = 'p' AND s.nspname = o.schema AND p.proname = o.name
                                          AND pg_catalog.regexp_replace(pg_catalog.pg_get_function_identity_arguments(p.oid), '(^|, )IN ', '\1', 'g')
                                            = pg_catalog.regexp_replace(o.detail, '(^|, )IN ', '\1', 'g'))
         WHEN 'relation' THEN pg_catalog.to_regclass(n.qualified) IS NOT NULL
         WHEN 'column' THEN EXISTS (SELECT FROM pg_catalog.pg_attribute a
                                     WHERE a.attrelid = pg_catalog.to_regclass(n.qualified)
                                       AND a.attname = o.detail AND NOT a.attisdropped)
         WHEN 'type' THEN pg_catalog.to_regtype(n.qualified) IS NOT NULL
         WHEN 'schema' THEN EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = o.name)
         WHEN 'language' THEN EXISTS (SELECT FROM pg_catalog.pg_language WHERE lanname = o.name)
         WHEN 'wrapper' THEN EXISTS (SELECT FROM pg_catalog.pg_foreign_data_wrapper WHERE fdwname = o.name)
         WHEN 'server' THEN EXISTS (SELECT FROM pg_catalog.pg_foreign_server WHERE srvname = o.name)
       END
 ORDER BY 1
