-- Whether our role may create subscriptions. No parameters. One row.
SELECT r.rolname::text AS role, r.rolsuper AS is_superuser,
       EXISTS (SELECT FROM pg_catalog.pg_roles s WHERE s.rolname = 'pg_create_subscription') AS has_create_role,
       -- Since 16 the role of that name; before, roles of providers.
       EXISTS (SELECT FROM pg_catalog.pg_roles s
                WHERE s.rolname IN ('pg_create_subscription', 'rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin')
                  AND pg_catalog.pg_has_role(r.oid, s.oid, 'USAGE')) AS is_member
  FROM pg_catalog.pg_roles r
 WHERE r.rolname = CURRENT_USER
