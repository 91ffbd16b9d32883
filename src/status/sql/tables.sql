-- The tables of one subscription. $1: its oid.
SELECT n.nspname::text AS schema_name, c.relname::text AS name, s.srsubstate::text AS state
  FROM pg_catalog.pg_subscription_rel s
  JOIN pg_catalog.pg_class c ON c.oid = s.srrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE s.srsubid = $1::oid
 ORDER BY 1, 2
