-- Conversions between encodings that users made.
SELECT c.oid, n.nspname::text AS schema, c.conname::text AS name, pg_catalog.pg_get_userbyid(c.conowner)::text AS owner,
       pg_catalog.pg_encoding_to_char(c.conforencoding)::text AS source, pg_catalog.pg_encoding_to_char(c.contoencoding)::text AS target,
       c.conproc::text AS function, c.condefault
  FROM pg_catalog.pg_conversion c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = c.tableoid AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY c.oid
