//! Who may import whom. A line of the table may use any line below it, never one above; modules
//! on the same line do not know each other.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From the top down.
const LAYERS: &[&[&str]] = &[
    &["cli"],
    &["serve"],
    &["ui"],
    &["config"],
    &["demo"],
    &["migrate", "replicate", "teardown"],
    &["checkpoint"],
    &["snapshot", "status", "verify"],
    &["cluster"],
    &["logical"],
    &["transfer"],
    &["ddl"],
    &["selection"],
    &["catalog"],
    &["connect"],
    &["wire", "sandbox"],
    &["task"],
    &["event"],
    &["remedy"],
    &["predicate"],
    &["pg"],
];

/// The parts of an area, by the same rule: files and folders of its folder, from the top down.
struct Area {
    name: &'static str,
    layers: &'static [&'static [&'static str]],
}

/// The areas with a table of their own. Their `mod.rs` lists what is for others.
const AREAS: &[Area] = &[
    Area {
        name: "snapshot",
        layers: &[
            &["load"],
            &["worker"],
            &["load_state"],
            &["read_queues"],
            &["next_task", "definitions"],
            &["statistics", "sequences"],
            &["rows", "large_objects"],
            &["evaluation"],
            &["point"],
            &["request", "tables", "retry", "stop", "crew"],
            &["error", "lock_table", "need"],
            &["refusal"],
        ],
    },
    Area {
        name: "migrate",
        layers: &[
            &["dry_run"],
            &["execute"],
            &["plan"],
            &["check"],
            &["proposal"],
            &["planned"],
            &["record"],
            &["resume"],
            &[
                "journal",
                "lock_keys",
                "repeats",
                "replication",
                "target_cluster",
                "target_use",
            ],
            &["error", "missing_text", "options", "report"],
            &["on_refusal", "target_action"],
        ],
    },
    Area {
        name: "teardown",
        layers: &[
            &["find", "remove"],
            &["source_side", "target_side", "orphan", "statements"],
            &["source_runs"],
            &["source_pair", "run_filter", "sync_slots"],
            &["seen", "marked"],
            &["leftovers", "reached"],
            &["leftover", "other_copy", "options", "error"],
            &["unrecorded"],
        ],
    },
];

fn layer(layers: &[&[&str]], module: &str) -> Option<usize> {
    layers.iter().position(|names| names.contains(&module))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules named after `prefix`, such as `crate::`, in a file, also in `use crate::{a::b, c}`.
fn imports(text: &str, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(prefix) {
        if text[..at].ends_with(['$', ':']) {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        let word = |text: &str| {
            let word: String = text
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            word
        };
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut fresh = true;
            for (index, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => fresh = true,
                    c if fresh && c.is_ascii_alphabetic() => {
                        found.insert(word(&group[index..]));
                        fresh = false;
                    }
                    _ => {}
                }
            }
        } else {
            found.insert(word(rest));
        }
    }
    found
}

#[test]
fn modules_import_downwards_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&root).unwrap();
        let first = relative
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap();
        let module = first.trim_end_matches(".rs");
        if matches!(module, "main" | "lib") {
            continue;
        }
        let from = layer(LAYERS, module).unwrap_or_else(|| panic!("{module} has no layer"));
        for import in imports(&fs::read_to_string(&file).unwrap(), "crate::") {
            let Some(to) = layer(LAYERS, &import) else {
                continue;
            };
            if import != module && to <= from {
                wrong.push(format!("{} imports {import}", relative.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "against the layers:\n{}",
        wrong.join("\n")
    );
}

/// The parts of its area that a file imports.
fn imports_in_area(area: &Area, file: &Path, depth: usize) -> BTreeSet<String> {
    let text = fs::read_to_string(file).unwrap();
    let mut found = imports(&text, &format!("crate::{}::", area.name));
    if depth == 1 {
        found.extend(imports(&text, "super::"));
    }
    found
}

#[test]
fn parts_of_an_area_import_downwards_only() {
    let mut wrong = Vec::new();
    for area in AREAS {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let root = root.join(area.name);
        let mut files = Vec::new();
        sources(&root, &mut files);
        for file in files {
            let relative = file.strip_prefix(&root).unwrap();
            let depth = relative.components().count();
            let first = relative.components().next().unwrap().as_os_str();
            let part = first.to_str().unwrap().trim_end_matches(".rs");
            if part == "mod" {
                continue;
            }
            let from = layer(area.layers, part);
            let from = from.unwrap_or_else(|| panic!("{} has no layer in {}", part, area.name));
            for import in imports_in_area(area, &file, depth) {
                let to = layer(area.layers, &import);
                if import != part && to.is_some_and(|to| to <= from) {
                    wrong.push(format!("{} imports {import}", relative.display()));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "against the layers:\n{}",
        wrong.join("\n")
    );
}

/// The file of the package.
fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The layers as docs/architecture.md lists them: the names in the first cell of each row.
fn layers_of_the_document() -> Vec<Vec<String>> {
    let text = read("docs/architecture.md");
    let section = text.split("\n## Layers\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let names = |row: &str| {
        let cell = row.split('|').nth(1).unwrap();
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    rows.map(names).collect()
}

/// The layers as the crate's documentation lists them: names with commas, two blanks, the purpose.
fn layers_of_the_crate() -> Vec<Vec<String>> {
    let text = read("src/lib.rs");
    let block = text.split("```text\n").nth(1).unwrap();
    let block = block.split("//! ```").next().unwrap();
    let names = |line: &str| {
        let (names, _) = line.trim_start_matches("//! ").split_once("  ").unwrap();
        names.split(", ").map(str::to_owned).collect()
    };
    block.lines().map(names).collect()
}

#[test]
fn documents_list_the_same_layers() {
    let names = |layer: &&[&str]| layer.iter().map(|name| (*name).to_owned()).collect();
    let layers: Vec<Vec<String>> = LAYERS.iter().map(names).collect();
    assert_eq!(layers_of_the_document(), layers, "docs/architecture.md");
    assert_eq!(layers_of_the_crate(), layers, "src/lib.rs");
}

#[test]
fn no_file_is_longer_than_six_hundred_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches"] {
        sources(&root.join(folder), &mut files);
    }
    let count = |file: &PathBuf| fs::read_to_string(file).unwrap().lines().count();
    let long: Vec<_> = files.iter().filter(|file| count(file) > 600).collect();
    assert!(long.is_empty(), "longer than 600 lines: {long:?}");
}

/// The first flag of the command line in a line: two dashes and a lower-case letter.
fn flag_in(line: &str) -> Option<&str> {
    let begins = |(at, _): &(usize, &str)| {
        let follows = line[at + 2..].starts_with(|c: char| c.is_ascii_lowercase());
        follows && !line[..*at].ends_with('-')
    };
    let (at, _) = line.match_indices("--").find(begins)?;
    let is_part = |c: char| c.is_ascii_lowercase() || c == '-';
    let end = line[at..].find(|c| !is_part(c));
    Some(&line[at..end.map_or(line.len(), |end| at + end)])
}

/// Only `cli` knows flags; `sandbox` starts programs of PostgreSQL with theirs.
#[test]
fn no_flag_is_named_below_the_command_line() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut found = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&root).unwrap();
        if ["cli", "sandbox"]
            .iter()
            .any(|top| relative.starts_with(top))
        {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let flags = code.lines().filter_map(flag_in);
        found.extend(flags.map(|flag| format!("{}: {flag}", relative.display())));
    }
    assert!(found.is_empty(), "flags below cli:\n{}", found.join("\n"));
}

#[test]
fn flags_are_seen() {
    assert_eq!(flag_in("pass `--jobs 2`, or"), Some("--jobs"));
    assert_eq!(flag_in("a -- b --- c --"), None);
}

#[test]
fn grouped_imports_are_seen() {
    let text = "use crate::{pg::{Lsn, Sql}, wire};\nuse crate::task::Scope;";
    let found = imports(text, "crate::");
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        ["pg", "task", "wire"]
    );
}
