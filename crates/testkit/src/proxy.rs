//! A wire to a server that can be cut: what stands between a program and its database, or its bucket, when the network fails.
//!
//! It listens on loopback and carries bytes as it is told. Its work runs on the runtime that it was made on.

use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// The most that is carried at once.
const CHUNK: usize = 8 * 1024;

/// What the wire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    /// Carries everything.
    Carry,
    /// Cuts whoever is connected, and whoever comes.
    Refuse,
    /// Keeps every byte until it is told otherwise.
    Stall,
    /// Waits so long before every 8 KiB at most.
    Slow(Duration),
    /// Cuts all connections as soon as so many bytes have come from this end, in all, since it was told; carries everything
    /// from then on.
    CutAfter(End, u64),
}

/// An end of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The program.
    Client,
    /// The database, or the store.
    Server,
}

/// A wire to one server. It is gone when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    wire: Arc<Wire>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Wire {
    conduct: watch::Sender<Conduct>,
    /// Counts the cuts: whoever sees it change is cut.
    cuts: watch::Sender<u64>,
    from_client: AtomicU64,
    from_server: AtomicU64,
}

/// Where a server listens.
#[derive(Debug, Clone)]
enum Address {
    Socket(PathBuf),
    Port(String, u16),
}

impl Proxy {
    /// A wire to the database at a PostgreSQL address.
    ///
    /// # Panics
    /// When the address is malformed or no port of loopback is free.
    pub async fn to(url: &str) -> Self {
        let server = PgConnectOptions::from_str(url).expect("a PostgreSQL address");
        let upstream = match server.get_socket() {
            Some(folder) => Address::Socket(folder.join(format!(".s.PGSQL.{}", server.get_port()))),
            None => Address::Port(server.get_host().to_owned(), server.get_port()),
        };
        let (user, database) = (server.get_username(), server.get_database().unwrap_or_default());
        let url = |port| format!("postgresql://{user}@127.0.0.1:{port}/{database}?sslmode=disable");
        Self::between(upstream, url).await
    }

    /// A wire to a server of HTTP on a port of loopback.
    ///
    /// # Panics
    /// When no port of loopback is free.
    pub async fn to_http(port: u16) -> Self {
        let upstream = Address::Port("127.0.0.1".to_owned(), port);
        Self::between(upstream, |port| format!("http://127.0.0.1:{port}")).await
    }

    async fn between(upstream: Address, url: impl FnOnce(u16) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of loopback");
        let port = listener.local_addr().expect("it is bound").port();
        let wire = Arc::new(Wire {
            conduct: watch::Sender::new(Conduct::Carry),
            cuts: watch::Sender::new(0),
            from_client: AtomicU64::new(0),
            from_server: AtomicU64::new(0),
        });
        Self {
            url: url(port),
            accepting: tokio::spawn(accept(listener, upstream, Arc::clone(&wire))),
            wire,
        }
    }

    /// The server's address by way of this wire.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it shall do from now on.
    pub fn set(&self, conduct: Conduct) {
        for end in [End::Client, End::Server] {
            self.wire.carried(end).store(0, Ordering::SeqCst);
        }
        self.wire.conduct.send_replace(conduct);
        if conduct == Conduct::Refuse {
            self.cut();
        }
    }

    /// Cuts all connections now.
    pub fn cut(&self) {
        self.wire.cut();
    }

    /// How many times connections were cut.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        *self.wire.cuts.borrow()
    }

    /// How many bytes came from an end since the last [`Proxy::set`].
    #[must_use]
    pub fn carried(&self, end: End) -> u64 {
        self.wire.carried(end).load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

impl Wire {
    fn carried(&self, end: End) -> &AtomicU64 {
        match end {
            End::Client => &self.from_client,
            End::Server => &self.from_server,
        }
    }

    fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Waits until bytes from an end may pass; how many of them do, before the connection is cut.
    async fn pass(&self, end: End, bytes: usize) -> usize {
        let mut conduct = self.conduct.subscribe();
        // Its sender is our own.
        let _ = conduct.wait_for(|conduct| *conduct != Conduct::Stall).await;
        let before = self.carried(end).fetch_add(bytes as u64, Ordering::SeqCst);
        let now = *self.conduct.borrow();
        match now {
            Conduct::Slow(pause) => sleep(pause).await,
            Conduct::CutAfter(from, limit) if from == end && before + bytes as u64 > limit => {
                self.conduct.send_replace(Conduct::Carry);
                return usize::try_from(limit.saturating_sub(before)).unwrap_or(bytes);
            }
            _ => {}
        }
        bytes
    }
}

async fn accept(listener: TcpListener, upstream: Address, wire: Arc<Wire>) {
    loop {
        if let Ok((client, _)) = listener.accept().await {
            tokio::spawn(connect(client, upstream.clone(), Arc::clone(&wire)));
        }
    }
}

async fn connect(client: TcpStream, upstream: Address, wire: Arc<Wire>) {
    let mut cut = wire.cuts.subscribe();
    if *wire.conduct.borrow() == Conduct::Refuse {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let carried = async {
        match upstream {
            Address::Socket(path) => {
                let (from_server, to_server) = UnixStream::connect(path).await?.into_split();
                both(&wire, from_client, to_server, from_server, to_client).await
            }
            Address::Port(host, port) => {
                let (from_server, to_server) = TcpStream::connect((host, port)).await?.into_split();
                both(&wire, from_client, to_server, from_server, to_client).await
            }
        }
    };
    // Whichever way it ends, both connections are dropped.
    tokio::select! {
        _ = carried => {}
        _ = cut.changed() => {}
    }
}

async fn both(
    wire: &Wire,
    from_client: impl AsyncRead + Unpin,
    to_server: impl AsyncWrite + Unpin,
    from_server: impl AsyncRead + Unpin,
    to_client: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    tokio::select! {
        ended = carry(wire, End::Client, from_client, to_server) => ended,
        ended = carry(wire, End::Server, from_server, to_client) => ended,
    }
}

async fn carry(
    wire: &Wire,
    end: End,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let bytes = from.read(&mut buffer).await?;
        if bytes == 0 {
            return Ok(());
        }
        let passed = wire.pass(end, bytes).await;
        to.write_all(&buffer[..passed]).await?;
        if passed < bytes {
            wire.cut();
            return Ok(());
        }
    }
}
