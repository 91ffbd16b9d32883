-- A database of a publishing house: the kinds of objects that applications have, rows with edge values.
-- Run by psql 18 on an empty database of any major.
SELECT current_database() AS db, current_setting('server_version_num')::int AS version \gset
SELECT :version >= 130000 AS from_13, :version >= 140000 AS from_14, :version >= 150000 AS from_15,
       :version >= 170000 AS from_17, :version >= 180000 AS from_18 \gset

CREATE ROLE "House Owner" CREATEDB;
CREATE ROLE editor LOGIN PASSWORD 'canary-role-password' CONNECTION LIMIT 7 VALID UNTIL '2031-05-06 07:08:09+00';
CREATE ROLE reader NOINHERIT;
GRANT reader TO editor WITH ADMIN OPTION;
GRANT "House Owner" TO editor;
ALTER ROLE editor SET work_mem = '7MB';
ALTER ROLE editor SET statement_timeout = '41s';
COMMENT ON ROLE reader IS 'It''s only for reading';

ALTER DATABASE :"db" OWNER TO "House Owner";
COMMENT ON DATABASE :"db" IS E'the house\nin two lines';
REVOKE CONNECT ON DATABASE :"db" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"db" TO editor WITH GRANT OPTION;
ALTER DATABASE :"db" SET search_path = house, public;
ALTER DATABASE :"db" SET timezone = 'Asia/Kathmandu';
ALTER DATABASE :"db" CONNECTION LIMIT 90;
ALTER ROLE editor IN DATABASE :"db" SET maintenance_work_mem = '33MB';

CREATE EXTENSION btree_gist;
CREATE EXTENSION pg_trgm;
CREATE SCHEMA house AUTHORIZATION "House Owner";
CREATE SCHEMA "Back Office";
COMMENT ON SCHEMA "Back Office" IS 'doors are closed';
GRANT USAGE ON SCHEMA house TO reader;
GRANT USAGE, CREATE ON SCHEMA "Back Office" TO editor;
SET search_path = house, public;

ALTER DEFAULT PRIVILEGES FOR ROLE "House Owner" IN SCHEMA house GRANT SELECT ON TABLES TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE "House Owner" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

CREATE TYPE genre AS ENUM ('novel', 'poems', 'It''s "new"');
ALTER TYPE genre ADD VALUE 'essay' BEFORE 'poems';
CREATE TYPE measure AS (width numeric(6, 2), height numeric(6, 2), unit text COLLATE "C");
CREATE DOMAIN isbn AS varchar(17) DEFAULT '000' NOT NULL CONSTRAINT shape CHECK (VALUE ~ '^[0-9-]+$');
CREATE DOMAIN percent AS numeric CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE float_range AS RANGE (subtype = float8, subtype_diff = float8mi);
ALTER TYPE genre OWNER TO "House Owner";
COMMENT ON TYPE genre IS 'kinds of books';

CREATE SEQUENCE numbers AS bigint START 500 INCREMENT -5 MINVALUE -10000 MAXVALUE 9000 CACHE 3 CYCLE;
CREATE SEQUENCE untouched;
CREATE SEQUENCE "Odd One" AS smallint;
SELECT setval('numbers', -700, true), setval('"Odd One"', 32000, false);
GRANT USAGE ON SEQUENCE numbers TO reader;

CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT upper($1) || '!' $$;
COMMENT ON FUNCTION shout(text) IS 'louder';
ALTER FUNCTION shout(text) OWNER TO "House Owner";

CREATE TABLE authors (
  id int GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 10) PRIMARY KEY,
  name text NOT NULL,
  born date CHECK (born > '-infinity'),
  mentor int CONSTRAINT mentored REFERENCES authors ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
  loud text GENERATED ALWAYS AS (upper(name)) STORED,
  size measure,
  EXCLUDE USING gist (name WITH =, born WITH =) WHERE (born IS NOT NULL)
);
ALTER TABLE authors OWNER TO "House Owner";
COMMENT ON TABLE authors IS 'who writes';
COMMENT ON COLUMN authors.loud IS 'as on the cover';
COMMENT ON CONSTRAINT mentored ON authors IS 'by whom';
GRANT SELECT (id, name), UPDATE (name) ON authors TO reader;
GRANT INSERT, DELETE ON authors TO editor WITH GRANT OPTION;
ALTER TABLE authors ALTER name SET STATISTICS 500, ALTER name SET STORAGE EXTERNAL;

CREATE TABLE books (
  isbn isbn PRIMARY KEY WITH (fillfactor = 80),
  author int NOT NULL REFERENCES authors (id) ON UPDATE CASCADE,
  genre genre NOT NULL DEFAULT 'novel',
  title text COLLATE "C" NOT NULL,
  discount percent DEFAULT 0,
  tags text[] NOT NULL DEFAULT '{}',
  shelf int4range,
  weights float_range,
  formats measure[],
  meta jsonb,
  old json,
  cover bytea,
  gone int,
  sold bigserial,
  UNIQUE (author, title) INCLUDE (genre)
) WITH (autovacuum_enabled = false, fillfactor = 70);
ALTER TABLE books DROP COLUMN gone;
ALTER TABLE books ADD COLUMN late timestamptz DEFAULT '2020-01-01 00:00:00.000001+00';
CREATE INDEX books_by_shout ON books (shout(title) DESC NULLS LAST, author) WHERE discount < 50;
CREATE INDEX books_trigrams ON books USING gin (title gin_trgm_ops);
CREATE INDEX books_meta ON books USING gin (meta jsonb_path_ops) WITH (fastupdate = off);
CREATE STATISTICS books_stat (dependencies, ndistinct) ON author, genre FROM books;
COMMENT ON INDEX books_meta IS 'for the search page';
CLUSTER books USING books_pkey;
ALTER TABLE books REPLICA IDENTITY FULL;

CREATE TABLE sales (
  at timestamptz NOT NULL, region text NOT NULL, isbn isbn REFERENCES books, amount money, PRIMARY KEY (region, at)
) PARTITION BY LIST (region);
CREATE TABLE sales_north PARTITION OF sales FOR VALUES IN ('north', 'arctic') PARTITION BY RANGE (at);
CREATE TABLE sales_north_old PARTITION OF sales_north FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE sales_north_new PARTITION OF sales_north FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
CREATE TABLE sales_rest PARTITION OF sales DEFAULT;
CREATE TABLE hashed (id int PRIMARY KEY, payload text) PARTITION BY HASH (id);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX sales_by_amount ON sales (amount);

CREATE TABLE documents (id int, body text, CHECK (body <> '') NO INHERIT);
CREATE TABLE contracts (signed date) INHERITS (documents);
CREATE UNLOGGED TABLE scratch (n int);
CREATE TABLE nothing ();
CREATE TABLE "Back Office"."Ledger Of All" ("From" text, "to" text, "select" int, "ümläut" text, "a""b" text, "1st" text);

CREATE TABLE audit (at timestamptz DEFAULT now(), what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = house AS $$
BEGIN INSERT INTO audit (what) VALUES (TG_OP || ' ' || TG_TABLE_NAME); RETURN NULL; END $$;
CREATE TRIGGER books_noted AFTER INSERT OR UPDATE ON books FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER books_quiet AFTER DELETE ON books FOR EACH STATEMENT EXECUTE FUNCTION note();
ALTER TABLE books DISABLE TRIGGER books_quiet;
ALTER TABLE books ENABLE ALWAYS TRIGGER books_noted;
CREATE RULE ledger_noted AS ON INSERT TO "Back Office"."Ledger Of All"
  DO ALSO INSERT INTO audit (what) VALUES ('rule');
ALTER TABLE authors ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON authors FOR SELECT TO reader USING (name = current_user);

CREATE VIEW shelf WITH (security_barrier) AS
  SELECT b.isbn, a.name, shout(b.title) AS title FROM books b JOIN authors a ON a.id = b.author
  WHERE b.discount < 100;
CREATE VIEW open_books AS SELECT * FROM books WHERE discount = 0 WITH LOCAL CHECK OPTION;
CREATE MATERIALIZED VIEW per_genre AS SELECT genre, count(*) AS n, sum(discount) AS total FROM books GROUP BY genre;
CREATE UNIQUE INDEX ON per_genre (genre);
CREATE MATERIALIZED VIEW of_the_view AS SELECT n + 1 AS more FROM per_genre;
CREATE MATERIALIZED VIEW empty_so_far AS SELECT * FROM authors WITH NO DATA;
GRANT SELECT ON shelf, per_genre TO reader;

CREATE PROCEDURE restock(INOUT n int) LANGUAGE plpgsql AS $$ BEGIN n := n + 1; END $$;
\if :from_14
CREATE FUNCTION titles(a int) RETURNS SETOF text LANGUAGE sql STABLE BEGIN ATOMIC
  SELECT title FROM house.books WHERE author = a; END;
CREATE TABLE packed (id int, body text COMPRESSION pglz);
\endif
\if :from_15
CREATE TABLE sparse (a int, b int, UNIQUE NULLS NOT DISTINCT (a, b));
CREATE VIEW as_me WITH (security_invoker) AS SELECT * FROM authors;
\endif
\if :from_18
CREATE TABLE computed (a int, twice int GENERATED ALWAYS AS (a * 2) VIRTUAL, CONSTRAINT late NOT NULL a);
INSERT INTO computed SELECT n FROM generate_series(1, 10) n;
\endif

INSERT INTO authors (name, born, size) VALUES
  ('Ann', '0044-03-15 BC', (1.50, NULL, 'cm')), ('', NULL, NULL), (E'tab\tnew\nline\\N', 'infinity', (NULL, NULL, '')),
  ('\.', '1900-02-28', NULL), ('ÄÖ€𝄞', '5874897-12-31', (9999.99, -9999.99, 'µ'));
INSERT INTO authors (name, mentor) SELECT 'pupil ' || n, 100 FROM generate_series(1, 500) n;
UPDATE authors SET mentor = 110 WHERE id = 100;
UPDATE authors SET mentor = 100 WHERE id = 110;
INSERT INTO books (isbn, author, genre, title, discount, tags, shelf, weights, formats, meta, old, cover)
SELECT '978-' || n, 100 + 10 * (n % 7), (enum_range(NULL::genre))[1 + n % 4], 'Title ' || n,
       CASE WHEN n % 3 = 0 THEN NULL ELSE n % 100 END,
       ARRAY['a,b', NULL, '{"x"}', n::text], int4range(n, n + 10, '[)'), float_range('-Infinity', n * 0.1),
       ARRAY[ROW(n % 1000, 2, 'mm')::measure, NULL], jsonb_build_object('n', n, 'deep', jsonb_build_array(1, 'x', NULL)),
       json_build_object('k', n), decode(lpad(to_hex(n), 8, '0'), 'hex')
  FROM generate_series(1, 3000) n;
UPDATE books SET cover = decode(repeat('00ff', 500000), 'hex') WHERE isbn = '978-42';
INSERT INTO sales SELECT '2019-06-01'::timestamptz + n * interval '1 day 0.000001 s', (ARRAY['north', 'arctic', 'south'])[1 + n % 3],
       '978-' || n, n * 1.01 FROM generate_series(1, 900) n;
INSERT INTO hashed SELECT n, repeat('x', n % 50) FROM generate_series(1, 1000) n;
INSERT INTO documents VALUES (1, 'a'), (2, 'b');
INSERT INTO contracts VALUES (3, 'c', 'today');
INSERT INTO scratch VALUES (1), (NULL);
INSERT INTO nothing SELECT FROM generate_series(1, 3);
INSERT INTO "Back Office"."Ledger Of All" VALUES ('from', NULL, 1, 'ü', '"', ''), (NULL, '', NULL, NULL, NULL, NULL);
REFRESH MATERIALIZED VIEW per_genre;
REFRESH MATERIALIZED VIEW of_the_view;

SELECT lo_from_bytea(4711, decode(repeat('0123456789abcdef', 200000), 'hex')), lo_from_bytea(4712, '');
ALTER LARGE OBJECT 4711 OWNER TO "House Owner";
GRANT SELECT ON LARGE OBJECT 4711 TO reader;
COMMENT ON LARGE OBJECT 4711 IS 'a scan';

