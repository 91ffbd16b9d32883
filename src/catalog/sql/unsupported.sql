-- Objects of users that are not copied yet, with the server's identity of each.
-- Excludes objects of the server and of extensions, and temporary objects. Grants on them are included, with the
-- object's identity.
WITH role AS MATERIALIZED (SELECT oid FROM pg_catalog.pg_roles),
acl(class, oid, acl) AS (
  SELECT tableoid, oid, relacl FROM pg_catalog.pg_class WHERE relacl IS NOT NULL AND relpersistence <> 't'
  UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, attrelid, attacl FROM pg_catalog.pg_attribute
             WHERE attacl IS NOT NULL AND NOT attisdropped
  UNION ALL SELECT tableoid, oid, nspacl FROM pg_catalog.pg_namespace WHERE nspacl IS NOT NULL
  UNION ALL SELECT tableoid, oid, proacl FROM pg_catalog.pg_proc WHERE proacl IS NOT NULL
  UNION ALL SELECT tableoid, oid, typacl FROM pg_catalog.pg_type WHERE typacl IS NOT NULL
  UNION ALL SELECT tableoid, oid, lanacl FROM pg_catalog.pg_language WHERE lanacl IS NOT NULL
  UNION ALL SELECT tableoid, oid, fdwacl FROM pg_catalog.pg_foreign_data_wrapper WHERE fdwacl IS NOT NULL
  UNION ALL SELECT tableoid, oid, srvacl FROM pg_catalog.pg_foreign_server WHERE srvacl IS NOT NULL
  UNION ALL SELECT tableoid, oid, datacl FROM pg_catalog.pg_database
             WHERE datacl IS NOT NULL AND datname = pg_catalog.current_database()),
schema AS MATERIALIZED (
  SELECT oid FROM pg_catalog.pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'),
found(kind, class, oid, name) AS (
  SELECT 'operator without a function', tableoid, oid, NULL::text FROM pg_catalog.pg_operator o
             WHERE oprcode = 0 AND oprnamespace IN (TABLE schema)
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_operator p WHERE p.oprcode <> 0 AND o.oid IN (p.oprcom, p.oprnegate))
  -- Operators and functions of users, outside classes, in a family of the server or of an extension.
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
  -- Objects of users in system schemas.
  UNION ALL SELECT 'routine', p.tableoid, p.oid, NULL FROM pg_catalog.pg_proc p
             WHERE p.pronamespace::pg_catalog.regnamespace::text IN ('pg_catalog', 'information_schema')
  UNION ALL SELECT 'operator', o.tableoid, o.oid, NULL FROM pg_catalog.pg_operator o
             WHERE o.oprnamespace::pg_catalog.regnamespace::text IN ('pg_catalog', 'information_schema')
  UNION ALL SELECT 'type', t.tableoid, t.oid, NULL FROM pg_catalog.pg_type t
             WHERE t.typnamespace::pg_catalog.regnamespace::text IN ('pg_catalog', 'information_schema')
               AND t.typrelid = 0 AND t.typelem = 0 AND t.typtype <> 'm'
  UNION ALL SELECT 'collation', c.tableoid, c.oid, NULL FROM pg_catalog.pg_collation c
             WHERE c.collnamespace::pg_catalog.regnamespace::text IN ('pg_catalog', 'information_schema')
  UNION ALL SELECT 'relation', c.tableoid, c.oid, NULL FROM pg_catalog.pg_class c
             WHERE c.relnamespace::pg_catalog.regnamespace::text IN ('pg_catalog', 'information_schema')
               AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
  -- Uses of roles that were manually deleted from pg_authid.
  UNION ALL SELECT CASE WHEN EXISTS (SELECT FROM role WHERE role.oid = ANY (p.polroles))
                        THEN 'role that no longer exists of policy' ELSE 'policy of no existing role' END,
                   p.tableoid, p.oid, NULL
              FROM pg_catalog.pg_policy p, LATERAL pg_catalog.unnest(p.polroles) one
             WHERE one <> 0 AND one NOT IN (TABLE role)
             GROUP BY 1, 2, 3
  UNION ALL SELECT 'user mapping of no existing role', 0, 0, m.umuser || ' at ' || pg_catalog.quote_ident(m.srvname)
              FROM pg_catalog.pg_user_mappings m
             WHERE m.umuser <> 0 AND m.umuser NOT IN (TABLE role)
  UNION ALL SELECT 'grant to or by a role that no longer exists on', a.class, a.oid, i.type || ' ' || i.identity
              FROM (SELECT DISTINCT acl.class, acl.oid
                      FROM acl, LATERAL pg_catalog.aclexplode(acl.acl) e
                     WHERE (e.grantee <> 0 AND e.grantee NOT IN (TABLE role)) OR e.grantor NOT IN (TABLE role)) a,
                   LATERAL pg_catalog.pg_identify_object(a.class, a.oid, 0) i
  UNION ALL SELECT DISTINCT 'default privilege of, to or by a role that no longer exists', 0::pg_catalog.oid, 0::pg_catalog.oid,
                   'of ' || pg_catalog.pg_get_userbyid(d.defaclrole)
              FROM pg_catalog.pg_default_acl d
              LEFT JOIN LATERAL pg_catalog.aclexplode(nullif(d.defaclacl, '{}')) e ON true
             WHERE d.defaclrole NOT IN (TABLE role)
                OR (e.grantee <> 0 AND e.grantee NOT IN (TABLE role)) OR e.grantor NOT IN (TABLE role)
  UNION ALL SELECT 'setting of a role that no longer exists', 0, 0, s.setrole::text
              FROM pg_catalog.pg_db_role_setting s
             WHERE s.setrole <> 0 AND s.setrole NOT IN (TABLE role)
               AND s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()))
  -- Labels of tablespaces, which belong to the cluster.
  UNION ALL SELECT 'security label', 0, 0, l.objtype || ' ' || l.objname || ' of ' || pg_catalog.quote_ident(l.provider)
              FROM pg_catalog.pg_seclabels l
             WHERE l.classoid = 'pg_catalog.pg_tablespace'::pg_catalog.regclass)
SELECT f.kind, f.class, f.oid, coalesce(f.name, identified.identity) AS identity
  FROM found f
  LEFT JOIN LATERAL pg_catalog.pg_identify_object(f.class, nullif(f.oid, 0), 0) identified ON true
 WHERE f.name IS NOT NULL
    OR (f.oid >= 16384
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                         WHERE d.classid = f.class AND d.objid = f.oid AND d.deptype = 'e'))
 ORDER BY f.kind, 4
