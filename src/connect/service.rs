//! The connection service file (manual, "The Connection Service File"): an INI file whose sections
//! hold connection parameters.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Environment;
use super::conninfo::Parsed;
use super::conninfo_error::ConninfoError;

/// Why a service gives no parameters.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A file cannot be read.
    #[error("read service file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// No file defines the service.
    #[error("service {name:?} is not defined in {}", shown_list(files))]
    NotFound {
        /// The service.
        name: String,
        /// The files looked into.
        files: Vec<PathBuf>,
    },
    /// A line is neither a section, a parameter nor a comment.
    #[error("service file {}, line {line}: not of the form keyword=value", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A parameter is not usable.
    #[error("service file {}, line {line}", path.display())]
    Parameter {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        source: ConninfoError,
    },
}

fn shown_list(files: &[PathBuf]) -> String {
    if files.is_empty() {
        return "any file: there is none".to_owned();
    }
    files
        .iter()
        .map(|file| file.display().to_string())
        .collect::<Vec<_>>()
        .join(" nor ")
}

/// The parameters of a service: from the file named, or the user's and then the system's.
pub(super) fn load_service(
    name: &str,
    file: Option<&Path>,
    environment: &Environment,
) -> Result<Parsed, ServiceError> {
    let named = file
        .map(Path::to_owned)
        .or_else(|| environment.service_file.clone());
    let home = || {
        environment
            .home
            .as_ref()
            .map(|home| home.join(".pg_service.conf"))
    };
    let own = named.clone().or_else(home);
    let system = environment
        .system_folder
        .as_ref()
        .map(|folder| folder.join("pg_service.conf"));
    let files: Vec<PathBuf> = own.into_iter().chain(system).collect();
    for path in &files {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            // Only a file that was named must be there.
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => continue,
            Err(source) => {
                return Err(ServiceError::Unreadable {
                    path: path.clone(),
                    source,
                });
            }
        };
        if let Some(parsed) = parse_section(name, &text, path)? {
            return Ok(parsed);
        }
    }
    Err(ServiceError::NotFound {
        name: name.to_owned(),
        files,
    })
}

/// The section of a service within a file's text, as pairs of keyword and value.
///
/// # Errors
/// A line of the section is malformed, or its keyword is not usable.
pub fn parse_service(
    name: &str,
    text: &str,
) -> Result<Option<Vec<(String, String)>>, Box<ServiceError>> {
    let found = parse_section(name, text, Path::new(""))?;
    Ok(found.map(|parsed| parsed.parameters.into_iter().collect()))
}

fn parse_section(name: &str, text: &str, path: &Path) -> Result<Option<Parsed>, ServiceError> {
    let mut found = None;
    for (index, line) in text.lines().enumerate() {
        let (line, number) = (line.trim(), index + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            if found.is_some() {
                break;
            }
            found = (section == name).then(Parsed::default);
            continue;
        }
        let Some(parsed) = &mut found else { continue };
        let Some((keyword, value)) = line.split_once('=') else {
            return Err(ServiceError::Syntax {
                path: path.to_owned(),
                line: number,
            });
        };
        let keyword = keyword.trim();
        let set = if matches!(keyword, "service" | "servicefile") {
            Err(ConninfoError::Refused {
                keyword: keyword.to_owned(),
                reason: "a service cannot name another one",
            })
        } else {
            parsed.set(keyword, value.trim().to_owned())
        };
        set.map_err(|source| ServiceError::Parameter {
            path: path.to_owned(),
            line: number,
            source,
        })?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# comment\n[a]\nhost=h\nport = 1\n\n[b]\nhost=other\nbad\n";

    #[test]
    fn the_named_section_is_read_up_to_the_next() {
        let parsed = parse_section("a", FILE, Path::new("f")).unwrap().unwrap();
        assert_eq!(parsed.parameters["host"], "h");
        assert_eq!(parsed.parameters["port"], "1");
        assert!(parse_section("c", FILE, Path::new("f")).unwrap().is_none());
    }

    #[test]
    fn errors_name_file_and_line() {
        let error = parse_section("b", FILE, Path::new("f")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "service file f, line 8: not of the form keyword=value"
        );
        let error = parse_section("a", "[a]\nhots=x", Path::new("f")).unwrap_err();
        assert!(matches!(error, ServiceError::Parameter { line: 2, .. }));
    }

    #[test]
    fn a_service_without_a_file_is_an_error() {
        let error = load_service("a", None, &Environment::default()).unwrap_err();
        assert!(matches!(error, ServiceError::NotFound { .. }));
        let named = load_service(
            "a",
            Some(Path::new("/nonexistent")),
            &Environment::default(),
        );
        assert!(matches!(named, Err(ServiceError::Unreadable { .. })));
    }
}
