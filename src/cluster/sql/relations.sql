-- Relations that a table name may refer to, each with its topmost partitioned table, the hypertable whose chunk it is,
-- and its extension. No parameters.
SELECT n.nspname::text AS schema_name,
       c.relname::text AS name,
       c.relkind::text AS kind,
       root_schema.nspname::text AS root_schema,
       root.relname::text AS root_name,
       chunk.schema_name AS hypertable_schema,
       chunk.name AS hypertable_name,
       (SELECT e.extname::text
          FROM pg_catalog.pg_depend d
          JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
         WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
           AND d.objid = c.oid
           AND d.objsubid = 0
           AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
           AND d.deptype = 'e') AS extension
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_class root
         ON c.relispartition AND root.oid = pg_catalog.pg_partition_root(c.oid)
  LEFT JOIN pg_catalog.pg_namespace root_schema ON root_schema.oid = root.relnamespace
  -- TimescaleDB keeps the rows of a hypertable in chunks that inherit from it.
  LEFT JOIN LATERAL (
       SELECT parent_schema.nspname::text AS schema_name, parent.relname::text AS name
         FROM pg_catalog.pg_inherits i
         JOIN pg_catalog.pg_class parent ON parent.oid = i.inhparent
         JOIN pg_catalog.pg_namespace parent_schema ON parent_schema.oid = parent.relnamespace
        WHERE i.inhrelid = c.oid
          AND EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'timescaledb')
          -- Of a hypertable whose chunks are in a user's schema, older versions have this trigger.
          AND (n.nspname = '_timescaledb_internal'
               OR EXISTS (SELECT FROM pg_catalog.pg_trigger t
                           WHERE t.tgrelid = parent.oid AND t.tgname = 'ts_insert_blocker'))
        LIMIT 1) chunk ON true
 WHERE c.relkind IN ('r', 'p', 'S', 'v', 'm', 'f', 'c')
   AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_'
