-- Security labels of this database's objects, of itself and of roles; not those of tablespaces and large objects.
SELECT l.classoid AS class, l.objoid AS oid, l.provider, l.label,
       pg_catalog.upper(CASE l.objtype WHEN 'window' THEN 'function' ELSE l.objtype END) || ' '
         || CASE l.objtype WHEN 'aggregate' THEN pg_catalog.replace(l.objname, '()', '(*)') ELSE l.objname END AS object,
       CASE WHEN l.classoid = 'pg_catalog.pg_authid'::pg_catalog.regclass THEN pg_catalog.pg_get_userbyid(l.objoid)::text END AS role
  FROM pg_catalog.pg_seclabels l
 WHERE l.classoid NOT IN ('pg_catalog.pg_tablespace'::pg_catalog.regclass, 'pg_catalog.pg_largeobject'::pg_catalog.regclass)
   AND (l.classoid <> 'pg_catalog.pg_database'::pg_catalog.regclass
        OR l.objoid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()))
 ORDER BY l.provider, 5
