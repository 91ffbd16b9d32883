-- Columns of tables, foreign tables, views, materialized views and composite types. Columns that a version lacks
-- resolve to `absent`. Of `attoptions`, only options that users can set: some servers store marks there.
SELECT a.attrelid AS relation, a.attnum AS number, a.attname::text AS name, a.atttypid AS type_oid,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type_name,
       CASE WHEN a.attcollation <> t.typcollation THEN k.collname::text END AS collation, kn.nspname::text AS collation_schema,
       e.oid AS default_oid, pg_catalog.pg_get_expr(e.adbin, e.adrelid) AS default_expression,
       a.attgenerated::text AS generated, a.attidentity::text AS identity, a.attnotnull, a.attislocal,
       CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END AS storage,
       nullif(a.compression::text, '') AS compression,
       CASE WHEN a.attstattarget >= 0 THEN a.attstattarget::pg_catalog.int4 END AS statistics,
       ARRAY(SELECT o FROM pg_catalog.unnest(a.attoptions) o WHERE o ~ '^n_distinct(_inherited)?=') AS options,
       coalesce(a.attfdwoptions, '{}')::text[] AS foreign_options
  FROM (SELECT x.*
          FROM (SELECT ''::"char" AS attcompression) absent,
       LATERAL (SELECT attrelid, attnum, attname, atttypid, atttypmod, attcollation, attgenerated, attidentity, attnotnull,
                       attislocal, attstorage, attstattarget, attoptions, attfdwoptions, attisdropped, attcompression AS compression
                  FROM pg_catalog.pg_attribute) x) a
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
  LEFT JOIN pg_catalog.pg_collation k ON k.oid = a.attcollation
  LEFT JOIN pg_catalog.pg_namespace kn ON kn.oid = k.collnamespace
 WHERE a.attnum > 0 AND NOT a.attisdropped
   AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY a.attrelid, a.attnum
