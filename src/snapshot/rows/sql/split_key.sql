-- The column by whose values a table can be read in ranges: not null, the first of a valid unique btree index, and rows
-- lie in that order: otherwise a range reads most of the table's pages. The primary key's where there are several. No
-- row where there is none.
-- Only orders of the server itself that no other library decides: the operator class is a default one of pg_catalog for
-- one base type, and text is compared byte by byte. The operators of an extension's type, of an array, an enum or a
-- range are found or depend on what is somewhere else; an index that another version of a collation has ordered lacks
-- rows where it is searched by ranges.
-- $1: the table's oid.
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
