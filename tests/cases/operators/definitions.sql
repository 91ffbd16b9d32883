-- Definitions whose text hides operators of extensions and users. intarray has a better match for the server's own `@>`.
CREATE SCHEMA ext;
CREATE SCHEMA own;
CREATE EXTENSION citext SCHEMA public;
CREATE EXTENSION intarray SCHEMA public;
CREATE EXTENSION ltree SCHEMA ext;
CREATE EXTENSION hstore SCHEMA ext;
SET search_path = public, ext, own;
-- A type whose values are equal if they differ by a multiple of ten.
CREATE TYPE own.clock AS (hour int);
CREATE FUNCTION own.same(own.clock, own.clock) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.hour % 10 = $2.hour % 10';
CREATE OPERATOR own.= (LEFTARG = own.clock, RIGHTARG = own.clock, FUNCTION = own.same);
CREATE TABLE member (id int PRIMARY KEY, mail citext, alt citext, path ltree, bag hstore, at own.clock, marks int[],
  same boolean GENERATED ALWAYS AS (mail IS NOT DISTINCT FROM alt) STORED,
  kind text DEFAULT CASE 'ANN@x.org'::citext WHEN 'ann@x.org'::citext THEN 'boss' ELSE 'other' END,
  CONSTRAINT no_spam CHECK (CASE mail WHEN 'SPAM@x.org'::citext THEN false ELSE true END AND mail::text IS DISTINCT FROM 'x'),
  CONSTRAINT no_late CHECK (nullif(mail, 'LATE@x.org') IS NOT NULL) NOT VALID);
INSERT INTO member VALUES (1, 'Ann@x.org', 'ann@X.org', 'a.b', 'k=>1', ROW(3), '{1,1}'), (2, 'bob@x.org', 'rob@x.org', 'a.c', 'k=>2', ROW(4), '{2}');
CREATE TABLE invited (mail citext, n int, at own.clock);
INSERT INTO invited VALUES ('ANN@X.ORG', 7, ROW(13)), ('bob@x.org', 8, ROW(5));
CREATE VIEW v_case AS SELECT id, CASE mail WHEN 'ann@x.org'::citext THEN 'boss' ELSE 'other' END AS c FROM member;
CREATE VIEW v_in AS SELECT id FROM member WHERE mail IN (SELECT mail FROM invited);
CREATE VIEW v_join AS SELECT id, n FROM member JOIN invited USING (mail);
CREATE VIEW v_natural AS SELECT id, n FROM (SELECT id, at FROM member) m NATURAL JOIN (SELECT n, at FROM invited) i;
CREATE VIEW v_nullif AS SELECT id, nullif(mail, 'ANN@x.org') IS NULL AS z FROM member;
CREATE VIEW v_distinct AS SELECT id, path IS DISTINCT FROM 'a.b'::ltree AS p, bag IS DISTINCT FROM 'k=>1'::hstore AS b, at IS DISTINCT FROM ROW(13)::own.clock AS a FROM member;
CREATE VIEW v_rows AS SELECT id FROM member WHERE (mail, id) < ('ANN@x.org'::citext, 9) AND (mail, marks) IN (SELECT 'ANN@x.org'::citext, '{1,1}'::int[]);
CREATE VIEW v_pair AS SELECT id FROM member WHERE (id, mail) IN (SELECT n - 6, mail FROM invited);
CREATE VIEW v_clash AS SELECT id, mail IS DISTINCT FROM alt AS d, marks OPERATOR(pg_catalog.@>) '{1,1}' AS m, to_jsonb(mail) AS j FROM member;
CREATE VIEW v_lower AS SELECT lower(mail) AS l, mail LIKE 'ANN%' AS k, at = ROW(23)::own.clock AS a FROM member GROUP BY mail, at;
CREATE MATERIALIZED VIEW m_case AS SELECT * FROM v_case WHERE CASE c WHEN 'boss' THEN true END;
CREATE MATERIALIZED VIEW m_join AS SELECT m.id, CASE i.mail WHEN 'ann@x.org'::citext THEN 'boss' END AS c FROM member m JOIN invited i USING (mail);
CREATE POLICY only_invited ON invited USING (nullif(mail, 'ann@x.org') IS NULL);
CREATE FUNCTION node_moved() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.kind = 'moved'; RETURN NEW; END$$;
CREATE TRIGGER moved BEFORE UPDATE ON member FOR EACH ROW WHEN (OLD.path IS DISTINCT FROM NEW.path OR OLD.mail IS DISTINCT FROM NEW.mail) EXECUTE FUNCTION node_moved();
CREATE TABLE journal (id int, mail citext);
CREATE RULE noted AS ON INSERT TO journal WHERE nullif(NEW.mail, 'ann@x.org') IS NULL DO INSTEAD NOTHING;
CREATE DOMAIN address AS citext DEFAULT CASE 'A'::citext WHEN 'a'::citext THEN 'yes' ELSE 'no' END
  CONSTRAINT no_root CHECK (CASE VALUE WHEN 'root@x.org'::citext THEN false ELSE true END);
CREATE TABLE contact (id int, mail address);
CREATE UNIQUE INDEX member_boss ON member ((CASE mail WHEN 'ann@x.org'::citext THEN 0 ELSE id END));
CREATE INDEX member_alt ON member (id) WHERE mail IS DISTINCT FROM alt;
CREATE TABLE slot (span int4range, mail citext, CONSTRAINT taken EXCLUDE USING gist (span WITH &&) WHERE (nullif(mail, 'free@x.org') IS NOT NULL));
INSERT INTO slot VALUES ('[1,5)', 'FREE@x.org'), ('[2,6)', 'ann@x.org'), ('[3,4)', 'free@x.org');
CREATE TABLE halves (id int, mail citext) PARTITION BY LIST ((CASE mail WHEN 'ann@x.org'::citext THEN 1 ELSE 2 END));
CREATE TABLE first_half PARTITION OF halves FOR VALUES IN (1);
CREATE TABLE second_half PARTITION OF halves FOR VALUES IN (2);
INSERT INTO halves SELECT id, mail FROM member;
\if :v14
CREATE STATISTICS member_cases ON (CASE mail WHEN 'ann@x.org'::citext THEN 1 ELSE 2 END), id FROM member;
CREATE FUNCTION is_boss(m citext, other citext DEFAULT nullif('a'::citext, 'A'::citext)) RETURNS boolean LANGUAGE sql IMMUTABLE
  BEGIN ATOMIC SELECT CASE m WHEN 'ann@x.org'::citext THEN true ELSE false END AND other IS NULL; END;
\endif
