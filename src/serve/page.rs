//! The pages. They load nothing from elsewhere, and a policy allows their own script and style only.

use base64ct::{Base64, Encoding as _};
use hyper::StatusCode;
use hyper::header::HeaderValue;
use sha2::{Digest as _, Sha256};

use super::answer::{self, Answer};

/// The page that follows the reports.
const STATUS: &str = include_str!("page.html");

/// The form for the token.
const LOGIN: &str = include_str!("login.html");

/// The pages with their policies.
#[derive(Debug)]
pub(super) struct Pages {
    status: HeaderValue,
    login: HeaderValue,
}

impl Pages {
    pub(super) fn new() -> Self {
        Self {
            status: policy(STATUS),
            login: policy(LOGIN),
        }
    }

    /// The page that follows the reports.
    pub(super) fn status(&self) -> Answer {
        answer::page(StatusCode::OK, STATUS, &self.status)
    }

    /// The form for the token.
    pub(super) fn login(&self) -> Answer {
        answer::page(StatusCode::UNAUTHORIZED, LOGIN, &self.login)
    }
}

/// The policy of a page: names the script and the style by their digests (W3C, "Content Security Policy Level 3").
fn policy(page: &str) -> HeaderValue {
    let script = source(page, "script");
    let style = source(page, "style");
    let policy = format!(
        "default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("a policy of digests is ASCII")
}

/// The digest of what is in an element; nothing is allowed where a page has no such element.
fn source(page: &str, element: &str) -> String {
    match contents(page, element) {
        Some(contents) => {
            let digest = Base64::encode_string(&Sha256::digest(contents));
            format!("'sha256-{digest}'")
        }
        None => "'none'".to_owned(),
    }
}

fn contents<'a>(page: &'a str, element: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("<{element}>"))?;
    let (contents, _) = rest.split_once(&format!("</{element}>"))?;
    Some(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_the_digest_of_script_and_style() {
        let page = "<style>a{}</style><script>alert(1)</script>";
        let policy = policy(page);
        let policy = policy.to_str().unwrap();
        // Digests of `openssl dgst -sha256 -binary | base64`.
        let script = "script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='";
        assert!(policy.contains(script), "{policy}");
        assert!(policy.contains("default-src 'none'"));
        assert_eq!(source(page, "title"), "'none'");
    }

    #[test]
    fn names_from_servers_cannot_become_markup() {
        let script = contents(STATUS, "script").unwrap();
        for sink in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "DOMParser",
            "createContextualFragment",
            "srcdoc",
        ] {
            assert!(!script.contains(sink), "{sink}");
        }
        assert!(script.contains("textContent"));
    }

    #[test]
    fn pages_load_nothing_from_elsewhere_and_have_no_handlers() {
        for page in [STATUS, LOGIN] {
            let own = page.replace("http://www.w3.org/2000/svg", "");
            for foreign in [
                "http:", "https:", "src=", "href=", "@import", "url(", " style=",
            ] {
                assert!(!own.contains(foreign), "{foreign}");
            }
            let markup = own.split("<script>").next().unwrap();
            for word in markup.split_whitespace() {
                assert!(!(word.starts_with("on") && word.contains('=')), "{word}");
            }
            assert!(page.matches("<script").count() <= 1);
            assert_eq!(page.matches("<style").count(), 1);
        }
    }
}
