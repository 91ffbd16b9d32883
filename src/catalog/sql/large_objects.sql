-- Owner, comment and privileges of large objects. $1: OIDs.
SELECT m.oid,
       pg_catalog.pg_get_userbyid(m.lomowner)::text AS owner,
       pg_catalog.obj_description(m.oid, 'pg_largeobject') AS comment,
       held.items AS acl,
       base.items AS base
  FROM pg_catalog.pg_largeobject_metadata m
  CROSS JOIN LATERAL (
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
             CASE WHEN e.grantee = 0 THEN '' ELSE pg_catalog.pg_get_userbyid(e.grantee)::text END,
             pg_catalog.pg_get_userbyid(e.grantor)::text, e.privilege_type, e.is_grantable)
             ORDER BY e.position)::text AS items
      FROM pg_catalog.aclexplode(COALESCE(m.lomacl, pg_catalog.acldefault('L', m.lomowner)))
           WITH ORDINALITY e (grantor, grantee, privilege_type, is_grantable, position)) held
  CROSS JOIN LATERAL (
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
             CASE WHEN e.grantee = 0 THEN '' ELSE pg_catalog.pg_get_userbyid(e.grantee)::text END,
             pg_catalog.pg_get_userbyid(e.grantor)::text, e.privilege_type, e.is_grantable)
             ORDER BY e.position)::text AS items
      FROM pg_catalog.aclexplode(pg_catalog.acldefault('L', m.lomowner))
           WITH ORDINALITY e (grantor, grantee, privilege_type, is_grantable, position)) base
 WHERE m.oid = ANY ($1)
 ORDER BY m.oid
