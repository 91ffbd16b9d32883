-- Objects that TimescaleDB created, from its catalogs since version 2.0: one row of JSON lists. Columns that versions
-- may lack are read from the row's JSON form. Its views are not used: they are not reliable.
-- Placeholders: rows of `compression` and of `job`, whose tables depend on the version. No parameters.
WITH compression AS (
{}
), job AS (
{}
), hypertable AS (
  SELECT r.oid, h.id, h.schema_name, h.table_name, h.associated_schema_name, h.associated_table_prefix, own.id AS owner_id,
         EXISTS (SELECT FROM _timescaledb_catalog.continuous_agg a WHERE a.mat_hypertable_id = h.id) AS is_materialized,
         -- Since 2.29 a status bit, before that a separate hypertable for compressed rows.
         pg_catalog.to_jsonb(h) ->> 'compressed_hypertable_id' IS NOT NULL
           OR COALESCE((pg_catalog.to_jsonb(h) ->> 'status')::int4, 0) & 4 <> 0
           OR pg_catalog.to_jsonb(h) ->> 'compression_state' = '1' AS is_compressed
    FROM _timescaledb_catalog.hypertable h
    JOIN pg_catalog.pg_namespace n ON n.nspname = h.schema_name
    JOIN pg_catalog.pg_class r ON r.relnamespace = n.oid AND r.relname = h.table_name
    LEFT JOIN _timescaledb_catalog.hypertable own
           ON (pg_catalog.to_jsonb(own) ->> 'compressed_hypertable_id')::int4 = h.id
), chunk AS (
  -- By OID since 2.29, by name before. Chunks of compressed rows count for the hypertable of the rows.
  SELECT COALESCE(pg_catalog.to_regclass(pg_catalog.to_jsonb(c) ->> 'relid'),
                  pg_catalog.to_regclass(pg_catalog.format('%I.%I', pg_catalog.to_jsonb(c) ->> 'schema_name',
                                                           pg_catalog.to_jsonb(c) ->> 'table_name')))::oid AS oid,
         root.oid AS root
    FROM _timescaledb_catalog.chunk c
    LEFT JOIN hypertable h ON h.id = c.hypertable_id
    LEFT JOIN hypertable root ON root.id = COALESCE(h.owner_id, h.id)
), internal AS (
  SELECT oid, root FROM chunk
  UNION
  SELECT s.compressed, chunk.root FROM compression s JOIN chunk ON chunk.oid = s.oid WHERE s.compressed IS NOT NULL
  UNION
  SELECT h.oid, NULL FROM hypertable h WHERE h.owner_id IS NOT NULL OR h.is_materialized
  UNION
  SELECT r.oid, NULL
    FROM _timescaledb_catalog.continuous_agg a
    JOIN pg_catalog.pg_namespace n
      ON n.nspname IN (a.user_view_schema, a.partial_view_schema, a.direct_view_schema)
    JOIN pg_catalog.pg_class r
      ON r.relnamespace = n.oid
     AND (n.nspname, r.relname) IN ((a.user_view_schema, a.user_view_name),
                                    (a.partial_view_schema, a.partial_view_name),
                                    (a.direct_view_schema, a.direct_view_name))
), dimension AS (
  SELECT d.hypertable_id,
         pg_catalog.json_agg(pg_catalog.json_build_object(
           'column', d.column_name,
           'length', d.interval_length,
           'number', d.num_slices,
           'function', CASE WHEN d.partitioning_func <> 'get_partition_hash'
                              OR d.partitioning_func_schema !~ '^_timescaledb_'
                            THEN pg_catalog.json_build_array(d.partitioning_func_schema, d.partitioning_func) END,
           'now', CASE WHEN d.integer_now_func IS NOT NULL
                       THEN pg_catalog.json_build_array(d.integer_now_func_schema, d.integer_now_func) END,
           'routines', (SELECT COALESCE(pg_catalog.json_agg(p.oid::int8 ORDER BY p.oid), '[]')
                          FROM pg_catalog.pg_proc p
                          JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                         WHERE (n.nspname, p.proname) IN ((d.partitioning_func_schema, d.partitioning_func),
                                                          (d.integer_now_func_schema, d.integer_now_func)))
         ) ORDER BY d.num_slices IS NOT NULL, d.id) AS dimensions
    FROM _timescaledb_catalog.dimension d
   GROUP BY d.hypertable_id
)
SELECT (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                 'oid', i.oid::int8, 'schema', n.nspname, 'name', c.relname, 'root', i.root::int8))
          FROM internal i
          JOIN pg_catalog.pg_class c ON c.oid = i.oid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace)::text AS internals,
       (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                 'oid', h.oid::int8,
                 'schema', NULLIF(h.associated_schema_name, '_timescaledb_internal'),
                 'prefix', NULLIF(h.associated_table_prefix, '_hyper_' || h.id),
                 'dimensions', COALESCE(d.dimensions, '[]'),
                 'tablespaces', (SELECT COALESCE(pg_catalog.json_agg(t.tablespace_name ORDER BY t.id), '[]')
                                   FROM _timescaledb_catalog.tablespace t WHERE t.hypertable_id = h.id),
                 'is_compressed', h.is_compressed,
                 'segment_by', (SELECT COALESCE(pg_catalog.json_agg(p.name ORDER BY p.place), '[]')
                                  FROM compression s, pg_catalog.unnest(s.segment_by) WITH ORDINALITY p (name, place)
                                 WHERE s.oid = h.oid),
                 'order_by', (SELECT COALESCE(pg_catalog.json_agg(pg_catalog.quote_ident(p.name)
                                     || CASE WHEN p.descends THEN ' DESC' ELSE ' ASC' END
                                     || CASE WHEN p.nulls_first THEN ' NULLS FIRST' ELSE ' NULLS LAST' END
                                     ORDER BY p.place), '[]')
                                FROM compression s, ROWS FROM (
                                       pg_catalog.unnest(s.order_by), pg_catalog.unnest(s.descends),
                                       pg_catalog.unnest(s.nulls_first)
                                     ) WITH ORDINALITY p (name, descends, nulls_first, place)
                               WHERE s.oid = h.oid)) ORDER BY h.oid)
          FROM hypertable h
          LEFT JOIN dimension d ON d.hypertable_id = h.id
         WHERE h.owner_id IS NULL AND NOT h.is_materialized)::text AS hypertables,
       (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                 'schema', a.user_view_schema, 'name', a.user_view_name,
                 'definition', pg_catalog.pg_get_viewdef(r.oid),
                 'materialized_only', a.materialized_only) ORDER BY a.mat_hypertable_id)
          FROM _timescaledb_catalog.continuous_agg a
          JOIN pg_catalog.pg_namespace n ON n.nspname = a.direct_view_schema
          JOIN pg_catalog.pg_class r ON r.relnamespace = n.oid AND r.relname = a.direct_view_name)::text AS aggregates,
       (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                 'id', j.id, 'schema', j.proc_schema, 'procedure', j.proc_name,
                 'schedule', j.schedule_interval::text, 'config', j.config::text,
                 'relation', CASE WHEN a.mat_hypertable_id IS NOT NULL
                                  THEN pg_catalog.json_build_array(a.user_view_schema, a.user_view_name)
                                  WHEN h.id IS NOT NULL
                                  THEN pg_catalog.json_build_array(h.schema_name, h.table_name) END)
               ORDER BY j.id)
          FROM job j
          LEFT JOIN hypertable h ON h.id = j.hypertable_id
          LEFT JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = h.id
         -- Its own jobs have IDs below 1000.
         WHERE j.id >= 1000)::text AS jobs
