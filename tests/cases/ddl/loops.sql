-- Objects that need each other, one group per repair.
CREATE SCHEMA l;
-- A serial column: table, default, sequence, table.
CREATE TABLE l.serial (id serial, other int DEFAULT currval('l.serial_id_seq'));
-- A default that calls a function over the table's own rows.
CREATE TABLE l.self_default (id int, n int);
CREATE FUNCTION l.next_n(r l.self_default) RETURNS int LANGUAGE sql AS 'SELECT r.n + 1';
ALTER TABLE l.self_default ALTER n SET DEFAULT l.next_n(NULL);
-- A check that calls a function over the table's row type.
CREATE TABLE l.self_check (id int, n int);
CREATE FUNCTION l.is_fine(r l.self_check) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT r.n > 0';
ALTER TABLE l.self_check ADD CONSTRAINT fine CHECK (l.is_fine(self_check));
-- A domain whose check calls a function over the domain.
CREATE DOMAIN l.checked AS int;
CREATE FUNCTION l.is_checked(v l.checked) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT v > 0';
ALTER DOMAIN l.checked ADD CONSTRAINT by_function CHECK (l.is_checked(VALUE));
CREATE TABLE l.uses_checked (c l.checked);
-- Views that rest on a primary key, on each other, and on a function over their row type.
CREATE TABLE l.keyed (id int PRIMARY KEY, a text COLLATE "C", b numeric(5, 2)[], "Odd c" varchar(7));
CREATE VIEW l.grouped WITH (security_barrier) AS SELECT id, a, b, "Odd c" AS "odd Name" FROM l.keyed GROUP BY id;
CREATE VIEW l.on_grouped AS SELECT g.id, g.a || 'x' AS ax FROM l.grouped g;
CREATE VIEW l.checked_view AS SELECT id FROM l.on_grouped WHERE id > 0;
ALTER VIEW l.on_grouped ALTER ax SET DEFAULT 'none';
COMMENT ON COLUMN l.grouped.a IS 'on a view in a loop';
CREATE MATERIALIZED VIEW l.grouped_rows AS SELECT id, a FROM l.keyed GROUP BY id;
CREATE UNIQUE INDEX ON l.grouped_rows (id);
CREATE MATERIALIZED VIEW l.above_rows AS SELECT count(*) FROM l.grouped_rows;
CREATE VIEW l.beside_rows AS SELECT * FROM l.grouped_rows;
CREATE MATERIALIZED VIEW l.far_above AS SELECT * FROM l.beside_rows b, l.above_rows;
CREATE VIEW l.rowed AS SELECT 1 AS a, 2 AS b;
CREATE FUNCTION l.of_row(r l.rowed) RETURNS int LANGUAGE sql AS 'SELECT r.a';
CREATE OR REPLACE VIEW l.rowed AS SELECT 1 AS a, l.of_row(NULL) AS b;
-- A table and a view over it, whose row type the table's default needs.
CREATE TABLE l.seen (id int, n int);
CREATE VIEW l.seeing AS SELECT id FROM l.seen;
CREATE FUNCTION l.from_view(r l.seeing) RETURNS int LANGUAGE sql AS 'SELECT r.id';
ALTER TABLE l.seen ALTER n SET DEFAULT l.from_view(NULL);
-- Foreign keys in a circle, and to itself.
CREATE TABLE l.one (id int PRIMARY KEY, two int);
CREATE TABLE l.two (id int PRIMARY KEY, one int REFERENCES l.one DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE l.one ADD FOREIGN KEY (two) REFERENCES l.two, ADD FOREIGN KEY (id) REFERENCES l.one;
\if :v14
-- Functions with parsed bodies: one rests on a primary key, one on that function, a default on it, one on a table that calls it.
CREATE FUNCTION l.grouping(wanted int) RETURNS text LANGUAGE sql
  BEGIN ATOMIC SELECT k.a FROM l.keyed k WHERE k.id = wanted GROUP BY k.id; END;
CREATE FUNCTION l.on_grouping() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT l.grouping(1); END;
CREATE TABLE l.late_default (a text DEFAULT l.grouping(2), b int);
CREATE VIEW l.late_view AS SELECT l.on_grouping() AS x;
CREATE TABLE l.counted (id int, n bigint);
CREATE FUNCTION l.count_rows() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM l.counted; END;
ALTER TABLE l.counted ALTER n SET DEFAULT l.count_rows();
ALTER TABLE l.counted ADD CONSTRAINT few CHECK (l.count_rows() < 1000);
CREATE FUNCTION l.upsert(i int) RETURNS void LANGUAGE sql
  BEGIN ATOMIC INSERT INTO l.keyed AS k (id) VALUES (i) ON CONFLICT (id) DO UPDATE SET a = k.a || '+'; END;
-- What rests on such a function, and rows do not need.
CREATE TYPE l.word AS ENUM ('x');
CREATE FUNCTION l.spelled(w l.word) RETURNS text LANGUAGE sql
  BEGIN ATOMIC SELECT k.a FROM l.keyed k WHERE k.id = 1 GROUP BY k.id; END;
CREATE CAST (l.word AS text) WITH FUNCTION l.spelled(l.word);
CREATE VIEW l.casting AS SELECT 'x'::l.word::text AS t;
CREATE FUNCTION l.joined(state text, w l.word) RETURNS text LANGUAGE sql
  BEGIN ATOMIC SELECT state || l.spelled(w); END;
CREATE AGGREGATE l.join_words(l.word) (SFUNC = l.joined, STYPE = text, INITCOND = '');
CREATE OPERATOR l.+ (FUNCTION = l.joined, LEFTARG = text, RIGHTARG = l.word);
COMMENT ON AGGREGATE l.join_words(l.word) IS 'on what comes late';
\endif
