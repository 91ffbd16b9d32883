-- Extensions with an object that belongs to a role whose privileges the connecting role does not have. No parameters.
WITH member AS (SELECT refobjid AS extension, classid, objid FROM pg_catalog.pg_depend
                 WHERE refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND deptype = 'e'),
     owned(class, oid, owner) AS (
       SELECT tableoid, oid, proowner FROM pg_catalog.pg_proc
       UNION ALL SELECT tableoid, oid, typowner FROM pg_catalog.pg_type
       UNION ALL SELECT tableoid, oid, relowner FROM pg_catalog.pg_class
       UNION ALL SELECT tableoid, oid, oprowner FROM pg_catalog.pg_operator
       UNION ALL SELECT tableoid, oid, opcowner FROM pg_catalog.pg_opclass
       UNION ALL SELECT tableoid, oid, opfowner FROM pg_catalog.pg_opfamily
       UNION ALL SELECT tableoid, oid, lanowner FROM pg_catalog.pg_language
       UNION ALL SELECT tableoid, oid, fdwowner FROM pg_catalog.pg_foreign_data_wrapper
       UNION ALL SELECT tableoid, oid, dictowner FROM pg_catalog.pg_ts_dict
       UNION ALL SELECT tableoid, oid, cfgowner FROM pg_catalog.pg_ts_config
       UNION ALL SELECT tableoid, oid, nspowner FROM pg_catalog.pg_namespace)
SELECT DISTINCT e.extname::text
  FROM pg_catalog.pg_extension e
  JOIN member m ON m.extension = e.oid
  JOIN owned o ON o.class = m.classid AND o.oid = m.objid
 WHERE NOT pg_catalog.pg_has_role(o.owner, 'USAGE')
