//! Who a person is: what does not change during a history.

use chrono::TimeDelta;
use kindred_model::Instant;
use uuid::Uuid;

use super::chance::Dice;
use crate::rows::AppVersion;

/// A person, by their place in the order of registration.
pub(super) type Who = u32;

/// How much the app means to somebody: how many sessions they begin a day, and for how long they stay interested.
///
/// The mixture gives the retention curve: the curious are gone after a day or two, the devoted stay, and what is
/// measured on day 1, 7 and 30 (about 45, 22 and 13 %) is the sum.
pub(super) struct Temperament {
    /// Mean length of the interest, in days; memoryless.
    pub(super) interest_days: f64,
    /// Sessions begun a day out of the blue, on average; one session may lead to another.
    pub(super) sessions_a_day: f64,
    /// Chance to subscribe when looking at the offers.
    pub(super) buys: f64,
}

/// Shorthand for the table of temperaments.
const fn temperament(interest_days: f64, sessions_a_day: f64, buys: f64) -> Temperament {
    Temperament {
        interest_days,
        sessions_a_day,
        buys,
    }
}

/// Those who come most days for months; staff too.
const REGULAR: &Temperament = &temperament(110.0, 1.1, 0.05);

/// The curious, the casual, the regulars and the devoted, with their shares.
const TEMPERAMENTS: [(&Temperament, f64); 4] = [
    (&temperament(1.3, 0.7, 0.015), 0.52),
    (&temperament(17.0, 0.55, 0.03), 0.29),
    (REGULAR, 0.155),
    (&temperament(400.0, 2.6, 0.08), 0.035),
];

/// Where somebody lives.
pub(super) struct Country {
    /// ISO 3166-1 alpha-2.
    pub(super) code: &'static str,
    /// Hours ahead of UTC, in whole ones: enough for a rhythm.
    pub(super) offset: i64,
    /// Whether some of its people pay in euro.
    pub(super) pays_euro: bool,
    pub(super) cities: &'static [&'static str],
}

/// Shorthand for the table of countries.
const fn country(code: &'static str, offset: i64, pays_euro: bool, cities: &'static [&'static str]) -> Country {
    Country {
        code,
        offset,
        pays_euro,
        cities,
    }
}

/// The dozen markets, and the share of each.
const COUNTRIES: [(&Country, f64); 12] = [
    (
        &country("US", -6, false, &["Austin", "Chicago", "Denver", "Seattle", "Boston"]),
        0.27,
    ),
    (&country("GB", 0, false, &["London", "Leeds", "Bristol"]), 0.12),
    (&country("DE", 1, true, &["Berlin", "Hamburg", "Leipzig"]), 0.12),
    (&country("FR", 1, true, &["Lyon", "Paris", "Nantes"]), 0.09),
    (&country("ES", 1, true, &["Madrid", "Valencia"]), 0.06),
    (&country("IT", 1, true, &["Milan", "Turin"]), 0.05),
    (&country("NL", 1, true, &["Utrecht", "Rotterdam"]), 0.04),
    (&country("PL", 1, false, &["Warsaw", "Gdansk"]), 0.05),
    (&country("BR", -3, false, &["Recife", "Curitiba"]), 0.07),
    (&country("IN", 5, false, &["Pune", "Mumbai"]), 0.05),
    (&country("CA", -5, false, &["Toronto", "Montreal"]), 0.05),
    (&country("AU", 10, false, &["Perth", "Sydney"]), 0.03),
];

/// Share of people whose country is not known.
const UNKNOWN_COUNTRY: f64 = 0.03;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gender {
    Female,
    Male,
    Nonbinary,
}

impl Gender {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
            Self::Nonbinary => "nonbinary",
        }
    }
}

/// Women, men, and what is neither or not said, in the shares that such platforms report.
const GENDERS: [(Option<Gender>, f64); 4] = [
    (Some(Gender::Female), 0.40),
    (Some(Gender::Male), 0.53),
    (Some(Gender::Nonbinary), 0.03),
    (None, 0.04),
];

/// Platforms and the shares of people who use them mainly.
const PLATFORMS: [(&str, f64); 3] = [("ios", 0.47), ("android", 0.40), ("web", 0.13)];

/// Something that the app runs on, known by an id before anybody signs in.
#[derive(Clone, Copy)]
pub(super) struct Device {
    pub(super) id: Uuid,
    pub(super) platform: &'static str,
}

impl Device {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            id: dice.id(),
            platform: dice.weighted(&PLATFORMS),
        }
    }
}

/// What is true of a person for the whole history.
pub(super) struct Person {
    pub(super) id: Uuid,
    pub(super) registered_at: Instant,
    pub(super) is_internal: bool,
    pub(super) gender: Option<Gender>,
    /// The gender looked for; none: any.
    pub(super) seeks: Option<Gender>,
    pub(super) country: Option<&'static Country>,
    pub(super) temperament: &'static Temperament,
    /// The one used mostly, and another.
    pub(super) devices: [Device; 2],
    /// How much more than average others like this person.
    pub(super) charm: f64,
    /// Whether others have reason to report this person.
    pub(super) troublesome: bool,
    /// How long after a release this person has it.
    pub(super) update_lag: TimeDelta,
}

/// One person in fifty misbehaves.
const TROUBLESOME: f64 = 0.02;
/// One account in two hundred is staff or a test account.
const INTERNAL_EVERY: u32 = 200;

impl Person {
    /// The person of an index; `register` decides when they sign up, given the hours their country is ahead of UTC.
    pub(super) fn new(index: u32, dice: &mut Dice, register: impl FnOnce(&mut Dice, i64) -> Instant) -> Self {
        let is_internal = index.is_multiple_of(INTERNAL_EVERY);
        let country = country_of(dice);
        let registered_at = register(dice, country.map_or(0, |country| country.offset));
        let gender = dice.weighted(&GENDERS);
        let seeks = match (gender, dice.unit()) {
            (Some(Gender::Female), 0.0..0.82) => Some(Gender::Male),
            (Some(Gender::Female), 0.82..0.9) => Some(Gender::Female),
            (Some(Gender::Male), 0.0..0.84) => Some(Gender::Female),
            (Some(Gender::Male), 0.84..0.92) => Some(Gender::Male),
            _ => None,
        };
        Self {
            id: dice.id(),
            registered_at,
            is_internal,
            gender,
            seeks,
            country,
            temperament: if is_internal {
                REGULAR
            } else {
                dice.weighted(&TEMPERAMENTS)
            },
            devices: [Device::new(dice), Device::new(dice)],
            charm: dice.log_normal(1.0, 0.4),
            troublesome: dice.chance(TROUBLESOME),
            update_lag: super::chance::days(dice.exponential(4.0)),
        }
    }

    /// Whether the two may be shown to each other. Those who did not say their gender are shown to everybody.
    pub(super) fn may_meet(&self, other: &Self) -> bool {
        self.would_see(other) && other.would_see(self)
    }

    fn would_see(&self, other: &Self) -> bool {
        match (self.seeks, other.gender) {
            (Some(sought), Some(gender)) => sought == gender || gender == Gender::Nonbinary,
            _ => true,
        }
    }

    /// Hours ahead of UTC.
    pub(super) fn offset(&self) -> i64 {
        self.country.map_or(0, |country| country.offset)
    }

    /// The version that this person's device runs; the web always has the latest.
    pub(super) fn version(&self, device: Device, start: Instant, at: Instant) -> AppVersion {
        let lag = if device.platform == "web" {
            TimeDelta::zero()
        } else {
            self.update_lag
        };
        AppVersion::released_by(start, at - lag)
    }
}

/// A country, by the shares of the markets; none when it is not known.
pub(super) fn country_of(dice: &mut Dice) -> Option<&'static Country> {
    if dice.chance(UNKNOWN_COUNTRY) {
        None
    } else {
        Some(dice.weighted(&COUNTRIES))
    }
}
