-- What depends on what; columns count as their relation. `e` is membership of an extension. Server-made objects are
-- pinned and have no rows.
SELECT DISTINCT classid AS from_class, objid AS from_oid, refclassid AS to_class, refobjid AS to_oid, deptype::text AS kind
  FROM pg_catalog.pg_depend
 WHERE deptype <> 'p' AND (classid, objid) <> (refclassid, refobjid)
   AND (deptype <> 'e' OR refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass)
 ORDER BY 1, 2, 3, 4, 5
