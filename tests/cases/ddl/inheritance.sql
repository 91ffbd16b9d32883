-- Children of one and several parents, with what they change.
CREATE SCHEMA inh;
CREATE TABLE inh.base (id int NOT NULL, name text DEFAULT 'base', note text, CONSTRAINT positive CHECK (id > 0));
CREATE TABLE inh.stamped (at timestamptz NOT NULL DEFAULT '2020-01-01 00:00+00', by_whom text);
CREATE TABLE inh.child (extra text, big text) INHERITS (inh.base);
CREATE TABLE inh.both (own int DEFAULT 7) INHERITS (inh.stamped, inh.base);
CREATE TABLE inh.grandchild () INHERITS (inh.child, inh.both);
-- Defaults that are taken away, changed, or set where the parent has none.
ALTER TABLE inh.child ALTER name DROP DEFAULT;
ALTER TABLE inh.both ALTER name SET DEFAULT 'both', ALTER note SET DEFAULT 'noted';
CREATE TABLE inh.merged (name text, id int DEFAULT 3) INHERITS (inh.base);
ALTER TABLE inh.merged ALTER name DROP DEFAULT;
-- A column that comes to the parent later, and a check that children do not get.
ALTER TABLE inh.base ADD late int;
ALTER TABLE inh.base ADD CONSTRAINT here_only CHECK (late > 0) NO INHERIT;
ALTER TABLE inh.child ADD CONSTRAINT child_only CHECK (length(extra) < 100);
ALTER TABLE inh.base ADD CONSTRAINT unchecked CHECK (late < 1000) NOT VALID;
-- Generated columns.
CREATE TABLE inh.computed (a int, b int GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE inh.computed_child (c int) INHERITS (inh.computed);
-- Storage of an inherited column.
ALTER TABLE inh.child ALTER big SET STORAGE EXTERNAL;
ALTER TABLE inh.base ALTER note SET (n_distinct = 10, n_distinct_inherited = -0.5), ALTER id SET STATISTICS 0;
CREATE INDEX ON inh.grandchild (id);
CREATE TABLE inh.left_alone () INHERITS (inh.base);
ALTER TABLE inh.left_alone NO INHERIT inh.base;
\if :v18
CREATE TABLE inh.named (a int CONSTRAINT a_given NOT NULL, b int CONSTRAINT b_here NOT NULL NO INHERIT, c int, d int);
ALTER TABLE inh.named ADD CONSTRAINT c_unchecked NOT NULL c NOT VALID;
CREATE TABLE inh.named_child (e int) INHERITS (inh.named);
ALTER TABLE inh.named_child ADD CONSTRAINT d_own NOT NULL d;
\endif
