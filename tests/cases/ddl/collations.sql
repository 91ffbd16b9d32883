-- Collations of every provider, and what is sorted by them.
CREATE SCHEMA "S c";
CREATE COLLATION "S c".phonebook (PROVIDER = icu, LOCALE = 'de-u-co-phonebk');
CREATE COLLATION "S c"."any case" (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE COLLATION "S c".posix (LC_COLLATE = 'C', LC_CTYPE = 'C.UTF-8');
COMMENT ON COLLATION "S c".phonebook IS 'as in the book';
CREATE DOMAIN "S c".name AS text COLLATE "S c"."any case";
CREATE TABLE "S c".people (name "S c".name PRIMARY KEY, town text COLLATE "S c".phonebook);
CREATE INDEX ON "S c".people (town COLLATE "S c".posix);
\if :v16
CREATE COLLATION "S c".tailored (PROVIDER = icu, LOCALE = 'und', RULES = '&V << w <<< W');
\endif
\if :v17
CREATE COLLATION "S c".inner (PROVIDER = builtin, LOCALE = 'C.UTF-8');
\endif
