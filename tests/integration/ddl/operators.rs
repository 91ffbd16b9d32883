//! Operators that the text of a definition does not name with their schema, and that the parser
//! finds by the search path: `IS DISTINCT FROM`, `NULLIF`, `CASE x WHEN`, `JOIN USING`, comparisons
//! of rows. A definition that has another meaning on the target is worse than an error.

use crate::support::command::Finished;
use crate::support::gate::Gate;
use crate::support::operators::{Copied, DEFINITIONS, assert_meaning, copied};
use crate::support::route::{Route, common, older};
use crate::support::{oracle, run, value};

/// The only refused definition: its name and the message.
fn refused(finished: Finished) -> (String, String) {
    let finished = finished.expect(1);
    let report: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    let refused = report["error"]["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 1, "{}", finished.all());
    let object = refused[0]["object"].as_str().unwrap().to_owned();
    (object, finished.all())
}

#[tokio::test]
async fn definitions_keep_the_operators_of_extensions_within_17() {
    let Copied { urls, finished, .. } = copied([17, 17], DEFINITIONS).await;
    finished.expect(0);
    assert_eq!(oracle::data_diff(&urls[0], &urls[1]), Vec::<String>::new());
    assert_eq!(
        oracle::schema_diff(&urls[0], &urls[1]),
        Vec::<String>::new()
    );
    assert_eq!(
        value(&urls[1], "SELECT public.is_boss('ANN@x.org')").await,
        "t"
    );
    assert_meaning(&urls[0]).await;
    assert_meaning(&urls[1]).await;
}

#[tokio::test]
async fn definitions_keep_the_operators_of_extensions_from_13_to_18() {
    let Copied { urls, finished, .. } = copied([13, 18], DEFINITIONS).await;
    finished.expect(0);
    assert_eq!(oracle::data_diff(&urls[0], &urls[1]), Vec::<String>::new());
    assert_meaning(&urls[1]).await;
}

/// Somebody who may create in `public` makes a better match for a function that a definition calls.
#[tokio::test]
async fn a_planted_function_is_neither_called_nor_in_the_way() {
    let script = "CREATE EXTENSION citext SCHEMA public;
        CREATE TABLE t (id int, mail citext); INSERT INTO t VALUES (1, 'Ann');
        CREATE MATERIALIZED VIEW m AS SELECT to_jsonb(mail) AS j FROM t WHERE mail IS DISTINCT FROM 'x';
        CREATE INDEX i ON t (cardinality(array_append(ARRAY[mail], mail))) WHERE nullif(mail, 'y') IS NOT NULL;
        CREATE FUNCTION array_append(citext[], citext) RETURNS citext[] LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE 'planted'; END $$;
        CREATE FUNCTION to_jsonb(citext) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE 'planted'; END $$;";
    for majors in [[17, 17], [13, 18]] {
        let Copied { urls, finished, .. } = copied(majors, script).await;
        finished.expect(0);
        assert_eq!(value(&urls[1], "SELECT j FROM public.m").await, "\"Ann\"");
        run(&urls[1], "INSERT INTO public.t VALUES (2, 'bob')").await;
    }
}

const MOODS: &str = "CREATE EXTENSION citext SCHEMA public;
    CREATE TYPE mood AS ENUM ('glad', 'sad');
    CREATE TABLE t (id int, mail citext, mood mood); INSERT INTO t VALUES (1, 'Ann', 'sad');";

const PLANTED: &str = "
    CREATE FUNCTION planted(mood, mood) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE 'planted code has run'; END $$;
    CREATE OPERATOR = (LEFTARG = mood, RIGHTARG = mood, FUNCTION = planted);";

/// The same for an operator, which no text can keep apart.
#[tokio::test]
async fn a_planted_operator_is_refused_before_it_is_run() {
    let objects = [
        (
            "CREATE VIEW v AS SELECT id FROM t WHERE mail IS DISTINCT FROM 'x' AND mood IS DISTINCT FROM 'glad'",
            "view public.v",
        ),
        (
            "CREATE INDEX i ON t (id) WHERE mail IS DISTINCT FROM 'x' AND mood IS DISTINCT FROM 'glad'",
            "index public.i on public.t",
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT c CHECK (mail IS DISTINCT FROM 'x' AND mood IS DISTINCT FROM 'glad') NOT VALID",
            "constraint c on public.t",
        ),
    ];
    for ((majors, object), named) in [
        ([17, 17], objects[0].0),
        ([17, 17], objects[1].0),
        ([13, 18], objects[2].0),
    ]
    .into_iter()
    .zip(objects.map(|(_, named)| named))
    {
        let Copied {
            admin,
            name,
            finished,
            ..
        } = copied(majors, &format!("{MOODS} {object}; {PLANTED}")).await;
        let (refused, said) = refused(finished);
        assert_eq!(refused, named);
        for told in [
            "pg_catalog.=",
            "public.=(public.mood,public.mood)",
            "OPERATOR(",
        ] {
            assert!(said.contains(told), "{told}: {said}");
        }
        assert!(!said.contains("planted code has run"), "{said}");
        let there = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
        assert_eq!(value(&admin, &there).await, "0");
    }
}

/// Two schemas have operators of the same names, and a definition uses one of each.
#[tokio::test]
async fn a_definition_that_no_path_suits_is_refused() {
    let script = "CREATE TYPE public.mood AS ENUM ('glad', 'sad');
        CREATE FUNCTION public.f(public.mood, public.mood) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
        CREATE TYPE public.tone AS ENUM ('low', 'high');
        CREATE FUNCTION public.f(public.tone, public.tone) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
        CREATE SCHEMA a; CREATE SCHEMA b;
        CREATE OPERATOR a.= (LEFTARG = public.mood, RIGHTARG = public.mood, FUNCTION = public.f);
        CREATE OPERATOR b.= (LEFTARG = public.tone, RIGHTARG = public.tone, FUNCTION = public.f);
        CREATE TABLE public.t (m public.mood, t public.tone);
        SET search_path = a, b, public;
        CREATE VIEW a.fits AS SELECT m FROM public.t WHERE t IS DISTINCT FROM 'low' AND m OPERATOR(a.=) 'glad';
        CREATE VIEW a.v AS SELECT m FROM public.t WHERE m IS DISTINCT FROM 'sad' AND t IS DISTINCT FROM 'low';
        CREATE OPERATOR a.= (LEFTARG = public.tone, RIGHTARG = public.tone, FUNCTION = public.f);
        CREATE OPERATOR b.= (LEFTARG = public.mood, RIGHTARG = public.mood, FUNCTION = public.f);";
    for majors in [[17, 17], [13, 18]] {
        let (object, said) = refused(copied(majors, script).await.finished);
        assert_eq!(object, "view a.v");
        for told in [
            "calls b.=(public.tone,public.tone)",
            "call a.=(public.tone,public.tone)",
        ] {
            assert!(said.contains(told), "{told}: {said}");
        }
    }
}

/// What a role that may create in `public` plants while rows are copied.
const PLANTED_LATE: &str = "
    GRANT CREATE, USAGE ON SCHEMA public TO pg_monitor; SET ROLE pg_monitor;
    CREATE FUNCTION public.array_append(public.citext[], public.citext) RETURNS public.citext[] LANGUAGE plpgsql IMMUTABLE
      AS $$ BEGIN RAISE 'planted code has run'; END $$;
    CREATE FUNCTION public.planted(public.mood, public.mood) RETURNS boolean LANGUAGE plpgsql IMMUTABLE
      AS $$ BEGIN RAISE 'planted code has run'; END $$;
    CREATE OPERATOR public.= (LEFTARG = public.mood, RIGHTARG = public.mood, FUNCTION = public.planted);";

/// Definitions that come after the rows.
const LATE: &str = "
    ALTER TABLE t ADD PRIMARY KEY (id);
    CREATE INDEX i ON t (cardinality(array_append(ARRAY[mail], mail))) WHERE mail IS DISTINCT FROM 'x';
    CREATE INDEX j ON t (id) WHERE mail IS DISTINCT FROM 'x' AND mood IS DISTINCT FROM 'glad';
    CREATE MATERIALIZED VIEW m AS SELECT id, mood IS DISTINCT FROM 'glad' AS sad FROM t
      WHERE mail IS DISTINCT FROM 'x' GROUP BY id;
    ALTER TABLE t ADD CONSTRAINT c CHECK (gate(id) > 0 AND mail IS DISTINCT FROM 'x' AND mood IS DISTINCT FROM 'glad');";

/// Copies such a database; what only the target has is planted while the rows are copied.
async fn planted_on_target(route: &Route) -> Finished {
    let name = route.fresh("planted").await;
    let gate = Gate::shut(&route.target.url("postgres")).await;
    let held = "CREATE TABLE held (id int, g int GENERATED ALWAYS AS (gate(id)) STORED); INSERT INTO held (id) VALUES (1);";
    let fill = format!(
        "SET search_path = public; {} {MOODS} {held} {LATE}",
        gate.function()
    );
    // The gate is shut on the target alone.
    run(&route.source.url(&name), &fill).await;
    let running = route.init(&name, &["--output", "json"]).start();
    gate.reached(&name).await;
    run(&route.target.url(&name), PLANTED_LATE).await;
    gate.open().await;
    running.finish()
}

#[tokio::test]
async fn a_candidate_that_only_the_target_has_is_refused_before_it_is_run() {
    for route in [common(), older()] {
        let finished = planted_on_target(route).await.expect(1);
        let report: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
        let refused = report["error"]["refused"].as_array().unwrap();
        let names: Vec<_> = refused
            .iter()
            .map(|one| one["object"].as_str().unwrap())
            .collect();
        let wanted = [
            "constraint c on public.t",
            "index public.i on public.t",
            "index public.j on public.t",
            "materialized view public.m",
        ];
        assert!(wanted.iter().all(|one| names.contains(one)), "{names:?}");
        let said = finished.all();
        for planted in [
            "the source calls only functions of pg_catalog, the target would call \
             public.array_append(public.citext[],public.citext)",
            "public.=(public.mood,public.mood)",
        ] {
            assert!(said.contains(planted), "{planted}: {said}");
        }
        assert!(!said.contains("planted code has run"), "{said}");
    }
}
