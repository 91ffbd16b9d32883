-- Objects that a new database does not contain, as DROP statements, in an order in which each works with
-- CASCADE. Parts of other objects are not listed.
-- $1: extensions to keep. $2: maximum number of rows. left_over: the total count.
WITH own AS (SELECT oid, nspname FROM pg_catalog.pg_namespace
              WHERE nspname <> 'information_schema' AND nspname !~ '^pg_' AND nspname <> 'seren_replicator_run'),
     -- Members of extensions, and parts of other objects: row types, sequences of identity columns.
     part AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype IN ('e', 'i')),
     object(turn, class, oid, namespace) AS (
       -- First: they fire for later DROPs.
       SELECT 1, tableoid, oid, NULL::oid FROM pg_catalog.pg_event_trigger
       UNION ALL SELECT 2, tableoid, oid, NULL FROM pg_catalog.pg_publication
       UNION ALL SELECT 3, tableoid, oid, NULL FROM pg_catalog.pg_extension WHERE extname <> ALL ($1::text[]::name[])
       UNION ALL SELECT 4, tableoid, oid, relnamespace FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'f', 'm', 'v')
       UNION ALL SELECT 5, tableoid, oid, relnamespace FROM pg_catalog.pg_class WHERE relkind IN ('S', 'c')
       UNION ALL SELECT 6, tableoid, oid, NULL FROM pg_catalog.pg_foreign_server
       UNION ALL SELECT 7, tableoid, oid, NULL FROM pg_catalog.pg_foreign_data_wrapper
       UNION ALL SELECT 8, tableoid, oid, NULL FROM pg_catalog.pg_cast WHERE oid >= 16384
       UNION ALL SELECT 8, tableoid, oid, NULL FROM pg_catalog.pg_transform WHERE oid >= 16384
       UNION ALL SELECT 9, tableoid, oid, opcnamespace FROM pg_catalog.pg_opclass
       UNION ALL SELECT 10, tableoid, oid, opfnamespace FROM pg_catalog.pg_opfamily
       UNION ALL SELECT 11, tableoid, oid, oprnamespace FROM pg_catalog.pg_operator
       UNION ALL SELECT 12, tableoid, oid, cfgnamespace FROM pg_catalog.pg_ts_config
       UNION ALL SELECT 13, tableoid, oid, dictnamespace FROM pg_catalog.pg_ts_dict
       UNION ALL SELECT 14, tableoid, oid, tmplnamespace FROM pg_catalog.pg_ts_template
       UNION ALL SELECT 14, tableoid, oid, prsnamespace FROM pg_catalog.pg_ts_parser
       UNION ALL SELECT 15, tableoid, oid, connamespace FROM pg_catalog.pg_conversion
       UNION ALL SELECT 16, tableoid, oid, NULL FROM pg_catalog.pg_am WHERE oid >= 16384
       UNION ALL SELECT 17, tableoid, oid, NULL FROM pg_catalog.pg_language WHERE oid >= 16384
       UNION ALL SELECT 18, tableoid, oid, typnamespace FROM pg_catalog.pg_type
       UNION ALL SELECT 19, tableoid, oid, pronamespace FROM pg_catalog.pg_proc
       UNION ALL SELECT 20, tableoid, oid, collnamespace FROM pg_catalog.pg_collation
       UNION ALL SELECT 21, n.tableoid, n.oid, NULL
                   FROM pg_catalog.pg_namespace n
                  WHERE n.oid IN (SELECT oid FROM own WHERE nspname <> 'public')
                    AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension e
                                     WHERE e.extnamespace = n.oid AND e.extname = ANY ($1::text[]::name[]))),
     found AS (
       SELECT o.turn, o.class, o.oid
         FROM object o
        WHERE (o.namespace IS NULL OR o.namespace IN (SELECT oid FROM own))
          AND NOT EXISTS (SELECT FROM part p WHERE p.classid = o.class AND p.objid = o.oid))
SELECT 'DROP ' || CASE i.type WHEN 'composite type' THEN 'type' WHEN 'foreign-data wrapper' THEN 'foreign data wrapper'
                              ELSE i.type END
         || ' IF EXISTS ' || i.identity || ' CASCADE' AS statement,
       CASE WHEN i.type IN ('table', 'partitioned table') THEN 'LOCK TABLE ONLY ' || i.identity || ' IN ACCESS EXCLUSIVE MODE' END AS lock,
       i.type || ' ' || i.identity AS what,
       f.left_over
  FROM (SELECT *, pg_catalog.count(*) OVER () AS left_over FROM found ORDER BY turn, oid LIMIT $2) f,
       LATERAL pg_catalog.pg_identify_object(f.class, f.oid, 0) i
 ORDER BY f.turn, f.oid
