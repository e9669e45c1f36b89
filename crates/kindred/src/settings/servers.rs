//! Where the two servers listen, and how long they keep an answer.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Access, Reader};

/// Seconds in a day: the most that an answer may be kept.
const DAY: u64 = 24 * 60 * 60;

/// Settings of the HTTP servers.
#[derive(Debug)]
pub(crate) struct Servers {
    /// `BIND_ADDRESS`.
    pub(crate) bind: IpAddr,
    /// `API_PORT`, the KPI API's.
    pub(crate) api_port: u16,
    /// `ETL_PORT`, the ETL control API's.
    pub(crate) etl_port: u16,
    /// Who may call.
    pub(crate) access: Access,
    /// `CACHE_TTL`, in seconds: how long an answer is kept; 0: not at all.
    pub(crate) cache_ttl: Duration,
    /// `CACHE_CHECK_PERIOD`, in seconds: how often answers whose time is over are cleared away.
    pub(crate) cache_check_period: Duration,
}

impl Servers {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let bind = reader.value("BIND_ADDRESS", "an IP address, such as 127.0.0.1");
        let bind: IpAddr = bind.unwrap_or(Ipv4Addr::LOCALHOST.into());
        let api_port = reader.value("API_PORT", "a port from 0 to 65535").unwrap_or(3008);
        let etl_port = reader.value("ETL_PORT", "a port from 0 to 65535").unwrap_or(3010);
        if api_port == etl_port && api_port != 0 {
            reader.mistake("ETL_PORT", format!("is {etl_port}, and API_PORT too: they must differ"));
        }
        Self {
            bind,
            api_port,
            etl_port,
            access: Access::read(reader, bind),
            cache_ttl: seconds(reader, "CACHE_TTL", 0..=DAY, 300),
            cache_check_period: seconds(reader, "CACHE_CHECK_PERIOD", 1..=DAY, 60),
        }
    }
}

fn seconds(reader: &mut Reader<'_>, setting: &'static str, range: RangeInclusive<u64>, default: u64) -> Duration {
    let seconds = reader.value(setting, "a whole number of seconds").unwrap_or(default);
    if !range.contains(&seconds) {
        let (least, most) = (range.start(), range.end());
        reader.mistake(setting, format!("must lie between {least} and {most} seconds"));
    }
    Duration::from_secs(seconds)
}
