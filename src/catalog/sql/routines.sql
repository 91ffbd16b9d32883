-- Functions, procedures and window functions of users, without constructors of range types.
SELECT p.oid, n.nspname::text AS schema, p.proname::text AS name, pg_catalog.pg_get_userbyid(p.proowner)::text AS owner,
       p.prokind::text AS kind, l.lanname::text AS language, l.lanname IN ('c', 'internal') AS is_compiled,
       l.lanpltrusted AS is_trusted,
       pg_catalog.pg_get_function_arguments(p.oid) AS arguments,
       pg_catalog.pg_get_function_identity_arguments(p.oid) AS identity,
       pg_catalog.pg_get_function_result(p.oid) AS result,
       p.prosrc AS source, p.probin AS library, p.provolatile::text AS volatility, p.proparallel::text AS parallel,
       p.proisstrict, p.prosecdef, p.proleakproof, p.proretset, p.procost, p.prorows,
       CASE WHEN p.prosupport <> 0 THEN p.prosupport::text END AS support,
       coalesce(p.proconfig, '{}')::text[] AS settings,
       ARRAY(SELECT pg_catalog.format_type(u.type, NULL)
               FROM pg_catalog.unnest(p.protrftypes) WITH ORDINALITY u(type, position) ORDER BY u.position) AS transforms,
       coalesce('o' = ANY (p.proargmodes), false) AS has_out
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 WHERE p.prokind <> 'a' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = p.tableoid AND d.objid = p.oid AND d.deptype IN ('i', 'e'))
 ORDER BY p.oid
