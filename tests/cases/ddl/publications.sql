-- Publications of every sort: what they send, of which tables, columns, rows and schemas.
CREATE SCHEMA pub;
CREATE SCHEMA "pub Two";
CREATE TABLE pub.t (id int PRIMARY KEY, a text, "B c" int);
CREATE TABLE pub.parent (id int PRIMARY KEY);
CREATE TABLE pub.child (x int) INHERITS (pub.parent);
CREATE TABLE pub.parts (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE pub.parts_1 PARTITION OF pub.parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION nothing WITH (publish = '');
CREATE PUBLICATION "Some ""tables""" FOR TABLE pub.t, pub.parent WITH (publish = 'insert, delete');
CREATE PUBLICATION only_parent FOR TABLE ONLY pub.parent WITH (publish = 'truncate');
ALTER PUBLICATION nothing OWNER TO pg_monitor;
COMMENT ON PUBLICATION everything IS 'all of it';
\if :v13
CREATE PUBLICATION rooted FOR TABLE pub.parts WITH (publish = 'insert, update, delete', publish_via_partition_root = true);
\endif
\if :v15
CREATE PUBLICATION some_columns FOR TABLE pub.t (id, "B c"), pub.parent (id);
CREATE PUBLICATION some_rows FOR TABLE pub.t WHERE (id > 7 AND a IS NOT NULL), pub.parent WHERE (id < 3) WITH (publish = 'insert');
CREATE PUBLICATION of_schemas FOR TABLES IN SCHEMA pub, "pub Two";
CREATE PUBLICATION mixed FOR TABLES IN SCHEMA "pub Two", TABLE pub.t;
\endif
\if :v18
CREATE PUBLICATION with_generated FOR TABLE pub.t WITH (publish_generated_columns = stored);
\endif
