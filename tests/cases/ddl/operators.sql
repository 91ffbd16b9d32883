-- Operators: infix and prefix, partners in both orders and across schemas, estimators, odd names of schemas. Families
-- and classes: loose members, default and empty ones, storage, ordering, members over two types, one family for two
-- classes. Indexes, exclusion constraints, ranges, views and comments over them.
CREATE SCHEMA "S o";
CREATE SCHEMA p;
CREATE TYPE "S o".pair AS (a int, b int);
CREATE FUNCTION "S o".lt("S o".pair, "S o".pair) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.a < $2.a';
CREATE FUNCTION "S o".le("S o".pair, "S o".pair) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.a <= $2.a';
CREATE FUNCTION "S o".eq("S o".pair, "S o".pair) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.a = $2.a';
CREATE FUNCTION "S o".ne("S o".pair, "S o".pair) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.a <> $2.a';
CREATE FUNCTION "S o".ge("S o".pair, "S o".pair) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.a >= $2.a';
CREATE FUNCTION "S o".gt("S o".pair, "S o".pair) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.a > $2.a';
CREATE FUNCTION "S o".cmp("S o".pair, "S o".pair) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp($1.a, $2.a)';
CREATE FUNCTION "S o".hash("S o".pair) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT hashint4($1.a)';
CREATE FUNCTION "S o".lt("S o".pair, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.a < $2';
CREATE FUNCTION "S o".gt(int, "S o".pair) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > $2.a';
CREATE FUNCTION "S o".cmp("S o".pair, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp($1.a, $2)';
CREATE FUNCTION p.negative("S o".pair) RETURNS "S o".pair LANGUAGE sql IMMUTABLE AS 'SELECT ROW(-$1.a, -$1.b)::"S o".pair';
-- The partner is announced before it is there.
CREATE OPERATOR "S o".< (FUNCTION = "S o".lt, LEFTARG = "S o".pair, RIGHTARG = "S o".pair,
  COMMUTATOR = OPERATOR("S o".>), NEGATOR = OPERATOR("S o".>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR "S o".<= (FUNCTION = "S o".le, LEFTARG = "S o".pair, RIGHTARG = "S o".pair,
  COMMUTATOR = OPERATOR("S o".>=), NEGATOR = OPERATOR("S o".>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
CREATE OPERATOR "S o".= (FUNCTION = "S o".eq, LEFTARG = "S o".pair, RIGHTARG = "S o".pair,
  COMMUTATOR = OPERATOR("S o".=), NEGATOR = OPERATOR(p.<>), RESTRICT = eqsel, JOIN = eqjoinsel, MERGES, HASHES);
CREATE OPERATOR p.<> (FUNCTION = "S o".ne, LEFTARG = "S o".pair, RIGHTARG = "S o".pair,
  COMMUTATOR = OPERATOR(p.<>), NEGATOR = OPERATOR("S o".=), RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR "S o".>= (FUNCTION = "S o".ge, LEFTARG = "S o".pair, RIGHTARG = "S o".pair,
  COMMUTATOR = OPERATOR("S o".<=), NEGATOR = OPERATOR("S o".<), RESTRICT = scalargesel, JOIN = scalargejoinsel);
CREATE OPERATOR "S o".> (FUNCTION = "S o".gt, LEFTARG = "S o".pair, RIGHTARG = "S o".pair,
  COMMUTATOR = OPERATOR("S o".<), NEGATOR = OPERATOR("S o".<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
CREATE OPERATOR "S o".< (FUNCTION = "S o".lt, LEFTARG = "S o".pair, RIGHTARG = int, COMMUTATOR = OPERATOR(p.>));
CREATE OPERATOR p.> (FUNCTION = "S o".gt, LEFTARG = int, RIGHTARG = "S o".pair, COMMUTATOR = OPERATOR("S o".<));
CREATE OPERATOR p.- (FUNCTION = p.negative, RIGHTARG = "S o".pair);
CREATE OPERATOR p.@#@ (FUNCTION = int4pl, LEFTARG = int, RIGHTARG = int);
-- Named as a partner and never defined.
CREATE OPERATOR p.~~> (FUNCTION = int4lt, LEFTARG = int, RIGHTARG = int, COMMUTATOR = OPERATOR(p.<~~));
COMMENT ON OPERATOR p.- (NONE, "S o".pair) IS 'before its operand';
COMMENT ON OPERATOR "S o".< ("S o".pair, int) IS 'of two types';
-- A family with loose members over two types, and two classes.
CREATE OPERATOR FAMILY "S o"."pair Ops" USING btree;
CREATE OPERATOR CLASS "S o"."pair Ops" DEFAULT FOR TYPE "S o".pair USING btree FAMILY "S o"."pair Ops" AS
  OPERATOR 1 "S o".<, OPERATOR 2 "S o".<=, OPERATOR 3 "S o".=, OPERATOR 4 "S o".>=, OPERATOR 5 "S o".>,
  FUNCTION 1 "S o".cmp("S o".pair, "S o".pair);
ALTER OPERATOR FAMILY "S o"."pair Ops" USING btree ADD
  OPERATOR 1 "S o".<("S o".pair, int), FUNCTION 1 ("S o".pair, int) "S o".cmp("S o".pair, int);
CREATE OPERATOR CLASS "S o".ints FOR TYPE int USING btree FAMILY "S o"."pair Ops" AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);
CREATE OPERATOR CLASS "S o"."pair Ops" DEFAULT FOR TYPE "S o".pair USING hash AS
  OPERATOR 1 "S o".=, FUNCTION 1 "S o".hash("S o".pair);
COMMENT ON OPERATOR FAMILY "S o"."pair Ops" USING btree IS 'of trees';
COMMENT ON OPERATOR CLASS "S o"."pair Ops" USING hash IS 'of hashes';
-- Its family is one of the server's.
CREATE OPERATOR CLASS p.again FOR TYPE bigint USING btree FAMILY integer_ops AS STORAGE bigint;
CREATE OPERATOR CLASS p.nothing FOR TYPE "S o".pair USING hash FAMILY "S o"."pair Ops" AS STORAGE "S o".pair;
CREATE OPERATOR FAMILY p.alone USING gin;
-- Ordering by another family, stored as another type.
CREATE OPERATOR CLASS p.near FOR TYPE point USING gist AS
  OPERATOR 1 << (point, point), OPERATOR 15 <-> (point, point) FOR ORDER BY pg_catalog.float_ops,
  FUNCTION 1 gist_point_consistent(internal, point, smallint, oid, internal), FUNCTION 2 gist_box_union(internal, internal),
  FUNCTION 3 gist_point_compress(internal), FUNCTION 5 gist_box_penalty(internal, internal, internal),
  FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal),
  FUNCTION 8 (point, point) gist_point_distance(internal, point, smallint, oid, internal), STORAGE box;
-- What needs them.
CREATE TABLE p.t (id int, v "S o".pair, w "S o".pair, at point, PRIMARY KEY (id),
  EXCLUDE USING btree (v WITH OPERATOR("S o".=)));
CREATE INDEX ON p.t (w "S o"."pair Ops" DESC);
CREATE INDEX ON p.t USING hash (w "S o"."pair Ops");
CREATE INDEX ON p.t (id "S o".ints);
CREATE INDEX ON p.t USING gist (at p.near);
CREATE TYPE p.span AS RANGE (SUBTYPE = "S o".pair);
CREATE TYPE p.int_span AS RANGE (SUBTYPE = int, SUBTYPE_OPCLASS = "S o".ints);
CREATE VIEW p.smaller AS SELECT a.id, a.v OPERATOR("S o".<) b.w AS lt, OPERATOR(p.-) a.v AS minus
  FROM p.t a JOIN p.t b ON a.w OPERATOR("S o".=) b.w ORDER BY a.v USING OPERATOR("S o".<);
CREATE TABLE p.checked (n int, m int, CHECK (n OPERATOR(p.@#@) m > 0));
CREATE TABLE p.parted (v "S o".pair) PARTITION BY RANGE (v "S o"."pair Ops");
\if :v14
CREATE STATISTICS p.st ON (id OPERATOR(p.@#@) 1) FROM p.t;
\endif
