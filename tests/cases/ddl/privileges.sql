-- Grants to everyone, taken and given; default privileges. Roles are those of every server.
CREATE SCHEMA g;
CREATE TABLE g.t (id int, secret text);
CREATE SEQUENCE g.s;
CREATE TYPE g.e AS ENUM ('a');
CREATE FUNCTION g.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE g.p() LANGUAGE sql AS '';
CREATE VIEW g.v AS SELECT id FROM g.t;
GRANT USAGE ON SCHEMA g TO PUBLIC;
GRANT SELECT ON g.t, g.v TO pg_monitor;
GRANT INSERT, UPDATE ON g.t TO pg_read_all_stats WITH GRANT OPTION;
GRANT SELECT (id), UPDATE (secret) ON g.t TO PUBLIC;
GRANT USAGE ON SEQUENCE g.s TO pg_monitor;
REVOKE EXECUTE ON FUNCTION g.f(int) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE g.p() TO pg_monitor;
REVOKE USAGE ON TYPE g.e FROM PUBLIC;
REVOKE ALL ON g.v FROM postgres;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA g GRANT SELECT ON TABLES TO pg_monitor;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER SCHEMA g OWNER TO pg_monitor;
ALTER TABLE g.t OWNER TO pg_monitor;
ALTER FUNCTION g.f(int) OWNER TO pg_monitor;
ALTER TYPE g.e OWNER TO pg_monitor;
-- By someone who is not the owner, through a chain of grant options.
SET SESSION AUTHORIZATION pg_read_all_stats;
GRANT INSERT ON g.t TO pg_signal_backend WITH GRANT OPTION;
SET SESSION AUTHORIZATION pg_signal_backend;
GRANT INSERT ON g.t TO pg_read_all_settings;
RESET SESSION AUTHORIZATION;
-- On the server's own objects.
REVOKE EXECUTE ON FUNCTION pg_sleep(float8) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_read_file(text) TO pg_monitor;
REVOKE SELECT ON pg_proc FROM PUBLIC;
GRANT SELECT (proname, pronargs) ON pg_proc TO PUBLIC;
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
GRANT USAGE ON LANGUAGE plpgsql TO pg_monitor;
\if :v17
GRANT MAINTAIN ON g.t TO pg_signal_backend;
REVOKE MAINTAIN ON g.v FROM pg_monitor;
\endif
-- Grant options of an owner, written down when the object changed hands, also by a chain.
CREATE TABLE g.handed (a int);
ALTER TABLE g.handed OWNER TO pg_monitor;
GRANT ALL ON g.handed TO pg_read_all_stats WITH GRANT OPTION;
ALTER TABLE g.handed OWNER TO pg_read_all_stats;
CREATE TABLE g.chained (a int);
ALTER TABLE g.chained OWNER TO pg_monitor;
SET SESSION AUTHORIZATION pg_monitor;
GRANT SELECT ON g.chained TO pg_read_all_stats WITH GRANT OPTION;
SET SESSION AUTHORIZATION pg_read_all_stats;
GRANT SELECT ON g.chained TO pg_signal_backend WITH GRANT OPTION;
RESET SESSION AUTHORIZATION;
ALTER TABLE g.chained OWNER TO pg_signal_backend;
