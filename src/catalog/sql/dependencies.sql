-- What depends on what; columns count as their relation. Nothing depends on members of extensions by `e` here:
-- membership is read apart. Server-made objects are pinned and have no rows.
SELECT DISTINCT classid AS from_class, objid AS from_oid, refclassid AS to_class, refobjid AS to_oid, deptype::text AS kind
  FROM pg_catalog.pg_depend
 WHERE deptype NOT IN ('p', 'e') AND (classid, objid) <> (refclassid, refobjid)
 ORDER BY 1, 2, 3, 4, 5
