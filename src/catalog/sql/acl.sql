-- Objects whose privileges differ from their initial ones, and schema public. Initial privileges are those that
-- initdb and extension scripts recorded in pg_init_privs, else the defaults of the object type.
-- Excludes large objects (data), temporary schemas, TOAST, types without privileges (arrays, multiranges), and
-- information_schema, whose initial privileges are not recorded.
WITH schema AS MATERIALIZED (
  SELECT oid, nspname::text AS name, nspname ~ '^pg_' AS is_system
    FROM pg_catalog.pg_namespace
   WHERE nspname <> 'information_schema' AND nspname !~ '^pg_(toast|temp)'),
member AS MATERIALIZED (
  SELECT classid, objid FROM pg_catalog.pg_depend
   WHERE deptype = 'e' AND refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass),
object AS (
  SELECT 1 AS rank, 'schema' AS kind, n.tableoid AS class, n.oid, 0::int2 AS attnum, NULL::text AS schema, n.nspname::text AS name,
         NULL::text AS detail, n.nspowner AS owner, n.nspacl AS acl, 'n'::"char" AS acltype, s.is_system, n.nspname = 'public' AS always
    FROM pg_catalog.pg_namespace n JOIN schema s ON s.oid = n.oid
  UNION ALL
  SELECT 2, 'language', l.tableoid, l.oid, 0::int2, NULL, l.lanname::text, NULL, l.lanowner, l.lanacl, 'l', l.oid < 16384, false
    FROM pg_catalog.pg_language l
   WHERE l.lanpltrusted
  UNION ALL
  SELECT 3, 'type', t.tableoid, t.oid, 0::int2, s.name, t.typname::text, NULL, t.typowner, t.typacl, 'T', s.is_system, false
    FROM pg_catalog.pg_type t JOIN schema s ON s.oid = t.typnamespace
   WHERE t.typtype <> 'm' AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
  UNION ALL
  SELECT 4, CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, p.tableoid, p.oid, 0::int2, s.name, p.proname::text,
         CASE p.prokind
           -- Since 14, OUT parameters are part of a procedure's signature.
           WHEN 'p' THEN pg_catalog.pg_get_function_identity_arguments(p.oid)
           ELSE (SELECT pg_catalog.string_agg(pg_catalog.format_type(a.type, NULL), ', ' ORDER BY a.position)
                   FROM pg_catalog.unnest(p.proargtypes::oid[]) WITH ORDINALITY a(type, position)) END,
         p.proowner, p.proacl, 'f', s.is_system, false
    FROM pg_catalog.pg_proc p JOIN schema s ON s.oid = p.pronamespace
   WHERE p.proacl IS NOT NULL
  UNION ALL
  SELECT 5, 'wrapper', f.tableoid, f.oid, 0::int2, NULL, f.fdwname::text, NULL, f.fdwowner, f.fdwacl, 'F', false, false
    FROM pg_catalog.pg_foreign_data_wrapper f
  UNION ALL
  SELECT 6, 'server', v.tableoid, v.oid, 0::int2, NULL, v.srvname::text, NULL, v.srvowner, v.srvacl, 'S', false, false
    FROM pg_catalog.pg_foreign_server v
  UNION ALL
  SELECT 7, CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, c.tableoid, c.oid, 0::int2, s.name, c.relname::text, NULL,
         c.relowner, c.relacl, CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, s.is_system, false
    FROM pg_catalog.pg_class c JOIN schema s ON s.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  UNION ALL
  SELECT 8, 'column', c.tableoid, c.oid, a.attnum, s.name, c.relname::text, a.attname::text, c.relowner, a.attacl, 'c', s.is_system, false
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN schema s ON s.oid = c.relnamespace
   WHERE NOT a.attisdropped AND a.attacl IS NOT NULL AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')),
differing AS (
  SELECT o.*, i.initprivs,
         coalesce(o.acl, pg_catalog.acldefault(o.acltype, o.owner)) AS held,
         coalesce(i.initprivs, pg_catalog.acldefault(o.acltype, o.owner)) AS base
    FROM object o
    LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = o.class AND i.objoid = o.oid AND i.objsubid = o.attnum
   WHERE o.always OR ((o.acl IS NOT NULL OR i.initprivs IS NOT NULL) AND o.acl IS DISTINCT FROM i.initprivs)),
role AS MATERIALIZED (SELECT oid, rolname::text AS name FROM pg_catalog.pg_roles),
exploded AS (
  SELECT d.class, d.oid, d.attnum, list.is_base,
         pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
           CASE WHEN e.grantee = 0 THEN '' ELSE grantee.name END, grantor.name, e.privilege_type, e.is_grantable)
           ORDER BY e.position)::text AS items
    FROM differing d,
         LATERAL (VALUES (false, d.held), (true, d.base)) list(is_base, acl),
         LATERAL pg_catalog.aclexplode(list.acl) WITH ORDINALITY e(grantor, grantee, privilege_type, is_grantable, position)
         LEFT JOIN role grantee ON grantee.oid = e.grantee
         LEFT JOIN role grantor ON grantor.oid = e.grantor
   GROUP BY 1, 2, 3, 4)
SELECT d.class, d.oid, d.kind, d.schema, d.name, d.detail, pg_catalog.pg_get_userbyid(d.owner)::text AS owner,
       d.is_system OR EXISTS (SELECT FROM member m WHERE m.classid = d.class AND m.objid = d.oid) AS is_system,
       held.items AS acl, base.items AS base
  FROM differing d
  LEFT JOIN exploded held ON (held.class, held.oid, held.attnum, held.is_base) = (d.class, d.oid, d.attnum, false)
  LEFT JOIN exploded base ON (base.class, base.oid, base.attnum, base.is_base) = (d.class, d.oid, d.attnum, true)
 ORDER BY d.rank, d.schema, d.name, d.detail, d.attnum
