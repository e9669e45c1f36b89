//! Where the playground's services listen, beside `BIND_ADDRESS`.

use super::Reader;

/// Settings of the playground.
#[derive(Debug)]
pub(crate) struct Playground {
    /// `USER_SERVICE_PORT`.
    pub(crate) users_port: u16,
    /// `INTERACTION_SERVICE_PORT`.
    pub(crate) interactions_port: u16,
    /// `COMMUNICATION_SERVICE_PORT`.
    pub(crate) communications_port: u16,
}

impl Playground {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let mut taken: Vec<(&str, u16)> = Vec::new();
        let mut port = |setting, default| {
            let port = reader.value(setting, "a port from 0 to 65535").unwrap_or(default);
            if let Some((other, _)) = taken.iter().find(|(_, other)| *other == port && port != 0) {
                reader.mistake(setting, format!("is {port}, and {other} too: they must differ"));
            }
            taken.push((setting, port));
            port
        };
        Self {
            users_port: port("USER_SERVICE_PORT", 3001),
            interactions_port: port("INTERACTION_SERVICE_PORT", 3002),
            communications_port: port("COMMUNICATION_SERVICE_PORT", 3003),
        }
    }
}
