//! The paths of the web server.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use percent_encoding::percent_decode_str;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::access::Access;
use super::answer::{self, Answer, Content as Media};
use super::page::Pages;
use super::{events, metrics, ready};
use crate::status;
use crate::ui::SettingName;
use crate::ui::monitor::Reports;
use crate::ui::report::ShownStatus;

/// Clients of events at most: they stay, and others need places too.
const STAYING: usize = 32;

/// The largest form. A token is shorter.
const LARGEST_FORM: usize = 4 << 10;

/// How long a client may take for its form.
const FORM_TIMEOUT: Duration = Duration::from_secs(10);

/// What a wrong token costs: guessing takes long.
const WRONG_TOKEN_DELAY: Duration = Duration::from_millis(500);

/// What the server shows.
#[derive(Clone, Debug)]
pub struct Content {
    /// The newest report.
    pub reports: Reports,
    /// How remedies name settings.
    pub setting_name: SettingName,
}

impl Content {
    /// A report for programs, as one line.
    pub(super) fn json(&self, report: &status::Report) -> String {
        let setting_name = self.setting_name;
        let shown = ShownStatus {
            report,
            setting_name,
        };
        shown.json_line()
    }

    fn newest(&self) -> Option<Arc<status::Report>> {
        self.reports.borrow().clone()
    }
}

/// What answers requests.
#[derive(Debug)]
pub(super) struct Site {
    access: Access,
    content: Content,
    pages: Pages,
    places: Arc<Semaphore>,
}

/// What a path shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Page,
    Login,
    Metrics,
    Health,
    Ready,
    Status,
    Events,
}

impl Route {
    fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/" => Self::Page,
            "/login" => Self::Login,
            "/metrics" => Self::Metrics,
            "/healthz" => Self::Health,
            "/readyz" => Self::Ready,
            "/api/status" => Self::Status,
            "/events" => Self::Events,
            _ => return None,
        })
    }

    /// Whether the token is checked here, where it is set. A check of health reveals nothing.
    const fn is_open(self) -> bool {
        match self {
            Self::Login | Self::Health | Self::Ready => true,
            Self::Page | Self::Metrics | Self::Status | Self::Events => false,
        }
    }
}

impl Site {
    pub(super) fn new(access: Access, content: Content) -> Self {
        Self {
            access,
            content,
            pages: Pages::new(),
            places: Arc::new(Semaphore::new(STAYING)),
        }
    }

    /// Answers a request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Answer {
        if !self.access.accepts_host(request.headers()) {
            return answer::line(StatusCode::FORBIDDEN, "wrong host");
        }
        let Some(route) = Route::of(request.uri().path()) else {
            return answer::line(StatusCode::NOT_FOUND, "not found");
        };
        if route == Route::Login {
            return self.log_in(request).await;
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return answer::not_allowed("GET, HEAD");
        }
        let is_permitted = self.access.permits(request.headers());
        if !is_permitted && !route.is_open() {
            if self.access.is_guess(request.headers()) {
                sleep(WRONG_TOKEN_DELAY).await;
            }
            return self.refuse(route);
        }
        self.show(route, is_permitted, request.method() == Method::HEAD)
    }

    fn show(&self, route: Route, is_permitted: bool, is_head: bool) -> Answer {
        match route {
            Route::Page | Route::Login => self.pages.status(),
            Route::Metrics => {
                let report = self.content.newest();
                let text = metrics::render(report.as_deref());
                answer::answer(StatusCode::OK, Media::Metrics, text)
            }
            Route::Health => answer::line(StatusCode::OK, "ok"),
            Route::Ready => self.show_readiness(is_permitted),
            Route::Status => match self.content.newest() {
                Some(report) => {
                    let json = self.content.json(&report);
                    answer::answer(StatusCode::OK, Media::Json, json)
                }
                None => answer::line(StatusCode::SERVICE_UNAVAILABLE, "no report yet"),
            },
            Route::Events if is_head => answer::answer(StatusCode::OK, Media::Events, ""),
            Route::Events => self.show_events(),
        }
    }

    /// Names of databases are for clients with the token only.
    fn show_readiness(&self, is_permitted: bool) -> Answer {
        let reasons = ready::reasons(self.content.newest().as_deref());
        match (reasons.as_slice(), is_permitted) {
            ([], _) => answer::line(StatusCode::OK, "ready"),
            (_, false) => answer::line(StatusCode::SERVICE_UNAVAILABLE, "not ready"),
            (reasons, true) => {
                let reasons = reasons.join("\n");
                answer::line(StatusCode::SERVICE_UNAVAILABLE, &reasons)
            }
        }
    }

    fn show_events(&self) -> Answer {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => {
                let body = events::body(self.content.clone(), place);
                answer::with_body(StatusCode::OK, Media::Events, body)
            }
            Err(_) => answer::line(StatusCode::SERVICE_UNAVAILABLE, "too many clients"),
        }
    }

    /// A person can enter the token, a program cannot.
    fn refuse(&self, route: Route) -> Answer {
        let refused = match route {
            Route::Page => self.pages.login(),
            Route::Login
            | Route::Metrics
            | Route::Health
            | Route::Ready
            | Route::Status
            | Route::Events => answer::line(StatusCode::UNAUTHORIZED, "token required"),
        };
        answer::unauthorized(refused)
    }

    async fn log_in(&self, request: Request<Incoming>) -> Answer {
        if !self.access.has_token() {
            return answer::line(StatusCode::NOT_FOUND, "not found");
        }
        if request.method() != Method::POST {
            return answer::not_allowed("POST");
        }
        let form = Limited::new(request.into_body(), LARGEST_FORM).collect();
        let Ok(Ok(form)) = timeout(FORM_TIMEOUT, form).await else {
            return answer::line(StatusCode::BAD_REQUEST, "form expected");
        };
        let offered = token_of(&form.to_bytes());
        match self.access.cookie(&offered.unwrap_or_default()) {
            Some(cookie) => answer::logged_in(&cookie),
            None => {
                sleep(WRONG_TOKEN_DELAY).await;
                answer::unauthorized(self.pages.login())
            }
        }
    }
}

/// The field `token` of a form (`application/x-www-form-urlencoded`).
fn token_of(form: &[u8]) -> Option<String> {
    let form = std::str::from_utf8(form).ok()?;
    let mut fields = form.split('&');
    let value = fields.find_map(|field| field.strip_prefix("token="))?;
    let value = value.replace('+', " ");
    let value = percent_decode_str(&value).decode_utf8().ok()?;
    Some(value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_a_field_of_a_form() {
        assert_eq!(token_of(b"a=b&token=x%2By+z").as_deref(), Some("x+y z"));
        assert_eq!(token_of(b"token=").as_deref(), Some(""));
        assert_eq!(token_of(b"a=token="), None);
        assert_eq!(token_of(&[0xff]), None);
    }
}
