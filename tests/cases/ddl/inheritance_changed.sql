-- Children that differ from their parents in what pg_dump's own script cannot bring to another major:
-- not null and storage of an inherited column, columns in an order of their own, checks of not-null constraints.
CREATE SCHEMA changed;
CREATE TABLE changed.base (id int NOT NULL, name text, note text);
CREATE TABLE changed.stamped (at timestamptz, name text);
CREATE TABLE changed.child (extra text) INHERITS (changed.base);
CREATE TABLE changed.grandchild () INHERITS (changed.child, changed.stamped);
ALTER TABLE changed.child ALTER note SET NOT NULL;
ALTER TABLE changed.child ALTER name SET STORAGE MAIN;
-- Children by ALTER TABLE, whose columns keep their order.
CREATE TABLE changed.joined (own int, note text, id int NOT NULL CONSTRAINT mine CHECK (id > 0), name text DEFAULT 'x');
ALTER TABLE changed.joined INHERIT changed.base;
CREATE TABLE changed.computed (a int, b int GENERATED ALWAYS AS (a * 2) STORED CHECK (b > 0), c int DEFAULT 5);
CREATE TABLE changed.computed_child (c int, b int GENERATED ALWAYS AS (a * 2) STORED, a int,
  CONSTRAINT computed_b_check CHECK (b > 0));
ALTER TABLE changed.computed_child INHERIT changed.computed;
CREATE TABLE changed.two_parents (name text, at timestamptz, own int, note text, id int NOT NULL);
ALTER TABLE changed.two_parents INHERIT changed.stamped;
ALTER TABLE changed.two_parents INHERIT changed.base;
CREATE TABLE changed.below (z int) INHERITS (changed.two_parents);
\if :v18
CREATE TABLE changed.unchecked (a int, b int);
ALTER TABLE changed.unchecked ADD CONSTRAINT a_there NOT NULL a NOT VALID, ADD CONSTRAINT b_there NOT NULL b NOT VALID;
CREATE TABLE changed.checked (b int) INHERITS (changed.unchecked);
CREATE TABLE changed.below_checked () INHERITS (changed.checked);
ALTER TABLE changed.checked VALIDATE CONSTRAINT a_there, VALIDATE CONSTRAINT b_there;
CREATE TABLE changed.strict (a int NOT NULL);
CREATE TABLE changed.of_both () INHERITS (changed.unchecked, changed.strict);
\endif
