//! Words that our texts do not use, with those that they use instead: docs/glossary.md and the PostgreSQL manual have
//! the terms. The test searches documents, help, messages, and comments of Rust and SQL files.

use super::rust::{Part, pieces};
use super::{Passage, documents, files, markdown, read, usage};

/// Words not used, in every form that occurs, and what to write.
struct Calque {
    words: &'static [&'static str],
    instead: &'static str,
}

/// Not used anywhere.
const CALQUES: &[Calque] = &[
    Calque {
        words: &["told", "tell", "tells", "telling"],
        instead: "report, list, show, print; of a function: returns",
    },
    Calque {
        words: &[
            "keep log",
            "keeps log",
            "kept log",
            "keeping log",
            "keeps more log",
            "keep more log",
            "log kept",
            "bytes of log",
            "gigabytes of log",
            "the log",
            "target's log",
            "source's log",
        ],
        instead: "WAL, retains WAL; \"log\" is the server log",
    },
    Calque {
        words: &["anew"],
        instead: "again, from the beginning",
    },
    Calque {
        words: &["go on", "goes on", "going on", "gone on", "went on"],
        instead: "continue, resume",
    },
    Calque {
        words: &["stand", "stands", "standing", "stood"],
        instead: "exist, is; of a name: replaces, means",
    },
    Calque {
        words: &[
            "leave out",
            "leaves out",
            "left out",
            "leaving out",
            "leave it out",
            "leaves it out",
            "leave them out",
            "leaves them out",
            "keep it out",
            "keeps it out",
            "keep them out",
            "keeps them out",
        ],
        instead: "skip, omit, exclude",
    },
    Calque {
        words: &["takes a superuser", "take a superuser", "takes superuser"],
        instead: "requires superuser",
    },
    Calque {
        words: &["cure", "cures", "cured"],
        instead: "remedy, fix",
    },
    Calque {
        words: &["whatever"],
        instead: "any, every, or name them",
    },
    Calque {
        words: &[
            "hang on",
            "hangs on",
            "hanging",
            "rest on",
            "rests on",
            "resting on",
        ],
        instead: "depends on",
    },
    Calque {
        words: &["need each other", "needs each other"],
        instead: "circular dependency",
    },
    Calque {
        words: &[
            "is made",
            "are made",
            "was made",
            "were made",
            "be made",
            "been made",
            "being made",
            "not made",
            "made by",
            "made again",
            "made in",
            "made for",
            "made here",
            "made later",
            "has made",
            "have made",
            "that made",
            "who made",
            "users made",
            "makes of",
            "made otherwise",
            "make a",
            "makes a",
            "making a",
            "make it",
            "makes it",
            "make the",
            "makes the",
            "making the",
            "making of",
            "made the",
            "made a",
        ],
        instead: "create, build, generate",
    },
    Calque {
        words: &["let one", "lets one"],
        instead: "allow; can be",
    },
    Calque {
        words: &["vouch", "vouches", "vouched"],
        instead: "certify, sign, trust; be responsible for",
    },
    Calque {
        words: &["lie", "lies", "lying", "lain"],
        instead: "is, is stored, is located",
    },
    Calque {
        words: &["by themselves"],
        instead: "by default, automatically",
    },
    Calque {
        words: &["at hand"],
        instead: "current",
    },
    Calque {
        words: &[
            "carry over",
            "carries over",
            "carried over",
            "carrying over",
        ],
        instead: "copy",
    },
    Calque {
        words: &["need a hand", "needs a hand"],
        instead: "partial; name what remains to be done",
    },
    Calque {
        words: &["clear up", "clears up", "cleared up", "clearing up"],
        instead: "clean up, cleanup",
    },
    Calque {
        words: &["parcel", "parcels"],
        instead: "batch",
    },
    Calque {
        words: &["lend", "lends", "lent", "loan", "loans"],
        instead: "temporary membership, grant",
    },
    Calque {
        words: &[
            "behind its operand",
            "behind their operand",
            "aggregate for any type",
        ],
        instead: "postfix operator, polymorphic aggregate",
    },
    Calque {
        words: &["whole row as one"],
        instead: "REPLICA IDENTITY FULL",
    },
];

/// Not used in what users read; comments may.
const CALQUES_FOR_USERS: &[Calque] = &[
    Calque {
        words: &["both sides", "either side", "one side"],
        instead: "source and target, both servers, one server",
    },
    Calque {
        words: &["lane", "lanes"],
        instead: "row copier, worker, connection",
    },
    Calque {
        words: &["folder", "folders"],
        instead: "directory",
    },
    Calque {
        words: &["majors"],
        instead: "major versions",
    },
];

/// The longest sentence that a reader follows at once, in words.
const LONGEST_SENTENCE: usize = 25;

/// Whether a text contains words, with nothing alphanumeric before and behind them. Both are lower-case, with
/// single blanks.
fn contains(text: &str, words: &str) -> bool {
    let is_part = |part: char| part.is_alphanumeric() || part == '_';
    text.match_indices(words).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = text[at + words.len()..].chars().next();
        !before.is_some_and(is_part) && !behind.is_some_and(is_part)
    })
}

/// A text to search: lower-case, without code spans and placeholders, with single blanks.
fn plain(text: &str) -> String {
    let text = markdown::without_code(text).to_lowercase();
    let text: String = text
        .split('{')
        .map(|part| part.split_once('}').map_or(part, |(_, behind)| behind))
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn found<'a>(passage: &'a Passage, calques: &'a [Calque]) -> impl Iterator<Item = String> + 'a {
    let text = plain(&passage.text);
    calques
        .iter()
        .flat_map(|calque| calque.words.iter().map(|words| (*words, calque.instead)))
        .filter(move |(words, _)| contains(&text, words))
        .map(|(words, instead)| format!("{}: {words:?}: write {instead}", passage.place))
}

/// The passages of all documents.
fn document_passages() -> Vec<Passage> {
    let passages = |path: String| markdown::passages(&path, &read(&path));
    documents().into_iter().flat_map(passages).collect()
}

/// The comments of a query. Comments in a row are one passage.
fn query_passages(path: &str, text: &str) -> Vec<Passage> {
    let comments = text
        .lines()
        .map(|line| line.trim_start().strip_prefix("--"));
    let comments: Vec<_> = comments.enumerate().collect();
    let blocks = comments.chunk_by(|(_, before), (_, after)| before.is_some() == after.is_some());
    let passage = |block: &[(usize, Option<&str>)]| Passage {
        place: format!("{path}:{}", block[0].0 + 1),
        text: block.iter().filter_map(|(_, text)| *text).collect(),
    };
    blocks.map(passage).collect()
}

/// The comments and literals of the source, by whether users read them.
fn source_passages() -> Vec<(bool, Passage)> {
    let queries = files("src", "sql").into_iter();
    let queries = queries.flat_map(|path| query_passages(&path, &read(&path)));
    let mut passages: Vec<_> = queries.map(|passage| (false, passage)).collect();
    for path in files("src", "rs") {
        if path.ends_with("tests.rs") {
            continue;
        }
        for piece in pieces(&read(&path)) {
            let place = format!("{path}:{}", piece.line);
            let text = piece.text;
            passages.push((piece.part == Part::Literal, Passage { place, text }));
        }
    }
    passages
}

/// The sentences of a passage that are too long.
fn too_long(passage: &Passage) -> Vec<String> {
    let mut found = Vec::new();
    for sentence in markdown::sentences(&passage.text) {
        let words = sentence.split_whitespace().count();
        if words > LONGEST_SENTENCE {
            found.push(format!("{}: {words} words: {sentence}", passage.place));
        }
    }
    found
}

#[track_caller]
fn assert_none(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} found:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn documents_and_help_use_the_terms_of_the_field() {
    let mut passages = document_passages();
    passages.extend(usage::help_passages());
    let all = passages
        .iter()
        .flat_map(|passage| found(passage, CALQUES).chain(found(passage, CALQUES_FOR_USERS)));
    assert_none(&all.collect::<Vec<_>>());
}

#[test]
fn messages_and_comments_use_the_terms_of_the_field() {
    let mut wrong = Vec::new();
    for (for_users, passage) in source_passages() {
        wrong.extend(found(&passage, CALQUES));
        if for_users {
            wrong.extend(found(&passage, CALQUES_FOR_USERS));
        }
    }
    assert_none(&wrong);
}

#[test]
fn sentences_of_documents_and_help_are_short() {
    let mut passages = document_passages();
    passages.extend(usage::help_passages());
    assert_none(&passages.iter().flat_map(too_long).collect::<Vec<_>>());
}

/// Whether a literal is a query or a list of settings, and no message.
fn is_code(text: &str) -> bool {
    [" = ", "SELECT ", "FROM ", "WHERE ", "JOIN "]
        .iter()
        .any(|part| text.contains(part))
}

#[test]
fn sentences_of_messages_are_short() {
    let messages = source_passages()
        .into_iter()
        .filter(|(for_users, _)| *for_users);
    let texts = messages
        .map(|(_, passage)| passage)
        .filter(|passage| !is_code(&passage.text));
    assert_none(
        &texts
            .flat_map(|passage| too_long(&passage))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn words_are_found_between_borders_only() {
    let passage = |text: &str| Passage {
        place: "x".to_owned(),
        text: text.to_owned(),
    };
    let count = |text: &str| found(&passage(text), CALQUES).count();
    assert_eq!(count("the user is told, anew"), 2);
    assert_eq!(count("a standby is retold in `anew`"), 0);
    assert_eq!(count("what goes\non"), 1);
}

#[test]
fn comments_of_queries_are_passages() {
    let found = query_passages("x", "-- One\n -- two\nSELECT 1\n  -- three\n");
    let found: Vec<_> = found
        .iter()
        .map(|one| (one.place.as_str(), one.text.as_str()))
        .collect();
    assert_eq!(found, [("x:1", " One two"), ("x:3", ""), ("x:4", " three")]);
}
