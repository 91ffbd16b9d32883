-- Constraints of tables and domains, without foreign keys that the server clones to partitions and without
-- constraint triggers. Columns that a version lacks resolve to `absent`.
SELECT k.oid, k.conname::text AS name, k.contype::text AS kind, k.conrelid AS relation, k.contypid AS domain,
       k.conindid AS index, k.confrelid AS referenced, k.conislocal, k.connoinherit, k.convalidated,
       k.condeferrable, k.condeferred, k.enforced, k.temporal,
       CASE WHEN k.contype = 'n' THEN k.conkey[1] END AS column_number,
       pg_catalog.pg_get_constraintdef(k.oid) AS definition
  FROM (SELECT x.*
          FROM (SELECT true AS conenforced, false AS conperiod) absent,
       LATERAL (SELECT oid, conname, contype, conrelid, contypid, conindid, confrelid, conparentid, conislocal, connoinherit,
                       convalidated, condeferrable, condeferred, conkey, connamespace,
                       conenforced AS enforced, conperiod AS temporal
                  FROM pg_catalog.pg_constraint) x) k
  LEFT JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  LEFT JOIN pg_catalog.pg_type t ON t.oid = k.contypid
  JOIN pg_catalog.pg_namespace n ON n.oid = coalesce(c.relnamespace, t.typnamespace)
 WHERE k.contype IN ('c', 'n', 'p', 'u', 'x', 'f')
   AND (k.contype <> 'f' OR k.conparentid = 0)
   AND (c.relkind IS NULL OR c.relkind IN ('r', 'p', 'f')) AND c.relpersistence IS DISTINCT FROM 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY k.oid
