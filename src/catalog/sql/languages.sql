-- Languages and access methods of users.
SELECT l.oid, 'language' AS what, l.lanname::text AS name, pg_catalog.pg_get_userbyid(l.lanowner)::text AS owner, l.lanpltrusted,
       l.lanplcallfoid::pg_catalog.regproc::text AS handler,
       CASE WHEN l.laninline <> 0 THEN l.laninline::pg_catalog.regproc::text END AS inline,
       CASE WHEN l.lanvalidator <> 0 THEN l.lanvalidator::pg_catalog.regproc::text END AS validator, NULL::text AS kind
  FROM pg_catalog.pg_language l
 WHERE l.lanispl AND l.oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = l.tableoid AND d.objid = l.oid AND d.deptype = 'e')
UNION ALL
SELECT a.oid, 'access method', a.amname::text, NULL, NULL, a.amhandler::text, NULL, NULL, a.amtype::text
  FROM pg_catalog.pg_am a
 WHERE a.oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = a.tableoid AND d.objid = a.oid AND d.deptype = 'e')
 ORDER BY 1
