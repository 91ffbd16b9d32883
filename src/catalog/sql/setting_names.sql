-- Parameters that this server knows. role and session_authorization are hidden from pg_settings.
SELECT name FROM pg_catalog.pg_settings
UNION VALUES ('role'), ('session_authorization')
