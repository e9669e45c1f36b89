//! Bearer tokens: a session's id, and a hash of it that only this process can make. Nothing is kept of them.

use blake3::Hash;
use rand::TryRng;
use rand::rngs::{SysError, SysRng};
use uuid::Uuid;

/// Bytes of an id, and of a token.
const ID: usize = 16;
const TOKEN: usize = ID + blake3::OUT_LEN;

/// Makes tokens, and knows its own again.
pub(crate) struct Tokens {
    key: [u8; blake3::KEY_LEN],
}

impl Tokens {
    /// With a key of its own.
    pub(crate) fn new() -> Result<Self, SysError> {
        let mut key = [0; blake3::KEY_LEN];
        SysRng.try_fill_bytes(&mut key)?;
        Ok(Self { key })
    }

    /// The token of a session.
    pub(crate) fn issue(&self, session: Uuid) -> String {
        let seal = self.seal(session);
        hex::encode([session.as_bytes().as_slice(), seal.as_bytes()].concat())
    }

    /// The session of a token that this made.
    pub(crate) fn session(&self, token: &str) -> Option<Uuid> {
        let mut bytes = [0; TOKEN];
        hex::decode_to_slice(token, &mut bytes).ok()?;
        let (id, seal) = bytes.split_at(ID);
        let session = Uuid::from_slice(id).ok()?;
        // Hashes are compared in constant time.
        (Hash::from_slice(seal).ok()? == self.seal(session)).then_some(session)
    }

    fn seal(&self, session: Uuid) -> Hash {
        blake3::keyed_hash(&self.key, session.as_bytes())
    }
}

/// The key is not told.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_its_sessions_and_of_the_process_that_made_it() {
        let (tokens, others) = (Tokens::new().unwrap(), Tokens::new().unwrap());
        let session = Uuid::new_v4();
        let token = tokens.issue(session);
        assert_eq!(tokens.session(&token), Some(session));
        assert_eq!(others.session(&token), None);
        assert!(!format!("{tokens:?}").contains('['), "the key is printed");
    }

    #[test]
    fn a_token_that_was_changed_anywhere_is_none() {
        let tokens = Tokens::new().unwrap();
        let token = tokens.issue(Uuid::new_v4());
        for at in 0..token.len() {
            let mut changed: Vec<_> = token.bytes().collect();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(tokens.session(&changed), None, "{changed}");
        }
        for odd in ["", "x", &token[1..], &format!("{token}00"), "ü"] {
            assert_eq!(tokens.session(odd), None, "{odd}");
        }
    }
}
