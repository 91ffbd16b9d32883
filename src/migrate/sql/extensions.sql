-- Extensions that could be made here, in their default versions. What a version lacks is NULL. No parameters.
SELECT a.name::text AS name, a.default_version AS version,
       v.schema::text AS schema, coalesce(v.superuser, true) AS superuser,
       coalesce((pg_catalog.to_jsonb(v) ->> 'trusted')::bool, false) AS trusted,
       -- Its parameters are known once its library is; made without it, it ends the session.
       a.name <> 'timescaledb'
         OR pg_catalog.current_setting('timescaledb.disable_load', true) IS NOT NULL AS loaded
  FROM pg_catalog.pg_available_extensions a
  LEFT JOIN pg_catalog.pg_available_extension_versions v ON v.name = a.name AND v.version = a.default_version
