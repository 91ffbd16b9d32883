-- Event triggers of users.
SELECT e.oid, e.evtname::text AS name, pg_catalog.pg_get_userbyid(e.evtowner)::text AS owner, e.evtevent::text AS event,
       coalesce(e.evttags, '{}') AS tags, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname) AS function,
       e.evtenabled::text AS enabled
  FROM pg_catalog.pg_event_trigger e
  JOIN pg_catalog.pg_proc p ON p.oid = e.evtfoid
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = e.tableoid AND d.objid = e.oid AND d.deptype = 'e')
 ORDER BY e.evtname
