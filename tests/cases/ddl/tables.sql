-- Storage, options, persistence, collations, defaults of every sort, and shapes that are easily forgotten.
CREATE SCHEMA tab;
CREATE TABLE tab.nothing ();
CREATE TABLE tab.options (a int, b text, c bytea) WITH (fillfactor = 40, autovacuum_enabled = false, autovacuum_vacuum_scale_factor = 0.02,
  toast.autovacuum_enabled = off, toast_tuple_target = 4096, parallel_workers = 3);
ALTER TABLE tab.options ALTER b SET STORAGE EXTERNAL, ALTER c SET STORAGE MAIN, ALTER a SET STATISTICS 1000,
  ALTER b SET (n_distinct = -0.25), ALTER c SET STATISTICS 0;
CREATE UNLOGGED TABLE tab.unlogged (id serial PRIMARY KEY, t text);
CREATE TABLE tab.collated (a text COLLATE "C", b varchar(9) COLLATE "POSIX" NOT NULL DEFAULT ('x' COLLATE "C"), c text[] COLLATE "C", d name);
CREATE TABLE tab.defaults (
  a int DEFAULT 1 + 2, b text DEFAULT 'it''s \ x', c timestamptz DEFAULT now() + interval '1 day', d text[] DEFAULT ARRAY['a', 'b']::text[],
  e json DEFAULT '{"a": [1, "x"]}', f float8 DEFAULT 'NaN', g bytea DEFAULT '\x00ff', h date DEFAULT 'infinity', i int DEFAULT NULL,
  j text DEFAULT CURRENT_USER, k uuid DEFAULT md5('x')::uuid, l interval HOUR TO MINUTE DEFAULT '1:30', m bit(3) DEFAULT B'101',
  n "char" DEFAULT 'x', o numeric DEFAULT -1.50, p int[][] DEFAULT '{{1,2},{3,4}}', q bool DEFAULT (1 > 2), r char(5) DEFAULT 'ab');
CREATE TABLE tab.generated (a int, b text, c text GENERATED ALWAYS AS (b || a::text) STORED, d int GENERATED ALWAYS AS (a * 2) STORED NOT NULL);
CREATE TABLE tab.dropped (a int, b int, c int, d int DEFAULT 4, e int);
ALTER TABLE tab.dropped DROP COLUMN a, DROP COLUMN c, ADD COLUMN f int NOT NULL DEFAULT 9;
CREATE INDEX ON tab.dropped (f, b);
ALTER TABLE tab.dropped ADD PRIMARY KEY (e, b);
CREATE TABLE tab.modifiers (a numeric(10, 3), b varchar(3), c char, d timestamp(2) with time zone, e time(0), f interval second(3), g bit(7), h varbit(8), i float(20), j decimal, k timetz(1));
CREATE TABLE tab.wide AS SELECT 1 AS a, 'x'::text AS b, NULL::int[] AS c;
CREATE TABLE tab.like_other (LIKE tab.options INCLUDING ALL);
DO $$ BEGIN EXECUTE 'CREATE TABLE tab.very_wide (' || (SELECT string_agg('c' || g || ' int', ', ') FROM generate_series(1, 1600) g) || ')'; END $$;
CREATE TEMPORARY TABLE not_copied (a int);
CREATE TABLE tab.to_extension (a int);
CREATE EXTENSION hstore;
CREATE EXTENSION citext WITH SCHEMA tab;
CREATE TABLE tab.uses_extensions (h public.hstore DEFAULT 'a=>1', c tab.citext PRIMARY KEY, CHECK (h OPERATOR(public.?) 'a'));
CREATE INDEX ON tab.uses_extensions USING gin (h);
CREATE FUNCTION tab.with_hstore(public.hstore) RETURNS text LANGUAGE sql AS 'SELECT 1::text';
\if :v13
ALTER FUNCTION tab.with_hstore(public.hstore) DEPENDS ON EXTENSION hstore;
ALTER INDEX tab.uses_extensions_h_idx DEPENDS ON EXTENSION hstore;
\endif
\if :v14
CREATE TABLE tab.compressed (a text COMPRESSION pglz, b text);
\endif
\if :v18
CREATE TABLE tab.virtual (a int, b int GENERATED ALWAYS AS (a + 1), c text);
\endif
COMMENT ON EXTENSION hstore IS 'changed';
