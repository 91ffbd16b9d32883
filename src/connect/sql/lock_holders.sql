-- Sessions that hold or await a conflicting lock on a relation or a large object of this database.
-- A prepared transaction has no process: the virtual transaction of its locks leads to its ID.
-- $1 text[]: lock modes
-- $2 int4[]: process IDs to ignore
-- $3 bool: large objects instead of relations
SELECT l.pid,
       x.gid,
       COALESCE(a.usename::text, x.owner::text, 'unknown') AS "user",
       COALESCE(pg_catalog.round(EXTRACT(epoch FROM pg_catalog.clock_timestamp()
                                                    - COALESCE(a.xact_start, x.prepared))::numeric)::int8, 0) AS seconds,
       COALESCE(n.nspname::text || '.' || c.relname::text, 'large object ' || l.objid::text) AS relation,
       l.mode,
       l.granted,
       pg_catalog.left(COALESCE(a.query, ''), 200) AS statement
  FROM pg_catalog.pg_locks l
  LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
  LEFT JOIN pg_catalog.pg_locks t ON l.pid IS NULL AND t.pid IS NULL AND t.locktype = 'transactionid'
                                 AND t.virtualtransaction = l.virtualtransaction
  LEFT JOIN pg_catalog.pg_prepared_xacts x ON x.transaction = t.transactionid
 WHERE CASE WHEN $3 THEN l.locktype = 'object' AND l.classid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass
            ELSE l.locktype = 'relation' AND n.oid IS NOT NULL AND (n.nspname !~ '^pg_' OR l.mode = 'AccessExclusiveLock') END
   AND l.mode = ANY ($1)
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
   AND (l.pid IS NULL OR l.pid <> ALL ($2) AND l.pid <> pg_catalog.pg_backend_pid())
 ORDER BY COALESCE(a.xact_start, x.prepared), l.pid, 5
