//! Where the two servers listen.

use std::net::{IpAddr, Ipv4Addr};

use super::Reader;

/// Settings of the HTTP servers.
#[derive(Debug)]
pub(crate) struct Servers {
    /// `BIND_ADDRESS`.
    pub(crate) bind: IpAddr,
    /// `API_PORT`, the KPI API's.
    pub(crate) api_port: u16,
    /// `ETL_PORT`, the ETL control API's.
    pub(crate) etl_port: u16,
}

impl Servers {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let bind = reader.value("BIND_ADDRESS", "an IP address, such as 127.0.0.1");
        let bind: IpAddr = bind.unwrap_or(Ipv4Addr::LOCALHOST.into());
        let anonymous = reader.flag("ALLOW_ANONYMOUS");
        if reader.text("API_TOKENS").is_some() {
            reader.mistake(
                "API_TOKENS",
                "is not checked by this version: unset it, and keep BIND_ADDRESS on loopback",
            );
        }
        if !bind.is_loopback() && !anonymous {
            reader.mistake(
                "BIND_ADDRESS",
                format!("{bind} can be reached by others, who could read and start everything: ALLOW_ANONYMOUS=true permits it"),
            );
        }
        let api_port = reader.value("API_PORT", "a port from 0 to 65535").unwrap_or(3008);
        let etl_port = reader.value("ETL_PORT", "a port from 0 to 65535").unwrap_or(3010);
        if api_port == etl_port && api_port != 0 {
            reader.mistake("ETL_PORT", format!("is {etl_port}, and API_PORT too: they must differ"));
        }
        Self {
            bind,
            api_port,
            etl_port,
        }
    }
}
