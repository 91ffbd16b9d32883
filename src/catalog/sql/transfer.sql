-- Columns whose values cannot be copied in binary format, with the part of the type that prevents it.
-- $1 bool: the target accepts only its own type OIDs in arrays and rows (before 14)
-- $2 bool: the source has infinite intervals and the target does not (17)
-- $3 bool: the target is older, so its extensions may be older
WITH RECURSIVE
stored AS MATERIALIZED (
  SELECT a.attrelid, a.attnum, a.attname::text AS attname, a.atttypid
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'),
-- Parts of types. writes_oid: the binary format contains the part's OID.
component(whole, part, writes_oid) AS MATERIALIZED (
  SELECT t.oid, t.typelem, true FROM pg_catalog.pg_type t WHERE t.typelem <> 0
  UNION ALL
  SELECT t.oid, t.typbasetype, false FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
  UNION ALL
  SELECT t.oid, a.atttypid, true
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid
   WHERE t.typrelid <> 0 AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT r.rngtypid, r.rngsubtype, false FROM pg_catalog.pg_range r
  UNION ALL
  SELECT m.multirange, m.range, false
    FROM (SELECT (pg_catalog.to_jsonb(r) ->> 'rngmultitypid')::oid AS multirange, r.rngtypid AS range
            FROM pg_catalog.pg_range r) m
   WHERE m.multirange <> 0),
reach(root, type, writes_oid) AS (
  SELECT DISTINCT s.atttypid, s.atttypid, false FROM stored s
  UNION
  SELECT r.root, c.part, c.writes_oid FROM reach r JOIN component c ON c.whole = r.type),
forbidden AS (
  SELECT DISTINCT r.root, r.type, why.reason
    FROM reach r
    JOIN pg_catalog.pg_type t ON t.oid = r.type
    CROSS JOIN LATERAL (VALUES
      ('object identifier', t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AND t.typname ~ '^reg' AND t.typtype = 'b'
                            AND t.typcategory = 'N'),
      ('no binary form', t.typtype = 'b' AND (t.typsend = 0 OR t.typreceive = 0)),
      -- tsquery_send writes an empty query that tsqueryrecv rejects, in all versions so far.
      ('refused by receive', r.type = 'pg_catalog.tsquery'::pg_catalog.regtype),
      -- OIDs below 10000 are assigned manually and equal in every cluster.
      ('type oid', $1 AND r.writes_oid AND r.type >= 10000),
      ('infinite interval', $2 AND r.type = 'pg_catalog.interval'::pg_catalog.regtype),
      ('older extension', $3 AND t.typtype = 'b' AND t.typcategory <> 'A' AND EXISTS (
        SELECT FROM pg_catalog.pg_depend d
         WHERE d.classid = t.tableoid AND d.objid = t.oid AND d.deptype = 'e'))) why(reason, holds)
   WHERE why.holds)
SELECT s.attrelid, s.attname, pg_catalog.format_type(s.atttypid, NULL) AS type_name,
       pg_catalog.format_type(f.type, NULL) AS part, f.reason
  FROM stored s JOIN forbidden f ON f.root = s.atttypid
 ORDER BY s.attrelid, s.attnum, 5, 4
