-- The column by which a table can be read in ranges; no row if there is none. It is NOT NULL and the first column of a
-- valid unique btree index, the primary key if possible. Rows must be stored in that order: otherwise a range reads
-- most of the table's pages.
-- Only sort orders of the server itself: a default operator class of pg_catalog for one base type, and text with
-- collation C. Operators of extension types, arrays, enums and ranges depend on other objects. An index that was built
-- with another collation version lacks rows in range scans.
-- $1: the table's OID.
SELECT a.attname::text AS name, t.typname::text AS type
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname = 'btree'
  JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[0] AND o.opcdefault
                              AND o.opcnamespace = 'pg_catalog'::pg_catalog.regnamespace
  JOIN pg_catalog.pg_opfamily f ON f.oid = o.opcfamily AND f.opfnamespace = o.opcnamespace
  JOIN pg_catalog.pg_type t ON t.oid = o.opcintype AND t.typtype = 'b' AND t.typnamespace = o.opcnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname
                            AND s.attname = a.attname AND NOT s.inherited
  LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
  LEFT JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database() AND l.collprovider = 'd'
 WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND a.attnotnull
   AND i.indcollation[0] = a.attcollation
   AND (a.attcollation = 0 OR COALESCE(d.datcollate::text, l.collcollate::text) IN ('C', 'POSIX'))
   AND pg_catalog.abs(s.correlation) > 0.9
 ORDER BY i.indisprimary DESC, i.indexrelid
 LIMIT 1
