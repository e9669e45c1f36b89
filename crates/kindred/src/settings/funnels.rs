//! Which funnels there are: onboarding, and those that a file declares.

use kindred_jobs::FunnelSpec;

use super::Reader;

/// Days within which a person has to come through the onboarding funnel when nothing is said.
const WINDOW_DAYS: u32 = 14;

/// Settings of the funnels.
#[derive(Debug)]
pub(crate) struct Funnels {
    /// Onboarding with its `FUNNEL_WINDOW_DAYS`, and those of `FUNNELS_FILE`.
    pub(crate) specs: Vec<FunnelSpec>,
}

impl Funnels {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let days = reader
            .value("FUNNEL_WINDOW_DAYS", "a number of days, such as 14")
            .unwrap_or(WINDOW_DAYS);
        if !(1..=90).contains(&days) {
            reader.mistake("FUNNEL_WINDOW_DAYS", "must lie between 1 and 90");
        }
        let mut specs = vec![FunnelSpec::onboarding(days)];
        if let Some(file) = reader.text("FUNNELS_FILE") {
            match std::fs::read_to_string(&file) {
                Err(error) => reader.mistake("FUNNELS_FILE", format!("{file} cannot be read: {error}")),
                Ok(text) => match kindred_jobs::funnels::parse(&text) {
                    Ok(declared) => specs.extend(declared),
                    Err(mistakes) => {
                        for mistake in mistakes {
                            reader.mistake("FUNNELS_FILE", format!("{file}: {mistake}"));
                        }
                    }
                },
            }
        }
        Self { specs }
    }
}
