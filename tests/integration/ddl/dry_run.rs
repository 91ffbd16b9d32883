//! The dry run prints the statements that the run sends: compared with the target's server log.

use std::collections::BTreeMap;

use seren_replicator::sandbox::Cluster;

use crate::support::route::Route;
use crate::support::run;

const SOURCE: &str = r#"
    CREATE ROLE keeper CREATEDB;
    CREATE ROLE reader LOGIN IN ROLE keeper;
    ALTER ROLE reader SET work_mem = '8MB';
    COMMENT ON ROLE reader IS 'reads';
    CREATE SCHEMA shop AUTHORIZATION keeper;
    CREATE EXTENSION citext SCHEMA shop;
    CREATE EXTENSION hstore SCHEMA public;
    COMMENT ON EXTENSION hstore IS 'ours';
    COMMENT ON FUNCTION pg_catalog.now() IS 'the time; ours';
    CREATE TYPE shop.mood AS ENUM ('good', 'it''s bad; really');
    CREATE DOMAIN shop.positive AS int CHECK (VALUE > 0);
    CREATE FUNCTION shop.twice(i int) RETURNS int LANGUAGE sql IMMUTABLE
      BEGIN ATOMIC SELECT i * 2; END;
    CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN -- a comment; with ' and "
        RETURN NEW; END $$;
    CREATE TABLE shop.orders (id bigserial PRIMARY KEY, name shop.citext UNIQUE, mood shop.mood DEFAULT 'good',
      amount shop.positive CHECK (amount < 1000000), twice int GENERATED ALWAYS AS (shop.twice(1)) STORED);
    ALTER TABLE shop.orders ALTER name SET STATISTICS 500;
    ALTER TABLE shop.orders OWNER TO keeper;
    CREATE TABLE shop.lines (id int GENERATED ALWAYS AS IDENTITY, order_id bigint REFERENCES shop.orders,
      tags public.hstore) PARTITION BY RANGE (id);
    CREATE TABLE shop.lines_1 PARTITION OF shop.lines FOR VALUES FROM (0) TO (1000);
    CREATE INDEX ON shop.lines (order_id);
    CREATE INDEX ON shop.orders ((name || 'x'));
    CREATE VIEW shop.cheap AS SELECT id, name FROM shop.orders WHERE amount < 10;
    CREATE MATERIALIZED VIEW shop.counted AS SELECT count(*) AS n FROM shop.orders;
    CREATE STATISTICS shop.both ON amount, mood FROM shop.orders;
    CREATE TRIGGER touched BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.touch();
    CREATE RULE nothing AS ON DELETE TO shop.cheap DO INSTEAD NOTHING;
    ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON shop.orders TO reader USING (name = current_user::text);
    CREATE FOREIGN DATA WRAPPER w;
    CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h');
    CREATE FUNCTION shop.noticed() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER noticed ON ddl_command_end EXECUTE FUNCTION shop.noticed();
    COMMENT ON EVENT TRIGGER noticed IS 'last';
    COMMENT ON TABLE shop.orders IS 'orders; all of them';
    GRANT SELECT ON shop.orders TO reader WITH GRANT OPTION;
    GRANT USAGE ON SCHEMA shop TO reader;
    REVOKE ALL ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;
    ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA shop GRANT SELECT ON TABLES TO reader;
    CREATE PUBLICATION everything FOR ALL TABLES;
    INSERT INTO shop.orders (name, amount) VALUES ('a', 1), ('b', 2);
    INSERT INTO shop.lines (order_id) VALUES (1), (2);
"#;

const SETTINGS: &str = "ALTER DATABASE app SET work_mem = '16MB';
    ALTER ROLE reader IN DATABASE app SET work_mem = '32MB';
    COMMENT ON DATABASE app IS 'the shop';
    GRANT CREATE ON DATABASE app TO keeper;";

/// Clusters of a major, of which the target logs every statement with the name of the client.
async fn route(major: u32) -> Route {
    let target = Cluster::builder(major)
        .with_setting("log_statement", "all")
        .with_setting("log_line_prefix", "%a|%p|");
    let route = Route::start([Cluster::builder(major), target]);
    route.create("app").await;
    run(&route.source.url("app"), SOURCE).await;
    run(&route.source.url("app"), SETTINGS).await;
    route
}

/// The statements that our sessions have sent to the target, in the order of the log, without those that were
/// rolled back.
fn logged(log: &str) -> Vec<String> {
    let mut sent: Vec<Sent> = Vec::new();
    let mut is_ours = false;
    for line in log.lines() {
        if let Some(rest) = line.strip_prefix('\t') {
            if is_ours && let Some(last) = sent.last_mut() {
                last.text.push('\n');
                last.text.push_str(rest);
            }
            continue;
        }
        let found = parse_line(line);
        is_ours = found.is_some();
        sent.extend(found);
    }
    let mut kept: Vec<Sent> = Vec::new();
    for one in sent {
        if one.text == "ROLLBACK" {
            let is_begin =
                |other: &Sent| other.process == one.process && other.text.starts_with("BEGIN");
            let begin = kept.iter().rposition(is_begin).unwrap_or(kept.len());
            let undone = kept.split_off(begin);
            kept.extend(
                undone
                    .into_iter()
                    .filter(|other| other.process != one.process),
            );
        } else {
            kept.push(one);
        }
    }
    commands(kept.iter().map(|one| one.text.as_str()))
}

/// What a session of the server was sent.
struct Sent {
    process: String,
    text: String,
}

/// A line of the log on which a statement of ours begins.
fn parse_line(line: &str) -> Option<Sent> {
    let (client, rest) = line.split_once('|')?;
    let (process, message) = rest.split_once('|')?;
    let (_, text) = message.split_once("LOG:  statement: ")?;
    client
        .starts_with("postgres-seren-replicator")
        .then(|| Sent {
            process: process.to_owned(),
            text: text.to_owned(),
        })
}

/// The statements of a dry run. Its comments are on lines of their own.
fn printed(script: &str) -> Vec<String> {
    commands([script])
}

/// Commands that create, change or drop something; without what only frames them.
fn commands<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let all = texts.into_iter().flat_map(split);
    all.filter(|command| is_definition(command)).collect()
}

fn is_definition(command: &str) -> bool {
    const OURS: [&str; 3] = [
        "seren_replicator_run",
        "seren_replicator_probe",
        "ALLOW_CONNECTIONS",
    ];
    const WORDS: [&str; 8] = [
        "CREATE ",
        "ALTER ",
        "DROP ",
        "COMMENT ",
        "GRANT ",
        "REVOKE ",
        "SECURITY ",
        "REFRESH ",
    ];
    const FRAMES: [&str; 2] = ["SET ROLE ", "RESET ROLE"];
    let begins = |words: &[&str]| words.iter().any(|word| command.starts_with(word));
    (begins(&WORDS) || begins(&FRAMES)) && !OURS.iter().any(|ours| command.contains(ours))
}

/// Splits a text at the semicolons outside quotes, and drops comment lines between statements.
fn split(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut command = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let begins_line = command.trim().is_empty();
        let length = match first {
            '-' | '\\' if begins_line && (rest.starts_with("--") || first == '\\') => {
                rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
                continue;
            }
            ';' => {
                commands.push(std::mem::take(&mut command).trim().to_owned());
                rest = &rest[1..];
                continue;
            }
            '\'' | '"' => 1 + rest[1..].find(first).map_or(rest.len() - 1, |end| end + 1),
            '$' => match rest[1..].find('$') {
                Some(end) => {
                    let tag = &rest[..end + 2];
                    let is_tag = tag[1..=end]
                        .chars()
                        .all(|part| part.is_alphanumeric() || part == '_');
                    let close = rest[tag.len()..].find(tag).filter(|_| is_tag);
                    close.map_or(1, |close| close + 2 * tag.len())
                }
                None => 1,
            },
            _ => first.len_utf8(),
        };
        command.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    commands.push(command.trim().to_owned());
    commands.retain(|command| !command.is_empty());
    commands
}

/// What one list has more often than the other.
fn beyond(one: &[String], other: &[String]) -> Vec<String> {
    let mut counts: BTreeMap<&str, i32> = BTreeMap::new();
    for command in one {
        *counts.entry(command).or_default() += 1;
    }
    for command in other {
        *counts.entry(command).or_default() -= 1;
    }
    let more = counts.into_iter().filter(|(_, count)| *count > 0);
    more.map(|(command, _)| command.to_owned()).collect()
}

/// Compares a dry run with the run that follows.
fn compare(route: &Route, flags: &[&str]) {
    let planned = route.init("app", &[flags, &["--dry-run"]].concat()).run();
    let planned = printed(&planned.expect(0).stdout);
    let before = route.target.read_log().len();
    route.init("app", flags).run().expect(0);
    let done = logged(&route.target.read_log()[before..]);
    assert_eq!(
        (beyond(&planned, &done), beyond(&done, &planned)),
        (Vec::new(), Vec::new()),
        "only printed, and only run"
    );
    assert!(planned.len() > 50, "{planned:#?}");
    // What is run in order is printed in that order.
    let in_order = |commands: &[String]| -> Vec<String> {
        let is_ordered = |command: &&String| {
            ["ROLE ", "DATABASE ", "EVENT TRIGGER "]
                .iter()
                .any(|object| command.contains(object))
        };
        commands.iter().filter(is_ordered).cloned().collect()
    };
    assert_eq!(in_order(&planned), in_order(&done));
}

#[tokio::test]
async fn a_dry_run_prints_what_is_run_in_a_new_database() {
    compare(&route(17).await, &["--jobs", "1"]);
}

#[tokio::test]
async fn a_dry_run_prints_what_is_run_in_an_existing_database() {
    let route = route(17).await;
    let admin = route.target.url("postgres");
    run(&admin, "CREATE DATABASE app TEMPLATE template0").await;
    let default = "CREATE EXTENSION hstore SCHEMA public; CREATE ROLE other;
                   ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO other";
    run(&route.target.url("app"), default).await;
    compare(&route, &[]);
}
