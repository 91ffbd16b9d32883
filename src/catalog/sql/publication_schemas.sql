-- Schemas of publications, since 15.
SELECT s.oid, s.pnpubid AS publication, n.nspname::text AS name
  FROM pg_catalog.pg_publication_namespace s
  JOIN pg_catalog.pg_namespace n ON n.oid = s.pnnspid
 ORDER BY n.nspname
