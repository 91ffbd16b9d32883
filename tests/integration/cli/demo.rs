//! The demo, as a user runs it: without arguments, with nothing left afterwards.

use std::path::Path;

use crate::support::command::program;

/// Folders of sandbox clusters in a folder for temporary files.
fn clusters(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().filter_map(Result::ok);
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("seren-"))
        .count()
}

/// What the demo shows, in order.
const STEPS: [&str; 12] = [
    "start",
    "fill",
    "validate",
    "init",
    "books",
    "sync",
    "status",
    "sync again",
    "exactly once",
    "verify",
    "verify notices",
    "teardown",
];

#[test]
fn the_demo_proves_every_step_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let demo = program(&["demo"])
        .env("TMPDIR", folder.path().to_str().unwrap())
        .run()
        .expect(0);
    for step in STEPS {
        demo.assert_prints(&[&format!("✓ {step}: ")]);
    }
    assert!(demo.stdout.contains("all proved in "), "{}", demo.stdout);
    assert_eq!(clusters(folder.path()), 0);
}

#[test]
fn an_interrupted_demo_leaves_nothing_either() {
    let folder = tempfile::tempdir().unwrap();
    let demo = program(&["demo"])
        .env("TMPDIR", folder.path().to_str().unwrap())
        .start();
    demo.wait_for_error("demo: fill");
    demo.signal("INT");
    demo.finish().expect(130);
    assert_eq!(clusters(folder.path()), 0);
}

#[test]
fn a_folder_without_server_programs_is_named() {
    let demo = program(&["demo", "--bin-dir", "/nonexistent"])
        .run()
        .expect(1);
    assert!(
        demo.stderr
            .contains("/nonexistent holds no PostgreSQL server programs"),
        "{}",
        demo.stderr
    );
}

#[test]
fn every_step_has_its_numbers_and_kept_clusters_stay() {
    let folder = tempfile::tempdir().unwrap();
    let demo = program(&["demo", "--keep", "--output", "json"])
        .env("TMPDIR", folder.path().to_str().unwrap())
        .run()
        .expect(0);
    let report: serde_json::Value = serde_json::from_str(&demo.stdout).unwrap();
    let steps = report["steps"].as_array().unwrap();
    let names: Vec<_> = steps
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(names, STEPS);
    assert!(steps.iter().all(|step| step["proved"] == true), "{report}");
    let number = |step: &str, name: &str| {
        let found = steps.iter().find(|one| one["step"] == step).unwrap();
        let number = found["numbers"][name].as_u64();
        number.unwrap_or_else(|| panic!("{step}: {name}: {found}"))
    };
    assert!(number("init", "orders_during_copy") > 0);
    assert!(number("sync", "orders_between_copy_and_sync") >= 20);
    assert!(number("sync", "orders_during_sync") > 0);
    assert!(number("status", "lag_ms") < 1000);
    let total = number("sync again", "orders");
    assert!(total > number("books", "orders_on_target"));
    assert_eq!(number("exactly once", "orders_on_target"), total);
    assert_eq!(number("exactly once", "orders_on_source"), total);
    assert_eq!(number("exactly once", "rows"), 7 * total);
    assert_eq!(number("teardown", "remaining"), 0);
    assert_eq!(clusters(folder.path()), 2);
}
