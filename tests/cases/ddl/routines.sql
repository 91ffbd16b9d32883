-- Functions and procedures with every attribute.
CREATE SCHEMA f;
CREATE TYPE f.pair AS (a int, b text);
CREATE TABLE f.t (id int, v text);
CREATE FUNCTION f.plain() RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION f.overloaded(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION f.overloaded(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION f.overloaded(int, b text DEFAULT 'it''s', c numeric DEFAULT 1.5 + 2) RETURNS int LANGUAGE sql AS 'SELECT 2';
CREATE FUNCTION f.everything(a int, OUT b text, INOUT c f.pair, VARIADIC d anyarray) RETURNS record
  LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER LEAKPROOF COST 7.5 PARALLEL RESTRICTED
  SET search_path TO f, pg_temp SET work_mem TO '10MB' SET "DateStyle" TO 'ISO, DMY' AS $f$
BEGIN b := 'x'; -- a comment with 'quotes' and \ backslash
END $f$;
CREATE FUNCTION f.rows(n int) RETURNS SETOF f.t LANGUAGE sql ROWS 17 COST 3 AS 'SELECT * FROM f.t LIMIT n';
CREATE FUNCTION f.as_table(n int) RETURNS TABLE (x int, y text) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT n, 'a'$$;
CREATE FUNCTION f.poly(anyelement, anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION f.default_path() RETURNS text LANGUAGE sql SET search_path TO '' AS 'SELECT 1::text';
CREATE FUNCTION f.quoted_path() RETURNS text LANGUAGE sql SET search_path TO "$user", "odd ""one""", public AS 'SELECT 1::text';
CREATE FUNCTION f.custom() RETURNS text LANGUAGE sql SET my.setting TO 'a ''b''' AS 'SELECT 1::text';
CREATE FUNCTION f.compiled(int, int) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'int4pl';
CREATE FUNCTION f.compiled_dear(int, int) RETURNS int LANGUAGE internal IMMUTABLE STRICT COST 100 AS 'int4pl';
CREATE FUNCTION f.window_like() RETURNS bigint LANGUAGE internal WINDOW IMMUTABLE AS 'window_row_number';
CREATE FUNCTION f.supported(text, text) RETURNS bool LANGUAGE internal IMMUTABLE STRICT SUPPORT textlike_support AS 'textlike';
CREATE FUNCTION f.in_c() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION f.is_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION f.is_event_trigger() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE PROCEDURE f.proc(a int, INOUT b text DEFAULT 'x') LANGUAGE plpgsql SECURITY DEFINER SET work_mem = '1MB' AS 'BEGIN COMMIT; END';
CREATE FUNCTION f.broken() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT nothing FROM nowhere); END';
CREATE TABLE f.uses (a int DEFAULT f.overloaded(1, b => 'y', c => 2), b text, CHECK (f.overloaded(b) > 0), c int GENERATED ALWAYS AS (f.compiled(a, 1)) STORED);
CREATE INDEX ON f.uses (f.compiled(a, 2));
COMMENT ON FUNCTION f.overloaded(int, text, numeric) IS 'three';
COMMENT ON PROCEDURE f.proc(int, text) IS 'does';
\if :v14
CREATE FUNCTION f.parsed(n int, t f.t DEFAULT NULL) RETURNS int LANGUAGE sql IMMUTABLE RETURN n + length((t).v);
CREATE FUNCTION f.parsed_block() RETURNS SETOF f.t LANGUAGE sql BEGIN ATOMIC INSERT INTO f.t VALUES (1, 'it''s'); SELECT * FROM f.t; END;
CREATE PROCEDURE f.outs(a int, OUT b int) LANGUAGE sql BEGIN ATOMIC SELECT a + 1; END;
\endif
-- Procedures that only what goes out tells apart.
\if :v14
CREATE PROCEDURE f.pr(IN a int, OUT b int) LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE f.pr(a int, b int) LANGUAGE sql AS '';
COMMENT ON PROCEDURE f.pr(IN int, IN int) IS 'in';
COMMENT ON PROCEDURE f.pr(IN int, OUT int) IS 'out';
REVOKE ALL ON PROCEDURE f.pr(IN int, IN int) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE f.pr(IN int, OUT int) TO pg_monitor;
ALTER PROCEDURE f.pr(IN int, OUT int) OWNER TO pg_monitor;
\endif
