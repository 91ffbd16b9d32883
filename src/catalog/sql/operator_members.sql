-- Operators and functions of operator families. owner: the operator class that contains it, or the family if it is
-- loose there. A sort family (FOR ORDER BY) is a dependency as well, but not an owner.
SELECT d.refclassid AS owner_class, d.refobjid AS owner, m.class, m.oid, m.definition
  FROM (SELECT o.tableoid AS class, o.oid, o.amopfamily AS family, 1 AS rank, o.amopstrategy AS number,
               'OPERATOR ' || o.amopstrategy || ' ' || o.amopopr::pg_catalog.regoperator::text
                 || coalesce(' FOR ORDER BY ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(f.opfname), '')
                 AS definition
          FROM pg_catalog.pg_amop o
          LEFT JOIN pg_catalog.pg_opfamily f ON f.oid = o.amopsortfamily
          LEFT JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
         WHERE o.oid >= 16384
        UNION ALL
        SELECT p.tableoid, p.oid, p.amprocfamily, 2, p.amprocnum,
               'FUNCTION ' || p.amprocnum || ' (' || pg_catalog.format_type(p.amproclefttype, NULL) || ', '
                 || pg_catalog.format_type(p.amprocrighttype, NULL) || ') ' || p.amproc::pg_catalog.regprocedure::text
          FROM pg_catalog.pg_amproc p
         WHERE p.oid >= 16384) m
  JOIN pg_catalog.pg_depend d ON d.classid = m.class AND d.objid = m.oid
 WHERE d.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass
    OR d.refclassid = 'pg_catalog.pg_opfamily'::pg_catalog.regclass AND d.refobjid = m.family
 ORDER BY 1, 2, m.rank, m.number, m.definition
