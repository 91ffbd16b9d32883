//! Answers to requests.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, SET_COOKIE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Response, StatusCode};

/// A body of any kind.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// An answer.
pub(super) type Answer = Response<Body>;

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text,
    Metrics,
    Json,
    Html,
    Events,
}

impl Content {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Metrics => "text/plain; version=0.0.4; charset=utf-8",
            Self::Json => "application/json",
            Self::Html => "text/html; charset=utf-8",
            Self::Events => "text/event-stream",
        }
    }
}

/// Headers of every answer. The state of a database is in no cache, no frame of another site and no link.
const HEADERS: [(HeaderName, &str); 5] = [
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// The policy of what is no page.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";

/// Creates an answer.
pub(super) fn answer(status: StatusCode, content: Content, body: impl Into<Bytes>) -> Answer {
    with_body(status, content, Full::new(body.into()).boxed_unsync())
}

/// Creates an answer whose body is sent over time.
pub(super) fn with_body(status: StatusCode, content: Content, body: Body) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let media_type = HeaderValue::from_static(content.media_type());
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(NO_PAGE));
    answer
}

/// Creates an answer of one line.
pub(super) fn line(status: StatusCode, text: &str) -> Answer {
    answer(status, Content::Text, format!("{text}\n"))
}

/// Creates an answer with a page, whose policy allows its own script and style only.
pub(super) fn page(status: StatusCode, page: &'static str, policy: &HeaderValue) -> Answer {
    let mut answer = answer(status, Content::Html, page);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
    answer
}

/// The answer to a method that the path does not have.
pub(super) fn not_allowed(methods: &'static str) -> Answer {
    let mut answer = line(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    let methods = HeaderValue::from_static(methods);
    answer.headers_mut().insert(ALLOW, methods);
    answer
}

/// The answer to a client without the token.
pub(super) fn unauthorized(mut answer: Answer) -> Answer {
    let scheme = HeaderValue::from_static("Bearer");
    answer.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    answer
}

/// The answer to a client that has entered the token.
pub(super) fn logged_in(cookie: &str) -> Answer {
    let mut answer = line(StatusCode::SEE_OTHER, "logged in");
    let headers = answer.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static("/"));
    let cookie = HeaderValue::from_str(cookie).expect("a cookie of ours is ASCII");
    headers.insert(SET_COOKIE, cookie);
    answer
}
