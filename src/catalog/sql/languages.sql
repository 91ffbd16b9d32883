-- Languages that users made.
SELECT l.oid, l.lanname::text AS name, pg_catalog.pg_get_userbyid(l.lanowner)::text AS owner, l.lanpltrusted,
       l.lanplcallfoid::pg_catalog.regproc::text AS handler,
       CASE WHEN l.laninline <> 0 THEN l.laninline::pg_catalog.regproc::text END AS inline,
       CASE WHEN l.lanvalidator <> 0 THEN l.lanvalidator::pg_catalog.regproc::text END AS validator
  FROM pg_catalog.pg_language l
 WHERE l.lanispl AND l.oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = l.tableoid AND d.objid = l.oid AND d.deptype = 'e')
 ORDER BY l.oid
