-- Keys and other constraints in all forms, indexes of all kinds.
CREATE SCHEMA c;
CREATE TABLE c.keys (
  a int, b text, c int, d date, e int,
  CONSTRAINT "the key" PRIMARY KEY (b, a) INCLUDE (d) WITH (fillfactor = 70) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT one UNIQUE (c) DEFERRABLE,
  CONSTRAINT two UNIQUE (d, e) INCLUDE (c),
  CONSTRAINT ex EXCLUDE USING btree (e WITH =) WHERE (a > 0));
CREATE UNIQUE INDEX from_index ON c.keys (a, e);
ALTER TABLE c.keys ADD CONSTRAINT from_index UNIQUE USING INDEX from_index;
ALTER TABLE c.keys CLUSTER ON "the key";
CREATE TABLE c.identity_index (a int NOT NULL, b int NOT NULL);
CREATE UNIQUE INDEX by_b ON c.identity_index (b);
ALTER TABLE c.identity_index REPLICA IDENTITY USING INDEX by_b;
CREATE INDEX by_a ON c.identity_index (a);
ALTER TABLE c.identity_index CLUSTER ON by_a;
CREATE TABLE c.identity_key (a int PRIMARY KEY, b int NOT NULL UNIQUE);
ALTER TABLE c.identity_key REPLICA IDENTITY USING INDEX identity_key_b_key;
CREATE TABLE c.identity_full (a int); ALTER TABLE c.identity_full REPLICA IDENTITY FULL;
CREATE TABLE c.identity_nothing (a int PRIMARY KEY); ALTER TABLE c.identity_nothing REPLICA IDENTITY NOTHING;
CREATE TABLE c.target (x int, y int, z text, UNIQUE (x, y));
CREATE TABLE c.refers (
  p int, q int, r int,
  CONSTRAINT f1 FOREIGN KEY (p, q) REFERENCES c.target (x, y) MATCH FULL ON UPDATE SET DEFAULT ON DELETE RESTRICT,
  CONSTRAINT f2 FOREIGN KEY (q, p) REFERENCES c.target (y, x) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT f3 FOREIGN KEY (r) REFERENCES c.identity_key (b) ON DELETE SET NULL DEFERRABLE);
INSERT INTO c.refers (r) VALUES (NULL);
ALTER TABLE c.refers ADD CONSTRAINT not_checked FOREIGN KEY (r) REFERENCES c.identity_key NOT VALID;
ALTER TABLE c.refers ADD CONSTRAINT check_not_checked CHECK (r > 100) NOT VALID, ADD CHECK (p IS NULL OR p > 0 AND q <> 0);
COMMENT ON CONSTRAINT f1 ON c.refers IS 'both';
COMMENT ON CONSTRAINT "the key" ON c.keys IS 'key';
COMMENT ON INDEX c."the key" IS 'the index of the key';
CREATE TABLE c.indexed (a int, b text, c text[], d point, e int4range, f numeric, g timestamptz);
CREATE INDEX i_desc ON c.indexed (a DESC NULLS LAST, b COLLATE "C" text_pattern_ops, f NULLS FIRST) INCLUDE (d) WITH (fillfactor = 55);
CREATE INDEX i_hash ON c.indexed USING hash (b);
CREATE INDEX i_gin ON c.indexed USING gin (c) WITH (fastupdate = off);
CREATE INDEX i_gist ON c.indexed USING gist (d, e);
CREATE INDEX i_spgist ON c.indexed USING spgist (d kd_point_ops);
CREATE INDEX i_brin ON c.indexed USING brin (a, g) WITH (pages_per_range = 8, autosummarize = true);
CREATE UNIQUE INDEX i_expr ON c.indexed ((a + 1), lower(b), (f IS NULL)) WHERE a > 0 AND b LIKE 'x%';
ALTER INDEX c.i_expr ALTER COLUMN 1 SET STATISTICS 300, ALTER COLUMN 2 SET STATISTICS 0;
CREATE STATISTICS c.st (ndistinct, dependencies) ON a, f FROM c.indexed;
CREATE STATISTICS c.st_all ON a, g, f FROM c.indexed;
COMMENT ON STATISTICS c.st IS 'two';
\if :v13
ALTER STATISTICS c.st SET STATISTICS 77;
\endif
\if :v14
CREATE STATISTICS c.st_expr ON (a + 1), lower(b) FROM c.indexed;
CREATE INDEX i_bloom ON c.indexed USING brin (a int4_bloom_ops (n_distinct_per_range = 50, false_positive_rate = 0.05));
\endif
\if :v15
CREATE TABLE c.nulls (a int, b int, CONSTRAINT nd UNIQUE NULLS NOT DISTINCT (a, b) INCLUDE (b));
CREATE UNIQUE INDEX ndi ON c.nulls (b) NULLS NOT DISTINCT;
CREATE TABLE c.some_columns (a int, b int, FOREIGN KEY (a, b) REFERENCES c.target (x, y) ON DELETE SET NULL (b));
\endif
\if :v18
CREATE TABLE c.enforced (a int, b int REFERENCES c.identity_key (a) NOT ENFORCED, CONSTRAINT no_check CHECK (a > 0) NOT ENFORCED);
CREATE TABLE c.computed (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL, c int GENERATED ALWAYS AS (a + 2) STORED);
\endif
