-- Children that differ from their parents in what pg_dump's own script cannot bring to another major:
-- not null and storage of an inherited column.
CREATE SCHEMA changed;
CREATE TABLE changed.base (id int NOT NULL, name text, note text);
CREATE TABLE changed.stamped (at timestamptz, name text);
CREATE TABLE changed.child (extra text) INHERITS (changed.base);
CREATE TABLE changed.grandchild () INHERITS (changed.child, changed.stamped);
ALTER TABLE changed.child ALTER note SET NOT NULL;
ALTER TABLE changed.child ALTER name SET STORAGE MAIN;
