-- Aggregates: normal, moving, ordered-set and hypothetical-set ones.
CREATE SCHEMA "S a";
CREATE TYPE "S a".state AS (total int, n int);
CREATE FUNCTION "S a".add("S a".state, int) RETURNS "S a".state LANGUAGE sql
  AS 'SELECT (coalesce(($1).total, 0) + $2, coalesce(($1).n, 0) + 1)::"S a".state';
CREATE FUNCTION "S a".mean("S a".state) RETURNS int LANGUAGE sql AS 'SELECT ($1).total / ($1).n';
CREATE AGGREGATE "S a".average(value int) (SFUNC = "S a".add, STYPE = "S a".state, FINALFUNC = "S a".mean,
  FINALFUNC_MODIFY = READ_WRITE, SSPACE = 100, PARALLEL = SAFE);
CREATE AGGREGATE "S a".count(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');
CREATE AGGREGATE "S a"."least one"(int) (SFUNC = int4smaller, STYPE = int, SORTOP = <);
CREATE AGGREGATE "S a".sums(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0', COMBINEFUNC = int4pl,
  MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int, MINITCOND = '0');
CREATE AGGREGATE "S a".median(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal,
  FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE "S a".rank(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi,
  STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
COMMENT ON AGGREGATE "S a".count(*) IS 'all of them';
COMMENT ON AGGREGATE "S a".median(float8 ORDER BY anyelement) IS 'in the middle';
REVOKE EXECUTE ON FUNCTION "S a".average(int) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION "S a".count() FROM PUBLIC;
CREATE TABLE "S a".t (n int);
CREATE VIEW "S a".v AS SELECT "S a".average(n) FROM "S a".t;
