//! Definitions that find operators by the search path, their copy, and a check of their meaning.

use super::command::Finished;
use super::route::{Route, common};
use super::{cluster, database, fresh_name, oracle, run, text, value};

/// Definitions of every kind.
pub(crate) const DEFINITIONS: &str = include_str!("../cases/operators/definitions.sql");

/// What depends on the operators, and the answer that shows the extension's.
const ANSWERS: &[(&str, &str)] = &[
    (
        "SELECT string_agg(c, ' ' ORDER BY id) FROM v_case",
        "boss other",
    ),
    (
        "SELECT string_agg(id::text, ' ' ORDER BY id) FROM v_in",
        "1 2",
    ),
    (
        "SELECT string_agg(n::text, ' ' ORDER BY n) FROM v_join",
        "7 8",
    ),
    (
        "SELECT string_agg(n::text, ' ' ORDER BY n) FROM v_natural",
        "7",
    ),
    (
        "SELECT string_agg(z::text, ' ' ORDER BY id) FROM v_nullif",
        "true false",
    ),
    (
        "SELECT string_agg(concat_ws(',', p, b, a), ' ' ORDER BY id) FROM v_distinct",
        "f,f,f t,t,t",
    ),
    ("SELECT string_agg(id::text, ' ') FROM v_rows", "1"),
    (
        "SELECT string_agg(id::text, ' ' ORDER BY id) FROM v_pair",
        "1 2",
    ),
    (
        "SELECT string_agg(concat_ws(',', d, m, j), ' ' ORDER BY id) FROM v_clash",
        "f,t,\"Ann@x.org\" t,f,\"bob@x.org\"",
    ),
    ("SELECT string_agg(c, ' ') FROM m_case", "boss"),
    ("SELECT string_agg(c, ' ') FROM m_join", "boss"),
    (
        "SELECT string_agg(concat_ws(',', same, kind), ' ' ORDER BY id) FROM member",
        "t,boss f,boss",
    ),
    ("SELECT count(*) FROM first_half", "1"),
];

/// Changes to rows that act by the operators, and what is then there.
const CHANGES: &[(&str, &str, &str)] = &[
    (
        "UPDATE member SET mail = upper(mail::text)::citext, kind = 'same' WHERE id = 1",
        "SELECT kind FROM member WHERE id = 1",
        "same",
    ),
    (
        "UPDATE member SET path = 'z' WHERE id = 1",
        "SELECT kind FROM member WHERE id = 1",
        "moved",
    ),
    (
        "INSERT INTO journal VALUES (1, 'ANN@X.org'), (2, 'bob@x.org')",
        "SELECT string_agg(id::text, ' ') FROM journal",
        "2",
    ),
    (
        "INSERT INTO contact (id) VALUES (1)",
        "SELECT mail FROM contact",
        "yes",
    ),
    (
        "INSERT INTO slot VALUES ('[2,6)', 'Free@X.org')",
        "SELECT count(*) FROM slot",
        "4",
    ),
    (
        "INSERT INTO halves VALUES (3, 'ANN@X.ORG')",
        "SELECT count(*) FROM first_half",
        "2",
    ),
];

/// Rows that a check or a unique index forbids by the operators.
const FORBIDDEN: &[&str] = &[
    "INSERT INTO member (id, mail) VALUES (8, 'Spam@X.org')",
    "INSERT INTO member (id, mail) VALUES (8, 'laTe@X.org')",
    "INSERT INTO member (id, mail) VALUES (9, 'ANN@X.ORG')",
    "INSERT INTO contact VALUES (2, 'ROOT@x.org')",
    "INSERT INTO slot VALUES ('[2,6)', 'bob@x.org')",
];

/// Asserts that a copy of [`DEFINITIONS`] gives the answers of its extensions. It changes rows.
pub(crate) async fn assert_meaning(url: &str) {
    const PATH: &str = "SET search_path = public, ext, own";
    let asked = |question: &str| format!("{PATH}; {question}");
    for (question, answer) in ANSWERS {
        assert_eq!(value(url, &asked(question)).await, *answer, "{question}");
    }
    for (change, question, answer) in CHANGES {
        run(url, &asked(change)).await;
        assert_eq!(value(url, &asked(question)).await, *answer, "{change}");
    }
    for change in FORBIDDEN {
        let session = database(url).await;
        let refused = session.batch(&text(&asked(change))).await;
        let class = refused.unwrap_err().sqlstate().unwrap();
        assert_eq!(class.class(), "23", "{change}");
    }
    run(
        url,
        "GRANT SELECT ON public.invited TO pg_monitor; GRANT USAGE ON SCHEMA public TO pg_monitor;
         ALTER TABLE public.invited ENABLE ROW LEVEL SECURITY",
    )
    .await;
    let seen = "SET row_security = on; SET ROLE pg_monitor; SELECT string_agg(n::text, ' ') FROM public.invited";
    assert_eq!(value(url, seen).await, "7");
}

/// A copy.
pub(crate) struct Copied {
    /// The databases.
    pub(crate) urls: [String; 2],
    /// Another database of the target.
    pub(crate) admin: String,
    /// The name of both.
    pub(crate) name: String,
    /// What the program said.
    pub(crate) finished: Finished,
}

/// Copies what a script makes between the shared clusters of two majors.
pub(crate) async fn copied([from, to]: [u32; 2], script: &str) -> Copied {
    let name = fresh_name("operators");
    let url = |name: &str| {
        let route = common();
        match from == to {
            true => [route.source.url(name), route.target.url(name)],
            false => [from, to].map(|major| cluster(major).url(name)),
        }
    };
    let (admin, urls) = (url("postgres"), url(&name));
    let create = format!("CREATE DATABASE {name} TEMPLATE template0");
    run(&admin[0], &create).await;
    let variables = format!("\\set v14 {}\n{script}", from >= 14);
    let source = urls[0].clone();
    let made = tokio::task::spawn_blocking(move || oracle::psql(&source, &variables));
    made.await.unwrap();
    let more = ["--yes", "--no-sync", "--output", "json"];
    let finished = Route::command_through(&admin, "init", (&[&name], &more)).run();
    let [_, admin] = admin;
    Copied {
        urls,
        admin,
        name,
        finished,
    }
}
