-- Casts: by a function of one to three arguments, by text, without a function; implicit, on assignment, asked for; with
-- functions of users and of the server; what uses them. Transforms of one and both directions and routines over them.
-- Conversions, also the default one for its encodings. The casts of ranges to their multiranges come with these.
CREATE SCHEMA "S c";
CREATE DOMAIN "S c".code AS text;
CREATE TYPE "S c".mood AS ENUM ('sad', 'ok');
CREATE TYPE "S c".pair AS (a int, b int);
CREATE TYPE "S c".span AS RANGE (SUBTYPE = bigint);
CREATE FUNCTION "S c".to_int("S c".mood) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT array_position(enum_range($1), $1)';
CREATE FUNCTION "S c".to_pair(int) RETURNS "S c".pair LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1, $1)::"S c".pair';
CREATE FUNCTION "S c"."limit"("S c".pair, int, bool) RETURNS "S c".pair LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE CAST ("S c".mood AS int) WITH FUNCTION "S c".to_int("S c".mood) AS IMPLICIT;
CREATE CAST (int AS "S c".pair) WITH FUNCTION "S c".to_pair(int) AS ASSIGNMENT;
CREATE CAST ("S c".pair AS "S c".pair) WITH FUNCTION "S c"."limit"("S c".pair, int, bool);
CREATE CAST (text AS "S c".mood) WITH INOUT AS ASSIGNMENT;
CREATE CAST ("S c".mood[] AS text) WITH INOUT;
CREATE CAST (bytea AS text) WITHOUT FUNCTION;
CREATE CAST (timestamptz AS interval) WITH FUNCTION age(timestamptz) AS ASSIGNMENT;
COMMENT ON CAST ("S c".mood AS int) IS 'how ''good''';
COMMENT ON CAST (timestamptz AS interval) IS 'since then';
-- A function over a table's row, and a cast by it.
CREATE TABLE "S c".rows (id int, mood "S c".mood DEFAULT 'ok', n int);
CREATE FUNCTION "S c".row_to_text("S c".rows) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.id::text';
CREATE CAST ("S c".rows AS text) WITH FUNCTION "S c".row_to_text("S c".rows);
CREATE VIEW "S c".used AS SELECT r::text AS whole, r.mood + 1 AS next, r.mood::int AS n, r.n::"S c".pair AS pair, now()::interval AS age
  FROM "S c".rows r;
CREATE INDEX ON "S c".rows ((mood::int));
CREATE FUNCTION "S c".from_sql(internal) RETURNS internal IMMUTABLE LANGUAGE internal AS 'prsd_lextype';
CREATE FUNCTION "S c".to_sql(internal) RETURNS "S c".mood IMMUTABLE LANGUAGE internal AS 'int4recv';
CREATE TRANSFORM FOR "S c".mood LANGUAGE sql
  (FROM SQL WITH FUNCTION "S c".from_sql(internal), TO SQL WITH FUNCTION "S c".to_sql(internal));
CREATE TRANSFORM FOR "S c".pair LANGUAGE plpgsql (FROM SQL WITH FUNCTION "S c".from_sql(internal));
CREATE TRANSFORM FOR int LANGUAGE sql
  (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
COMMENT ON TRANSFORM FOR "S c".mood LANGUAGE sql IS 'both ways';
CREATE FUNCTION "S c".transformed("S c".pair) RETURNS int TRANSFORM FOR TYPE "S c".pair LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE CONVERSION "S c"."to Unicode" FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE DEFAULT CONVERSION "S c".back FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
COMMENT ON CONVERSION "S c".back IS 'and again';
