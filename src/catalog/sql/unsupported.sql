-- Objects of users that are not copied so far, each named as the server names it.
-- Left out: what the server or an extension made, temporary objects, and parts that come with another object
-- (casts of a range to its multirange, operator families that an operator class made for itself).
WITH schema AS MATERIALIZED (
  SELECT oid FROM pg_catalog.pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'),
found(severity, kind, class, oid, name) AS (
  SELECT 'refuse', 'cast', tableoid, oid, NULL::text FROM pg_catalog.pg_cast c
   WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = c.tableoid AND d.objid = c.oid AND d.deptype = 'i')
  UNION ALL SELECT 'refuse', 'transform', tableoid, oid, NULL FROM pg_catalog.pg_transform
  UNION ALL SELECT 'refuse', 'access method', tableoid, oid, NULL FROM pg_catalog.pg_am
  UNION ALL SELECT 'refuse', 'operator', tableoid, oid, NULL FROM pg_catalog.pg_operator WHERE oprnamespace IN (TABLE schema)
  UNION ALL SELECT 'refuse', 'operator class', tableoid, oid, NULL FROM pg_catalog.pg_opclass WHERE opcnamespace IN (TABLE schema)
  UNION ALL SELECT 'refuse', 'operator family', tableoid, oid, NULL FROM pg_catalog.pg_opfamily WHERE opfnamespace IN (TABLE schema)
  UNION ALL SELECT 'refuse', CASE typtype WHEN 'p' THEN 'shell type' ELSE 'base type' END, tableoid, oid, NULL FROM pg_catalog.pg_type t
             WHERE typtype IN ('b', 'p') AND typnamespace IN (TABLE schema)
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
  UNION ALL SELECT 'refuse', 'conversion', tableoid, oid, NULL FROM pg_catalog.pg_conversion WHERE connamespace IN (TABLE schema)
  UNION ALL SELECT 'refuse', 'text search parser', tableoid, oid, NULL FROM pg_catalog.pg_ts_parser WHERE prsnamespace IN (TABLE schema)
  UNION ALL SELECT 'refuse', 'text search template', tableoid, oid, NULL FROM pg_catalog.pg_ts_template WHERE tmplnamespace IN (TABLE schema)
  UNION ALL SELECT 'refuse', 'foreign-data wrapper', tableoid, oid, NULL FROM pg_catalog.pg_foreign_data_wrapper
  UNION ALL SELECT 'refuse', 'foreign server', tableoid, oid, NULL FROM pg_catalog.pg_foreign_server
  UNION ALL SELECT 'refuse', 'user mapping', 'pg_catalog.pg_user_mapping'::pg_catalog.regclass, umid, NULL FROM pg_catalog.pg_user_mappings
  UNION ALL SELECT 'refuse', 'foreign table', tableoid, oid, NULL FROM pg_catalog.pg_class WHERE relkind = 'f' AND relnamespace IN (TABLE schema)
  UNION ALL SELECT 'refuse', 'event trigger', tableoid, oid, NULL FROM pg_catalog.pg_event_trigger
  UNION ALL SELECT 'refuse', 'publication', tableoid, oid, NULL FROM pg_catalog.pg_publication
  UNION ALL SELECT 'refuse', 'language', tableoid, oid, NULL FROM pg_catalog.pg_language
  -- Labels of roles (1260), databases (1262) and tablespaces (1213) belong to the cluster.
  -- Where a subscription's oid may not be read, its name may.
  UNION ALL SELECT 'note', 'subscription', 0, 0, pg_catalog.quote_ident(s.subname::text) FROM pg_catalog.pg_subscription s
             WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
  UNION ALL SELECT CASE WHEN l.classoid IN (1260, 1262, 1213) THEN 'note' ELSE 'refuse' END, 'security label', 0, 0,
                   l.objtype || ' ' || l.objname || ' of ' || pg_catalog.quote_ident(l.provider)
              FROM pg_catalog.pg_seclabels l)
SELECT f.severity, f.kind, f.class, f.oid, coalesce(f.name, identified.identity) AS identity
  FROM found f
  LEFT JOIN LATERAL pg_catalog.pg_identify_object(f.class, nullif(f.oid, 0), 0) identified ON true
 WHERE f.oid = 0
    OR (f.oid >= 16384
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                         WHERE d.classid = f.class AND d.objid = f.oid AND d.deptype = 'e'))
 ORDER BY f.severity DESC, f.kind, 5
