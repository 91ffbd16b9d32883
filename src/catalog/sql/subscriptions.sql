-- Subscriptions of this database, for superusers. Properties that a version lacks have the defaults of newer
-- versions, except run_as_owner (true).
SELECT s.subname::text AS name, s.subconninfo AS connection, s.subpublications AS publications, s.subsynccommit AS synchronous_commit,
       coalesce((j.row ->> 'subbinary')::bool, false) AS binary,
       CASE j.row ->> 'substream' WHEN 'true' THEN 'on' WHEN 't' THEN 'on' WHEN 'p' THEN 'parallel' ELSE 'off' END AS streaming,
       coalesce(j.row ->> 'subtwophasestate', 'd') <> 'd' AS two_phase,
       coalesce((j.row ->> 'subdisableonerr')::bool, false) AS disable_on_error,
       coalesce((j.row ->> 'subpasswordrequired')::bool, true) AS password_required,
       coalesce((j.row ->> 'subrunasowner')::bool, true) AS run_as_owner,
       coalesce(j.row ->> 'suborigin', 'any') AS origin,
       coalesce((j.row ->> 'subfailover')::bool, false) AS failover
  FROM pg_catalog.pg_subscription s, LATERAL (SELECT pg_catalog.to_jsonb(s) AS row) j
 WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
 ORDER BY s.subname
