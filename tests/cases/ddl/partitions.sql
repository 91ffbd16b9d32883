-- Range, list and hash; several levels; defaults; partitions with a life of their own.
CREATE SCHEMA part;
CREATE TABLE part.event (id bigint NOT NULL, at timestamptz NOT NULL, kind text DEFAULT 'none', payload jsonb)
  PARTITION BY RANGE (at);
CREATE TABLE part.event_2020 PARTITION OF part.event FOR VALUES FROM ('2020-01-01 00:00+00') TO ('2021-01-01 00:00+00')
  PARTITION BY LIST (kind);
CREATE TABLE part.event_2020_a PARTITION OF part.event_2020 FOR VALUES IN ('a', 'it''s', NULL);
CREATE TABLE part.event_2020_rest PARTITION OF part.event_2020 DEFAULT PARTITION BY HASH (id);
CREATE TABLE part.event_2020_rest_0 PARTITION OF part.event_2020_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part.event_2020_rest_1 PARTITION OF part.event_2020_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE part.event_old PARTITION OF part.event FOR VALUES FROM (MINVALUE) TO ('2020-01-01 00:00+00');
CREATE TABLE part.event_rest PARTITION OF part.event DEFAULT;
-- Another order of columns, a column that is gone, a default and a check of its own.
CREATE TABLE part.event_2021 (payload jsonb, gone int, kind text DEFAULT 'late', at timestamptz NOT NULL, id bigint NOT NULL,
  CONSTRAINT own CHECK (id > 0));
ALTER TABLE part.event_2021 DROP COLUMN gone;
ALTER TABLE part.event ATTACH PARTITION part.event_2021 FOR VALUES FROM ('2021-01-01 00:00+00') TO ('2022-01-01 00:00+00');
ALTER TABLE part.event ADD CONSTRAINT known CHECK (kind <> 'unknown');
ALTER TABLE part.event ADD PRIMARY KEY (id, at, kind);
ALTER TABLE part.event_2021 ALTER kind DROP DEFAULT;
CREATE INDEX event_payload ON part.event USING gin (payload);
CREATE INDEX event_lower ON part.event (lower(kind)) INCLUDE (id);
CREATE INDEX only_here ON part.event_2021 (at) WHERE id > 10;
ALTER INDEX part.event_payload RENAME TO "Event payload";
-- An index of the root that not every partition has: not valid.
CREATE INDEX not_everywhere ON ONLY part.event (at);
CREATE INDEX on_old ON part.event_old (at);
ALTER INDEX part.not_everywhere ATTACH PARTITION part.on_old;
CREATE UNIQUE INDEX event_identity ON part.event (at, id, kind);
ALTER TABLE part.event REPLICA IDENTITY USING INDEX event_identity;
CREATE TABLE part.several (a int, b text, c date) PARTITION BY RANGE (a, lower(b) COLLATE "C" text_pattern_ops, (c + 1));
CREATE TABLE part.several_1 PARTITION OF part.several FOR VALUES FROM (1, 'a', MINVALUE) TO (1, 'b', MAXVALUE);
CREATE TABLE part.empty (a int) PARTITION BY LIST (a);
CREATE TABLE part.by_day (day date NOT NULL, n int) PARTITION BY LIST (day);
CREATE TABLE part.by_day_1 PARTITION OF part.by_day FOR VALUES IN ('2020-01-01', '2020-01-02') WITH (fillfactor = 70);
CREATE UNLOGGED TABLE part.by_day_2 PARTITION OF part.by_day FOR VALUES IN ('2020-01-03');
-- Foreign keys in both directions.
CREATE TABLE part.target (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE part.target_1 PARTITION OF part.target FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE part.target_2 PARTITION OF part.target FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') PARTITION BY LIST (id);
CREATE TABLE part.target_2_1 PARTITION OF part.target_2 FOR VALUES IN (1);
CREATE TABLE part.refers (id int, at date, FOREIGN KEY (id, at) REFERENCES part.target ON DELETE CASCADE);
CREATE TABLE part.plain (id int PRIMARY KEY);
CREATE TABLE part.refers_all (id int REFERENCES part.plain, t_id int, t_at date, region text,
  CONSTRAINT to_target FOREIGN KEY (t_id, t_at) REFERENCES part.target) PARTITION BY LIST (region);
CREATE TABLE part.refers_all_eu PARTITION OF part.refers_all FOR VALUES IN ('de', 'fr');
-- Options of columns belong to each partition.
ALTER TABLE part.event_old ALTER payload SET STORAGE EXTERNAL, ALTER kind SET STATISTICS 50;
ALTER TABLE ONLY part.event ALTER kind SET STATISTICS 200;
\if :v17
CREATE TABLE part.counted (id int GENERATED ALWAYS AS IDENTITY (START 10), v text) PARTITION BY RANGE (id);
CREATE TABLE part.counted_1 PARTITION OF part.counted FOR VALUES FROM (1) TO (100);
\endif
INSERT INTO part.event SELECT g, '2020-06-01'::timestamptz + g * interval '1 hour', 'k' || g FROM generate_series(1, 50) g;
