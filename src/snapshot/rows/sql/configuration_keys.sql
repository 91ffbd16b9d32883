-- Foreign keys from and to configuration tables of extensions, each with a query for rows without a referenced row.
-- Excludes keys that are NOT VALID, NOT ENFORCED or temporal.
-- $1 text[]: the tables' schemas, $2 text[]: their names, in the same order.
WITH wanted AS (
  SELECT c.oid
    FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS w (schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema::name
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name::name),
key AS (
  SELECT f.oid, f.conname, f.conrelid, f.confrelid, f.conkey, f.confkey, f.conpfeqop
    FROM pg_catalog.pg_constraint f
   WHERE f.contype = 'f' AND f.conparentid = 0 AND f.convalidated
     AND coalesce((pg_catalog.to_jsonb(f) ->> 'conenforced')::bool, true)
     AND NOT coalesce((pg_catalog.to_jsonb(f) ->> 'conperiod')::bool, false)
     AND (f.conrelid IN (SELECT oid FROM wanted) OR f.confrelid IN (SELECT oid FROM wanted))),
side AS (
  SELECT k.oid, p.position,
         'f.' || pg_catalog.quote_ident(a.attname) AS own, 'k.' || pg_catalog.quote_ident(b.attname) AS other,
         pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) AS equals
    FROM key k
   CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey), pg_catalog.unnest(k.conpfeqop))
                 WITH ORDINALITY AS p (own, other, operator, position)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.own
    JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = p.other
    JOIN pg_catalog.pg_operator o ON o.oid = p.operator
    JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace)
SELECT pg_catalog.format('foreign key %s of %s: a row refers to no row of %s',
                         k.conname, k.conrelid::pg_catalog.regclass, k.confrelid::pg_catalog.regclass) AS message,
       pg_catalog.format('SELECT FROM %s f WHERE %s AND NOT EXISTS (SELECT FROM %s k WHERE %s)',
                         k.conrelid::pg_catalog.regclass, pg_catalog.string_agg(s.own || ' IS NOT NULL', ' AND ' ORDER BY s.position),
                         k.confrelid::pg_catalog.regclass,
                         pg_catalog.string_agg(pg_catalog.concat_ws(' ', s.other, s.equals, s.own), ' AND ' ORDER BY s.position)) AS orphans
  FROM key k JOIN side s ON s.oid = k.oid
 GROUP BY k.oid, k.conname, k.conrelid, k.confrelid
 ORDER BY k.oid
