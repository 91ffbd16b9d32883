-- Parameters that we may set for a role or database. pg_settings hides role and session_authorization.
SELECT s.name, r.rolsuper AS is_superuser
  FROM pg_catalog.pg_roles r,
       LATERAL (SELECT name, context FROM pg_catalog.pg_settings
                UNION ALL VALUES ('role', 'user'), ('session_authorization', 'user')) s
 WHERE r.rolname = current_user
   AND (r.rolsuper OR s.context IN ('user', 'backend'))
