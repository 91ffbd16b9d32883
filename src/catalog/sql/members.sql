-- Which objects belong to which extension.
SELECT classid AS class, objid AS oid, refobjid AS extension
  FROM pg_catalog.pg_depend
 WHERE deptype = 'e' AND refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
