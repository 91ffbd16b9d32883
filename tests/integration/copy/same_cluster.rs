//! Copies under another name, also within one cluster.

use seren_replicator::sandbox::Cluster;

use crate::support::command::program;
use crate::support::oracle;
use crate::support::route::{RUN, common};
use crate::support::{run, value};

#[tokio::test]
async fn a_database_gets_another_name_in_every_command() {
    let route = common();
    let name = route.fresh("mapped").await;
    let other = format!("{name} = copy");
    let map = format!("{name}=\"{other}\"");
    let source = route.source.url(&name);
    run(
        &source,
        "CREATE TABLE public.t (id int PRIMARY KEY); INSERT INTO public.t VALUES (1)",
    )
    .await;
    let more = ["--map-database", &map];
    let checked = route.command("validate", &[&name], &more).run().expect(0);
    let planned = format!("{name} → {other}: create");
    assert!(checked.stdout.contains(&planned), "{}", checked.stdout);
    route.replicate(&name, &more).run().expect(0);
    let target = route.target.url(&other);
    assert_eq!(oracle::data_diff(&source, &target), Vec::<String>::new());
    route.command("verify", &[&name], &more).run().expect(0);
    // The mark contains the name, too.
    let gone = route.remove_run(&name).await;
    assert!(gone.stdout.contains("replication slot"), "{}", gone.stdout);
    let wrong = format!("nothing_{name}=x");
    let refused = route
        .command("validate", &[&name], &["--map-database", &wrong])
        .run()
        .expect(1);
    assert!(
        refused
            .stdout
            .contains("which is to get another name, is not selected"),
        "{}",
        refused.stdout
    );
}

#[tokio::test]
async fn one_cluster_is_copied_within_only_under_other_names() {
    let cluster = Cluster::start(17).unwrap();
    let (door, other_door) = (cluster.url("postgres"), cluster.tcp_url("postgres"));
    for name in ["a", "b"] {
        run(&door, &format!("CREATE DATABASE {name}")).await;
        let fill = "CREATE TABLE public.t (id int PRIMARY KEY); INSERT INTO public.t VALUES (1)";
        run(&cluster.url(name), fill).await;
    }
    let init = |databases: &str, more: &[&str]| {
        let ends = [
            "init",
            "--yes",
            "--drop-existing",
            "--source",
            &door,
            "--target",
            &other_door,
        ];
        program(&[&ends[..], &["--include-databases", databases], more].concat()).run()
    };
    let refused = init("a", &["--map-database", "a=c"]).expect(1);
    assert!(
        refused.stderr.contains("are the same cluster"),
        "{}",
        refused.stderr
    );
    for map in [&[][..], &["--map-database", "a=b", "--map-database", "b=a"]] {
        let refused = init("a,b", &[&["--allow-same-cluster"], map].concat()).expect(1);
        assert!(
            refused.stderr.contains("which is copied itself"),
            "{}",
            refused.stderr
        );
    }
    for name in ["a", "b"] {
        assert_eq!(
            value(&cluster.url(name), "SELECT count(*) FROM public.t").await,
            "1"
        );
    }
    let more = ["--allow-same-cluster", "--map-database", "a=c"];
    init("a", &more).expect(0);
    assert_eq!(
        value(&cluster.url("c"), "SELECT count(*) FROM public.t").await,
        "1"
    );
    let number = value(&cluster.url("a"), RUN).await;
    let gone = program(&[
        "teardown",
        "--yes",
        "--run",
        &number,
        "--source",
        &door,
        "--target",
        &other_door,
    ])
    .run();
    gone.expect(0);
    assert_eq!(
        value(&door, "SELECT count(*) FROM pg_replication_slots").await,
        "0"
    );
}
