-- Sequences of users, with their owning columns. Values are read when they are copied.
SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       c.relpersistence::text AS persistence, pg_catalog.format_type(s.seqtypid, NULL) AS type_name,
       s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
       d.refobjid AS owner_table, d.refobjsubid::pg_catalog.int2 AS owner_column, d.deptype::text AS owner_kind
  FROM pg_catalog.pg_sequence s
  JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_depend d
         ON d.classid = c.tableoid AND d.objid = c.oid AND d.objsubid = 0
        AND d.refclassid = c.tableoid AND d.refobjsubid <> 0 AND d.deptype IN ('a', 'i')
 WHERE c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                    WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
 ORDER BY c.oid
