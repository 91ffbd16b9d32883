//! TLS against real servers: who is accepted in which mode, and who we are to them.

mod authentication;
mod certificates;
mod chain;
mod modes;
mod negotiation;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use seren_replicator::connect::tls::{self, Root, Settings, SslMode};
use seren_replicator::sandbox::{Builder, Cluster};
use seren_replicator::wire::{
    Authentication, BoxStream, ChannelBinding, ChannelBindingPolicy, Connection, Error, Idle,
    Startup, TlsAnswer, request_tls,
};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;

use crate::support::{run, wait_until_true};
use certificates::Pair;

/// A server with TLS, and files of ours.
struct Server {
    cluster: Cluster,
    files: tempfile::TempDir,
}

/// A server with this certificate, yet to be set up further.
fn builder(major: u32, pair: &Pair) -> Builder {
    Cluster::builder(major)
        .with_setting("ssl", "on")
        .with_file("server.crt", pair.certificates.as_str())
        .with_file("server.key", pair.key.as_str())
}

impl Server {
    fn start(builder: &Builder) -> Self {
        Self {
            cluster: builder.start().unwrap(),
            files: tempfile::tempdir().unwrap(),
        }
    }

    /// Changes the server's certificate.
    async fn present(&self, pair: &Pair) {
        self.cluster
            .write_file("server.crt", pair.certificates.as_bytes())
            .unwrap();
        self.cluster
            .write_file("server.key", pair.key.as_bytes())
            .unwrap();
        run(&self.cluster.url("postgres"), "SELECT pg_reload_conf()").await;
        let expected = CertificateDer::from_pem_slice(pair.certificates.as_bytes()).unwrap();
        let expected = ChannelBinding::TlsServerEndPoint(Sha256::digest(&expected).to_vec());
        let log = std::fmt::from_fn(|f| write!(f, "the certificate: {}", self.cluster.read_log()));
        wait_until_true(log, async || {
            let (_, binding) = self.encrypt(&settings(SslMode::Require), "").await.unwrap();
            binding == expected
        })
        .await;
    }

    /// A file of ours, that nobody else can read.
    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.files.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn root(&self, content: &str) -> Root {
        Root::File(self.file("root.crt", content))
    }

    async fn dial(&self) -> BoxStream {
        let address = ("127.0.0.1", self.cluster.port());
        Box::new(TcpStream::connect(address).await.unwrap())
    }

    /// The handshake.
    async fn encrypt(
        &self,
        settings: &Settings,
        host: &str,
    ) -> Result<(BoxStream, ChannelBinding), tls::Error> {
        let mut stream = self.dial().await;
        if !settings.direct {
            assert_eq!(request_tls(&mut stream).await.unwrap(), TlsAnswer::Accepted);
        }
        tls::handshake(stream, settings, host).await
    }

    /// A session of a user on a stream.
    async fn log_in(
        &self,
        (stream, channel_binding): (BoxStream, ChannelBinding),
        user: &str,
        policy: ChannelBindingPolicy,
    ) -> Result<Connection<Idle>, Error> {
        let authentication = Authentication {
            user,
            password: Some("secret"),
            channel_binding,
            policy,
            allow_cleartext: false,
            methods: None,
        };
        let startup = Startup {
            parameters: &[("user", user), ("database", "postgres")],
            authentication: &authentication,
        };
        Connection::start(stream, &startup).await
    }
}

/// Settings without any file of this machine's user.
fn settings(mode: SslMode) -> Settings {
    Settings {
        mode,
        ..Settings::default()
    }
}

/// Settings with a root.
fn rooted(mode: SslMode, root: &Root) -> Settings {
    Settings {
        root: Some(root.clone()),
        ..settings(mode)
    }
}

/// Settings that show who we are.
fn with_identity(settings: Settings, certificate: &Path, key: &Path) -> Settings {
    Settings {
        certificate: Some(certificate.to_owned()),
        key: Some(key.to_owned()),
        ..settings
    }
}
