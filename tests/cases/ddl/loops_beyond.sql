-- Objects that need each other where pg_dump finds no way.
CREATE SCHEMA l;
-- A domain whose default is a function that returns it, and a table with it.
CREATE DOMAIN l.given AS int CHECK (VALUE > 0);
CREATE FUNCTION l.give() RETURNS l.given LANGUAGE sql AS 'SELECT 1::l.given';
ALTER DOMAIN l.given SET DEFAULT l.give();
CREATE TABLE l.takes_given (g l.given, n int);
