-- The row of an object. $1: its kind, $2 text[]: its names, $3 text[]: its arguments.
SELECT a.classid AS class, a.objid AS oid FROM pg_catalog.pg_get_object_address($1, $2, $3) a
