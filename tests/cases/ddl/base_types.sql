-- Base types: shells, functions, every property, arrays and ranges over them, loops of types and their functions; shell
-- types alone; operators, classes, casts, aggregates, defaults and indexes over them; privileges, owners, comments.
CREATE SCHEMA "S b";
-- Announced only.
CREATE TYPE "S b".undefined;
COMMENT ON TYPE "S b".undefined IS 'to be done';
CREATE TYPE "S b".expected;
CREATE FUNCTION "S b".expects("S b".expected) RETURNS int LANGUAGE internal STRICT AS 'int4abs';
-- Of fixed size, without a binary form.
CREATE TYPE "S b"."Int 42";
CREATE FUNCTION "S b"."in"(cstring) RETURNS "S b"."Int 42" LANGUAGE internal STRICT IMMUTABLE AS 'int4in';
CREATE FUNCTION "S b".out("S b"."Int 42") RETURNS cstring LANGUAGE internal STRICT IMMUTABLE AS 'int4out';
CREATE TYPE "S b"."Int 42" (INTERNALLENGTH = 4, INPUT = "S b"."in", OUTPUT = "S b".out, PASSEDBYVALUE, ALIGNMENT = int4,
  DEFAULT = '42');
COMMENT ON TYPE "S b"."Int 42" IS 'it''s \ the answer';
REVOKE USAGE ON TYPE "S b"."Int 42" FROM PUBLIC;
GRANT USAGE ON TYPE "S b"."Int 42" TO pg_monitor;
-- Of any size, with everything.
CREATE TYPE "S b".words;
CREATE FUNCTION "S b".words_in(cstring) RETURNS "S b".words LANGUAGE internal STRICT IMMUTABLE AS 'textin';
CREATE FUNCTION "S b".words_out("S b".words) RETURNS cstring LANGUAGE internal STRICT IMMUTABLE AS 'textout';
CREATE FUNCTION "S b".words_receive(internal) RETURNS "S b".words LANGUAGE internal STRICT STABLE AS 'textrecv';
CREATE FUNCTION "S b".words_send("S b".words) RETURNS bytea LANGUAGE internal STRICT STABLE AS 'textsend';
CREATE FUNCTION "S b".words_typmod_in(cstring[]) RETURNS int LANGUAGE internal STRICT IMMUTABLE AS 'varchartypmodin';
CREATE TYPE "S b".words (INPUT = "S b".words_in, OUTPUT = "S b".words_out, RECEIVE = "S b".words_receive,
  SEND = "S b".words_send, TYPMOD_IN = "S b".words_typmod_in, TYPMOD_OUT = varchartypmodout, ANALYZE = ts_typanalyze,
  INTERNALLENGTH = VARIABLE, STORAGE = main, ALIGNMENT = double, CATEGORY = 'w', PREFERRED = true, DEFAULT = 'it''s \ none',
  DELIMITER = ';', COLLATABLE = true);
ALTER TYPE "S b".words OWNER TO pg_monitor;
-- Of one byte, of two, and of elements.
CREATE TYPE "S b".tiny;
CREATE FUNCTION "S b".tiny_in(cstring) RETURNS "S b".tiny LANGUAGE internal STRICT IMMUTABLE AS 'charin';
CREATE FUNCTION "S b".tiny_out("S b".tiny) RETURNS cstring LANGUAGE internal STRICT IMMUTABLE AS 'charout';
CREATE TYPE "S b".tiny (INPUT = "S b".tiny_in, OUTPUT = "S b".tiny_out, INTERNALLENGTH = 1, PASSEDBYVALUE, ALIGNMENT = char);
CREATE TYPE "S b".small;
CREATE FUNCTION "S b".small_in(cstring) RETURNS "S b".small LANGUAGE internal STRICT IMMUTABLE AS 'int2in';
CREATE FUNCTION "S b".small_out("S b".small) RETURNS cstring LANGUAGE internal STRICT IMMUTABLE AS 'int2out';
CREATE TYPE "S b".small (INPUT = "S b".small_in, OUTPUT = "S b".small_out, INTERNALLENGTH = 2, PASSEDBYVALUE, ALIGNMENT = int2);
CREATE TYPE "S b".spot;
CREATE FUNCTION "S b".spot_in(cstring) RETURNS "S b".spot LANGUAGE internal STRICT IMMUTABLE AS 'point_in';
CREATE FUNCTION "S b".spot_out("S b".spot) RETURNS cstring LANGUAGE internal STRICT IMMUTABLE AS 'point_out';
CREATE TYPE "S b".spot (INPUT = "S b".spot_in, OUTPUT = "S b".spot_out, INTERNALLENGTH = 16, ALIGNMENT = double, ELEMENT = float8);
\if :v14
CREATE TYPE "S b".many;
CREATE FUNCTION "S b".many_in(cstring, oid, int) RETURNS "S b".many LANGUAGE internal STRICT STABLE AS 'array_in';
CREATE FUNCTION "S b".many_out("S b".many) RETURNS cstring LANGUAGE internal STRICT STABLE AS 'array_out';
CREATE FUNCTION "S b".many_subscript(internal) RETURNS internal LANGUAGE internal STRICT IMMUTABLE AS 'raw_array_subscript_handler';
CREATE TYPE "S b".many (INPUT = "S b".many_in, OUTPUT = "S b".many_out, ELEMENT = "S b".words,
  SUBSCRIPT = "S b".many_subscript, STORAGE = external);
REVOKE USAGE ON TYPE "S b".many FROM PUBLIC;
\endif
-- Compared, cast, added up.
CREATE FUNCTION "S b".lt("S b"."Int 42", "S b"."Int 42") RETURNS bool LANGUAGE internal STRICT IMMUTABLE AS 'int4lt';
CREATE FUNCTION "S b".le("S b"."Int 42", "S b"."Int 42") RETURNS bool LANGUAGE internal STRICT IMMUTABLE AS 'int4le';
CREATE FUNCTION "S b".eq("S b"."Int 42", "S b"."Int 42") RETURNS bool LANGUAGE internal STRICT IMMUTABLE AS 'int4eq';
CREATE FUNCTION "S b".ge("S b"."Int 42", "S b"."Int 42") RETURNS bool LANGUAGE internal STRICT IMMUTABLE AS 'int4ge';
CREATE FUNCTION "S b".gt("S b"."Int 42", "S b"."Int 42") RETURNS bool LANGUAGE internal STRICT IMMUTABLE AS 'int4gt';
CREATE FUNCTION "S b".cmp("S b"."Int 42", "S b"."Int 42") RETURNS int LANGUAGE internal STRICT IMMUTABLE AS 'btint4cmp';
CREATE FUNCTION "S b".plus("S b"."Int 42", "S b"."Int 42") RETURNS "S b"."Int 42" LANGUAGE internal STRICT IMMUTABLE AS 'int4pl';
CREATE FUNCTION "S b".minus("S b"."Int 42", "S b"."Int 42") RETURNS float8 LANGUAGE internal STRICT IMMUTABLE AS 'int4range_subdiff';
CREATE OPERATOR "S b".< (FUNCTION = "S b".lt, LEFTARG = "S b"."Int 42", RIGHTARG = "S b"."Int 42");
CREATE OPERATOR "S b".<= (FUNCTION = "S b".le, LEFTARG = "S b"."Int 42", RIGHTARG = "S b"."Int 42");
CREATE OPERATOR "S b".= (FUNCTION = "S b".eq, LEFTARG = "S b"."Int 42", RIGHTARG = "S b"."Int 42",
  COMMUTATOR = OPERATOR("S b".=), RESTRICT = eqsel, JOIN = eqjoinsel, MERGES);
CREATE OPERATOR "S b".>= (FUNCTION = "S b".ge, LEFTARG = "S b"."Int 42", RIGHTARG = "S b"."Int 42");
CREATE OPERATOR "S b".> (FUNCTION = "S b".gt, LEFTARG = "S b"."Int 42", RIGHTARG = "S b"."Int 42");
CREATE OPERATOR CLASS "S b".by_value DEFAULT FOR TYPE "S b"."Int 42" USING btree AS OPERATOR 1 "S b".<, OPERATOR 2 "S b".<=,
  OPERATOR 3 "S b".=, OPERATOR 4 "S b".>=, OPERATOR 5 "S b".>, FUNCTION 1 "S b".cmp("S b"."Int 42", "S b"."Int 42");
CREATE CAST (int AS "S b"."Int 42") WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST ("S b"."Int 42" AS int) WITHOUT FUNCTION AS IMPLICIT;
CREATE AGGREGATE "S b".total("S b"."Int 42") (SFUNC = "S b".plus, STYPE = "S b"."Int 42", INITCOND = '0');
-- A range over it whose function needs the range.
CREATE TYPE "S b".span;
CREATE FUNCTION "S b".tidy("S b".span) RETURNS "S b".span LANGUAGE internal STRICT IMMUTABLE AS 'int4range_canonical';
CREATE TYPE "S b".span AS RANGE (SUBTYPE = "S b"."Int 42", CANONICAL = "S b".tidy, SUBTYPE_DIFF = "S b".minus);
COMMENT ON TYPE "S b".span IS 'tidy';
CREATE DOMAIN "S b".answer AS "S b"."Int 42" DEFAULT '42' CHECK ("S b".eq(VALUE, '42'));
CREATE TYPE "S b".mixed AS (n "S b"."Int 42", w "S b".words COLLATE "C", s "S b".span[]);
CREATE TABLE "S b".t (n "S b"."Int 42" PRIMARY KEY DEFAULT '7', w "S b".words(10) COLLATE "C", d "S b".answer, s "S b".span,
  m "S b".mixed, a "S b".small[], ws "S b".words[], c "S b".tiny, EXCLUDE USING gist (s WITH &&), CHECK (n OPERATOR("S b".>) '0'));
CREATE INDEX ON "S b".t (n "S b".by_value DESC);
CREATE VIEW "S b".v AS SELECT "S b".total(n) AS total, max(n::int) AS most FROM "S b".t;
ALTER TABLE "S b".t ALTER w SET STORAGE EXTENDED;
