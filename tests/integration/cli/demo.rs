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

#[test]
fn the_demo_proves_every_step_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let demo = program(&["demo"])
        .env("TMPDIR", folder.path().to_str().unwrap())
        .run()
        .expect(0);
    for step in [
        "start",
        "fill",
        "init",
        "books",
        "init again",
        "verify",
        "verify notices",
    ] {
        assert!(
            demo.stdout.contains(&format!("✓ {step}: ")),
            "{}",
            demo.stdout
        );
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
