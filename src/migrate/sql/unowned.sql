-- Objects in schemas and databases that are not members of an extension, as addresses for another server.
-- In a database that contains only extensions, their scripts created these. No parameters.
WITH own AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'),
     -- Members of extensions, and parts of other objects: row types, sequences of identity columns, triggers of keys.
     -- Indexes of keys are parts, too, but separate statements create them.
     part AS (SELECT d.classid, d.objid FROM pg_catalog.pg_depend d
               WHERE d.deptype = 'e'
                  OR (d.deptype = 'i'
                      AND NOT (d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                               AND d.objid IN (SELECT indexrelid FROM pg_catalog.pg_index)))),
     relation AS (SELECT c.tableoid AS class, c.oid, c.relkind
                    FROM pg_catalog.pg_class c
                   WHERE c.relnamespace IN (SELECT oid FROM own)
                     AND NOT EXISTS (SELECT FROM part p WHERE p.classid = c.tableoid AND p.objid = c.oid)
                     -- An index is not an extension member; its table is.
                     AND c.oid NOT IN (SELECT x.indexrelid FROM pg_catalog.pg_index x JOIN part p
                                           ON p.classid = c.tableoid AND p.objid = x.indrelid)),
     object(class, oid) AS (
       SELECT class, oid FROM relation WHERE relkind IN ('r', 'p', 'f', 'm', 'v', 'S', 'i', 'I')
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_event_trigger
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_foreign_data_wrapper
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_foreign_server
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_publication
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_cast WHERE oid >= 16384
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_proc WHERE pronamespace IN (SELECT oid FROM own)
       UNION ALL SELECT t.tableoid, t.oid FROM pg_catalog.pg_type t
                  WHERE t.typnamespace IN (SELECT oid FROM own)
                    AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
                    AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_operator WHERE oprnamespace IN (SELECT oid FROM own)
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_opclass WHERE opcnamespace IN (SELECT oid FROM own)
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_opfamily WHERE opfnamespace IN (SELECT oid FROM own)
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_collation WHERE collnamespace IN (SELECT oid FROM own)
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_ts_config WHERE cfgnamespace IN (SELECT oid FROM own)
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_ts_dict WHERE dictnamespace IN (SELECT oid FROM own)
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_constraint
                  WHERE contype IN ('c', 'f', 'p', 'u', 'x') AND conrelid IN (SELECT oid FROM relation)
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_trigger WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM relation)
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_policy WHERE polrelid IN (SELECT oid FROM relation)
       UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_rewrite
                  WHERE rulename <> '_RETURN' AND ev_class IN (SELECT oid FROM relation))
SELECT a.type, a.object_names, a.object_args
  FROM object o,
       LATERAL pg_catalog.pg_identify_object_as_address(o.class, o.oid, 0) a
 WHERE NOT EXISTS (SELECT FROM part p WHERE p.classid = o.class AND p.objid = o.oid)
 ORDER BY o.class, o.oid
