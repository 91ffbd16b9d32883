-- Privileges on configuration parameters. Since 15.
SELECT p.parname AS name,
       pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
         CASE WHEN e.grantee = 0 THEN '' ELSE grantee.rolname::text END, grantor.rolname::text, e.privilege_type, e.is_grantable)
         ORDER BY e.position)::text AS acl
  FROM pg_catalog.pg_parameter_acl p,
       LATERAL pg_catalog.aclexplode(p.paracl) WITH ORDINALITY e(grantor, grantee, privilege_type, is_grantable, position)
       LEFT JOIN pg_catalog.pg_roles grantee ON grantee.oid = e.grantee
       LEFT JOIN pg_catalog.pg_roles grantor ON grantor.oid = e.grantor
 GROUP BY p.parname
 ORDER BY p.parname
