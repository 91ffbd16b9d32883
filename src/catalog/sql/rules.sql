-- Rules except ON SELECT rules of views.
SELECT r.oid, r.rulename::text AS name, r.ev_class AS relation, r.ev_enabled::text AS enabled,
       pg_catalog.pg_get_ruledef(r.oid) AS definition
  FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE r.ev_type <> '1' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = r.tableoid AND d.objid = r.oid AND d.deptype = 'e')
 ORDER BY r.oid
