-- Available extensions in their default versions. Before 13, trusted is false. No parameters.
SELECT a.name::text AS name, a.default_version AS version,
       v.schema::text AS schema, coalesce(v.superuser, true) AS superuser,
       coalesce((pg_catalog.to_jsonb(v) ->> 'trusted')::bool, false) AS trusted,
       -- The library defines this parameter. CREATE EXTENSION without it ends the session.
       a.name <> 'timescaledb'
         OR pg_catalog.current_setting('timescaledb.disable_load', true) IS NOT NULL AS loaded
  FROM pg_catalog.pg_available_extensions a
  LEFT JOIN pg_catalog.pg_available_extension_versions v ON v.name = a.name AND v.version = a.default_version
