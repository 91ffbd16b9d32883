-- Objects of a database that a run or a user can have created, each with the transactions that wrote its
-- row. Excludes objects of the server, members of extensions and their parts.
-- maker: xmin of the row. first: xmin of another row, if there is one, that TRUNCATE, CLUSTER and ANALYZE
-- do not update.
WITH own AS (SELECT oid FROM pg_catalog.pg_namespace
              WHERE nspname <> 'information_schema' AND nspname !~ '^pg_' AND nspname <> 'seren_replicator_run'),
     member AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'),
     relation AS (
       SELECT c.tableoid AS class, c.oid, c.relkind, c.xmin AS maker, c.reltype
         FROM pg_catalog.pg_class c
        WHERE c.relnamespace IN (SELECT oid FROM own)
          AND NOT EXISTS (SELECT FROM member m WHERE m.classid = c.tableoid AND m.objid = c.oid)),
     object(class, oid, sub, maker, first) AS (
       SELECT r.class, r.oid, 0, r.maker, coalesce(t.xmin, s.xmin)
         FROM relation r
         LEFT JOIN pg_catalog.pg_type t ON t.oid = r.reltype
         LEFT JOIN pg_catalog.pg_sequence s ON s.seqrelid = r.oid
        WHERE r.relkind NOT IN ('i', 'I')
       UNION ALL
       SELECT r.class, r.oid, 0, r.maker, i.xmin
         FROM relation r
         JOIN pg_catalog.pg_index i ON i.indexrelid = r.oid
        WHERE i.indrelid IN (SELECT oid FROM relation)
       UNION ALL
       SELECT r.class, r.oid, a.attnum::int, a.xmin, NULL
         FROM relation r
         JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid
        WHERE r.relkind IN ('r', 'p', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped
       UNION ALL
       SELECT d.tableoid, d.oid, 0, d.xmin, NULL FROM pg_catalog.pg_attrdef d
        WHERE d.adrelid IN (SELECT oid FROM relation)
       UNION ALL
       SELECT c.tableoid, c.oid, 0, c.xmin, NULL FROM pg_catalog.pg_constraint c
        WHERE c.contype <> 't' AND (c.conrelid IN (SELECT oid FROM relation)
              OR c.contypid IN (SELECT oid FROM pg_catalog.pg_type WHERE typnamespace IN (SELECT oid FROM own)))
       UNION ALL
       SELECT t.tableoid, t.oid, 0, t.xmin, NULL FROM pg_catalog.pg_trigger t
        WHERE NOT t.tgisinternal AND t.tgrelid IN (SELECT oid FROM relation)
       UNION ALL
       SELECT w.tableoid, w.oid, 0, w.xmin, NULL FROM pg_catalog.pg_rewrite w
        WHERE w.ev_class IN (SELECT oid FROM relation)
       UNION ALL
       SELECT p.tableoid, p.oid, 0, p.xmin, NULL FROM pg_catalog.pg_policy p
        WHERE p.polrelid IN (SELECT oid FROM relation)
       UNION ALL
       SELECT s.tableoid, s.oid, 0, s.xmin, NULL FROM pg_catalog.pg_statistic_ext s
        WHERE s.stxrelid IN (SELECT oid FROM relation)
       UNION ALL
       SELECT o.class, o.oid, 0, o.maker, NULL
         FROM (SELECT tableoid, oid, xmin, pronamespace FROM pg_catalog.pg_proc
               -- Row and array types belong to another object.
               UNION ALL SELECT t.tableoid, t.oid, t.xmin, t.typnamespace FROM pg_catalog.pg_type t
                          WHERE t.typrelid = 0 AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
               UNION ALL SELECT tableoid, oid, xmin, collnamespace FROM pg_catalog.pg_collation
               UNION ALL SELECT tableoid, oid, xmin, connamespace FROM pg_catalog.pg_conversion
               UNION ALL SELECT tableoid, oid, xmin, oprnamespace FROM pg_catalog.pg_operator
               UNION ALL SELECT tableoid, oid, xmin, opcnamespace FROM pg_catalog.pg_opclass
               UNION ALL SELECT tableoid, oid, xmin, opfnamespace FROM pg_catalog.pg_opfamily
               UNION ALL SELECT tableoid, oid, xmin, prsnamespace FROM pg_catalog.pg_ts_parser
               UNION ALL SELECT tableoid, oid, xmin, tmplnamespace FROM pg_catalog.pg_ts_template
               UNION ALL SELECT tableoid, oid, xmin, dictnamespace FROM pg_catalog.pg_ts_dict
               UNION ALL SELECT tableoid, oid, xmin, cfgnamespace FROM pg_catalog.pg_ts_config
               UNION ALL SELECT tableoid, oid, xmin, NULL FROM pg_catalog.pg_cast
               UNION ALL SELECT tableoid, oid, xmin, NULL FROM pg_catalog.pg_transform
               UNION ALL SELECT tableoid, oid, xmin, NULL FROM pg_catalog.pg_language
               UNION ALL SELECT tableoid, oid, xmin, NULL FROM pg_catalog.pg_am
               UNION ALL SELECT tableoid, oid, xmin, NULL FROM pg_catalog.pg_foreign_data_wrapper
               UNION ALL SELECT tableoid, oid, xmin, NULL FROM pg_catalog.pg_foreign_server
               UNION ALL SELECT tableoid, oid, xmin, NULL FROM pg_catalog.pg_publication
               UNION ALL SELECT tableoid, oid, xmin, NULL FROM pg_catalog.pg_event_trigger
               UNION ALL SELECT tableoid, oid, xmin, NULL FROM pg_catalog.pg_extension
               UNION ALL SELECT 'pg_catalog.pg_largeobject'::pg_catalog.regclass, oid, xmin, NULL FROM pg_catalog.pg_largeobject_metadata
               UNION ALL SELECT tableoid, oid, xmin, oid FROM pg_catalog.pg_namespace) o(class, oid, maker, namespace)
        WHERE (o.namespace IS NULL OR o.namespace IN (SELECT oid FROM own))
          AND NOT EXISTS (SELECT FROM member m WHERE m.classid = o.class AND m.objid = o.oid)),
     -- initdb assigns OIDs below 16384; users choose the OIDs of large objects.
     found AS (SELECT * FROM object
                WHERE oid >= 16384 OR class = 'pg_catalog.pg_largeobject'::pg_catalog.regclass)
