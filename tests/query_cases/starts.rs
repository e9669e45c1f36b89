//! Engines that start at once, as those of several processes of one state folder do.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use kindred_engine::{Engine, EngineOptions};

use super::bench::MEMORY;

const ENGINES: usize = 4;

#[test]
fn engines_that_start_at_once_share_the_folder_that_they_spill_to() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..100 {
        let options = EngineOptions {
            memory_limit: MEMORY,
            spill_folder: folder.path().join(round.to_string()),
            deadline: Duration::from_secs(1),
            target_partitions: 1,
        };
        let at_once = Barrier::new(ENGINES);
        thread::scope(|scope| {
            for _ in 0..ENGINES {
                scope.spawn(|| {
                    at_once.wait();
                    Engine::new(options.clone()).unwrap();
                });
            }
        });
    }
}
