-- Connecting role, and whether it may read password verifiers.
SELECT current_user::text AS connected_as,
       pg_catalog.has_column_privilege('pg_catalog.pg_authid', 'oid', 'SELECT')
       AND pg_catalog.has_column_privilege('pg_catalog.pg_authid', 'rolpassword', 'SELECT') AS passwords_readable
