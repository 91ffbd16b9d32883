-- Keys with every property that an index may have, on tables, children and leaves; foreign keys of partitioned tables.
CREATE SCHEMA k;
CREATE TABLE k."Odd ""Name" ("Key Col" int, "select" text, c numeric, d date,
  CONSTRAINT "p ""k" PRIMARY KEY ("Key Col", "select") INCLUDE (c) WITH (fillfactor = 71) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT "u 1" UNIQUE (c, d) WITH (fillfactor = 72) DEFERRABLE,
  CONSTRAINT "u 2" UNIQUE (d) INCLUDE ("select"));
COMMENT ON INDEX k."p ""k" IS 'the index';
COMMENT ON CONSTRAINT "p ""k" ON k."Odd ""Name" IS 'the key';
CREATE TABLE k.marked (a int NOT NULL, b int NOT NULL, CONSTRAINT marked_key UNIQUE (a), CONSTRAINT other_key UNIQUE (b, a));
ALTER TABLE k.marked CLUSTER ON marked_key, REPLICA IDENTITY USING INDEX other_key;
CREATE TABLE k.parent (id int PRIMARY KEY, v text);
CREATE TABLE k.child (extra int, PRIMARY KEY (id)) INHERITS (k.parent);
CREATE UNLOGGED TABLE k.unlogged (id bigint PRIMARY KEY, v text UNIQUE);
\if :v18
CREATE TABLE k.named (a int CONSTRAINT "never null" NOT NULL, b int, CONSTRAINT named_pk PRIMARY KEY (a, b));
\endif
CREATE TABLE k.root (id int, at date, up int, CONSTRAINT root_pk PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE k.leaf_1 PARTITION OF k.root FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE k.middle PARTITION OF k.root FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') PARTITION BY LIST (id);
CREATE TABLE k.leaf_2 (up int, gone int, at date NOT NULL, id int NOT NULL, CONSTRAINT "own ""pk" PRIMARY KEY (id, at) WITH (fillfactor = 60));
ALTER TABLE k.leaf_2 DROP COLUMN gone;
ALTER TABLE k.middle ATTACH PARTITION k.leaf_2 DEFAULT;
COMMENT ON INDEX k."own ""pk" IS 'of a leaf';
-- To a plain table: by leaves before 18; also from the middle, and deferrable.
ALTER TABLE k.root ADD CONSTRAINT "to parent" FOREIGN KEY (up) REFERENCES k.parent ON DELETE CASCADE ON UPDATE SET NULL;
ALTER TABLE k.middle ADD CONSTRAINT late FOREIGN KEY (up) REFERENCES k.marked (a) DEFERRABLE INITIALLY DEFERRED;
-- A leaf that has a constraint of the name already, and one that has the same key already.
ALTER TABLE k.leaf_1 ADD CONSTRAINT taken CHECK (id > 0);
ALTER TABLE k.root ADD CONSTRAINT taken FOREIGN KEY (id) REFERENCES k.parent;
ALTER TABLE k.root ADD CONSTRAINT itself FOREIGN KEY (up, at) REFERENCES k.root;
INSERT INTO k.parent VALUES (1, 'a'), (2, 'b');
INSERT INTO k.marked VALUES (1, 1), (2, 2);
INSERT INTO k.root VALUES (1, '2020-05-05', NULL), (2, '2021-05-05', NULL);
