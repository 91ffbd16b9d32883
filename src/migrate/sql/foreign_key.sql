-- The columns of a foreign key, those that it refers to, and the operators that compare a referenced column with its own.
-- $1: the oid of its row. One row.
SELECT (SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.place)
          FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY k(number, place)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number) AS columns,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.place)
          FROM pg_catalog.unnest(c.confkey) WITH ORDINALITY k(number, place)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number) AS referenced,
       (SELECT pg_catalog.array_agg(pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) ORDER BY k.place)
          FROM pg_catalog.unnest(c.conpfeqop) WITH ORDINALITY k(oid, place)
          JOIN pg_catalog.pg_operator o ON o.oid = k.oid
          JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace) AS operators
  FROM pg_catalog.pg_constraint c
 WHERE c.oid = $1
