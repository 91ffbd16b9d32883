-- Databases of the cluster with their properties. Those a version lacks are NULL.
WITH roles AS MATERIALIZED (SELECT oid, rolname::text AS name FROM pg_catalog.pg_roles),
setting AS (
  SELECT s.setdatabase, s.setrole, r.name AS role, u.entry, u.position
    FROM pg_catalog.pg_db_role_setting s
    LEFT JOIN roles r ON r.oid = s.setrole,
         LATERAL pg_catalog.unnest(s.setconfig) WITH ORDINALITY u(entry, position)
   WHERE s.setdatabase <> 0)
SELECT d.oid,
       d.datname::text AS name,
       pg_catalog.pg_get_userbyid(d.datdba)::text AS owner,
       pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
       d.datcollate::text AS collate,
       d.datctype::text AS ctype,
       coalesce(j.row ->> 'datlocprovider', 'c') AS provider,
       coalesce(j.row ->> 'datlocale', j.row ->> 'daticulocale') AS locale,
       j.row ->> 'daticurules' AS icu_rules,
       d.datconnlimit,
       d.datistemplate,
       d.datallowconn,
       t.spcname::text AS tablespace,
       pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
       d.datacl IS NOT NULL AS has_acl,
       (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
                 CASE WHEN e.grantee = 0 THEN '' ELSE grantee.name END, grantor.name, e.privilege_type, e.is_grantable)
                 ORDER BY e.position)::text
          FROM pg_catalog.aclexplode(d.datacl) WITH ORDINALITY e(grantor, grantee, privilege_type, is_grantable, position)
          LEFT JOIN roles grantee ON grantee.oid = e.grantee
          LEFT JOIN roles grantor ON grantor.oid = e.grantor) AS acl,
       (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
                 CASE WHEN e.grantee = 0 THEN '' ELSE grantee.name END, grantor.name, e.privilege_type, e.is_grantable)
                 ORDER BY e.position)::text
          FROM pg_catalog.aclexplode(pg_catalog.acldefault('d', d.datdba))
               WITH ORDINALITY e(grantor, grantee, privilege_type, is_grantable, position)
          LEFT JOIN roles grantee ON grantee.oid = e.grantee
          LEFT JOIN roles grantor ON grantor.oid = e.grantor) AS acl_default,
       ARRAY(SELECT s.entry FROM setting s WHERE s.setdatabase = d.oid AND s.setrole = 0 ORDER BY s.position) AS settings,
       ARRAY(SELECT s.role FROM setting s WHERE s.setdatabase = d.oid AND s.role IS NOT NULL
              ORDER BY s.role, s.position) AS setting_roles,
       ARRAY(SELECT s.entry FROM setting s WHERE s.setdatabase = d.oid AND s.role IS NOT NULL
              ORDER BY s.role, s.position) AS role_settings
  FROM pg_catalog.pg_database d
  JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace,
       LATERAL (SELECT pg_catalog.to_jsonb(d) AS row) j
 ORDER BY d.datname
