-- Fingerprint of the definitions: for each catalog, the number of rows and the sum of the hashes of ctid and xmin.
-- If an ordinary user may not read the catalog, the sum is over the values that definitions are read from.
-- Publications of our runs (logical/mark.rs) are excluded: they are not definitions.
WITH own AS (SELECT tableoid, oid FROM pg_catalog.pg_publication
              WHERE COALESCE(pg_catalog.obj_description(oid, 'pg_publication'), '') LIKE '{"seren_replicator":%'),
     entry AS (SELECT r.tableoid, r.oid FROM pg_catalog.pg_publication_rel r JOIN own ON own.oid = r.prpubid)
SELECT 'pg_aggregate' AS catalog, pg_catalog.count(*) AS rows, pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text AS sum FROM pg_catalog.pg_aggregate
UNION ALL SELECT 'pg_am', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_am
UNION ALL SELECT 'pg_amop', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_amop
UNION ALL SELECT 'pg_amproc', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_amproc
UNION ALL SELECT 'pg_attrdef', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_attrdef
UNION ALL SELECT 'pg_attribute', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_attribute
UNION ALL SELECT 'pg_cast', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_cast
UNION ALL SELECT 'pg_class', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_class
UNION ALL SELECT 'pg_collation', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_collation
UNION ALL SELECT 'pg_constraint', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_constraint
UNION ALL SELECT 'pg_conversion', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_conversion
UNION ALL SELECT 'pg_db_role_setting', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_db_role_setting
UNION ALL SELECT 'pg_default_acl', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_default_acl
UNION ALL SELECT 'pg_depend', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_depend
                WHERE (classid, objid) NOT IN (SELECT tableoid, oid FROM entry)
UNION ALL SELECT 'pg_description', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_description
                WHERE (classoid, objoid) NOT IN (SELECT tableoid, oid FROM own)
UNION ALL SELECT 'pg_enum', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_enum
UNION ALL SELECT 'pg_event_trigger', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_event_trigger
UNION ALL SELECT 'pg_extension', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_extension
UNION ALL SELECT 'pg_foreign_data_wrapper', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_foreign_data_wrapper
UNION ALL SELECT 'pg_foreign_server', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_foreign_server
UNION ALL SELECT 'pg_foreign_table', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_foreign_table
UNION ALL SELECT 'pg_index', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_index
UNION ALL SELECT 'pg_inherits', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_inherits
UNION ALL SELECT 'pg_init_privs', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_init_privs
UNION ALL SELECT 'pg_language', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_language
UNION ALL SELECT 'pg_namespace', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_namespace
UNION ALL SELECT 'pg_opclass', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_opclass
UNION ALL SELECT 'pg_operator', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_operator
UNION ALL SELECT 'pg_opfamily', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_opfamily
UNION ALL SELECT 'pg_partitioned_table', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_partitioned_table
UNION ALL SELECT 'pg_policy', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_policy
UNION ALL SELECT 'pg_proc', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_proc
UNION ALL SELECT 'pg_publication', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_publication
                WHERE oid NOT IN (SELECT oid FROM own)
UNION ALL SELECT 'pg_publication_rel', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_publication_rel
                WHERE oid NOT IN (SELECT oid FROM entry)
UNION ALL SELECT 'pg_range', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_range
UNION ALL SELECT 'pg_rewrite', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_rewrite
UNION ALL SELECT 'pg_seclabel', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_seclabel
UNION ALL SELECT 'pg_sequence', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_sequence
UNION ALL SELECT 'pg_shseclabel', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_shseclabel
UNION ALL SELECT 'pg_statistic_ext', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_statistic_ext
UNION ALL SELECT 'pg_tablespace', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_tablespace
UNION ALL SELECT 'pg_transform', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_transform
UNION ALL SELECT 'pg_trigger', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_trigger
UNION ALL SELECT 'pg_ts_config', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_ts_config
UNION ALL SELECT 'pg_ts_config_map', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_ts_config_map
UNION ALL SELECT 'pg_ts_dict', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_ts_dict
UNION ALL SELECT 'pg_ts_parser', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_ts_parser
UNION ALL SELECT 'pg_ts_template', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_ts_template
UNION ALL SELECT 'pg_type', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ctid::text || xmin::text, 0))::text FROM pg_catalog.pg_type
UNION ALL SELECT 'pg_roles', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat_ws(' ', oid, rolsuper, rolname), 0))::text FROM pg_catalog.pg_roles
UNION ALL SELECT 'pg_user_mappings', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(m::text, 0))::text FROM pg_catalog.pg_user_mappings m
UNION ALL SELECT 'pg_subscription', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat_ws(' ', subdbid, subname), 0))::text FROM pg_catalog.pg_subscription
UNION ALL SELECT 'pg_database', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat_ws(' ', oid, datname, datacl), 0))::text FROM pg_catalog.pg_database
 WHERE datname = pg_catalog.current_database()
 ORDER BY 1
