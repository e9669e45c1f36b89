//! Serving a router until it is told to stop, then letting the requests under way finish.

use std::future::{Future, IntoFuture};
use std::io;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// How long the requests under way may take to finish once the server is to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves the router on the listener until `shutdown` is done. Then no new connection is taken, and the requests under
/// way have 10 seconds: a trigger that waits longer is cut off, its run goes on.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, stopped) = oneshot::channel::<()>();
    let signal = async move {
        shutdown.await;
        let _ = stopping.send(());
    };
    let server = axum::serve(listener, router)
        .with_graceful_shutdown(signal)
        .into_future();
    let drained = async move {
        // Also done when the server ended by itself and dropped the signal.
        let _ = stopped.await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        served = server => served,
        () = drained => Ok(()),
    }
}
