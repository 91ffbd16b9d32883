-- Positions of relations that do not exist although their extension exists in that version.
-- $1 extensions, $2 versions, $3 schemas, $4 names.
SELECT m.place
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                  pg_catalog.unnest($4::text[])) WITH ORDINALITY m(extension, version, schema, name, place)
 WHERE EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = m.extension AND e.extversion = m.version)
   AND pg_catalog.to_regclass(pg_catalog.format('%I.%I', m.schema, m.name)) IS NULL
 ORDER BY 1
