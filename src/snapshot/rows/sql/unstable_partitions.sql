-- Leaf partitions below a hash-partitioned table whose hashes may differ in another cluster, with the
-- topmost such table. Hashes of enums depend on OIDs, those of text with a nondeterministic collation
-- on its library. Those of user-defined operator classes and of expressions are unknown.
-- No parameters.
WITH RECURSIVE unstable AS (
  SELECT p.partrelid
    FROM pg_catalog.pg_partitioned_table p
   WHERE p.partstrat = 'h'
     AND (p.partexprs IS NOT NULL
          OR EXISTS (SELECT
                       FROM ROWS FROM (pg_catalog.unnest(p.partclass::pg_catalog.oid[]),
                                       pg_catalog.unnest(p.partcollation::pg_catalog.oid[])) AS k (class, coll)
                       JOIN pg_catalog.pg_opclass o ON o.oid = k.class
                       LEFT JOIN pg_catalog.pg_collation c ON c.oid = k.coll
                      WHERE o.oid >= 16384
                         OR c.collisdeterministic IS FALSE
                         OR o.opcintype IN (SELECT t.oid FROM pg_catalog.pg_type t
                                             WHERE t.typname IN ('anyenum', 'anyarray', 'anyrange',
                                                                 'anymultirange', 'record')
                                               AND t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace)))
), below AS (
  SELECT u.partrelid AS through, u.partrelid AS member, 0 AS depth FROM unstable u
  UNION ALL
  SELECT b.through, i.inhrelid, b.depth + 1
    FROM below b
    JOIN pg_catalog.pg_inherits i ON i.inhparent = b.member
)
SELECT DISTINCT ON (b.member) b.member, n.nspname::text, c.relname::text
  FROM below b
  JOIN pg_catalog.pg_class leaf ON leaf.oid = b.member AND leaf.relkind = 'r'
  JOIN pg_catalog.pg_class c ON c.oid = b.through
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 ORDER BY b.member, b.depth DESC
