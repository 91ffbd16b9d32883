-- Text search: dictionaries, configurations, and what uses them.
CREATE SCHEMA "S t";
CREATE TEXT SEARCH DICTIONARY "S t"."no stops" (TEMPLATE = pg_catalog.snowball, LANGUAGE = 'english');
CREATE TEXT SEARCH DICTIONARY "S t".plain (TEMPLATE = pg_catalog.simple, STOPWORDS = 'english', ACCEPT = false);
CREATE TEXT SEARCH CONFIGURATION "S t"."En" (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION "S t"."En" ALTER MAPPING FOR asciiword, word WITH "S t".plain, "S t"."no stops", simple;
ALTER TEXT SEARCH CONFIGURATION "S t"."En" DROP MAPPING FOR url;
CREATE TEXT SEARCH CONFIGURATION "S t".bare (PARSER = pg_catalog.default);
COMMENT ON TEXT SEARCH DICTIONARY "S t".plain IS 'd';
COMMENT ON TEXT SEARCH CONFIGURATION "S t"."En" IS 'c';
CREATE TABLE "S t".texts (body text, words tsvector GENERATED ALWAYS AS (to_tsvector('"S t"."En"', body)) STORED);
CREATE INDEX ON "S t".texts USING gin (to_tsvector('"S t"."En"', body));
