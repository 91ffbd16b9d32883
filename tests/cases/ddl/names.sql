-- Names that need quoting, or look as if they were something else.
CREATE SCHEMA "My Schema";
CREATE SCHEMA "täst.schema";
CREATE TABLE "My Schema"."select" ("order" int PRIMARY KEY, "from" text DEFAULT 'x', "a.b" int, "quo""te" int, " " text, "ümläut" int, "日本" int);
CREATE TABLE "täst.schema"."My Schema" ("user" serial, "table" int REFERENCES "My Schema"."select" ("order"), CHECK ("user" > 0));
CREATE TABLE "My Schema"."new
line" ("a
b" int CONSTRAINT "c
d" CHECK ("a
b" > 0), "back\slash" text DEFAULT E'\\ ''', "{}" int, "$1" int, "%s" int);
CREATE INDEX "i
j" ON "My Schema"."new
line" ("a
b");
CREATE TABLE "My Schema".a23456789_123456789_123456789_123456789_123456789_123456789_123 (
  b23456789_123456789_123456789_123456789_123456789_123456789_123 serial PRIMARY KEY);
CREATE TABLE "My Schema"."UPPER" (upper int, "Upper" int, "UPPER" int, UNIQUE ("Upper", "UPPER"));
CREATE TABLE "My Schema"."'; DROP TABLE x; --" ("--" int, "/*" int, "'" text DEFAULT '''');
CREATE TYPE "My Schema"."type" AS ENUM ('a''b', '"', '', 'new
line', '$$');
CREATE TYPE "My Schema"."Comp" AS ("select" int, "A b" "My Schema"."type");
CREATE DOMAIN "My Schema"."Dom.ain" AS "My Schema"."type" CONSTRAINT "che""ck" CHECK (VALUE <> 'a''b');
CREATE FUNCTION "My Schema"."fn ()"("Arg" int, "select" "My Schema"."type" DEFAULT 'a''b', VARIADIC "rest" text[] DEFAULT '{}') RETURNS TABLE ("Col" int, "col" text)
  LANGUAGE plpgsql AS $_$ BEGIN RETURN QUERY SELECT $1, '$$'::text; END $_$;
CREATE FUNCTION "My Schema".dollars() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN ''$$ $body0$ $''; END -- $';
CREATE VIEW "My Schema"."view" AS SELECT "order" AS "Or der", "from" "FROM", "a.b", 1 AS "?column?" FROM "My Schema"."select";
CREATE SEQUENCE "My Schema"."seq ""q""" OWNED BY "My Schema"."select"."a.b";
CREATE TRIGGER "trig ger" BEFORE UPDATE OF "from", "a.b" ON "My Schema"."select" FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger('arg''1', 'b\n');
CREATE RULE "rule r" AS ON DELETE TO "My Schema"."UPPER" DO ALSO NOTHING;
ALTER TABLE "My Schema"."UPPER" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "poli.cy" ON "My Schema"."UPPER" USING ("Upper" > 0);
CREATE STATISTICS "My Schema"."stat s" ON "Upper", "UPPER" FROM "My Schema"."UPPER";
COMMENT ON TABLE "My Schema"."new
line" IS E'two\nlines -- \\ and ''more''';
COMMENT ON COLUMN "My Schema"."new
line"."a
b" IS '';
COMMENT ON COLUMN "My Schema"."select"."quo""te" IS 'x';
