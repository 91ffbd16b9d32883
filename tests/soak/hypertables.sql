-- Hypertables of every shape, and what users hang on them.
CREATE EXTENSION timescaledb;
CREATE SCHEMA "Od d";
CREATE ROLE keeper;
CREATE ROLE reader;

CREATE TABLE plain (id int PRIMARY KEY, note text);
INSERT INTO plain SELECT n, 'n' || n FROM generate_series(1, 50) n;

-- Time and hash; keys, checks, foreign keys, defaults, indexes, triggers, policies, statistics, marks.
CREATE TABLE metrics (
  time timestamptz NOT NULL,
  device int NOT NULL REFERENCES plain,
  value float8 CHECK (value < 1e9),
  note text DEFAULT 'x',
  doubled float8 GENERATED ALWAYS AS (value * 2) STORED,
  PRIMARY KEY (time, device)
) WITH (fillfactor = 80);
SELECT create_hypertable('metrics', 'time', chunk_time_interval => interval '1 day');
SELECT add_dimension('metrics', 'device', number_partitions => 3);
INSERT INTO metrics SELECT timestamptz '2026-01-01 00:00 UTC' + n * interval '10 min', n % 50 + 1, n FROM generate_series(1, 2000) n;
CREATE INDEX metrics_by_value ON metrics (value DESC, time);
ALTER TABLE metrics ALTER value SET STATISTICS 500;
CREATE STATISTICS of_metrics ON device, value FROM metrics;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := ''by trigger''; RETURN NEW; END';
CREATE TRIGGER noted BEFORE INSERT ON metrics FOR EACH ROW EXECUTE FUNCTION noted();
ALTER TABLE metrics CLUSTER ON metrics_by_value;
CREATE POLICY seen ON metrics USING (true);
ALTER TABLE metrics ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE metrics IS 'What devices say';
GRANT SELECT ON metrics TO reader;
CREATE VIEW by_device AS SELECT device, count(*) FROM metrics GROUP BY 1;

-- Counted, with chunks of their own names in a schema of their own.
CREATE TABLE "Od d"."Big Ints" (ts bigint NOT NULL, "Val" int, gone int);
SELECT create_hypertable('"Od d"."Big Ints"', 'ts', chunk_time_interval => 1000, create_default_indexes => false,
                         associated_schema_name => 'Od d', associated_table_prefix => 'pre"fix''s');
CREATE FUNCTION "Od d".now_int() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 4000::bigint';
SELECT set_integer_now_func('"Od d"."Big Ints"', '"Od d".now_int');
ALTER TABLE "Od d"."Big Ints" DROP COLUMN gone;
INSERT INTO "Od d"."Big Ints" SELECT n, n FROM generate_series(1, 5000) n;

-- A hash of the user's, and chunks of different age.
CREATE FUNCTION hashed(anyelement) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT length($1::text)';
CREATE TABLE cut (d date NOT NULL, k text NOT NULL, v jsonb);
SELECT create_hypertable('cut', 'd', 'k', 4, partitioning_func => 'hashed', chunk_time_interval => interval '1 month');
INSERT INTO cut SELECT date '2026-01-01' + n % 90, 'k' || n, jsonb_build_object('n', n) FROM generate_series(1, 3000) n;
CREATE UNIQUE INDEX cut_once ON cut (d, k, (v ->> 'n'));

-- An identity, another owner, a replica identity.
CREATE TABLE keyed (ts timestamptz NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY, ref int, UNIQUE (id, ts));
SELECT create_hypertable('keyed', by_range('ts'));
INSERT INTO keyed (ts, ref) SELECT timestamptz '2026-01-01 00:00 UTC' + n * interval '1 h', n FROM generate_series(1, 1000) n;
ALTER TABLE keyed REPLICA IDENTITY USING INDEX keyed_id_ts_key;
ALTER TABLE keyed OWNER TO keeper;

-- Time that a function reads from text.
CREATE FUNCTION moment(text) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS 'SELECT $1::timestamptz';
CREATE TABLE spelt (at text NOT NULL, v int);
SELECT create_hypertable('spelt', 'at', time_partitioning_func => 'moment', chunk_time_interval => interval '1 day', create_default_indexes => false);
INSERT INTO spelt VALUES ('2026-01-01 00:00:00+00', 1), ('2026-02-01 00:00:00+00', 2);

-- Without rows; and what refers to a hypertable.
CREATE TABLE hollow (t timestamptz NOT NULL, id int NOT NULL, PRIMARY KEY (t, id));
SELECT create_hypertable('hollow', 't');
CREATE TABLE refers (t timestamptz, id int, FOREIGN KEY (t, id) REFERENCES hollow);
