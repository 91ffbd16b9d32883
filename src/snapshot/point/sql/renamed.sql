-- Objects whose names the server writes into definitions from its latest catalogs, not from the snapshot.
-- version identifies a state of the object. Tables are excluded: their locks protect them. Of other relations only
-- the name counts: REFRESH assigns a new file.
-- $1: OIDs, or NULL for all objects that transaction $2 or a later one wrote.
-- $2: the oldest transaction that the snapshot may not see, as text.
WITH object(kind, oid, xmin, name, version) AS (
  SELECT 'schema', n.oid, n.xmin, n.nspname::text, n.xmin::text || n.ctid::text FROM pg_catalog.pg_namespace n
   WHERE n.nspname !~ '^pg_(temp|toast_temp)_'
  UNION ALL
  SELECT 'routine', p.oid, p.xmin, p.proname::text, p.xmin::text || p.ctid::text FROM pg_catalog.pg_proc p
  UNION ALL
  SELECT 'type', t.oid, t.xmin, t.typname::text, t.typnamespace || t.typname
    FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
   WHERE COALESCE(c.relkind, 'c') = 'c' AND t.typcategory <> 'A'
  UNION ALL
  SELECT 'label', e.oid, e.xmin, e.enumlabel::text, e.xmin::text || e.ctid::text FROM pg_catalog.pg_enum e
  UNION ALL
  SELECT 'relation', c.oid, c.xmin, c.relname::text, c.relnamespace || ' ' || c.relname FROM pg_catalog.pg_class c
   WHERE c.relkind IN ('v', 'm', 'S', 'f', 'c') AND c.relpersistence <> 't'
  UNION ALL
  SELECT 'columns of', a.attrelid, a.xmin, c.relname::text, a.attnum || ' ' || a.attname
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
   WHERE c.relkind IN ('v', 'm', 'f', 'c') AND c.relpersistence <> 't' AND a.attnum > 0
  UNION ALL
  SELECT 'operator', o.oid, o.xmin, o.oprname::text, o.xmin::text || o.ctid::text FROM pg_catalog.pg_operator o
  UNION ALL
  SELECT 'collation', l.oid, l.xmin, l.collname::text, l.collnamespace || ' ' || l.collname FROM pg_catalog.pg_collation l
  UNION ALL
  SELECT 'operator class', k.oid, k.xmin, k.opcname::text, k.xmin::text || k.ctid::text FROM pg_catalog.pg_opclass k
  UNION ALL
  SELECT 'text search configuration', f.oid, f.xmin, f.cfgname::text, f.xmin::text || f.ctid::text
    FROM pg_catalog.pg_ts_config f
  UNION ALL
  SELECT 'text search dictionary', d.oid, d.xmin, d.dictname::text, d.xmin::text || d.ctid::text
    FROM pg_catalog.pg_ts_dict d)
SELECT kind, oid, name, version FROM object
 -- xmin of a frozen row may look younger than it is; then the version is equal.
 WHERE CASE WHEN $1 IS NULL THEN pg_catalog.age(xmin) <= pg_catalog.age($2::text::pg_catalog.xid) ELSE oid = ANY ($1) END
 ORDER BY kind, oid, version
