-- The column by whose values a table can be read in ranges: not null, the first of a valid unique
-- btree index with the type's own order, and rows lie in that order: otherwise a range reads most
-- of the table's pages. The primary key's where there are several. No row where there is none.
-- $1: the table's oid.
SELECT a.attname::text AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname = 'btree'
  JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[0] AND o.opcdefault
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname
                            AND s.attname = a.attname AND NOT s.inherited
 WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND a.attnotnull
   AND pg_catalog.abs(s.correlation) > 0.9
 ORDER BY i.indisprimary DESC, i.indexrelid
 LIMIT 1
