//! How much may be taken, and what money is counted in.

use super::Reader;

/// The least memory that plans can work with.
const LEAST_MEMORY: u64 = 64 << 20;

/// Settings of the engine and the figures.
#[derive(Debug)]
pub(crate) struct Limits {
    /// `MEMORY_LIMIT`: bytes for the engine's plans.
    pub(crate) memory: u64,
    /// `REPORTING_CURRENCY`.
    pub(crate) currency: String,
}

impl Limits {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let memory = match reader.text("MEMORY_LIMIT") {
            None => None,
            Some(text) => {
                let bytes = bytes(&text);
                if bytes.is_none_or(|bytes| bytes < LEAST_MEMORY) {
                    reader.mistake(
                        "MEMORY_LIMIT",
                        format!("`{text}` is no size of 64M or more; write 512M or 8G"),
                    );
                }
                bytes
            }
        };
        let currency = reader.text("REPORTING_CURRENCY").unwrap_or_else(|| "USD".to_owned());
        if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
            reader.mistake(
                "REPORTING_CURRENCY",
                format!("`{currency}` is no ISO 4217 code, such as USD"),
            );
        }
        Self {
            memory: memory.unwrap_or_else(half_of_memory),
            currency,
        }
    }
}

/// `512M`, `8G`, or a number of bytes.
fn bytes(text: &str) -> Option<u64> {
    let (digits, unit) = match text.strip_suffix(['K', 'M', 'G']) {
        Some(digits) => (digits, text.chars().last()?),
        None => (text, 'B'),
    };
    let shift = match unit {
        'K' => 10,
        'M' => 20,
        'G' => 30,
        _ => 0,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// Half of the machine's memory, or of what its control group allows; 1 GiB where neither can be read.
fn half_of_memory() -> u64 {
    let total = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim()
            .strip_suffix("kB")?
            .trim()
            .parse::<u64>()
            .ok()
            .map(|kib| kib << 10)
    });
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let limit = [total, group].into_iter().flatten().min().unwrap_or(2 << 30);
    (limit / 2).max(LEAST_MEMORY)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(bytes("512M"), Some(512 << 20));
        assert_eq!(bytes("8G"), Some(8 << 30));
        assert_eq!(bytes("1048576"), Some(1 << 20));
        for malformed in ["", "G", "1.5G", "-1M", "8GB", "99999999999G"] {
            assert_eq!(bytes(malformed), None, "{malformed}");
        }
    }
}
