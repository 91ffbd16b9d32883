-- What TimescaleDB's Apache part cannot make: rows of its catalogs as its other part writes them.
CREATE TABLE squeezed (time timestamptz NOT NULL, "De'v" int, v float8);
SELECT create_hypertable('squeezed', 'time');
INSERT INTO squeezed SELECT timestamptz '2026-01-01 00:00 UTC' + n * interval '1 h', n, n FROM generate_series(1, 10) n;
CREATE TABLE _timescaledb_internal._compressed_hypertable_900 ();
INSERT INTO _timescaledb_catalog.hypertable
SELECT 900, '_timescaledb_internal', '_compressed_hypertable_900', '_timescaledb_internal', '_hyper_900', 0,
       chunk_sizing_func_schema, chunk_sizing_func_name, chunk_target_size, 2, NULL, status
  FROM _timescaledb_catalog.hypertable WHERE table_name = 'squeezed';
UPDATE _timescaledb_catalog.hypertable SET compression_state = 1, compressed_hypertable_id = 900 WHERE table_name = 'squeezed';
INSERT INTO _timescaledb_catalog.compression_settings (relid, segmentby, orderby, orderby_desc, orderby_nullsfirst)
VALUES ('squeezed', ARRAY['De''v'], ARRAY['time'], ARRAY[true], ARRAY[true]);

CREATE TABLE _timescaledb_internal._materialized_hypertable_901 (bucket timestamptz NOT NULL, n bigint);
SELECT create_hypertable('_timescaledb_internal._materialized_hypertable_901', 'bucket');
INSERT INTO _timescaledb_internal._materialized_hypertable_901 VALUES ('2026-01-01 00:00 UTC', 1);
CREATE VIEW _timescaledb_internal._partial_view_901 AS
  SELECT time_bucket('1 day', time) AS bucket, count(*) AS n FROM squeezed GROUP BY 1;
CREATE VIEW _timescaledb_internal._direct_view_901 AS SELECT time_bucket('1 day', time) AS bucket, count(*) AS n FROM squeezed GROUP BY 1;
CREATE VIEW daily AS SELECT bucket, n FROM _timescaledb_internal._materialized_hypertable_901;
INSERT INTO _timescaledb_catalog.continuous_agg
       (mat_hypertable_id, raw_hypertable_id, user_view_schema, user_view_name, partial_view_schema, partial_view_name,
        direct_view_schema, direct_view_name, materialized_only, finalized)
SELECT m.id, r.id, 'public', 'daily', '_timescaledb_internal', '_partial_view_901', '_timescaledb_internal', '_direct_view_901', true, true
  FROM _timescaledb_catalog.hypertable m, _timescaledb_catalog.hypertable r
 WHERE m.table_name = '_materialized_hypertable_901' AND r.table_name = 'squeezed';
CREATE VIEW on_daily AS SELECT max(n) FROM daily;

INSERT INTO _timescaledb_config.bgw_job
       (application_name, schedule_interval, max_runtime, max_retries, retry_period, proc_schema, proc_name, hypertable_id, config)
SELECT 'Retention Policy', interval '1 day', interval '5 min', -1, interval '5 min', '_timescaledb_functions', 'policy_retention', h.id,
       jsonb_build_object('drop_after', '30 days', 'hypertable_id', h.id)
  FROM _timescaledb_catalog.hypertable h WHERE h.table_name = 'squeezed'
UNION ALL
SELECT 'Refresh Continuous Aggregate Policy', interval '1 h', interval '5 min', -1, interval '5 min', '_timescaledb_functions', 'policy_refresh_continuous_aggregate', h.id,
       jsonb_build_object('start_offset', NULL, 'end_offset', '01:00:00', 'mat_hypertable_id', h.id)
  FROM _timescaledb_catalog.hypertable h WHERE h.table_name = '_materialized_hypertable_901';
CREATE VIEW on_chunk AS SELECT * FROM _timescaledb_internal._hyper_1_1_chunk;
