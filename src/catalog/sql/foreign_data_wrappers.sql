-- Foreign data wrappers of users.
SELECT w.oid, w.fdwname::text AS name, pg_catalog.pg_get_userbyid(w.fdwowner)::text AS owner,
       h.proname::text AS handler, hn.nspname::text AS handler_schema, v.proname::text AS validator, vn.nspname::text AS validator_schema,
       coalesce(w.fdwoptions, '{}')::text[] AS options
  FROM pg_catalog.pg_foreign_data_wrapper w
  LEFT JOIN pg_catalog.pg_proc h ON h.oid = w.fdwhandler
  LEFT JOIN pg_catalog.pg_namespace hn ON hn.oid = h.pronamespace
  LEFT JOIN pg_catalog.pg_proc v ON v.oid = w.fdwvalidator
  LEFT JOIN pg_catalog.pg_namespace vn ON vn.oid = v.pronamespace
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = w.tableoid AND d.objid = w.oid AND d.deptype = 'e')
 ORDER BY w.oid
