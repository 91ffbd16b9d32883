-- Password verifiers. Run only if role_rights.sql shows that they are readable.
SELECT oid, rolpassword AS password
  FROM pg_catalog.pg_authid
 WHERE rolpassword IS NOT NULL
