//! Files and sections that documents name exist.

use super::markdown::code_spans;
use super::{documents, read, root};

/// The anchors of a document's headings, as GitHub forms them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading
            .chars()
            .filter(|part| part.is_alphanumeric() || matches!(part, ' ' | '-' | '_'));
        kept.collect::<String>().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

/// The targets of a document's links.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link)
        .collect()
}

#[test]
fn links_lead_to_files_and_headings() {
    for path in documents() {
        let text = read(&path);
        let folder = root().join(&path).parent().unwrap().to_owned();
        for link in links(&text) {
            if link.starts_with("http") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if anchor.is_empty() {
                // A picture is no text.
                assert!(folder.join(file).exists(), "{path}: {link}");
                continue;
            }
            let other = if file.is_empty() {
                text.clone()
            } else {
                let file = folder.join(file);
                std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{path}: {link}"))
            };
            let exists = anchors(&other).iter().any(|own| own == anchor);
            assert!(exists, "{path}: {link}");
        }
    }
}

/// Whether a code span is a path of this repository: of the package's folder, or of `src`.
fn is_path(span: &str) -> bool {
    let first = span.split('/').next().unwrap_or_default();
    let is_plain = span
        .chars()
        .all(|part| part.is_ascii_alphanumeric() || matches!(part, '/' | '_' | '.' | '-'));
    let starts = |folder: &str| root().join(folder).join(first).is_dir() && !first.is_empty();
    is_plain && span.contains('/') && !first.starts_with('.') && (starts("") || starts("src"))
}

#[test]
fn paths_in_documents_exist() {
    let mut missing = Vec::new();
    for path in documents() {
        let text = read(&path);
        for span in code_spans(&text).into_iter().filter(|span| is_path(span)) {
            // What the build creates is not part of the repository.
            let is_built = span.starts_with("target/");
            let exists = ["", "src"]
                .iter()
                .any(|folder| root().join(folder).join(span).exists());
            if !is_built && !exists {
                missing.push(format!("{path}: {span}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
