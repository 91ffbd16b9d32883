-- Security labels of this database, of its objects and of roles, not of tablespaces. The view does not quote names
-- of columns.
SELECT l.classoid AS class, l.objoid AS oid, l.provider, l.label,
       pg_catalog.upper(CASE l.objtype WHEN 'window' THEN 'function' ELSE l.objtype END) || ' '
         || CASE l.objtype WHEN 'aggregate' THEN pg_catalog.regexp_replace(i.identity, '\(\)$', '(*)')
              -- OUT parameters are part of a procedure's signature.
              WHEN 'procedure' THEN (SELECT pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
                                                              pg_catalog.pg_get_function_identity_arguments(p.oid))
                                       FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                                      WHERE p.oid = l.objoid)
              ELSE i.identity END AS object,
       CASE WHEN l.classoid = 'pg_catalog.pg_authid'::pg_catalog.regclass THEN pg_catalog.pg_get_userbyid(l.objoid)::text END AS role
  FROM (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()) here,
       pg_catalog.pg_seclabels l,
       LATERAL pg_catalog.pg_identify_object(l.classoid, l.objoid, coalesce(l.objsubid, 0)) i
 WHERE l.classoid <> 'pg_catalog.pg_tablespace'::pg_catalog.regclass
   AND CASE l.classoid WHEN 'pg_catalog.pg_database'::pg_catalog.regclass THEN l.objoid = here.oid
                       WHEN 'pg_catalog.pg_subscription'::pg_catalog.regclass
                       -- Some roles may not read a subscription's OID.
                       THEN EXISTS (SELECT FROM pg_catalog.pg_subscription s
                                     WHERE s.subdbid = here.oid AND pg_catalog.quote_ident(s.subname::text) = i.identity)
                       ELSE true END
   AND i.identity IS NOT NULL
 ORDER BY l.provider, 5
