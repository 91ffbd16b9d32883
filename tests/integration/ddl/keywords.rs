//! Names that are SQL keywords on the target only.

use crate::support::fresh_database;
use crate::support::route::shared;
use crate::support::schema::copy;
use crate::support::{run, value};

/// `SYSTEM_USER` is a function since 16.
const SOURCE: &str = r#"
    CREATE TABLE public.system_user (id int);
    CREATE VIEW public.over AS SELECT system_user.id FROM public.system_user;
    CREATE TABLE public.t (system_user name, small text GENERATED ALWAYS AS (lower(system_user::text)) STORED,
      CONSTRAINT named CHECK (system_user <> 'nobody'));
    CREATE INDEX by_small ON public.t (lower(system_user::text));
    CREATE POLICY own ON public.t USING (system_user = current_user);
    ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;
    CREATE FUNCTION public.f(system_user public.system_user) RETURNS int LANGUAGE sql
      BEGIN ATOMIC SELECT (system_user).id; END;
    INSERT INTO public.t VALUES ('Me');
"#;

/// What of the source reads the column, and not the function.
const READERS: &str = "SELECT concat_ws(' ',
    (SELECT count(*) FROM pg_depend d JOIN pg_policy p ON p.oid = d.objid AND d.classid = 'pg_policy'::regclass
      WHERE d.refobjid = 'public.t'::regclass AND d.refobjsubid = 1),
    (SELECT conkey FROM pg_constraint WHERE conname = 'named'),
    (SELECT count(*) FROM pg_indexes WHERE indexname = 'by_small' AND indexdef LIKE '%\"system_user\"%'),
    (SELECT small FROM public.t))";

#[tokio::test]
async fn a_name_that_is_a_word_on_the_target_only_stays_a_name_from_15_to_16() {
    let source = fresh_database(15, "keyword").await;
    run(&source, SOURCE).await;
    let target = copy("keywords", &source, [15, 16]).await;
    run(&target, "INSERT INTO public.t VALUES ('Me')").await;
    assert_eq!(value(&target, READERS).await, "1 {1} 1 me");
}

#[tokio::test]
async fn the_command_keeps_such_names_too() {
    let route = shared([15, 16]);
    let name = &*route.fresh("app").await;
    run(&route.source.url(name), SOURCE).await;
    let planned = route.init(name, &["--dry-run"]).run().expect(0);
    let policy = r#"(("system_user" = CURRENT_USER))"#;
    assert!(planned.stdout.contains(policy), "{}", planned.stdout);
    route.init(name, &[]).run().expect(0);
    assert_eq!(value(&route.target.url(name), READERS).await, "1 {1} 1 me");
}
