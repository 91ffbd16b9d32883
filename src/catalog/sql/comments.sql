-- Comments on objects of users, each with the parts of the object's name in COMMENT ON.
-- Excludes objects of the server and of extensions, parts of their tables, and kinds that are not copied. Comments on
-- databases, roles and large objects are read with these objects.
WITH schema AS MATERIALIZED (
  SELECT oid, nspname::text AS name FROM pg_catalog.pg_namespace
   WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'),
member AS MATERIALIZED (
  SELECT classid, objid FROM pg_catalog.pg_depend
   WHERE deptype = 'e' AND refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass),
relation AS MATERIALIZED (
  SELECT c.tableoid AS class, c.oid, c.relkind::text AS relkind, s.name AS schema, c.relname::text AS name
    FROM pg_catalog.pg_class c JOIN schema s ON s.oid = c.relnamespace
   WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = c.tableoid AND m.objid = c.oid)),
-- on_schema, on_name: table or domain of a part. on_name, as SQL: name of an operator, target type of a cast.
object(kind, class, oid, sub, detail, schema, name, on_schema, on_name) AS (
  SELECT 'relation', class, oid, 0, relkind, schema, name, NULL::text, NULL::text FROM relation
  UNION ALL
  SELECT 'column', r.class, r.oid, a.attnum::int4, NULL, NULL, a.attname::text, r.schema, r.name
    FROM relation r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid
   WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  UNION ALL
  SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, t.tableoid, t.oid, 0, pg_catalog.format_type(t.oid, NULL),
         s.name, t.typname::text, NULL, NULL
    FROM pg_catalog.pg_type t JOIN schema s ON s.oid = t.typnamespace
  UNION ALL
  SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, p.tableoid, p.oid, 0,
         CASE p.prokind
           -- Since 14, OUT parameters are part of a procedure's signature.
           WHEN 'p' THEN pg_catalog.pg_get_function_identity_arguments(p.oid)
           ELSE (SELECT pg_catalog.string_agg(pg_catalog.format_type(a.type, NULL), ', ' ORDER BY a.position)
                   FROM pg_catalog.unnest(p.proargtypes::oid[]) WITH ORDINALITY a(type, position)) END,
         s.name, p.proname::text, NULL, NULL
    FROM pg_catalog.pg_proc p JOIN schema s ON s.oid = p.pronamespace
  UNION ALL
  SELECT 'constraint', k.tableoid, k.oid, 0, k.contype::text, NULL, k.conname::text, r.schema, r.name
    FROM pg_catalog.pg_constraint k JOIN relation r ON r.oid = k.conrelid
  UNION ALL
  SELECT 'domain constraint', k.tableoid, k.oid, 0, k.contype::text, NULL, k.conname::text, s.name, t.typname::text
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_type t ON t.oid = k.contypid
    JOIN schema s ON s.oid = t.typnamespace
   WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = t.tableoid AND m.objid = t.oid)
  UNION ALL
  SELECT 'trigger', g.tableoid, g.oid, 0, NULL, NULL, g.tgname::text, r.schema, r.name
    FROM pg_catalog.pg_trigger g JOIN relation r ON r.oid = g.tgrelid
   -- Before 15, triggers cloned to partitions are internal, as are those of constraints.
   WHERE NOT g.tgisinternal OR g.tgconstraint = 0
  UNION ALL
  SELECT 'policy', p.tableoid, p.oid, 0, NULL, NULL, p.polname::text, r.schema, r.name
    FROM pg_catalog.pg_policy p JOIN relation r ON r.oid = p.polrelid
  UNION ALL
  SELECT 'rule', w.tableoid, w.oid, 0, NULL, NULL, w.rulename::text, r.schema, r.name
    FROM pg_catalog.pg_rewrite w JOIN relation r ON r.oid = w.ev_class
  UNION ALL
  SELECT 'collation', c.tableoid, c.oid, 0, NULL, s.name, c.collname::text, NULL, NULL
    FROM pg_catalog.pg_collation c JOIN schema s ON s.oid = c.collnamespace
  UNION ALL
  SELECT 'cast', c.tableoid, c.oid, 0, pg_catalog.format_type(c.castsource, NULL), NULL, '', NULL, pg_catalog.format_type(c.casttarget, NULL)
    FROM pg_catalog.pg_cast c
   WHERE c.oid >= 16384
  UNION ALL
  SELECT 'transform', t.tableoid, t.oid, 0, pg_catalog.format_type(t.trftype, NULL), NULL, l.lanname::text, NULL, NULL
    FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang
  UNION ALL
  SELECT 'conversion', c.tableoid, c.oid, 0, NULL, s.name, c.conname::text, NULL, NULL
    FROM pg_catalog.pg_conversion c JOIN schema s ON s.oid = c.connamespace
  UNION ALL
  SELECT 'operator', o.tableoid, o.oid, 0,
         CASE o.oprleft WHEN 0 THEN 'NONE' ELSE pg_catalog.format_type(o.oprleft, NULL) END || ', '
           || CASE o.oprright WHEN 0 THEN 'NONE' ELSE pg_catalog.format_type(o.oprright, NULL) END,
         s.name, o.oprname::text, NULL, pg_catalog.quote_ident(s.name) || '.' || o.oprname
    FROM pg_catalog.pg_operator o JOIN schema s ON s.oid = o.oprnamespace
  UNION ALL
  SELECT 'operator family', f.tableoid, f.oid, 0, m.amname::text, s.name, f.opfname::text, NULL, NULL
    FROM pg_catalog.pg_opfamily f JOIN schema s ON s.oid = f.opfnamespace JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod
  UNION ALL
  SELECT 'operator class', c.tableoid, c.oid, 0, m.amname::text, s.name, c.opcname::text, NULL, NULL
    FROM pg_catalog.pg_opclass c JOIN schema s ON s.oid = c.opcnamespace JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod
  UNION ALL
  SELECT 'language', l.tableoid, l.oid, 0, NULL, NULL, l.lanname::text, NULL, NULL
    FROM pg_catalog.pg_language l
   WHERE l.oid >= 16384
  UNION ALL
  SELECT 'access method', a.tableoid, a.oid, 0, NULL, NULL, a.amname::text, NULL, NULL
    FROM pg_catalog.pg_am a
   WHERE a.oid >= 16384
  UNION ALL
  SELECT 'search', p.tableoid, p.oid, 0, 'parser', s.name, p.prsname::text, NULL, NULL
    FROM pg_catalog.pg_ts_parser p JOIN schema s ON s.oid = p.prsnamespace
  UNION ALL
  SELECT 'search', t.tableoid, t.oid, 0, 'template', s.name, t.tmplname::text, NULL, NULL
    FROM pg_catalog.pg_ts_template t JOIN schema s ON s.oid = t.tmplnamespace
  UNION ALL
  SELECT 'search', d.tableoid, d.oid, 0, 'dictionary', s.name, d.dictname::text, NULL, NULL
    FROM pg_catalog.pg_ts_dict d JOIN schema s ON s.oid = d.dictnamespace
  UNION ALL
  SELECT 'search', f.tableoid, f.oid, 0, 'configuration', s.name, f.cfgname::text, NULL, NULL
    FROM pg_catalog.pg_ts_config f JOIN schema s ON s.oid = f.cfgnamespace
  UNION ALL
  SELECT 'wrapper', w.tableoid, w.oid, 0, NULL, NULL, w.fdwname::text, NULL, NULL FROM pg_catalog.pg_foreign_data_wrapper w
  UNION ALL
  SELECT 'server', v.tableoid, v.oid, 0, NULL, NULL, v.srvname::text, NULL, NULL FROM pg_catalog.pg_foreign_server v
  UNION ALL
  SELECT 'publication', p.tableoid, p.oid, 0, NULL, NULL, p.pubname::text, NULL, NULL FROM pg_catalog.pg_publication p
  UNION ALL
  SELECT 'event trigger', e.tableoid, e.oid, 0, NULL, NULL, e.evtname::text, NULL, NULL FROM pg_catalog.pg_event_trigger e
  UNION ALL
  SELECT 'statistics', x.tableoid, x.oid, 0, NULL, s.name, x.stxname::text, NULL, NULL
    FROM pg_catalog.pg_statistic_ext x JOIN schema s ON s.oid = x.stxnamespace)
SELECT 'schema' AS kind, n.tableoid AS class, n.oid, 0 AS sub, NULL AS detail, NULL AS schema, s.name, NULL AS on_schema, NULL AS on_name,
       d.description
  FROM pg_catalog.pg_namespace n
  JOIN schema s ON s.oid = n.oid
  LEFT JOIN pg_catalog.pg_description d ON d.classoid = n.tableoid AND d.objoid = n.oid AND d.objsubid = 0
 -- A new database has this comment on schema public. Only another one, or none, is a change.
 WHERE CASE n.nspname WHEN 'public' THEN d.description IS DISTINCT FROM 'standard public schema' ELSE d.description IS NOT NULL END
   AND NOT EXISTS (SELECT FROM member m WHERE m.classid = n.tableoid AND m.objid = n.oid)
UNION ALL
SELECT 'extension', e.tableoid, e.oid, 0, NULL, NULL, e.extname::text, NULL, NULL, d.description
  FROM pg_catalog.pg_extension e
  LEFT JOIN pg_catalog.pg_description d ON d.classoid = e.tableoid AND d.objoid = e.oid AND d.objsubid = 0
 -- CREATE EXTENSION sets the control file's comment, which varies with the version.
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_available_extension_versions v
                    WHERE v.name = e.extname AND v.comment IS NOT DISTINCT FROM d.description)
   AND NOT (d.description IS NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions a WHERE a.name = e.extname))
UNION ALL
SELECT o.kind, o.class, o.oid, o.sub, o.detail, o.schema, o.name, o.on_schema, o.on_name, d.description
  FROM object o
  JOIN pg_catalog.pg_description d ON d.classoid = o.class AND d.objoid = o.oid AND d.objsubid = o.sub
 WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = o.class AND m.objid = o.oid)
 ORDER BY 2, 3, 4
