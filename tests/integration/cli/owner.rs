//! The two tests whose names the owner has chosen: always on own clusters, and also, read-only, on the servers of
//! `TEST_SOURCE_URL` and `TEST_TARGET_URL` if these are set.

use crate::support::command::{Finished, program};
use crate::support::oracle;
use crate::support::route::Route;
use crate::support::run;

/// A command that only reads, on the pair that the environment names.
fn on_given_pair(arguments: &[&str]) -> Option<Finished> {
    let (source, target) = (
        std::env::var("TEST_SOURCE_URL").ok()?,
        std::env::var("TEST_TARGET_URL").ok()?,
    );
    // Whatever the target holds would be replaced, if this were to write; no slot is asked for.
    let judged = [
        "--drop-existing",
        "--no-sync",
        "--include-databases",
        "postgres",
    ];
    let program = program(&[arguments, &judged].concat());
    Some(
        program
            .env("SOURCE_DATABASE_URL", &source)
            .env("TARGET_DATABASE_URL", &target)
            .run(),
    )
}

async fn route() -> Route {
    let route = Route::of_majors([17, 17]);
    route.create("app").await;
    let fill = "CREATE TABLE public.users (id int PRIMARY KEY, name text);
                CREATE TABLE public.orders (id serial PRIMARY KEY, buyer int REFERENCES public.users);
                INSERT INTO public.users SELECT n, 'user ' || n FROM generate_series(1, 100) n;
                INSERT INTO public.orders (buyer) SELECT id FROM public.users";
    run(&route.source.url("app"), fill).await;
    route
}

/// `validate` reports every finding and changes nothing.
pub(crate) async fn validate() {
    if let Some(given) = on_given_pair(&["validate"]) {
        given.expect(0);
    }
    let route = route().await;
    let done = route.command("validate", &[], &[]).run().expect(0);
    assert!(
        done.stdout.contains("app: create, 2 tables"),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains("\nready\nnext: "), "{}", done.stdout);
    run(&route.target.url("postgres"), "CREATE DATABASE app").await;
    run(&route.target.url("app"), "CREATE TABLE public.held ()").await;
    let refused = route.command("validate", &[], &[]).run().expect(1);
    assert!(
        refused
            .stdout
            .contains("database app is not empty: 1 table,"),
        "{}",
        refused.stdout
    );
}

/// From the checks over the copy to the proof, and again after a change.
pub(crate) async fn full_migration() {
    if let Some(given) = on_given_pair(&["init", "--dry-run"]) {
        given.expect(0);
    }
    let route = route().await;
    route.command("validate", &[], &[]).run().expect(0);
    route.command("init", &[], &["--yes"]).run().expect(0);
    let (source, target) = (route.source.url("app"), route.target.url("app"));
    assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
    // The source's own publication is no definition to compare.
    route.remove_run("app").await;
    assert_eq!(oracle::schema_diff(&source, &target), Vec::<String>::new());
    route.command("verify", &[], &[]).run().expect(0);
    run(&source, "DELETE FROM public.orders WHERE id = 7").await;
    route.command("verify", &[], &[]).run().expect(1);
    route.command("init", &[], &["--yes"]).run().expect(1);
    route
        .command("init", &[], &["--yes", "--drop-existing"])
        .run()
        .expect(0);
    route.command("verify", &[], &[]).run().expect(0);
}
