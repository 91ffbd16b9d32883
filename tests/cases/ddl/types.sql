-- Enums, composites, domains, ranges, and what is made of them.
CREATE SCHEMA t;
CREATE TYPE t.mood AS ENUM ('sad', 'ok', 'it''s "fine"', 'ünï', E'back\\slash');
ALTER TYPE t.mood ADD VALUE 'between' BEFORE 'ok';
CREATE TYPE t.nothing AS ENUM ();
CREATE TYPE t.empty AS ();
CREATE TYPE t.point AS (x float8, y float8, label varchar(10) COLLATE "C", m t.mood, "Odd Name" numeric(5, 2)[]);
CREATE TYPE t.line AS (a t.point, b t.point, rest t.point[]);
ALTER TYPE t.point DROP ATTRIBUTE y;
CREATE DOMAIN t.positive AS int CONSTRAINT above CHECK (VALUE > 0);
CREATE DOMAIN t.small AS t.positive NOT NULL DEFAULT 5 CHECK (VALUE < 100) CHECK (VALUE <> 13);
CREATE DOMAIN t.word AS varchar(20) COLLATE "C" DEFAULT 'it''s' NOT NULL;
CREATE DOMAIN t.list AS t.small[] CHECK (array_length(VALUE, 1) < 10);
CREATE DOMAIN t.pair AS t.point CHECK ((VALUE).x > 0);
CREATE DOMAIN t.stamp AS timestamptz(0) DEFAULT '2020-01-01 00:00+00';
CREATE DOMAIN t.late AS text;
ALTER DOMAIN t.late ADD CONSTRAINT not_checked CHECK (VALUE <> '') NOT VALID;
COMMENT ON DOMAIN t.positive IS 'more than none';
COMMENT ON CONSTRAINT above ON DOMAIN t.positive IS 'strictly';
COMMENT ON TYPE t.point IS 'a place';
COMMENT ON COLUMN t.point.x IS 'east';
CREATE TYPE t.floats AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
CREATE TYPE t.words AS RANGE (SUBTYPE = text, COLLATION = "C", SUBTYPE_OPCLASS = text_pattern_ops);
CREATE FUNCTION t.distance(a numeric, b numeric) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT AS 'SELECT (a - b)::float8';
CREATE TYPE t.numbers AS RANGE (SUBTYPE = numeric, SUBTYPE_DIFF = t.distance);
\if :v14
CREATE TYPE t.dates AS RANGE (SUBTYPE = date, MULTIRANGE_TYPE_NAME = t."many dates");
CREATE TABLE t.multi (a t."many dates", b t.floats_multirange[]);
\endif
CREATE TYPE t.of_ranges AS RANGE (SUBTYPE = t.positive);
-- Types made of tables and of arrays of others.
CREATE TABLE t.row_source (id int PRIMARY KEY, m t.mood);
CREATE TYPE t.wrapping AS (r t.row_source, rs t.row_source[]);
CREATE DOMAIN t.rows AS t.row_source[] CHECK (cardinality(VALUE) < 5);
CREATE TABLE t.uses (
  m t.mood DEFAULT 'ok', ms t.mood[] DEFAULT '{sad,ok}', p t.point DEFAULT '(1,a,sad,"{1.5}")', l t.line, w t.wrapping,
  s t.small DEFAULT 7, d t.list, f t.floats, ws t.words, rr t.rows, i interval(3), b bit varying(5), c "char", n name);
CREATE TABLE t.typed OF t.point (x WITH OPTIONS DEFAULT 1 NOT NULL, PRIMARY KEY (x));
CREATE TABLE t.typed_plain OF t.empty;
-- The name that an array type would get is taken.
CREATE TYPE t._taken AS ENUM ('a');
CREATE TYPE t.taken AS ENUM ('b');
CREATE TABLE t.holds (a t.taken[], b t._taken);
\if :v18
CREATE DOMAIN t.must AS int CONSTRAINT "given, always" NOT NULL;
\endif
