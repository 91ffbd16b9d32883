-- Tables, foreign tables, views, materialized views: all relations except sequences, indexes and composite types.
-- Of extensions, only the parents of users' tables, and the relations $1 oid[].
SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       EXISTS (SELECT FROM pg_catalog.pg_depend d
                WHERE d.classid = c.tableoid AND d.objid = c.oid AND d.deptype = 'e') AS is_member,
       c.relkind::text AS kind, c.relpersistence::text AS persistence, c.reltype AS row_type,
       c.reloftype AS of_type, CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END AS of_type_name,
       coalesce(pg_catalog.pg_relation_filenode(c.oid), 0::pg_catalog.oid) AS filenode,
       am.amname::text AS access_method, ts.spcname::text AS tablespace,
       coalesce(c.reloptions, '{}')::text[] AS options, coalesce(toast.reloptions, '{}')::text[] AS toast_options,
       ARRAY(SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid ORDER BY i.inhseqno) AS parents,
       CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END AS bound,
       CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS partition_key,
       EXISTS (SELECT FROM pg_catalog.pg_partitioned_table p
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = ANY (p.partattrs)
                WHERE p.partrelid = c.oid AND a.attgenerated <> '') AS key_has_generated,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END AS definition,
       fs.srvname::text AS server, coalesce(ft.ftoptions, '{}')::text[] AS foreign_options,
       c.relreplident::text AS replica_identity, c.relrowsecurity, c.relforcerowsecurity, c.relispopulated,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid) END AS heap_bytes,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.reltoastrelid) END AS toast_bytes,
       CASE WHEN c.reltuples > 0 OR c.relpages > 0 THEN c.reltuples::pg_catalog.int8 END AS rows
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_class toast ON toast.oid = c.reltoastrelid
  LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
  LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = c.reltablespace
  LEFT JOIN pg_catalog.pg_foreign_table ft ON ft.ftrelid = c.oid
  LEFT JOIN pg_catalog.pg_foreign_server fs ON fs.oid = ft.ftserver
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_depend d
                          WHERE d.classid = c.tableoid AND d.objid = c.oid AND d.deptype = 'e')
            THEN c.oid = ANY ($1::pg_catalog.oid[])
                 OR EXISTS (SELECT FROM pg_catalog.pg_inherits i
                             WHERE i.inhparent = c.oid
                               AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                                                WHERE d.classid = c.tableoid AND d.objid = i.inhrelid AND d.deptype = 'e'))
            ELSE c.relkind <> 'S' END
 ORDER BY c.oid
