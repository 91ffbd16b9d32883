-- What TimescaleDB made, as its own catalogs say since version 2.0: one row of JSON lists. Columns that its versions
-- may lack are asked for in the row's JSON form. No parameters.
WITH relation AS (
  SELECT c.oid, n.nspname AS schema, c.relname AS name
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'v', 'f')
), hypertable AS (
  SELECT r.oid, h.*, own.id AS owner_id,
         EXISTS (SELECT FROM _timescaledb_catalog.continuous_agg a WHERE a.mat_hypertable_id = h.id) AS is_materialized
    FROM _timescaledb_catalog.hypertable h
    JOIN relation r ON r.schema = h.schema_name AND r.name = h.table_name
    LEFT JOIN _timescaledb_catalog.hypertable own ON own.compressed_hypertable_id = h.id
), internal AS (
  -- Chunks, also of compressed rows, count to the hypertable whose rows they hold.
  SELECT r.oid, r.schema, r.name, root.oid AS root
    FROM _timescaledb_catalog.chunk c
    JOIN relation r ON r.schema = c.schema_name AND r.name = c.table_name
    LEFT JOIN hypertable h ON h.id = c.hypertable_id
    LEFT JOIN hypertable root ON root.id = COALESCE(h.owner_id, h.id)
  UNION ALL
  SELECT h.oid, h.schema_name, h.table_name, NULL
    FROM hypertable h
   WHERE h.owner_id IS NOT NULL OR h.is_materialized
  UNION ALL
  SELECT r.oid, r.schema, r.name, NULL
    FROM _timescaledb_catalog.continuous_agg a
    JOIN relation r ON (r.schema, r.name) IN ((a.user_view_schema, a.user_view_name),
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
), compression AS (
  SELECT s.hypertable_schema, s.hypertable_name,
         pg_catalog.json_agg(s.attname ORDER BY s.segmentby_column_index)
           FILTER (WHERE s.segmentby_column_index IS NOT NULL) AS segment_by,
         pg_catalog.json_agg(pg_catalog.quote_ident(s.attname)
                             || CASE WHEN s.orderby_asc THEN ' ASC' ELSE ' DESC' END
                             || CASE WHEN s.orderby_nullsfirst THEN ' NULLS FIRST' ELSE ' NULLS LAST' END
                             ORDER BY s.orderby_column_index)
           FILTER (WHERE s.orderby_column_index IS NOT NULL) AS order_by
    FROM timescaledb_information.compression_settings s
   GROUP BY s.hypertable_schema, s.hypertable_name
)
SELECT (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                 'oid', i.oid::int8, 'schema', i.schema, 'name', i.name, 'root', i.root::int8))
          FROM (SELECT DISTINCT * FROM internal) i)::text AS internals,
       (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                 'oid', h.oid::int8,
                 'schema', NULLIF(h.associated_schema_name, '_timescaledb_internal'),
                 'prefix', NULLIF(h.associated_table_prefix, '_hyper_' || h.id),
                 'dimensions', COALESCE(d.dimensions, '[]'),
                 'tablespaces', (SELECT COALESCE(pg_catalog.json_agg(t.tablespace_name ORDER BY t.id), '[]')
                                   FROM _timescaledb_catalog.tablespace t WHERE t.hypertable_id = h.id),
                 'is_compressed', h.compressed_hypertable_id IS NOT NULL OR c.hypertable_name IS NOT NULL,
                 'segment_by', COALESCE(c.segment_by, '[]'),
                 'order_by', COALESCE(c.order_by, '[]')) ORDER BY h.oid)
          FROM hypertable h
          LEFT JOIN dimension d ON d.hypertable_id = h.id
          LEFT JOIN compression c ON (c.hypertable_schema, c.hypertable_name) = (h.schema_name, h.table_name)
         WHERE h.owner_id IS NULL AND NOT h.is_materialized)::text AS hypertables,
       (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                 'schema', a.user_view_schema, 'name', a.user_view_name,
                 'definition', pg_catalog.pg_get_viewdef(r.oid),
                 'materialized_only', a.materialized_only) ORDER BY a.mat_hypertable_id)
          FROM _timescaledb_catalog.continuous_agg a
          JOIN relation r ON r.schema = a.direct_view_schema AND r.name = a.direct_view_name)::text AS aggregates,
       (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                 'id', j.job_id, 'schema', j.proc_schema, 'procedure', j.proc_name,
                 'schedule', j.schedule_interval::text, 'config', j.config::text,
                 'relation', CASE WHEN j.hypertable_name IS NOT NULL
                                  THEN pg_catalog.json_build_array(j.hypertable_schema, j.hypertable_name) END)
               ORDER BY j.job_id)
          FROM timescaledb_information.jobs j
         -- Below 1000 are TimescaleDB's own.
         WHERE j.job_id >= 1000)::text AS jobs
