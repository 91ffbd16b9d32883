//! What the file may say, and the exact message of each fault.

use proptest::prelude::*;

use super::*;
use crate::selection::{Databases, Entry, Position, Rule, Tables};

fn parse(text: &str) -> Result<File, Fault> {
    File::parse(text.as_bytes())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn at(line: usize, column: usize) -> Position {
    Position { line, column }
}

/// The rules of a file, each with its table and place.
fn rules(text: &str) -> Vec<String> {
    let rules = parse(text).unwrap().rules.into_iter();
    let line = |one: crate::selection::RuleEntry| {
        let database = one.entry.section().unwrap().to_owned();
        let (name, rule, origin) = (one.entry.name_in_section(), one.rule, one.entry.origin());
        format!("{database}.{name}: {rule}{origin}").replace(" of the configuration file", "")
    };
    rules.map(line).collect()
}

#[test]
fn the_lists_are_those_of_the_options() {
    let file = parse(
        "include_databases = ['a', '\"x,y\"', 'b.c']\nexclude_tables = ['t', 'd.\"s.t\"']\njobs = 0x10\n",
    );
    let file = file.unwrap();
    assert_eq!(
        file.databases.unwrap(),
        Located {
            value: Databases::Only(names(&["a", "x,y", "b.c"])),
            position: at(1, 1)
        }
    );
    let entry = |text: &str, column| Entry::parse(text).unwrap().at(at(2, column), None);
    assert_eq!(
        file.tables.unwrap(),
        Located {
            value: Tables::AllBut(vec![entry("t", 19), entry("d.\"s.t\"", 24)]),
            position: at(2, 1)
        }
    );
    assert_eq!(file.jobs.unwrap().value, 16);
}

#[test]
fn nothing_is_said_by_an_empty_file_and_by_empty_exclusions() {
    let nothing = [
        "",
        "# nothing\r\n",
        "exclude_tables = []\nexclude_databases = []\n",
        "[databases]\n",
    ];
    for text in nothing {
        assert_eq!(parse(text).unwrap(), File::default(), "{text}");
    }
}

#[test]
fn a_section_has_the_rules_of_its_database() {
    let text = "
[databases.\"my.app\"]
schema_only = ['t', 's.t2', '\"my.app\".s.t3']
snapshot_only = ['a']
table_filters = [{ table = 's.b', where = 'x > 1' }, { table = 'c.d', schema = 'e.\"f', where = 'true' }]
[[databases.\"my.app\".time_filters]]
table = 'm'
column = 'Created At'
last = '6 Months'
";
    assert_eq!(
        rules(text),
        [
            "my.app.public.t: schema only (3:16)",
            "my.app.s.t2: schema only (3:21)",
            "my.app.s.t3: schema only (3:29)",
            "my.app.public.a: snapshot only (4:18)",
            "my.app.s.b: table filter (5:28)",
            "my.app.e.\"f.c.d: table filter (5:64)",
            "my.app.public.m: time filter (7:9)",
        ]
    );
    let file = parse(text).unwrap();
    assert_eq!(file.sections.len(), 1);
    assert_eq!(file.sections[0].position, at(2, 12));
    let Rule::TimeFilter(filter) = &file.rules[6].rule else {
        panic!("{:?}", file.rules[6])
    };
    assert_eq!(filter.column.as_str(), "Created At");
    assert_eq!(filter.window.to_string(), "6 months");
}

#[test]
fn a_byte_order_mark_and_line_ends_of_other_systems_change_nothing() {
    let text = "include_databases = [\"a\"]\n\n[databases.a]\nschema_only = [\"t\"]\n";
    let plain = parse(text).unwrap();
    let marked = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(parse(&marked).unwrap(), plain);
    let fault = parse(&marked.replace("schema_only", "schema_onyl")).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "unknown key \"schema_onyl\" at 4:1; did you mean \"schema_only\"?"
    );
}

#[test]
fn three_parts_go_before_fewer_and_a_filter_goes_with_a_rule_about_changes() {
    for text in [
        "[databases.a]\nschema_only = ['t']\nsnapshot_only = ['a.public.t']",
        "[databases.a]\nschema_only = ['t', 'a.public.t']",
        "[databases.a]\nsnapshot_only = ['t']\ntable_filters = [{ table = 't', where = 'x' }]",
        "[databases.a]\nschema_only = ['t']\n[databases.b]\nschema_only = ['t']",
    ] {
        assert_eq!(rules(text).len(), 2, "{text}");
    }
}

/// A text, and what is reported about it.
type Refused = (&'static str, &'static str);

fn assert_refused(cases: &[Refused]) {
    for (text, expected) in cases {
        match parse(text) {
            Err(fault) => assert_eq!(fault.to_string(), *expected, "{text}"),
            Ok(file) => panic!("{text}: {file:?}"),
        }
    }
}

#[test]
fn a_key_that_is_unknown_or_elsewhere_is_refused_with_a_suggestion() {
    assert_refused(&[
        (
            "jobs = 1\n\n[databases.a]\n\n\n\ntabel_filters = []",
            "unknown key \"tabel_filters\" at 7:1; did you mean \"table_filters\"?",
        ),
        ("x = 1", "unknown key \"x\" at 1:1"),
        ("jobs = 1\n  \"J ü\" = 1", "unknown key \"J ü\" at 2:3"),
        (
            "[database.a]\nschema_only = []",
            "unknown key \"database\" at 1:2; did you mean \"databases\"?",
        ),
        (
            "schema_only_tables = ['t']",
            "unknown key \"schema_only_tables\" at 1:1; did you mean \"schema_only\" in a section [databases.NAME]?",
        ),
        (
            "[databases.a]\nexclude_tables = ['t']",
            "unknown key \"exclude_tables\" at 2:1; did you mean \"exclude_tables\" at the top of the file, before the \
             first section?",
        ),
        (
            "[databases.a]\ntable_filters = [{ table = 't', predicate = 'x' }]",
            "unknown key \"predicate\" at 2:33; did you mean \"where\"?",
        ),
        (
            "[[databases.a.time_filters]]\ntable = 't'\ncolum = 'c'",
            "unknown key \"colum\" at 3:1; did you mean \"column\"?",
        ),
        // The first one in the file, and not in the alphabet.
        ("z = 1\na = 1", "unknown key \"z\" at 1:1"),
        ("a.b.c = 1", "unknown key \"a\" at 1:1"),
    ]);
}

#[test]
fn servers_and_passwords_are_refused_and_not_shown() {
    assert_refused(&[
        (
            "jobs = 1\nsource = 'postgresql://u:canary@h/d'",
            "\"source\" at 2:1: servers do not belong in this file",
        ),
        (
            "[databases.a]\ntarget_url = 'x'",
            "\"target_url\" at 2:1: servers do not belong in this file",
        ),
        (
            "password = 'canary'",
            "\"password\" at 1:1: passwords do not belong in this file",
        ),
    ]);
}

#[test]
fn a_value_of_another_type_is_refused() {
    assert_refused(&[
        (
            "jobs = '4'",
            "\"jobs\" has a string at 1:8; write an integer from 1 to 256",
        ),
        (
            "jobs = 4.0",
            "\"jobs\" has a float at 1:8; write an integer from 1 to 256",
        ),
        (
            "jobs = 0",
            "\"jobs\" at 1:8 is 0; write an integer from 1 to 256",
        ),
        (
            "jobs = -1",
            "\"jobs\" at 1:8 is -1; write an integer from 1 to 256",
        ),
        (
            "jobs = 99999999999999999999999999999999999999999",
            "\"jobs\" at 1:8 is 99999999999999999999999999999999999999999; write an integer from 1 to 256",
        ),
        (
            "include_tables = 'app.users'",
            "\"include_tables\" has a string at 1:18; write an array of strings, such as [\"orders\"]",
        ),
        (
            "include_tables = ['a',\n  7]",
            "\"include_tables\" has an integer at 2:3; write an array of strings, such as [\"orders\"]",
        ),
        (
            "databases = ['a']",
            "\"databases\" has an array at 1:13; write a section [databases.NAME] for each database",
        ),
        (
            "[databases]\na = true",
            "\"a\" has a boolean at 2:5; write a section [databases.NAME] for each database",
        ),
        (
            "[[databases.a]]\nschema_only = []",
            "\"a\" has an array at 1:1; write a section [databases.NAME] for each database",
        ),
        (
            "[databases.a]\ntable_filters = ['t']",
            "\"table_filters\" has a string at 2:18; write entries such as [{ table = \"orders\", where = \"status = \
             'open'\" }]",
        ),
        (
            "[databases.a.time_filters]\ntable = 't'",
            "\"time_filters\" has a table at 1:1; write entries such as [{ table = \"events\", column = \
             \"created_at\", last = \"6 months\" }]",
        ),
        (
            "[[databases.a.table_filters]]\ntable = 't'\nwhere = 2026-01-01",
            "\"where\" has a date or time at 3:9; write a string in quotes",
        ),
    ]);
}

#[test]
fn a_key_that_is_missing_or_there_twice_is_refused() {
    assert_refused(&[
        (
            "[[databases.a.table_filters]]\ntable = 't'",
            "the entry of table_filters at 1:1 has no \"where\"; write { table = \"orders\", where = \"status = \
             'open'\" }",
        ),
        (
            "[databases.a]\ntime_filters = [\n  { column = 'c', last = '1 day' }]",
            "the entry of time_filters at 3:3 has no \"table\"; write { table = \"events\", column = \"created_at\", \
             last = \"6 months\" }",
        ),
        ("jobs = 1\njobs = 2", "duplicate key at 2:1"),
        (
            "[databases.a]\nschema_only = []\n[databases.a]\nsnapshot_only = []",
            "duplicate key at 3:12",
        ),
        (
            "exclude_databases = ['a']\njobs = 2\ninclude_databases = ['b']",
            "\"exclude_databases\" at 1:1 and \"include_databases\" at 3:1 exclude each other; remove one",
        ),
        (
            "include_tables = []",
            "\"include_tables\" at 1:1 is empty and would select nothing; remove it to select everything",
        ),
    ]);
}

#[test]
fn a_name_that_cannot_be_read_is_refused() {
    assert_refused(&[
        (
            "include_databases = ['']",
            "\"include_databases\": \"\" at 1:22 is empty",
        ),
        (
            "include_databases = ['a, b']",
            "\"include_databases\": \"a, b\" at 1:22 has a comma; write one string for each name, and a comma of a name \
             in double quotes",
        ),
        (
            "exclude_tables = ['\"a']",
            "\"exclude_tables\": \"\\\"a\" at 1:19 has a double quote that is not closed",
        ),
        (
            "exclude_tables = ['a..t']",
            "\"exclude_tables\": \"a..t\" at 1:19 is not table, database.table, schema.table or database.schema.table; \
             double quotes keep a dot",
        ),
        (
            "[databases.a]\nschema_only = ['.t']",
            "\"schema_only\": \".t\" at 2:16 is not table, schema.table or database.schema.table; double quotes keep a \
             dot",
        ),
        (
            "[databases.a]\nschema_only = ['a.b.c.d']",
            "\"schema_only\": \"a.b.c.d\" at 2:16 is not table, schema.table or database.schema.table; double quotes \
             keep a dot",
        ),
        (
            "[databases.a]\nschema_only = ['b.public.t']",
            "\"b.public.t\" at 2:16 is a table of database \"b\" in the section of database \"a\"; move it to the \
             section of \"b\"",
        ),
        (
            "[[databases.a.table_filters]]\ntable = 't'\nschema = ''\nwhere = 'x'",
            "\"schema\": \"\" at 3:10 is empty",
        ),
        (
            "[[databases.a.time_filters]]\ntable = 't'\ncolumn = ''\nlast = '1 day'",
            "\"column\": \"\" at 3:10 is empty",
        ),
        (
            "[databases.'']\nschema_only = ['t']",
            "the name of the database at 1:12 is empty; write [databases.NAME]",
        ),
    ]);
}

#[test]
fn two_rules_on_one_table_are_refused_with_both_places() {
    assert_refused(&[
        (
            "[databases.a]\nschema_only = ['t']\ntable_filters = [{ table = 'public.t', where = 'x' }]",
            "two rules for table public.t in database a: schema only at 2:16 and table filter at 3:28; remove one",
        ),
        (
            "[databases.a]\nschema_only = ['t', 'public.t']",
            "two rules for table public.t in database a: schema only at 2:16 and schema only at 2:21; remove one",
        ),
        (
            "[databases.a]\nsnapshot_only = ['a.s.t']\nschema_only = ['a.s.t']",
            "two rules for table s.t in database a: snapshot only at 2:18 and schema only at 3:16; remove one",
        ),
        (
            "[[databases.a.table_filters]]\ntable = 't'\nwhere = 'x'\n[[databases.a.time_filters]]\ntable = 't'\n\
             schema = 'public'\ncolumn = 'c'\nlast = '1 day'",
            "two rules for table public.t in database a: table filter at 2:9 and time filter at 5:9; remove one",
        ),
    ]);
}

#[test]
fn a_predicate_or_window_that_cannot_be_used_is_refused() {
    assert_refused(&[
        (
            "[[databases.a.table_filters]]\ntable = 't'\nwhere = 'x; DROP TABLE t'",
            "\"where\" at 3:9: a semicolon is not allowed outside quotes at character 2 of the predicate",
        ),
        (
            "[[databases.a.time_filters]]\ntable = 't'\ncolumn = 'c'\nlast = '6 fortnights'",
            "\"last\" at 4:8: \"6 fortnights\" is no time window; write a positive whole number and one unit (seconds, \
             minutes, hours, days, weeks, months or years), such as \"6 months\"",
        ),
    ]);
}

#[test]
fn what_is_no_toml_is_refused_with_its_place() {
    for (text, place) in [
        ("jobs = 1\ninclude_databases = [app]", "2:22"),
        ("[databases.a\nschema_only = []", "1:13"),
        ("jobs 4", "1:"),
        ("a = \"\u{1}\"", "1:"),
        ("{\"jobs\": 4}", "1:"),
    ] {
        let Err(Fault::Syntax { message, position }) = parse(text) else {
            panic!("{text}")
        };
        let found = position.to_string();
        assert!(found.starts_with(place), "{text}: {message} at {found}");
        assert!(!message.is_empty() && !message.contains('\n'), "{message}");
    }
    let deep = format!("a = {}", "[".repeat(10_000));
    assert!(matches!(parse(&deep), Err(Fault::Syntax { .. })));
}

#[test]
fn other_encodings_and_data_files_are_refused() {
    let refused = |content: &[u8]| File::parse(content).unwrap_err().to_string();
    let utf16: Vec<u8> = "jobs = 1"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let marked = [&[0xFF, 0xFE][..], &utf16].concat();
    assert_eq!(
        refused(&marked),
        "the file is encoded in UTF-16; save it as UTF-8"
    );
    assert_eq!(
        refused(b"jobs = 1\n# caf\xE9\n"),
        "invalid UTF-8 at 2:6; save the file as UTF-8"
    );
    let limit = 10 * 1024 * 1024;
    let mut large = vec![b'#'; limit];
    assert!(File::parse(&large).is_ok());
    large.push(b'#');
    assert_eq!(refused(&large), "the file is larger than 10 MB");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none.toml"), folder.path().to_owned()] {
        let error = read_file(&path).unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }));
        assert!(error.to_string().contains(&path.display().to_string()));
    }
    // No end is waited for.
    let endless = read_file(std::path::Path::new("/dev/zero")).unwrap_err();
    let Error::Wrong { source, .. } = endless else {
        panic!("{endless}")
    };
    assert_eq!(*source, Fault::TooLarge);
}

#[test]
fn options_of_the_command_line_replace_lists_of_the_same_subject() {
    let file = || parse("include_databases = ['a']\nexclude_tables = ['t']\njobs = 3\n").unwrap();
    let of_file = Effective::merge(Flags::default(), file());
    assert_eq!(of_file.databases.value, Databases::Only(names(&["a"])));
    assert_eq!(of_file.databases.source, Source::File(at(1, 1)));
    assert_eq!(
        of_file.jobs,
        Sourced {
            value: Some(3),
            source: Source::File(at(3, 1))
        }
    );
    let flags = Flags {
        databases: Databases::AllBut(names(&["b"])),
        jobs: Some(5),
        ..Flags::default()
    };
    let merged = Effective::merge(flags, file());
    assert_eq!(merged.databases.value, Databases::AllBut(names(&["b"])));
    assert_eq!(merged.databases.source, Source::CommandLine);
    assert!(matches!(merged.tables.value, Tables::AllBut(_)));
    assert_eq!(merged.tables.source, Source::File(at(2, 1)));
    assert_eq!(merged.jobs.value, Some(5));
    let nothing = Effective::merge(Flags::default(), File::default());
    assert_eq!(nothing, Effective::default());
    assert_eq!(nothing.jobs.source, Source::Default);
}

proptest! {
    #[test]
    fn a_damaged_file_is_read_or_refused_on_one_line(
        at in 0..EXAMPLE.len(),
        length in 0..40_usize,
        damage in proptest::collection::vec(any::<u8>(), 0..8),
    ) {
        let mut content = EXAMPLE.as_bytes().to_vec();
        let end = (at + length).min(content.len());
        content.splice(at..end, damage);
        if let Err(fault) = File::parse(&content) {
            prop_assert!(!fault.to_string().contains(char::is_control), "{fault:?}");
        }
    }
}
