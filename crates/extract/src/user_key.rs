//! Pseudonyms: a source's user id becomes a 64-bit key while it is parsed, and is kept nowhere.
//!
//! The key is the first 8 bytes, little-endian, of BLAKE3's keyed hash of the id, under a key derived from the
//! operator's secret. One id gives one key in every source, so that facts of several databases still join.

use std::fmt;

use uuid::Uuid;

use crate::ExtractError;

/// The derivation context; another text would give other keys, so it never changes.
const CONTEXT: &str = "kindred-analytics user key v1";

/// The shortest secret taken, in bytes.
const SHORTEST_SECRET: usize = 16;

/// Turns user ids into user keys. Clones give the same keys.
#[derive(Clone)]
pub struct UserKeys {
    key: [u8; blake3::KEY_LEN],
}

impl UserKeys {
    /// The keys that `secret` (`USER_KEY_SECRET`) gives.
    ///
    /// # Errors
    /// [`ExtractError::ShortSecret`] when the secret has fewer than 16 bytes.
    pub fn new(secret: &str) -> Result<Self, ExtractError> {
        if secret.len() < SHORTEST_SECRET {
            return Err(ExtractError::ShortSecret {
                length: secret.len(),
                shortest: SHORTEST_SECRET,
            });
        }
        Ok(Self {
            key: blake3::derive_key(CONTEXT, secret.as_bytes()),
        })
    }

    /// The key of a user whose id is a uuid: the hash of its 16 bytes.
    #[must_use]
    pub fn of_uuid(&self, id: &Uuid) -> i64 {
        self.of_bytes(id.as_bytes())
    }

    /// The key of a user whose id is a text: the hash of its bytes.
    #[must_use]
    pub fn of_text(&self, id: &str) -> i64 {
        self.of_bytes(id.as_bytes())
    }

    /// The key of a user whose id is written down: as a uuid when it reads as one, in any of its spellings, else as text.
    #[must_use]
    pub fn of_id(&self, id: &str) -> i64 {
        match Uuid::try_parse(id) {
            Ok(uuid) => self.of_uuid(&uuid),
            Err(_) => self.of_text(id),
        }
    }

    /// A hash, in hexadecimal, that nobody without the secret can make of a guess.
    pub(crate) fn fingerprint(&self, bytes: &[u8]) -> String {
        blake3::keyed_hash(&self.key, bytes).to_hex().to_string()
    }

    fn of_bytes(&self, id: &[u8]) -> i64 {
        let hash = blake3::keyed_hash(&self.key, id);
        let (first, _) = hash.as_bytes().split_first_chunk().expect("a BLAKE3 hash has 32 bytes");
        i64::from_le_bytes(*first)
    }
}

impl fmt::Debug for UserKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserKeys(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "correct horse battery staple";

    /// Computed with Python's `blake3` package:
    /// `blake3(id, key=blake3(secret, derive_key_context="kindred-analytics user key v1").digest())`.
    #[test]
    fn keys_are_those_that_another_implementation_gives() {
        let keys = UserKeys::new(SECRET).unwrap();
        for (id, of_uuid, of_text) in [
            (
                "00000000-0000-0000-0000-000000000000",
                -5448585150427875976,
                -5327174307574240893,
            ),
            (
                "6f1c0d3a-8d5e-4f0b-9a55-2b7c1e9f3d42",
                -8723311949586557094,
                2405785813673572814,
            ),
            (
                "ffffffff-ffff-ffff-ffff-ffffffffffff",
                -4411124183950508994,
                6446546311557270346,
            ),
        ] {
            assert_eq!(keys.of_uuid(&id.parse().unwrap()), of_uuid);
            assert_eq!(keys.of_text(id), of_text);
            assert_eq!(keys.of_id(id), of_uuid);
            assert_eq!(keys.of_id(&id.to_uppercase()), of_uuid);
        }
        for (id, key) in [
            ("user-42", -7732737561999183645),
            ("", -256008712516109129),
            ("$device:абв", -726652425682776210),
        ] {
            assert_eq!(keys.of_text(id), key);
            assert_eq!(keys.of_id(id), key);
        }
    }

    #[test]
    fn another_secret_gives_another_key() {
        let other = UserKeys::new("correct horse battery stable").unwrap();
        assert_ne!(
            other.of_text("user-42"),
            UserKeys::new(SECRET).unwrap().of_text("user-42")
        );
    }

    #[test]
    fn a_secret_of_15_bytes_is_refused_and_one_of_16_taken() {
        let error = UserKeys::new("123456789012345").unwrap_err();
        assert_eq!(error.to_string(), "USER_KEY_SECRET has 15 bytes; it needs 16 or more");
        UserKeys::new("1234567890123456").unwrap();
    }

    #[test]
    fn neither_secret_nor_key_is_printed() {
        assert_eq!(format!("{:?}", UserKeys::new(SECRET).unwrap()), "UserKeys(hidden)");
    }
}
