-- Parameters on which we have the SET privilege. Since 15.
SELECT parname AS name
  FROM pg_catalog.pg_parameter_acl
 WHERE pg_catalog.has_parameter_privilege(parname, 'SET')
