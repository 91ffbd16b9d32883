-- Tables with rows of their own: ordinary tables, partitions and inheritance children, without system
-- schemas and temporary tables. Of extensions, only configuration tables, with the condition for the
-- user's rows.
-- One row per column; a table without columns has one row without column.
SELECT c.oid AS oid,
       c.relfilenode AS filenode,
       n.nspname::text AS schema_name,
       c.relname::text AS table_name,
       (c.relpages::int8 + coalesce(t.relpages, 0)) * current_setting('block_size')::int8 AS bytes,
       config.oid IS NOT NULL AS is_configuration,
       nullif(config.condition, '') AS condition,
       above.schemas AS above_schemas,
       above.names AS above_names,
       parents.schemas AS parent_schemas,
       parents.names AS parent_names,
       a.attname::text AS column_name,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type_name,
       CASE a.atttypid
           WHEN '"char"'::pg_catalog.regtype THEN 'integer'
           WHEN '"char"[]'::pg_catalog.regtype THEN 'integers'
           ELSE 'text'
       END AS form,
       coalesce(a.attgenerated <> '', false) AS is_generated
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN (SELECT unnest(e.extconfig) AS oid, unnest(e.extcondition) AS condition
           FROM pg_catalog.pg_extension e
           -- Its tables describe chunks, and each server has its own.
           WHERE e.extname <> 'timescaledb') config ON config.oid = c.oid
-- The partitioned tables above it, the topmost last.
CROSS JOIN LATERAL (
    SELECT coalesce(pg_catalog.array_agg(pn.nspname::text ORDER BY p.number), '{}') AS schemas,
           coalesce(pg_catalog.array_agg(pc.relname::text ORDER BY p.number), '{}') AS names
    FROM pg_catalog.pg_partition_ancestors(CASE WHEN c.relispartition THEN c.oid END)
         WITH ORDINALITY AS p (relation, number)
    JOIN pg_catalog.pg_class pc ON pc.oid = p.relation
    JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
    WHERE p.relation <> c.oid) above
-- All parents by partitioning or inheritance, at any distance: they contain its rows.
CROSS JOIN LATERAL (
    WITH RECURSIVE up(relation) AS (
        SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid
        UNION
        SELECT i.inhparent FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.relation)
    SELECT coalesce(pg_catalog.array_agg(pn.nspname::text ORDER BY pc.oid), '{}') AS schemas,
           coalesce(pg_catalog.array_agg(pc.relname::text ORDER BY pc.oid), '{}') AS names
    FROM up
    JOIN pg_catalog.pg_class pc ON pc.oid = up.relation
    JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace) parents
WHERE c.relkind = 'r'
  AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_(toast|temp_)'
  AND (config.oid IS NOT NULL OR NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.objid = c.oid
        AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
        AND d.deptype = 'e'))
ORDER BY c.oid, a.attnum
