//! The simulated platform while it goes on in real time.

use std::time::Duration;

use kindred_jobs::describe;
use kindred_model::Clock;
use kindred_simulator::{SimulatorError, Targets};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long databases that are away are left alone before the platform goes on.
const PATIENCE: Duration = Duration::from_secs(15);

/// Lets the simulated platform go on until `stop`, whenever its databases are there.
pub(crate) async fn keep_going(
    targets: &Targets,
    clock: &Clock,
    stop: &CancellationToken,
) -> Result<(), SimulatorError> {
    tracing::info!("the simulated platform goes on in real time");
    loop {
        match kindred_simulator::follow(targets, clock, stop.cancelled()).await {
            Ok(()) => return Ok(()),
            Err(hopeless @ SimulatorError::NoHistory) => return Err(hopeless),
            Err(error) => tracing::warn!(
                error = describe(&error),
                "the simulated platform stands still for a while"
            ),
        }
        tokio::select! {
            () = tokio::time::sleep(PATIENCE) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

/// The platform going on beside something else.
pub(crate) struct Following {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Following {
    pub(crate) fn start(targets: Targets, clock: Clock, stop: CancellationToken) -> Self {
        let stopping = stop.clone();
        let task = tokio::spawn(async move {
            if let Err(error) = keep_going(&targets, &clock, &stopping).await {
                tracing::warn!(error = describe(&error), "the simulated platform stands still");
            }
        });
        Self { task, stop }
    }

    /// Lets go of the databases.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::warn!(error = describe(&error), "the simulated platform broke off");
        }
    }
}
