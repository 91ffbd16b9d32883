-- Children by ALTER TABLE, whose columns keep their order, and the state of their not-null constraints: both are lost
-- by pg_dump.
CREATE SCHEMA joined;
CREATE TABLE joined.base (id int NOT NULL, name text, note text);
CREATE TABLE joined.stamped (at timestamptz, name text);
CREATE TABLE joined.child (own int, note text, id int NOT NULL CONSTRAINT mine CHECK (id > 0), name text DEFAULT 'x');
ALTER TABLE joined.child INHERIT joined.base;
CREATE TABLE joined.computed (a int, b int GENERATED ALWAYS AS (a * 2) STORED CHECK (b > 0), c int DEFAULT 5);
CREATE TABLE joined.computed_child (c int, b int GENERATED ALWAYS AS (a * 2) STORED, a int,
  CONSTRAINT computed_b_check CHECK (b > 0));
ALTER TABLE joined.computed_child INHERIT joined.computed;
CREATE TABLE joined.two_parents (name text, at timestamptz, own int, note text, id int NOT NULL);
ALTER TABLE joined.two_parents INHERIT joined.stamped;
ALTER TABLE joined.two_parents INHERIT joined.base;
CREATE TABLE joined.below (z int) INHERITS (joined.two_parents);
\if :v18
CREATE TABLE joined.unchecked (a int, b int);
ALTER TABLE joined.unchecked ADD CONSTRAINT a_there NOT NULL a NOT VALID, ADD CONSTRAINT b_there NOT NULL b NOT VALID;
CREATE TABLE joined.checked (b int) INHERITS (joined.unchecked);
CREATE TABLE joined.below_checked () INHERITS (joined.checked);
ALTER TABLE joined.checked VALIDATE CONSTRAINT a_there, VALIDATE CONSTRAINT b_there;
CREATE TABLE joined.strict (a int NOT NULL);
CREATE TABLE joined.of_both () INHERITS (joined.unchecked, joined.strict);
\endif
