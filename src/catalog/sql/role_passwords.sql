-- Verifiers of passwords; only sent where role_rights.sql says that they are readable.
SELECT oid, rolpassword AS password
  FROM pg_catalog.pg_authid
 WHERE rolpassword IS NOT NULL
