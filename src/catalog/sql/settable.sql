-- Parameters that we may attach to a role or database. role and session_authorization are hidden from pg_settings.
SELECT s.name, r.rolsuper AS is_superuser
  FROM pg_catalog.pg_roles r,
       LATERAL (SELECT name, context FROM pg_catalog.pg_settings
                UNION ALL VALUES ('role', 'user'), ('session_authorization', 'user')) s
 WHERE r.rolname = current_user
   AND (r.rolsuper OR s.context IN ('user', 'backend'))
