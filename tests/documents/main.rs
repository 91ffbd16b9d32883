//! What people read is checked without a server: the wording of documents, help, messages and comments; the
//! commands, options and paths that documents name.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod help;
mod json;
mod markdown;
mod metrics;
mod paths;
mod providers;
mod reference;
mod rust;
mod usage;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

/// A piece of text that people read, and where it is.
pub(crate) struct Passage {
    pub(crate) place: String,
    pub(crate) text: String,
}

/// The folder of the package.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the package.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The paths of the documents, from the package's folder.
pub(crate) fn documents() -> Vec<String> {
    let mut found = ["README.md", "CONTRIBUTING.md", "benches/README.md"]
        .map(str::to_owned)
        .to_vec();
    for file in files("docs", "md") {
        found.push(file);
    }
    found
}

/// The files below a folder with an extension, by their paths from the package's folder.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect_files(&root().join(folder), extension, &mut found);
    let relative = |path: PathBuf| path.strip_prefix(root()).unwrap().display().to_string();
    let mut found: Vec<_> = found.into_iter().map(relative).collect();
    found.sort();
    found
}

fn collect_files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_files(&path, extension, found);
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
}
