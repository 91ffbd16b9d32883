-- Objects of the same name in several schemas that use each other.
CREATE SCHEMA app;
CREATE SCHEMA audit;
CREATE SCHEMA "Select";
CREATE SCHEMA empty;
CREATE TYPE app.status AS ENUM ('new', 'done');
CREATE TYPE audit.status AS ENUM ('ok', 'bad');
CREATE TABLE app.item (id serial PRIMARY KEY, s app.status DEFAULT 'new', t audit.status DEFAULT 'ok'::audit.status);
CREATE TABLE audit.item (id int REFERENCES app.item, s audit.status, UNIQUE (id, s));
CREATE TABLE "Select".item (id int PRIMARY KEY REFERENCES app.item, s audit.status, FOREIGN KEY (id, s) REFERENCES audit.item (id, s));
CREATE FUNCTION app.name(i app.item) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT i.s::text$$;
CREATE FUNCTION audit.name(i app.item) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT i.t::text$$;
CREATE INDEX by_name ON app.item (app.name(item), audit.name(item));
CREATE VIEW audit.all_items AS SELECT a.id, app.name(a) AS one, audit.name(a) AS two FROM app.item a;
CREATE VIEW app.all_items AS SELECT v.id, i.s FROM audit.all_items v LEFT JOIN "Select".item i USING (id);
CREATE MATERIALIZED VIEW "Select".summary AS SELECT s, count(*) FROM app.all_items GROUP BY s;
CREATE SEQUENCE audit.shared;
ALTER TABLE "Select".item ADD n bigint DEFAULT nextval('audit.shared');
COMMENT ON SCHEMA audit IS 'who did what';
