//! `kindred playground`: the simulated platform's own services, for people and scripts to use.

use std::io::Write;

use anyhow::Context;
use axum::Router;
use kindred_model::Clock;
use kindred_playground::{Playground, communication_service, interaction_service, user_service};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::serve::{announce, listen, serve_one};
use super::simulate::targets;
use crate::exit::Usage;
use crate::settings::Settings;
use crate::{embedded, shutdown};

pub(crate) async fn playground(settings: &Settings) -> anyhow::Result<()> {
    let bind = settings.servers.bind;
    if !bind.is_loopback() && !settings.servers.access.tokens.is_empty() {
        // Tokens of the analytics servers are not asked for here.
        let told = format!(
            "whoever can reach {bind} may register with the playground, whatever API_TOKENS says: leave BIND_ADDRESS at \
             127.0.0.1, or permit it by ALLOW_ANONYMOUS=true in place of API_TOKENS"
        );
        return Err(Usage(told).into());
    }
    let stop = shutdown::token()?;
    let server = embedded::start(settings).await?;
    if let Some(server) = &server {
        embedded::prepare(server, settings).await?;
    }
    let playground = Playground::open(&targets(settings, server.as_ref())?, Clock::system()).await?;
    let served = serve(settings, &playground, stop).await;
    playground.close().await;
    if let Some(server) = server {
        server.close().await?;
    }
    served
}

/// Serves until `stop`, then lets the calls under way finish.
async fn serve(settings: &Settings, playground: &Playground, stop: CancellationToken) -> anyhow::Result<()> {
    let (bind, ports) = (settings.servers.bind, &settings.playground);
    let services: [(&str, &str, u16, Router); 3] = [
        (
            "user service",
            "USER_SERVICE_PORT",
            ports.users_port,
            user_service(playground.clone()),
        ),
        (
            "interaction service",
            "INTERACTION_SERVICE_PORT",
            ports.interactions_port,
            interaction_service(playground.clone()),
        ),
        (
            "communication service",
            "COMMUNICATION_SERVICE_PORT",
            ports.communications_port,
            communication_service(playground.clone()),
        ),
    ];
    let mut listening: Vec<(TcpListener, Router)> = Vec::new();
    for (name, setting, port, router) in services {
        let listener = listen(bind, port, setting).await?;
        announce(name, &listener)?;
        listening.push((listener, router));
    }
    if !bind.is_loopback() {
        tracing::warn!("ALLOW_ANONYMOUS is true: whoever can reach {bind} may register");
    }
    welcome(&listening)?;
    let mut tasks = JoinSet::new();
    for (listener, router) in listening {
        tasks.spawn(serve_one(listener.into_std()?, router, stop.clone()));
    }
    let mut ended = Ok(());
    while let Some(task) = tasks.join_next().await {
        // One that fails takes the others with it.
        let result = task.context("a service's task panicked").and_then(|result| result);
        if result.is_err() && ended.is_ok() {
            stop.cancel();
            ended = result;
        }
    }
    ended
}

fn welcome(listening: &[(TcpListener, Router)]) -> anyhow::Result<()> {
    let mut addresses = Vec::new();
    for (listener, _) in listening {
        addresses.push(listener.local_addr()?);
    }
    let [users, interactions, communications] = addresses[..] else {
        return Ok(());
    };
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "\nThe platform is open. In another terminal:\n\n  \
         curl -s http://{users}/api/auth/register -H 'Content-Type: application/json' \\\n    \
         -d '{{\"email\":\"user1@example.com\",\"password\":\"password123\",\"username\":\"user1\",\"dateOfBirth\":\"1995-05-15\"}}'\n\n\
         Accounts, sessions, profiles, subscriptions: http://{users}\n\
         Likes and matches: http://{interactions}\n\
         Messages: http://{communications}\n\
         Every call, with its answer, stands in docs/walkthrough.md. Ctrl-C stops the services.\n",
    )?;
    out.flush()?;
    Ok(())
}
