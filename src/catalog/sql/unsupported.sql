-- Objects of users that are not copied so far, each named as the server names it.
-- Left out: what the server or an extension made, and temporary objects.
WITH schema AS MATERIALIZED (
  SELECT oid FROM pg_catalog.pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'),
found(kind, class, oid, name) AS (
  SELECT 'operator without a function', tableoid, oid, NULL::text FROM pg_catalog.pg_operator o
             WHERE oprcode = 0 AND oprnamespace IN (TABLE schema)
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_operator p WHERE p.oprcode <> 0 AND o.oid IN (p.oprcom, p.oprnegate))
  -- A family of the server or of an extension that got an operator or function of a user, not by a class.
  UNION ALL SELECT 'operator family member', m.class, m.oid, NULL
              FROM (SELECT tableoid AS class, oid, amopfamily AS family, 2617::pg_catalog.oid AS part_class, amopopr::pg_catalog.oid AS part
                      FROM pg_catalog.pg_amop
                    UNION ALL
                    SELECT tableoid, oid, amprocfamily, 1255, amproc::pg_catalog.oid FROM pg_catalog.pg_amproc) m
              JOIN pg_catalog.pg_opfamily f ON f.oid = m.family
             WHERE m.part >= 16384
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                                WHERE e.classid = m.class AND e.objid = m.oid AND e.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass)
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                                WHERE e.classid = m.part_class AND e.objid = m.part AND e.deptype = 'e')
               AND (f.opfnamespace NOT IN (TABLE schema)
                    OR EXISTS (SELECT FROM pg_catalog.pg_depend e
                                WHERE e.classid = f.tableoid AND e.objid = f.oid AND e.deptype = 'e'))
  -- Labels of tablespaces, which belong to the cluster.
  UNION ALL SELECT 'security label', 0, 0, l.objtype || ' ' || l.objname || ' of ' || pg_catalog.quote_ident(l.provider)
              FROM pg_catalog.pg_seclabels l
             WHERE l.classoid = 'pg_catalog.pg_tablespace'::pg_catalog.regclass)
SELECT f.kind, f.class, f.oid, coalesce(f.name, identified.identity) AS identity
  FROM found f
  LEFT JOIN LATERAL pg_catalog.pg_identify_object(f.class, nullif(f.oid, 0), 0) identified ON true
 WHERE f.oid = 0
    OR (f.oid >= 16384
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                         WHERE d.classid = f.class AND d.objid = f.oid AND d.deptype = 'e'))
 ORDER BY f.kind, 4
