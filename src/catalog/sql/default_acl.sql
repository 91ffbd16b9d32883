-- Default privileges. Those of a schema are added to the global ones, so their base is empty: NULL, because
-- aclexplode() fails for '{}'.
WITH role AS MATERIALIZED (SELECT oid, rolname::text AS name FROM pg_catalog.pg_roles),
entry AS (
  SELECT d.oid, d.defaclrole, d.defaclnamespace, d.defaclobjtype::text AS kind, d.defaclacl AS held,
         CASE WHEN d.defaclnamespace = 0
              THEN pg_catalog.acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's'::"char" ELSE d.defaclobjtype END, d.defaclrole)
              END AS base
    FROM pg_catalog.pg_default_acl d),
exploded AS (
  SELECT d.oid, list.is_base,
         pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
           CASE WHEN e.grantee = 0 THEN '' ELSE grantee.name END, grantor.name, e.privilege_type, e.is_grantable)
           ORDER BY e.position)::text AS items
    FROM entry d,
         LATERAL (VALUES (false, d.held), (true, d.base)) list(is_base, acl),
         LATERAL pg_catalog.aclexplode(list.acl) WITH ORDINALITY e(grantor, grantee, privilege_type, is_grantable, position)
         LEFT JOIN role grantee ON grantee.oid = e.grantee
         LEFT JOIN role grantor ON grantor.oid = e.grantor
   GROUP BY 1, 2)
SELECT role.name AS role, n.nspname::text AS schema, d.defaclnamespace AS schema_oid, d.kind, held.items AS acl, base.items AS base
  FROM entry d
  JOIN role ON role.oid = d.defaclrole
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
  LEFT JOIN exploded held ON (held.oid, held.is_base) = (d.oid, false)
  LEFT JOIN exploded base ON (base.oid, base.is_base) = (d.oid, true)
 ORDER BY 1, 2 NULLS FIRST, 3
