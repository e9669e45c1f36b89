//! Hashing passwords (Argon2id, in the PHC string format), a few at a time: each takes 19 MiB and some hundredths of a
//! second of a core.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::refusal::Refusal;

/// Hashes and verifies passwords.
#[derive(Debug)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
}

impl Passwords {
    /// As many at a time as there are cores.
    pub(crate) fn new() -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        Self {
            turns: Arc::new(Semaphore::new(cores)),
        }
    }

    /// The hash of a password, with a salt of its own.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Refusal> {
        self.work(move || Argon2::default().hash_password(password.as_bytes()))
            .await?
            .map(|hash| hash.to_string())
            .map_err(|error| Refusal::broken(&error))
    }

    /// Whether a password has this hash. Without a hash, or with one that is none, it takes as long and has not, so
    /// that nobody learns which accounts there are.
    pub(crate) async fn fits(&self, password: String, hash: Option<String>) -> Result<bool, Refusal> {
        self.work(move || {
            let hashing = Argon2::default();
            let known = hash.filter(|hash| argon2::PasswordHash::new(hash).is_ok());
            match known {
                Some(hash) => hashing.verify_password(password.as_bytes(), hash.as_str()).is_ok(),
                None => {
                    let _ = hashing.hash_password(password.as_bytes());
                    false
                }
            }
        })
        .await
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        // The turn goes into the work, which goes on when nobody waits for it any more.
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|error| Refusal::broken(&error))?;
        let done = spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|error| Refusal::broken(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_and_no_other() {
        let passwords = Passwords::new();
        let [one, again] = [
            passwords.hash("password123".to_owned()).await.unwrap(),
            passwords.hash("password123".to_owned()).await.unwrap(),
        ];
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, again, "the salt is the same");
        for (password, hash, fits) in [
            ("password123", Some(one.clone()), true),
            ("password124", Some(one.clone()), false),
            ("", Some(one), false),
            ("password123", None, false),
            ("simulated-not-a-hash", Some("simulated-not-a-hash".to_owned()), false),
        ] {
            assert_eq!(
                passwords.fits(password.to_owned(), hash).await.unwrap(),
                fits,
                "{password}"
            );
        }
    }
}
