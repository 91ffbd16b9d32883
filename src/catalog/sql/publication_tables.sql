-- Tables of publications. Columns that a version lacks mean those of `absent`.
SELECT r.oid, r.prpubid AS publication, n.nspname::text AS schema, c.relname::text AS name,
       pg_catalog.pg_get_expr(r.condition, r.prrelid) AS condition,
       ARRAY(SELECT a.attname::text
               FROM pg_catalog.unnest(r.columns::int2[]) WITH ORDINALITY u(number, position)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = u.number
              ORDER BY u.position) AS columns
  FROM (SELECT x.*
          FROM (SELECT NULL::pg_catalog.pg_node_tree AS prqual, NULL::pg_catalog.int2vector AS prattrs) absent,
       LATERAL (SELECT oid, prpubid, prrelid, prqual AS condition, prattrs AS columns FROM pg_catalog.pg_publication_rel) x) r
  JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 ORDER BY n.nspname, c.relname
