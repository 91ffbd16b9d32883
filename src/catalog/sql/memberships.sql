-- Role memberships. Names of roles that no longer exist are NULL.
SELECT role.rolname::text AS role,
       member.rolname::text AS member,
       grantor.rolname::text AS grantor,
       m.admin_option AS admin,
       (pg_catalog.to_jsonb(m) ->> 'inherit_option')::boolean AS inherit,
       (pg_catalog.to_jsonb(m) ->> 'set_option')::boolean AS set
  FROM pg_catalog.pg_auth_members m
  LEFT JOIN pg_catalog.pg_roles role ON role.oid = m.roleid
  LEFT JOIN pg_catalog.pg_roles member ON member.oid = m.member
  LEFT JOIN pg_catalog.pg_roles grantor ON grantor.oid = m.grantor
 ORDER BY 1, 2, 3
