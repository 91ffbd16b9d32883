-- Indexes of tables and materialized views, including invalid ones. Columns that a version lacks resolve to `absent`.
-- Key columns, included columns and statistics targets (expressions only) are read only where an index can have them.
SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, i.indrelid AS relation,
       pg_catalog.pg_get_indexdef(c.oid) AS definition, k.oid AS constraint_oid,
       ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY u(number, position)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.number
              WHERE k.oid IS NOT NULL AND u.position <= i.indnkeyatts ORDER BY u.position) AS key_columns,
       ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY u(number, position)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.number
              WHERE i.has_included AND u.position > i.indnkeyatts ORDER BY u.position) AS include_columns,
       i.nulls_not_distinct, coalesce(c.reloptions, '{}')::text[] AS options, ts.spcname::text AS tablespace,
       h.inhparent AS parent, i.indisvalid AND i.indisready AND i.indislive AS is_valid, i.indisclustered, i.indisreplident,
       i.indisexclusion,
       ARRAY(SELECT a.attnum FROM pg_catalog.pg_attribute a
              WHERE i.has_expressions AND a.attrelid = c.oid AND a.attstattarget >= 0 ORDER BY a.attnum) AS statistics_columns,
       ARRAY(SELECT a.attstattarget::pg_catalog.int4 FROM pg_catalog.pg_attribute a
              WHERE i.has_expressions AND a.attrelid = c.oid AND a.attstattarget >= 0 ORDER BY a.attnum) AS statistics_targets
  FROM (SELECT x.*
          FROM (SELECT false AS indnullsnotdistinct) absent,
       LATERAL (SELECT indexrelid, indrelid, indkey, indnkeyatts, indisvalid, indisready, indislive, indisclustered, indisexclusion,
                       indisreplident, indnatts > indnkeyatts AS has_included, indexprs IS NOT NULL AS has_expressions,
                       indnullsnotdistinct AS nulls_not_distinct
                  FROM pg_catalog.pg_index) x) i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_class r ON r.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = c.reltablespace
  LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid = c.oid
  LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = c.oid AND k.contype IN ('p', 'u', 'x') AND k.conrelid = i.indrelid
 WHERE r.relkind IN ('r', 'p', 'm') AND r.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY c.oid
