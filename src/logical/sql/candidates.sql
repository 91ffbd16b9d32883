-- Tables whose changes can be published, with the columns that identify old rows. No parameters.
-- A type has equality, as in GetDefaultOpClass and lookup_type_cache, if it or a binary-coercible type
-- has a default btree or hash operator class. Enums and ranges have equality. Domains, arrays and rows
-- depend on their parts.
WITH RECURSIVE candidate AS (
  SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.relreplident, c.relowner, n.nspname,
         CASE WHEN c.relkind = 'p' OR c.relispartition THEN pg_catalog.pg_partition_root(c.oid)::pg_catalog.oid END AS root
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'f')
     AND c.relpersistence <> 't'
     AND n.nspname <> 'information_schema'
     AND n.nspname !~ '^pg_'
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = c.tableoid AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e')
), stored AS (
  SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.attnotnull, a.attgenerated
    FROM pg_catalog.pg_attribute a
    JOIN candidate c ON c.oid = a.attrelid
   WHERE a.attnum > 0 AND NOT a.attisdropped
), part (whole, member) AS (
  SELECT DISTINCT s.atttypid, s.atttypid FROM stored s
  UNION
  SELECT p.whole, below.oid
    FROM part p
    JOIN pg_catalog.pg_type t ON t.oid = p.member
   CROSS JOIN LATERAL (
         SELECT t.typbasetype WHERE t.typtype = 'd'
         UNION ALL
         SELECT t.typelem WHERE t.typtype = 'b' AND t.typelem <> 0 AND t.typlen = -1
         UNION ALL
         SELECT a.atttypid FROM pg_catalog.pg_attribute a
          WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) below (oid)
), unequal AS MATERIALIZED (
  SELECT DISTINCT p.whole
    FROM part p
    JOIN pg_catalog.pg_type t ON t.oid = p.member
   WHERE t.typtype = 'b'
     AND NOT (t.typelem <> 0 AND t.typlen = -1)
     AND NOT EXISTS (
           SELECT
             FROM pg_catalog.pg_opclass o
             JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod AND m.amname IN ('btree', 'hash')
             JOIN pg_catalog.pg_type taken ON taken.oid = o.opcintype
            WHERE o.opcdefault
              AND (o.opcintype = t.oid
                   OR EXISTS (SELECT FROM pg_catalog.pg_cast k
                               WHERE k.castsource = t.oid AND k.casttarget = o.opcintype
                                 AND k.castmethod = 'b' AND k.castcontext = 'i'))
            GROUP BY m.amname
           HAVING pg_catalog.bool_or(o.opcintype = t.oid)
               OR pg_catalog.count(*) FILTER (WHERE taken.typispreferred AND taken.typcategory = t.typcategory) = 1
               OR pg_catalog.count(*) = 1)
), usable AS (
  -- Indexes that can be a replica identity; a chosen unique index requires NOT NULL columns.
  SELECT i.indrelid, i.indexrelid, i.indisprimary, i.indisreplident, x.relname,
         pg_catalog.array_agg(s.attname::text ORDER BY s.attname) AS columns,
         COALESCE(pg_catalog.array_agg(s.attname::text ORDER BY s.attname) FILTER (WHERE s.attgenerated <> ''), '{}') AS generated,
         pg_catalog.bool_and(s.attnotnull) AS without_null,
         pg_catalog.count(*) AS width
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
   CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place)
    JOIN stored s ON s.attrelid = i.indrelid AND s.attnum = k.attnum
   WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
     AND k.place <= i.indnkeyatts
   GROUP BY i.indrelid, i.indexrelid, i.indisprimary, i.indisreplident, x.relname
), fitting AS MATERIALIZED (
  SELECT DISTINCT ON (u.indrelid) u.indrelid, u.relname
    FROM usable u
   WHERE u.without_null AND u.generated = '{}'
   ORDER BY u.indrelid, u.indisprimary DESC, u.width, u.relname
), trait AS MATERIALIZED (
  SELECT s.attrelid,
         pg_catalog.array_agg(s.attname::text ORDER BY s.attname) FILTER (WHERE s.attgenerated <> '') AS generated,
         pg_catalog.array_agg(s.attname::text ORDER BY s.attname)
           FILTER (WHERE s.attgenerated = '' AND q.whole IS NOT NULL) AS unequal
    FROM stored s
    LEFT JOIN unequal q ON q.whole = s.atttypid
   GROUP BY s.attrelid
)
SELECT c.oid, c.nspname::text AS schema_name, c.relname::text AS name, c.relkind::text AS kind,
       c.relpersistence::text AS persistence, c.root, c.relreplident::text AS identity,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS is_owned,
       chosen.columns AS key_columns, chosen.generated AS key_generated,
       (SELECT x.relname::text
          FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
         WHERE i.indrelid = c.oid AND i.indisreplident) AS identity_index,
       fitting.relname::text AS fitting, trait.generated, trait.unequal
  FROM candidate c
  LEFT JOIN usable chosen ON chosen.indrelid = c.oid
        AND CASE c.relreplident WHEN 'd' THEN chosen.indisprimary WHEN 'i' THEN chosen.indisreplident ELSE false END
  LEFT JOIN fitting ON fitting.indrelid = c.oid
  LEFT JOIN trait ON trait.attrelid = c.oid
 ORDER BY 2, 3
