-- Parts of objects that contain expressions: the owning object, and an address that is valid on another server.
-- $1 oid[]: catalogs, $2 oid[]: OIDs of the objects in them.
SELECT part.owner_class, part.owner_oid, part.class, part.oid, address.type AS kind, address.object_names AS names,
       address.object_args AS arguments
  FROM (SELECT o.class AS owner_class, o.oid AS owner_oid, o.class, o.oid
          FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) o(class, oid)
         UNION ALL
        SELECT o.class, o.oid, e.tableoid, e.oid
          FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) o(class, oid)
          JOIN pg_catalog.pg_attrdef e ON o.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.adrelid = o.oid
         UNION ALL
        SELECT o.class, o.oid, k.tableoid, k.oid
          FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.oid[])) o(class, oid)
          JOIN pg_catalog.pg_constraint k ON k.contype = 'c'
           AND (o.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND k.conrelid = o.oid
                OR o.class = 'pg_catalog.pg_type'::pg_catalog.regclass AND k.contypid = o.oid)) part,
       pg_catalog.pg_identify_object_as_address(part.class, part.oid, 0) address
 ORDER BY part.owner_class, part.owner_oid, part.class, part.oid
