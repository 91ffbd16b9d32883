-- Text search parsers, templates, dictionaries and configurations of users. definition: the text between the
-- parentheses of CREATE. tokens, dictionaries: parallel arrays.
WITH member AS MATERIALIZED (
  SELECT classid, objid FROM pg_catalog.pg_depend
   WHERE deptype = 'e' AND refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass),
mapping AS (
  SELECT m.mapcfg, m.maptokentype,
         pg_catalog.string_agg(m.mapdict::pg_catalog.regdictionary::text, ', ' ORDER BY m.mapseqno) AS dictionaries
    FROM pg_catalog.pg_ts_config_map m
   GROUP BY 1, 2),
object AS (
  SELECT 'parser' AS kind, p.tableoid AS class, p.oid, p.prsnamespace AS namespace, p.prsname::text AS name, 0::pg_catalog.oid AS owner,
         pg_catalog.concat_ws(', ',
           'START = ' || p.prsstart::text, 'GETTOKEN = ' || p.prstoken::text, 'END = ' || p.prsend::text,
           CASE WHEN p.prsheadline <> 0 THEN 'HEADLINE = ' || p.prsheadline::text END,
           'LEXTYPES = ' || p.prslextype::text) AS definition,
         '{}'::text[] AS tokens, '{}'::text[] AS dictionaries
    FROM pg_catalog.pg_ts_parser p
  UNION ALL
  SELECT 'template', t.tableoid, t.oid, t.tmplnamespace, t.tmplname::text, 0,
         pg_catalog.concat_ws(', ',
           CASE WHEN t.tmplinit <> 0 THEN 'INIT = ' || t.tmplinit::text END, 'LEXIZE = ' || t.tmpllexize::text), '{}', '{}'
    FROM pg_catalog.pg_ts_template t
  UNION ALL
  SELECT 'dictionary', d.tableoid, d.oid, d.dictnamespace, d.dictname::text, d.dictowner,
         'TEMPLATE = ' || pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.tmplname)
           || coalesce(', ' || d.dictinitoption, ''), '{}', '{}'
    FROM pg_catalog.pg_ts_dict d
    JOIN pg_catalog.pg_ts_template t ON t.oid = d.dicttemplate
    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.tmplnamespace
  UNION ALL
  SELECT 'configuration', c.tableoid, c.oid, c.cfgnamespace, c.cfgname::text, c.cfgowner,
         'PARSER = ' || pg_catalog.quote_ident(pn.nspname) || '.' || pg_catalog.quote_ident(p.prsname),
         ARRAY(SELECT k.alias FROM mapping m JOIN pg_catalog.ts_token_type(c.cfgparser) k ON k.tokid = m.maptokentype
                WHERE m.mapcfg = c.oid ORDER BY m.maptokentype),
         ARRAY(SELECT m.dictionaries FROM mapping m JOIN pg_catalog.ts_token_type(c.cfgparser) k ON k.tokid = m.maptokentype
                WHERE m.mapcfg = c.oid ORDER BY m.maptokentype)
    FROM pg_catalog.pg_ts_config c
    JOIN pg_catalog.pg_ts_parser p ON p.oid = c.cfgparser
    JOIN pg_catalog.pg_namespace pn ON pn.oid = p.prsnamespace
   WHERE c.oid >= 16384)
SELECT o.kind, o.oid, n.nspname::text AS schema, o.name,
       CASE WHEN o.owner <> 0 THEN pg_catalog.pg_get_userbyid(o.owner)::text END AS owner,
       o.definition, o.tokens, o.dictionaries
  FROM object o
  JOIN pg_catalog.pg_namespace n ON n.oid = o.namespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM member m WHERE m.classid = o.class AND m.objid = o.oid)
 ORDER BY o.oid
