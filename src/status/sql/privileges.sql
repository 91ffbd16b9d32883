-- Tables of a subscription that its owner may not change. Since 16 the apply worker becomes the table's owner, for which
-- the subscription's owner must be able to SET ROLE to it. $1: the subscription's oid; $2: whether the server is 16 or newer;
-- $3: the subscription's owner.
SELECT n.nspname::text AS schema_name, c.relname::text AS name, o.rolname::text AS table_owner
  FROM pg_catalog.pg_subscription_rel s
  JOIN pg_catalog.pg_roles r ON r.rolname = $3::text::name
  JOIN pg_catalog.pg_class c ON c.oid = s.srrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_roles o ON o.oid = c.relowner
 WHERE s.srsubid = $1::oid AND NOT r.rolsuper
   AND CASE WHEN $2::bool THEN NOT pg_catalog.pg_has_role(r.oid, c.relowner, CASE WHEN $2::bool THEN 'SET' ELSE 'USAGE' END)
            ELSE NOT (pg_catalog.has_table_privilege(r.oid, c.oid, 'INSERT')
                      AND pg_catalog.has_table_privilege(r.oid, c.oid, 'UPDATE')
                      AND pg_catalog.has_table_privilege(r.oid, c.oid, 'DELETE')
                      AND pg_catalog.has_table_privilege(r.oid, c.oid, 'TRUNCATE')) END
 ORDER BY 1, 2
