/* What the fixtures of tests/cases/ddl contain together, on 18: for each line of docs/schema.md the FROM clause of
   a query that finds it. The views hold users' objects only. */
CREATE TEMP VIEW rel AS SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid >= 16384 AND n.nspname !~ '^pg_'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e');
CREATE TEMP VIEW att AS SELECT a.attrelid, a.attnum, a.attname, a.atthasdef, a.attislocal, a.attinhcount, a.attidentity,
  a.attgenerated, a.attcollation, a.attstorage, a.attcompression, a.attstattarget, a.attoptions, a.attfdwoptions, a.attacl, r.relkind, r.relname, t.typstorage, t.typcollation FROM pg_attribute a JOIN rel r ON r.oid = a.attrelid
  LEFT JOIN pg_type t ON t.oid = a.atttypid WHERE a.attnum > 0 AND NOT a.attisdropped;
CREATE TEMP VIEW con AS SELECT * FROM pg_constraint WHERE oid >= 16384 AND (conrelid IN (SELECT oid FROM rel) OR contypid >= 16384);
CREATE TEMP VIEW idx AS SELECT i.*, r.relkind, r.reloptions, r.relname, r.reltablespace FROM pg_index i JOIN rel r ON r.oid = i.indexrelid;
CREATE TEMP VIEW typ AS SELECT * FROM pg_type t WHERE oid >= 16384
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e');
CREATE TEMP VIEW fun AS SELECT p.*, l.lanname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.oid >= 16384
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'));
CREATE TEMP VIEW trg AS SELECT * FROM pg_trigger WHERE NOT tgisinternal;
CREATE TEMP VIEW op AS SELECT * FROM pg_operator WHERE oid >= 16384;
CREATE TEMP VIEW commented AS SELECT d.*, c.relname AS class FROM pg_description d JOIN pg_class c ON c.oid = d.classoid WHERE d.objoid >= 16384;
CREATE TEMP VIEW granted AS
  SELECT 'table' AS kind, relowner AS owner, a.* FROM rel, aclexplode(relacl) a WHERE relkind IN ('r', 'p')
  UNION ALL SELECT 'view', relowner, a.* FROM rel, aclexplode(relacl) a WHERE relkind IN ('v', 'm')
  UNION ALL SELECT 'foreign table', relowner, a.* FROM rel, aclexplode(relacl) a WHERE relkind = 'f'
  UNION ALL SELECT 'sequence', relowner, a.* FROM rel, aclexplode(relacl) a WHERE relkind = 'S'
  UNION ALL SELECT 'column', 0, a.* FROM att, aclexplode(attacl) a
  UNION ALL SELECT 'schema', nspowner, a.* FROM pg_namespace, aclexplode(nspacl) a WHERE oid >= 16384
  UNION ALL SELECT 'routine', proowner, a.* FROM fun, aclexplode(proacl) a
  UNION ALL SELECT 'type', typowner, a.* FROM typ, aclexplode(typacl) a
  UNION ALL SELECT 'language', lanowner, a.* FROM pg_language, aclexplode(lanacl) a
  UNION ALL SELECT 'foreign data wrapper', fdwowner, a.* FROM pg_foreign_data_wrapper, aclexplode(fdwacl) a
  UNION ALL SELECT 'foreign server', srvowner, a.* FROM pg_foreign_server, aclexplode(srvacl) a;

-- schema: user schema
pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_'
-- schema: owner
pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_' AND nspowner <> 10
-- schema: public with other privileges
pg_namespace WHERE nspname = 'public' AND nspacl::text NOT LIKE '%=U/%'
-- extension: extension
pg_extension WHERE extname <> 'plpgsql'
-- extension: in a schema of its own
pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE n.nspname NOT IN ('public', 'pg_catalog')
-- extension: object that depends on one
pg_depend WHERE deptype = 'x' AND refclassid = 'pg_extension'::regclass
-- language: with a handler of the user
pg_language WHERE oid >= 16384
-- language: privileges
granted WHERE kind = 'language'
-- collation: libc
pg_collation WHERE oid >= 16384 AND collprovider = 'c'
-- collation: icu
pg_collation WHERE oid >= 16384 AND collprovider = 'i'
-- collation: builtin
pg_collation WHERE oid >= 16384 AND collprovider = 'b'
-- collation: not deterministic
pg_collation WHERE oid >= 16384 AND NOT collisdeterministic
-- collation: icu rules
pg_collation WHERE oid >= 16384 AND collicurules IS NOT NULL
-- type: enum
typ WHERE typtype = 'e'
-- type: enum with labels inserted later
pg_enum WHERE enumsortorder <> floor(enumsortorder)
-- type: composite
rel WHERE relkind = 'c'
-- type: composite with a collated attribute
att WHERE relkind = 'c' AND attcollation <> typcollation
-- type: range
pg_range WHERE rngtypid >= 16384
-- type: range with operator class, collation or difference function
pg_range WHERE rngtypid >= 16384 AND rngsubdiff <> 0
-- type: range with a canonical function
pg_range WHERE rngtypid >= 16384 AND rngcanonical <> 0
-- type: multirange with a name of its own
pg_range r JOIN typ t ON t.oid = r.rngmultitypid JOIN typ s ON s.oid = r.rngtypid WHERE t.typname <> replace(s.typname, 'range', 'multirange') AND t.typname <> s.typname || '_multirange'
-- type: base
typ WHERE typtype = 'b' AND typelem = 0
-- type: base with element type, category, default and alignment
typ WHERE typtype = 'b' AND typelem <> 0 AND typsubscript <> 'array_subscript_handler'::regproc
-- type: shell
typ WHERE typtype = 'p' AND NOT typisdefined
-- type: owner
typ WHERE typowner <> 10 AND typtype IN ('e', 'd', 'r', 'b')
-- domain: not null
typ WHERE typtype = 'd' AND typnotnull
-- domain: default
typ WHERE typtype = 'd' AND typdefault IS NOT NULL
-- domain: collation
typ t JOIN pg_type b ON b.oid = t.typbasetype WHERE t.typtype = 'd' AND t.typcollation <> b.typcollation
-- domain: over a domain
typ t JOIN typ b ON b.oid = t.typbasetype WHERE t.typtype = 'd' AND b.typtype = 'd'
-- domain: check
con WHERE contypid <> 0 AND contype = 'c'
-- domain: check not valid
con WHERE contypid <> 0 AND contype = 'c' AND NOT convalidated
-- domain: named not null
con k JOIN typ t ON t.oid = k.contypid WHERE contype = 'n' AND conname <> t.typname || '_not_null'
-- cast: by function
pg_cast WHERE oid >= 16384 AND castmethod = 'f'
-- cast: binary coercible
pg_cast WHERE oid >= 16384 AND castmethod = 'b'
-- cast: by input and output
pg_cast WHERE oid >= 16384 AND castmethod = 'i'
-- cast: implicit
pg_cast WHERE oid >= 16384 AND castcontext = 'i' AND castmethod <> 'f'
-- cast: in assignments
pg_cast WHERE oid >= 16384 AND castcontext = 'a'
-- transform: transform
pg_transform WHERE oid >= 16384
-- access method: of tables
pg_am WHERE oid >= 16384 AND amtype = 't'
-- access method: of indexes
pg_am WHERE oid >= 16384 AND amtype = 'i'
-- conversion: conversion
pg_conversion WHERE oid >= 16384
-- conversion: default
pg_conversion WHERE oid >= 16384 AND condefault
-- routine: SQL
fun WHERE lanname = 'sql' AND prosqlbody IS NULL
-- routine: SQL-standard body
fun WHERE prosqlbody IS NOT NULL
-- routine: PL/pgSQL
fun WHERE lanname = 'plpgsql'
-- routine: internal
fun WHERE lanname = 'internal'
-- routine: C
fun WHERE lanname = 'c'
-- routine: procedure
fun WHERE prokind = 'p'
-- routine: procedure with an OUT argument
fun WHERE prokind = 'p' AND 'o' = ANY (proargmodes)
-- routine: window function
fun WHERE prokind = 'w'
-- routine: returns a set, with rows
fun WHERE proretset AND prorows NOT IN (0, 1000)
-- routine: returns a table
fun WHERE 't' = ANY (proargmodes)
-- routine: default arguments
fun WHERE pronargdefaults > 0
-- routine: variadic
fun WHERE provariadic <> 0
-- routine: volatility
fun WHERE provolatile <> 'v'
-- routine: strict
fun WHERE proisstrict
-- routine: security definer
fun WHERE prosecdef
-- routine: leakproof
fun WHERE proleakproof
-- routine: parallel
fun WHERE proparallel <> 'u'
-- routine: cost
fun WHERE procost NOT IN (1, 100)
-- routine: support function
fun WHERE prosupport <> 0
-- routine: transform of types
fun WHERE protrftypes IS NOT NULL
-- routine: settings
fun WHERE proconfig IS NOT NULL
-- routine: settings that are lists
fun, unnest(proconfig) s WHERE s LIKE 'search_path=%,%'
-- routine: owner
fun WHERE proowner <> 10
-- aggregate: normal
pg_aggregate a JOIN fun f ON f.oid = a.aggfnoid WHERE aggkind = 'n'
-- aggregate: ordered set
pg_aggregate a JOIN fun f ON f.oid = a.aggfnoid WHERE aggkind = 'o'
-- aggregate: hypothetical set
pg_aggregate a JOIN fun f ON f.oid = a.aggfnoid WHERE aggkind = 'h'
-- aggregate: moving
pg_aggregate a JOIN fun f ON f.oid = a.aggfnoid WHERE aggmtransfn <> 0
-- aggregate: combine, serialise
pg_aggregate a JOIN fun f ON f.oid = a.aggfnoid WHERE aggcombinefn <> 0
-- aggregate: sort operator
pg_aggregate a JOIN fun f ON f.oid = a.aggfnoid WHERE aggsortop <> 0
-- aggregate: without arguments
fun WHERE prokind = 'a' AND pronargs = 0
-- operator: binary
op WHERE oprkind = 'b' AND oprcode <> 0
-- operator: prefix
op WHERE oprkind = 'l' AND oprcode <> 0
-- operator: commutator and negator
op WHERE oprcom <> 0 AND oprnegate <> 0
-- operator: estimators
op WHERE oprrest <> 0 AND oprjoin <> 0
-- operator: merges and hashes
op WHERE oprcanmerge AND oprcanhash
-- operator class: default
pg_opclass WHERE oid >= 16384 AND opcdefault
-- operator class: storage type
pg_opclass WHERE oid >= 16384 AND opckeytype <> 0
-- operator class: ordering operator
pg_amop WHERE oid >= 16384 AND amoppurpose = 'o'
-- operator family: with loose members
pg_depend WHERE refclassid = 'pg_opfamily'::regclass AND classid = 'pg_amop'::regclass AND objid >= 16384 AND deptype IN ('a', 'i')
-- text search: parser
pg_ts_parser WHERE oid >= 16384
-- text search: template
pg_ts_template WHERE oid >= 16384
-- text search: dictionary
pg_ts_dict WHERE oid >= 16384 AND dictinitoption IS NOT NULL
-- text search: configuration
pg_ts_config c JOIN pg_ts_config_map m ON m.mapcfg = c.oid WHERE c.oid >= 16384
-- foreign data: wrapper with options
pg_foreign_data_wrapper WHERE fdwoptions IS NOT NULL
-- foreign data: server with type, version and options
pg_foreign_server WHERE srvtype IS NOT NULL AND srvversion IS NOT NULL AND srvoptions IS NOT NULL
-- foreign data: user mapping
pg_user_mappings WHERE umuser <> 0
-- foreign data: user mapping of PUBLIC
pg_user_mappings WHERE umuser = 0
-- foreign data: foreign table with options
pg_foreign_table WHERE ftoptions IS NOT NULL
-- foreign data: options of a column
att WHERE attfdwoptions IS NOT NULL
-- foreign data: partition
rel WHERE relkind = 'f' AND relispartition
-- sequence: sequence
rel WHERE relkind = 'S'
-- sequence: type, start, step, bounds, cache, cycle
pg_sequence WHERE seqtypid <> 20 AND seqcycle AND seqcache > 1 AND seqincrement <> 1
-- sequence: descending
pg_sequence WHERE seqincrement < 0
-- sequence: unlogged
rel WHERE relkind = 'S' AND relpersistence = 'u'
-- sequence: owned by a column
pg_depend d JOIN rel r ON r.oid = d.objid AND r.relkind = 'S' WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'a' AND d.refobjsubid > 0
-- sequence: privileges
granted WHERE kind = 'sequence'
-- table: without columns
rel r WHERE relkind = 'r' AND NOT EXISTS (SELECT FROM att a WHERE a.attrelid = r.oid)
-- table: unlogged
rel WHERE relkind = 'r' AND relpersistence = 'u'
-- table: typed
rel WHERE relkind = 'r' AND reloftype <> 0
-- table: storage options
rel WHERE relkind = 'r' AND reloptions IS NOT NULL
-- table: storage options of TOAST
pg_class t JOIN rel r ON r.reltoastrelid = t.oid WHERE t.reloptions IS NOT NULL
-- table: access method
rel r JOIN pg_am a ON a.oid = r.relam WHERE relkind = 'r' AND a.amname <> 'heap'
-- table: owner
rel WHERE relkind = 'r' AND relowner <> 10
-- table: replica identity nothing
rel WHERE relkind = 'r' AND relreplident = 'n'
-- table: replica identity full
rel WHERE relkind = 'r' AND relreplident = 'f'
-- table: replica identity index
idx WHERE indisreplident
-- table: cluster mark
idx WHERE indisclustered
-- table: row security
rel WHERE relrowsecurity AND NOT relforcerowsecurity
-- table: row security forced
rel WHERE relforcerowsecurity
-- table: with dropped columns
pg_attribute a JOIN rel r ON r.oid = a.attrelid AND r.relkind = 'r' WHERE a.attisdropped
-- inheritance: several parents
pg_inherits WHERE inhseqno > 1 AND NOT inhdetachpending
-- inheritance: default dropped
att a JOIN pg_inherits i ON i.inhrelid = a.attrelid JOIN att p ON p.attrelid = i.inhparent AND p.attname = a.attname WHERE p.atthasdef AND NOT a.atthasdef AND p.attgenerated = ''
-- inheritance: merged column
att WHERE attislocal AND attinhcount > 0 AND relkind = 'r'
-- partition: by range
pg_partitioned_table WHERE partstrat = 'r'
-- partition: by list
pg_partitioned_table WHERE partstrat = 'l'
-- partition: by hash
pg_partitioned_table WHERE partstrat = 'h'
-- partition: by an expression
pg_partitioned_table WHERE partexprs IS NOT NULL
-- partition: default
pg_partitioned_table WHERE partdefid <> 0
-- partition: of a partition
rel WHERE relkind = 'p' AND relispartition
-- partition: other order of columns
att a JOIN pg_inherits i ON i.inhrelid = a.attrelid JOIN att p ON p.attrelid = i.inhparent AND p.attname = a.attname WHERE a.attnum <> p.attnum AND a.relkind = 'r'
-- column: default
pg_attrdef d JOIN att a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attgenerated = '' AND relkind = 'r'
-- column: stored generated
att WHERE attgenerated = 's'
-- column: virtual generated
att WHERE attgenerated = 'v'
-- column: identity always
att WHERE attidentity = 'a'
-- column: identity by default
att WHERE attidentity = 'd'
-- column: collation
att WHERE relkind = 'r' AND attcollation <> typcollation
-- column: storage
att WHERE relkind = 'r' AND attstorage <> typstorage
-- column: compression
att WHERE attcompression <> ''
-- column: statistics target
att WHERE relkind = 'r' AND attstattarget IS NOT NULL
-- column: options
att WHERE relkind = 'r' AND attoptions::text LIKE '%n_distinct%'
-- column: named not null
con k JOIN rel r ON r.oid = k.conrelid WHERE contype = 'n' AND conname !~ '_not_null'
-- column: not null no inherit
con WHERE contype = 'n' AND connoinherit
-- column: not null not valid
con WHERE contype = 'n' AND NOT convalidated
-- column: default of a view
pg_attrdef d JOIN rel r ON r.oid = d.adrelid WHERE r.relkind = 'v'
-- constraint: primary key
con WHERE contype = 'p'
-- constraint: unique
con WHERE contype = 'u'
-- constraint: unique, nulls not distinct
idx i JOIN con k ON k.conindid = i.indexrelid WHERE indnullsnotdistinct AND contype = 'u'
-- constraint: included columns
idx i JOIN con k ON k.conindid = i.indexrelid WHERE indnkeyatts < indnatts
-- constraint: index options
idx i JOIN con k ON k.conindid = i.indexrelid WHERE i.reloptions IS NOT NULL
-- constraint: deferrable
con WHERE condeferrable AND NOT condeferred
-- constraint: deferred
con WHERE condeferred
-- constraint: exclusion
con WHERE contype = 'x'
-- constraint: without overlaps
con WHERE conperiod AND contype IN ('p', 'u')
-- constraint: check
con WHERE contype = 'c' AND conrelid <> 0
-- constraint: check no inherit
con WHERE contype = 'c' AND connoinherit
-- constraint: check not valid
con WHERE contype = 'c' AND conrelid <> 0 AND NOT convalidated AND conenforced
-- constraint: check not enforced
con WHERE contype = 'c' AND NOT conenforced
-- foreign key: actions
con WHERE contype = 'f' AND confdeltype <> 'a' AND confupdtype <> 'a'
-- foreign key: match full
con WHERE contype = 'f' AND confmatchtype = 'f'
-- foreign key: sets some columns
con WHERE contype = 'f' AND confdelsetcols IS NOT NULL
-- foreign key: not valid
con WHERE contype = 'f' AND NOT convalidated AND conenforced
-- foreign key: not enforced
con WHERE contype = 'f' AND NOT conenforced
-- foreign key: period
con WHERE contype = 'f' AND conperiod
-- foreign key: to itself
con WHERE contype = 'f' AND conrelid = confrelid
-- foreign key: of a partitioned table
con k JOIN rel r ON r.oid = k.conrelid WHERE contype = 'f' AND r.relkind = 'p' AND conparentid = 0
-- foreign key: to a partitioned table
con k JOIN rel r ON r.oid = k.confrelid WHERE contype = 'f' AND r.relkind = 'p' AND conparentid = 0
-- foreign key: disabled triggers
pg_trigger WHERE tgisinternal AND tgenabled <> 'O'
-- index: plain
idx i WHERE NOT EXISTS (SELECT FROM con k WHERE k.conindid = i.indexrelid)
-- index: unique
idx i WHERE indisunique AND NOT EXISTS (SELECT FROM con k WHERE k.conindid = i.indexrelid)
-- index: on an expression
idx WHERE indexprs IS NOT NULL
-- index: partial
idx WHERE indpred IS NOT NULL
-- index: included columns
idx i WHERE indnkeyatts < indnatts AND NOT EXISTS (SELECT FROM con k WHERE k.conindid = i.indexrelid)
-- index: descending, nulls first
idx WHERE '3' = ANY (string_to_array(indoption::text, ' ')) OR '1' = ANY (string_to_array(indoption::text, ' '))
-- index: collation
idx i JOIN att a ON a.attrelid = i.indexrelid WHERE a.attcollation NOT IN (0, 100)
-- index: operator class
idx i, unnest(i.indclass::oid[]) c JOIN pg_opclass o ON o.oid = c WHERE NOT o.opcdefault
-- index: operator class options
pg_attribute a JOIN idx i ON i.indexrelid = a.attrelid WHERE a.attoptions IS NOT NULL AND a.attoptions::text NOT LIKE '%pg_attver%'
-- index: storage options
idx i WHERE i.reloptions IS NOT NULL
-- index: statistics target
pg_attribute a JOIN idx i ON i.indexrelid = a.attrelid WHERE a.attstattarget IS NOT NULL
-- index: methods
idx i JOIN rel r ON r.oid = i.indexrelid JOIN pg_am m ON m.oid = r.relam WHERE m.amname IN ('gin', 'gist', 'brin', 'hash', 'spgist')
-- index: partitioned
idx WHERE relkind = 'I' AND indisvalid
-- index: partitioned on only the parent
idx WHERE relkind = 'I' AND NOT indisvalid
-- statistics: kinds
pg_statistic_ext WHERE stxkind <> '{d,f,m}'
-- statistics: expressions
pg_statistic_ext WHERE stxexprs IS NOT NULL
-- statistics: target
pg_statistic_ext WHERE stxstattarget IS NOT NULL
-- view: view
rel WHERE relkind = 'v'
-- view: security barrier
rel WHERE relkind = 'v' AND reloptions::text LIKE '%security_barrier%'
-- view: security invoker
rel WHERE relkind = 'v' AND reloptions::text LIKE '%security_invoker%'
-- view: check option
rel WHERE relkind = 'v' AND reloptions::text LIKE '%check_option%'
-- view: recursive
pg_views WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND definition LIKE '%WITH RECURSIVE%'
-- materialized view: filled
rel WHERE relkind = 'm' AND relispopulated
-- materialized view: empty
rel WHERE relkind = 'm' AND NOT relispopulated
-- materialized view: with options
rel WHERE relkind = 'm' AND reloptions IS NOT NULL
-- materialized view: with an index
idx i JOIN rel r ON r.oid = i.indrelid WHERE r.relkind = 'm'
-- rule: rule
pg_rewrite w JOIN rel r ON r.oid = w.ev_class WHERE w.ev_type <> '1'
-- rule: instead
pg_rewrite w JOIN rel r ON r.oid = w.ev_class WHERE w.ev_type <> '1' AND w.is_instead
-- rule: disabled
pg_rewrite w JOIN rel r ON r.oid = w.ev_class WHERE w.ev_enabled = 'D'
-- rule: always or replica
pg_rewrite w JOIN rel r ON r.oid = w.ev_class WHERE w.ev_enabled IN ('A', 'R')
-- trigger: row and statement
trg a, trg b WHERE a.tgtype & 1 = 1 AND b.tgtype & 1 = 0
-- trigger: condition
trg WHERE tgqual IS NOT NULL
-- trigger: of columns
trg WHERE tgattr <> ''
-- trigger: arguments
trg WHERE tgnargs > 0
-- trigger: transition tables
trg WHERE tgnewtable IS NOT NULL
-- trigger: constraint
trg WHERE tgconstraint <> 0 AND tgdeferrable
-- trigger: constraint from another table
trg WHERE tgconstrrelid <> 0
-- trigger: instead of, on a view
trg WHERE tgtype & 64 = 64
-- trigger: disabled
trg WHERE tgenabled = 'D'
-- trigger: always or replica
trg WHERE tgenabled IN ('A', 'R')
-- trigger: of a partitioned table
trg t JOIN rel r ON r.oid = t.tgrelid WHERE r.relkind = 'p' AND tgparentid = 0
-- trigger: other state on a partition
trg t JOIN trg p ON p.oid = t.tgparentid WHERE t.tgenabled <> p.tgenabled
-- event trigger: with tags
pg_event_trigger WHERE evttags IS NOT NULL
-- event trigger: states
pg_event_trigger WHERE evtenabled <> 'O'
-- policy: for one command
pg_policy WHERE polcmd <> '*'
-- policy: restrictive
pg_policy WHERE NOT polpermissive
-- policy: of roles
pg_policy WHERE polroles <> '{0}'
-- policy: with check
pg_policy WHERE polwithcheck IS NOT NULL
-- publication: of all tables
pg_publication WHERE puballtables
-- publication: of tables
pg_publication_rel WHERE prqual IS NULL AND prattrs IS NULL
-- publication: columns
pg_publication_rel WHERE prattrs IS NOT NULL
-- publication: condition
pg_publication_rel WHERE prqual IS NOT NULL
-- publication: schema
pg_publication_namespace
-- publication: options
pg_publication WHERE NOT pubtruncate AND pubviaroot
-- publication: generated columns
pg_publication WHERE pubgencols = 's'
-- privileges: table
granted WHERE kind = 'table'
-- privileges: column
granted WHERE kind = 'column'
-- privileges: view
granted WHERE kind = 'view'
-- privileges: schema
granted WHERE kind = 'schema'
-- privileges: routine
granted WHERE kind = 'routine'
-- privileges: type
granted WHERE kind = 'type'
-- privileges: foreign data
granted a, granted b WHERE a.kind = 'foreign data wrapper' AND b.kind = 'foreign server'
-- privileges: grant option
granted WHERE is_grantable AND grantee <> owner
-- privileges: by a grantor who is not the owner
granted WHERE owner <> 0 AND grantor <> owner
-- privileges: maintain
granted WHERE privilege_type = 'MAINTAIN' AND grantee <> owner
-- privileges: revoked from PUBLIC
fun f WHERE proacl IS NOT NULL AND NOT EXISTS (SELECT FROM aclexplode(f.proacl) a WHERE a.grantee = 0)
-- privileges: on the server's own objects
pg_proc p JOIN pg_init_privs i ON i.objoid = p.oid AND i.classoid = 'pg_proc'::regclass WHERE p.oid < 16384 AND p.proacl <> i.initprivs
-- default privileges: of a role
pg_default_acl WHERE defaclnamespace = 0
-- default privileges: in a schema
pg_default_acl WHERE defaclnamespace <> 0
-- comment: schema
commented WHERE class = 'pg_namespace'
-- comment: table
commented WHERE class = 'pg_class' AND objsubid = 0
-- comment: column
commented WHERE class = 'pg_class' AND objsubid > 0
-- comment: attribute of a composite type
commented d JOIN rel r ON r.oid = d.objoid AND r.relkind = 'c' WHERE d.objsubid > 0
-- comment: type
commented WHERE class = 'pg_type'
-- comment: routine
commented WHERE class = 'pg_proc'
-- comment: constraint
commented WHERE class = 'pg_constraint'
-- comment: trigger
commented WHERE class = 'pg_trigger'
-- comment: rule
commented WHERE class = 'pg_rewrite'
-- comment: policy
commented WHERE class = 'pg_policy'
-- comment: collation
commented WHERE class = 'pg_collation'
-- comment: cast
commented WHERE class = 'pg_cast'
-- comment: transform
commented WHERE class = 'pg_transform'
-- comment: access method
commented WHERE class = 'pg_am'
-- comment: conversion
commented WHERE class = 'pg_conversion'
-- comment: operator
commented WHERE class = 'pg_operator'
-- comment: operator class
commented WHERE class = 'pg_opclass'
-- comment: operator family
commented WHERE class = 'pg_opfamily'
-- comment: text search
commented WHERE class IN ('pg_ts_parser', 'pg_ts_template') AND EXISTS (SELECT FROM commented x WHERE x.class = 'pg_ts_dict') AND EXISTS (SELECT FROM commented x WHERE x.class = 'pg_ts_config')
-- comment: language
commented WHERE class = 'pg_language'
-- comment: foreign data
commented a, commented b WHERE a.class = 'pg_foreign_data_wrapper' AND b.class = 'pg_foreign_server'
-- comment: event trigger
commented WHERE class = 'pg_event_trigger'
-- comment: publication
commented WHERE class = 'pg_publication'
-- comment: statistics
commented WHERE class = 'pg_statistic_ext'
-- comment: extension
commented WHERE class = 'pg_extension'
-- name: upper case and blanks
rel WHERE relname ~ '[A-Z]' AND relname ~ ' '
-- name: a keyword
rel WHERE relname IN ('select', 'table', 'user', 'order', 'group', 'end')
-- name: quotes and backslashes
rel WHERE relname LIKE '%"%'
-- name: of 63 bytes
rel WHERE octet_length(relname) = 63
-- name: a line break
rel WHERE relname LIKE E'%\n%'
