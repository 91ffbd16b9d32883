//! The server as a client sees it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::access::Access;
use super::server::serve;
use super::site::Site;
use super::{Content, Error, Server};
use crate::connect::Secret;
use crate::status::{Report, samples};
use crate::task::{Background, Scope};

type Sender = watch::Sender<Option<Arc<Report>>>;

const TOKEN: &str = "0123456789abcdef";

/// A server on a free port of this machine, with what feeds it.
struct Running {
    address: SocketAddr,
    reports: Sender,
    _server: Background<()>,
}

fn content() -> (Sender, Content) {
    let (sender, reports) = watch::channel(None);
    let setting_name = |_| "x";
    let content = Content {
        reports,
        setting_name,
    };
    (sender, content)
}

async fn start(token: Option<&str>) -> Running {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::bind(any, token.map(Secret::new)).await.unwrap();
    let (reports, content) = content();
    Running {
        address: server.address(),
        reports,
        _server: Background::spawn(async move { server.run(content, &Scope::detached()).await }),
    }
}

fn send(reports: &Sender, report: Report) {
    reports.send_replace(Some(Arc::new(report)));
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines();
        let mut headers = lines.filter_map(|line| line.split_once(": "));
        let found = headers.find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }
}

impl Running {
    /// Sends a request with these headers besides `Host`; returns the answer.
    async fn request(&self, line: &str, headers: &str) -> Answer {
        let host = format!("Host: {}\r\n", self.address);
        self.exchange(&format!(
            "{line} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n"
        ))
        .await
    }

    async fn get(&self, path: &str) -> Answer {
        self.request(&format!("GET {path}"), "").await
    }

    async fn exchange(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        read_answer(&mut stream).await
    }

    async fn log_in(&self, form: &str) -> Answer {
        let length = form.len();
        let headers = format!("Host: {}\r\nContent-Length: {length}\r\n", self.address);
        let head = format!("POST /login HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
        self.exchange(&format!("{head}{form}")).await
    }
}

async fn read_answer(stream: &mut (impl AsyncRead + Unpin)) -> Answer {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// A connection without a network: time can be paused.
fn connect(site: &Arc<Site>) -> (DuplexStream, Background<()>) {
    let (client, server) = tokio::io::duplex(64 << 10);
    (client, Background::spawn(serve(server, Arc::clone(site))))
}

fn site() -> (Sender, Arc<Site>) {
    let (sender, content) = content();
    let access = Access::new(SocketAddr::from(([127, 0, 0, 1], 1)), None).unwrap();
    (sender, Arc::new(Site::new(access, content)))
}

async fn ask(stream: &mut (impl AsyncWrite + Unpin), path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:1\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// Reads until a text has come.
async fn read_until(stream: &mut (impl AsyncRead + Unpin), text: &str) -> String {
    let mut read = Vec::new();
    loop {
        let shown = String::from_utf8_lossy(&read).into_owned();
        if shown.contains(text) {
            return shown;
        }
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "{shown}");
    }
}

#[tokio::test]
async fn each_path_has_its_content() {
    let server = start(None).await;
    for (path, status) in [("/healthz", 200), ("/readyz", 503), ("/api/status", 503)] {
        assert_eq!(server.get(path).await.status, status, "{path}");
    }
    send(&server.reports, samples::all_kinds());
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert_eq!(
        ready.body,
        "orders: broken\nnew: not_active\nlost: unknown\n"
    );
    let json = server.get("/api/status").await;
    let json: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!(json["databases"][0]["database"], "shop");
    let metrics = server.get("/metrics").await;
    assert_eq!(
        metrics.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    assert!(
        metrics
            .body
            .contains("\nseren_replication_up{database=\"shop\"} 1\n")
    );
    let page = server.get("/").await;
    assert!(page.body.contains("<h1>Replication status</h1>"));
    send(
        &server.reports,
        samples::report(1, vec![samples::copying("a")]),
    );
    assert_eq!(server.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let server = start(None).await;
    for path in ["/other", "/metrics/", "//", "/../", "/login", "/API/status"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
        let answer = server.request(&format!("{method} /metrics"), "").await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    }
}

#[tokio::test]
async fn head_has_the_headers_only() {
    let server = start(None).await;
    send(&server.reports, samples::all_kinds());
    for path in ["/", "/metrics", "/healthz", "/api/status", "/events"] {
        let head = server.request(&format!("HEAD {path}"), "").await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        if path != "/events" {
            let length = server.get(path).await.body.len().to_string();
            assert_eq!(head.header("content-length"), Some(length.as_str()));
        }
    }
}

#[tokio::test]
async fn every_answer_is_in_no_cache_and_of_its_own_type() {
    let server = start(None).await;
    for path in ["/", "/metrics", "/healthz", "/other"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"));
        assert!(!policy.contains("unsafe"));
        assert!(!answer.head.to_lowercase().contains("access-control"));
    }
}

#[tokio::test]
async fn a_name_of_another_site_is_refused() {
    let server = start(None).await;
    let port = server.address.port();
    let ask = async |host: &str| {
        let request = format!("GET /api/status HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        server.exchange(&request).await.status
    };
    assert_eq!(ask(&format!("Host: localhost:{port}\r\n")).await, 503);
    assert_eq!(ask(&format!("Host: [::1]:{port}\r\n")).await, 503);
    assert_eq!(ask(&format!("Host: evil.example:{port}\r\n")).await, 403);
    assert_eq!(ask("Host: localhost\r\n").await, 403);
    assert_eq!(ask("").await, 403);
    let twice = format!("Host: localhost:{port}\r\nHost: evil.example\r\n");
    assert_eq!(ask(&twice).await, 403);
}

#[tokio::test]
async fn an_address_that_others_reach_is_bound_with_a_token_only() {
    let any = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = Server::bind(any, None).await;
    assert!(matches!(refused, Err(Error::NoToken { .. })));
    let server = Server::bind(any, Some(Secret::new(TOKEN))).await.unwrap();
    let used = Server::bind(server.address(), Some(Secret::new(TOKEN))).await;
    assert!(matches!(used, Err(Error::Bind { .. })));
}

#[tokio::test(start_paused = true)]
async fn with_a_token_only_health_is_open() {
    let server = start(Some(TOKEN)).await;
    send(&server.reports, samples::all_kinds());
    for path in ["/metrics", "/api/status", "/events", "/"] {
        let refused = server.get(path).await;
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
        assert!(!refused.body.contains("shop"));
    }
    assert_eq!(server.get("/healthz").await.status, 200);
    let ready = server.get("/readyz").await;
    assert_eq!((ready.status, ready.body.as_str()), (503, "not ready\n"));
    let right = format!("Authorization: Bearer {TOKEN}\r\n");
    assert_eq!(server.request("GET /metrics", &right).await.status, 200);
    // A token in a URL would be in logs and histories.
    let url = format!("/metrics?token={TOKEN}");
    assert_eq!(server.get(&url).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_token_takes_time() {
    let server = start(Some(TOKEN)).await;
    let begin = Instant::now();
    let wrong = "Authorization: Bearer 0123456789abcdeF\r\n";
    assert_eq!(server.request("GET /metrics", wrong).await.status, 401);
    assert_eq!(server.log_in("token=wrong").await.status, 401);
    assert!(begin.elapsed() >= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_person_logs_in_and_gets_a_cookie() {
    let server = start(Some(TOKEN)).await;
    let form = server.get("/").await;
    assert!(form.body.contains("action=\"/login\""));
    let answer = server.log_in(&format!("token={TOKEN}")).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"));
    let pair = cookie.split(';').next().unwrap();
    let page = server
        .request("GET /", &format!("Cookie: {pair}\r\n"))
        .await;
    assert_eq!(page.status, 200);
    let other = "Cookie: seren_status=00\r\n";
    assert_eq!(server.request("GET /", other).await.status, 401);
    assert_eq!(server.get("/login").await.status, 405);
    let large = format!("token={}", "x".repeat(10_000));
    assert_eq!(server.log_in(&large).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn each_report_is_an_event_and_silence_is_kept_alive() {
    let (reports, site) = site();
    let (mut client, _connection) = connect(&site);
    ask(&mut client, "/events").await;
    let head = read_until(&mut client, "retry: 2000\n\n").await;
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    send(
        &reports,
        samples::report(1, vec![samples::caught_up("one")]),
    );
    read_until(&mut client, "\"database\":\"one\"").await;
    let silent = Instant::now();
    read_until(&mut client, ": keepalive\n\n").await;
    assert!(silent.elapsed() >= Duration::from_secs(15));
    send(
        &reports,
        samples::report(2, vec![samples::caught_up("two")]),
    );
    read_until(&mut client, "\"database\":\"two\"").await;
    drop(reports);
    // The last chunk.
    read_until(&mut client, "0\r\n\r\n").await;
}

#[tokio::test]
async fn a_new_client_gets_the_newest_report_at_once() {
    let (reports, site) = site();
    send(
        &reports,
        samples::report(1, vec![samples::caught_up("one")]),
    );
    let (mut client, _connection) = connect(&site);
    ask(&mut client, "/events").await;
    let text = read_until(&mut client, "\"database\":\"one\"").await;
    let data = text.lines().filter(|line| line.starts_with("data: "));
    assert_eq!(data.count(), 1);
}

#[tokio::test]
async fn clients_of_events_leave_places_for_others() {
    let (_reports, site) = site();
    let mut clients = Vec::new();
    for _ in 0..32 {
        let (mut client, connection) = connect(&site);
        ask(&mut client, "/events").await;
        read_until(&mut client, "retry").await;
        clients.push((client, connection));
    }
    let (mut client, _connection) = connect(&site);
    ask(&mut client, "/events").await;
    read_until(&mut client, "too many clients").await;
    clients.pop();
    tokio::task::yield_now().await;
    let (mut client, _connection) = connect(&site);
    ask(&mut client, "/events").await;
    read_until(&mut client, "retry").await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_is_cut_and_an_idle_connection_too() {
    let (_reports, site) = site();
    let (mut slow, _connection) = connect(&site);
    slow.write_all(b"GET /healthz HT").await.unwrap();
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).await.unwrap();
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
    let (mut idle, _connection) = connect(&site);
    ask(&mut idle, "/healthz").await;
    let mut answer = String::new();
    idle.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_large_head_is_refused() {
    let (_reports, site) = site();
    let (mut client, _connection) = connect(&site);
    let head = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(32 << 10));
    client.write_all(head.as_bytes()).await.unwrap();
    let answer = read_answer(&mut client).await;
    assert_eq!(answer.status, 431);
}

#[tokio::test(start_paused = true)]
async fn clients_beyond_the_limit_wait_for_a_place() {
    let server = start(None).await;
    let mut idle = Vec::new();
    for _ in 0..64 {
        idle.push(TcpStream::connect(server.address).await.unwrap());
    }
    let begin = Instant::now();
    assert_eq!(server.get("/healthz").await.status, 200);
    assert!(begin.elapsed() >= Duration::from_secs(10));
}

#[tokio::test]
async fn a_stop_ends_the_server_and_its_connections() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::bind(any, None).await.unwrap();
    let address = server.address();
    let (_reports, content) = content();
    let scope = Scope::detached();
    let stop = scope.stop.clone();
    let running = Background::spawn(async move { server.run(content, &scope).await });
    let mut client = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /events HTTP/1.1\r\nHost: {address}\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    read_until(&mut client, "retry").await;
    stop.cancel();
    running.join().await;
    let mut rest = Vec::new();
    // Closed or reset: the stream has ended.
    drop(client.read_to_end(&mut rest).await);
    assert!(TcpStream::connect(address).await.is_err());
}
