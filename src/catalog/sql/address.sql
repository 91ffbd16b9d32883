-- Catalog and OID of an object. $1: its type, $2 text[]: names, $3 text[]: arguments.
SELECT a.classid AS class, a.objid AS oid FROM pg_catalog.pg_get_object_address($1, $2, $3) a
