-- Objects that a new database does not contain. A database is empty if all are zero.
-- No parameters. One row.
WITH own AS (SELECT oid, nspname FROM pg_catalog.pg_namespace
              WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
                -- The journal of a run that was killed before its first definition.
                AND nspname <> 'seren_replicator_run'),
     member AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'),
     object(is_table, class, oid, namespace) AS (
       SELECT relkind IN ('r', 'p', 'f', 'm'), tableoid, oid, relnamespace FROM pg_catalog.pg_class
        -- An index is not an extension member; its table is.
        WHERE oid NOT IN (SELECT x.indexrelid FROM pg_catalog.pg_index x JOIN member m
                              ON m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND m.objid = x.indrelid)
       UNION ALL SELECT false, tableoid, oid, pronamespace FROM pg_catalog.pg_proc
       -- Row and array types belong to another object; older servers do not record their extension.
       UNION ALL SELECT false, tableoid, oid, typnamespace FROM pg_catalog.pg_type t
                  WHERE (t.typrelid = 0 OR t.typrelid IN (SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'c'))
                    AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
       UNION ALL SELECT false, tableoid, oid, collnamespace FROM pg_catalog.pg_collation
       UNION ALL SELECT false, tableoid, oid, connamespace FROM pg_catalog.pg_conversion
       UNION ALL SELECT false, tableoid, oid, oprnamespace FROM pg_catalog.pg_operator
       UNION ALL SELECT false, tableoid, oid, opcnamespace FROM pg_catalog.pg_opclass
       UNION ALL SELECT false, tableoid, oid, opfnamespace FROM pg_catalog.pg_opfamily
       UNION ALL SELECT false, tableoid, oid, prsnamespace FROM pg_catalog.pg_ts_parser
       UNION ALL SELECT false, tableoid, oid, tmplnamespace FROM pg_catalog.pg_ts_template
       UNION ALL SELECT false, tableoid, oid, dictnamespace FROM pg_catalog.pg_ts_dict
       UNION ALL SELECT false, tableoid, oid, cfgnamespace FROM pg_catalog.pg_ts_config
       -- Objects outside schemas. initdb assigns OIDs below 16384.
       UNION ALL SELECT false, tableoid, oid, NULL FROM pg_catalog.pg_cast WHERE oid >= 16384
       UNION ALL SELECT false, tableoid, oid, NULL FROM pg_catalog.pg_transform WHERE oid >= 16384
       UNION ALL SELECT false, tableoid, oid, NULL FROM pg_catalog.pg_language WHERE oid >= 16384
       UNION ALL SELECT false, tableoid, oid, NULL FROM pg_catalog.pg_am WHERE oid >= 16384
       UNION ALL SELECT false, tableoid, oid, NULL FROM pg_catalog.pg_foreign_data_wrapper
       UNION ALL SELECT false, tableoid, oid, NULL FROM pg_catalog.pg_foreign_server
       UNION ALL SELECT false, tableoid, oid, NULL FROM pg_catalog.pg_publication
       UNION ALL SELECT false, tableoid, oid, NULL FROM pg_catalog.pg_event_trigger
       UNION ALL SELECT false, n.tableoid, n.oid, NULL
                   FROM pg_catalog.pg_namespace n
                  WHERE n.oid IN (SELECT oid FROM own WHERE nspname <> 'public')
                    AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extnamespace = n.oid)),
     found AS (
       SELECT o.is_table, o.class, o.oid
         FROM object o
        WHERE (o.namespace IS NULL OR o.namespace IN (SELECT oid FROM own))
          AND NOT EXISTS (SELECT FROM member m WHERE m.classid = o.class AND m.objid = o.oid))
SELECT (SELECT pg_catalog.count(*) FROM found WHERE is_table) AS tables,
       (SELECT pg_catalog.count(*) FROM found WHERE NOT is_table) AS others,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata) AS large_objects,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_default_acl) AS default_privileges,
       ARRAY(SELECT e.extname::text FROM pg_catalog.pg_extension e) AS extensions,
       -- Written by a transaction that added extension members: its script creates objects that are not members.
       ARRAY(SELECT pg_catalog.concat(i.type, ' ', i.identity)
               FROM found f
              CROSS JOIN LATERAL pg_catalog.pg_identify_object(f.class, f.oid, 0) i
              WHERE i.type NOT IN ('index', 'sequence')
                AND EXISTS (SELECT FROM pg_catalog.pg_depend d
                             WHERE d.classid = f.class AND d.objid = f.oid
                               AND d.xmin IN (SELECT xmin FROM pg_catalog.pg_depend WHERE deptype = 'e'))
              ORDER BY i.type COLLATE "C", i.identity COLLATE "C") AS beside_extensions,
       pg_catalog.pg_database_size(pg_catalog.current_database()) AS bytes,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS may_create
