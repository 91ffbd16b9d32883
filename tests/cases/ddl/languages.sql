-- Languages, trusted or not, with all or only one of their functions, their owners, privileges and comments; functions in
-- them. Access methods of indexes and tables with operator classes, indexes, tables and materialized views.
CREATE SCHEMA "S l";
CREATE FUNCTION "S l"."Handler"() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION "S l".inline(internal) RETURNS void STRICT LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION "S l".validate(oid) RETURNS void STRICT LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE "Pl mine" HANDLER "S l"."Handler" INLINE "S l".inline VALIDATOR "S l".validate;
CREATE LANGUAGE plbare HANDLER "S l"."Handler";
ALTER LANGUAGE "Pl mine" OWNER TO pg_monitor;
REVOKE USAGE ON LANGUAGE "Pl mine" FROM PUBLIC;
GRANT USAGE ON LANGUAGE "Pl mine" TO pg_signal_backend WITH GRANT OPTION;
COMMENT ON LANGUAGE "Pl mine" IS 'as plpgsql';
CREATE FUNCTION "S l".one(n int) RETURNS int IMMUTABLE LANGUAGE "Pl mine" AS 'BEGIN RETURN n + 1; END';
CREATE FUNCTION "S l".two() RETURNS trigger LANGUAGE plbare AS 'BEGIN RETURN NEW; END';
CREATE PROCEDURE "S l".three() LANGUAGE plbare AS 'BEGIN END';
CREATE DOMAIN "S l".big AS int CHECK ("S l".one(VALUE) > 1000);
CREATE TABLE "S l".t (n int DEFAULT "S l".one(1), m int GENERATED ALWAYS AS ("S l".one(1)) STORED, b "S l".big);
CREATE TRIGGER two BEFORE INSERT ON "S l".t FOR EACH ROW EXECUTE FUNCTION "S l".two();
CREATE VIEW "S l".v AS SELECT "S l".one(n) AS n FROM "S l".t;
CREATE FUNCTION "S l".gist(internal) RETURNS index_am_handler STRICT LANGUAGE internal AS 'gisthandler';
CREATE ACCESS METHOD "Gist 2" TYPE INDEX HANDLER "S l".gist;
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
COMMENT ON ACCESS METHOD "Gist 2" IS 'another';
CREATE OPERATOR CLASS "S l".boxes DEFAULT FOR TYPE box USING "Gist 2" AS
  OPERATOR 1 <<, OPERATOR 2 &<, OPERATOR 3 &&, OPERATOR 4 &>, OPERATOR 5 >>, OPERATOR 6 ~=, OPERATOR 7 @>, OPERATOR 8 <@,
  FUNCTION 1 gist_box_consistent(internal, box, smallint, oid, internal), FUNCTION 2 gist_box_union(internal, internal),
  FUNCTION 5 gist_box_penalty(internal, internal, internal), FUNCTION 6 gist_box_picksplit(internal, internal),
  FUNCTION 7 gist_box_same(box, box, internal);
CREATE OPERATOR FAMILY "S l".none USING "Gist 2";
CREATE TABLE "S l".boxes (id int PRIMARY KEY, b box, EXCLUDE USING "Gist 2" (b WITH &&)) USING heap2;
CREATE INDEX ON "S l".boxes USING "Gist 2" (b "S l".boxes);
CREATE MATERIALIZED VIEW "S l".copies USING heap2 AS SELECT id FROM "S l".boxes;
\if :v17
CREATE TABLE "S l".parted (id int) PARTITION BY RANGE (id) USING heap2;
CREATE TABLE "S l".part PARTITION OF "S l".parted FOR VALUES FROM (1) TO (9);
\endif
