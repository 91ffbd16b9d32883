-- Owners of large objects with their number, and roles that granted privileges on some. No parameters.
SELECT pg_catalog.pg_get_userbyid(m.lomowner)::text AS role, pg_catalog.count(*) AS owned
  FROM pg_catalog.pg_largeobject_metadata m
 GROUP BY 1
UNION ALL
SELECT DISTINCT r.rolname::text, 0::int8
  FROM pg_catalog.pg_largeobject_metadata m,
       LATERAL pg_catalog.aclexplode(m.lomacl) a
  JOIN pg_catalog.pg_roles r ON r.oid = a.grantor
