-- Text search: parsers and templates with functions of the server and of users, dictionaries and configurations over
-- them, comments, an index that uses them all.
CREATE SCHEMA "S t";
CREATE FUNCTION "S t"."Start"(internal, int) RETURNS internal LANGUAGE internal STRICT AS 'prsd_start';
CREATE FUNCTION "S t".lexize(internal, internal, internal, internal) RETURNS internal LANGUAGE internal STRICT AS 'dsimple_lexize';
CREATE TEXT SEARCH PARSER "S t"."my Parser" (START = "S t"."Start", GETTOKEN = prsd_nexttoken, END = prsd_end,
  HEADLINE = prsd_headline, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH PARSER "S t".plain (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE "S t"."my Template" (INIT = dsimple_init, LEXIZE = "S t".lexize);
CREATE TEXT SEARCH TEMPLATE "S t".bare (LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY "S t"."my Words" (TEMPLATE = "S t"."my Template", ACCEPT = false);
CREATE TEXT SEARCH CONFIGURATION "S t"."A" (PARSER = "S t"."my Parser");
ALTER TEXT SEARCH CONFIGURATION "S t"."A" ADD MAPPING FOR asciiword, word WITH "S t"."my Words", simple;
ALTER TEXT SEARCH CONFIGURATION "S t"."A" OWNER TO pg_monitor;
COMMENT ON TEXT SEARCH PARSER "S t"."my Parser" IS 'p';
COMMENT ON TEXT SEARCH TEMPLATE "S t"."my Template" IS 't';
COMMENT ON TEXT SEARCH DICTIONARY "S t"."my Words" IS 'd';
COMMENT ON TEXT SEARCH CONFIGURATION "S t"."A" IS 'c';
CREATE TABLE "S t".texts (body text, words tsvector GENERATED ALWAYS AS (to_tsvector('"S t"."A"', body)) STORED);
CREATE INDEX ON "S t".texts USING gin (to_tsvector('"S t"."A"', body));
