//! What only a person's account and profile say: invented, so that the private columns hold something to keep private.

use chrono::{Days, NaiveDate};

use super::chance::{Dice, Purpose};
use super::{Who, World};
use crate::load::{User, UserProfile};

const NAMES: [&str; 24] = [
    "Ada", "Ben", "Cleo", "Dan", "Elif", "Finn", "Gina", "Hugo", "Ines", "Jon", "Kaya", "Leo", "Mina", "Noah", "Olga",
    "Pia", "Quin", "Rosa", "Sam", "Tess", "Uri", "Vera", "Wim", "Zoe",
];
const BIOS: [&str; 8] = [
    "Here for long walks and short jokes.",
    "Weekend baker, weekday spreadsheet.",
    "Ask me about my sourdough.",
    "Looking for a climbing partner first.",
    "New in town.",
    "Two cats, one bicycle.",
    "I will beat you at table tennis.",
    "Better at listening than at bios.",
];
const INTERESTS: [&str; 12] = [
    "hiking",
    "cinema",
    "cooking",
    "climbing",
    "jazz",
    "yoga",
    "chess",
    "travel",
    "running",
    "museums",
    "gaming",
    "gardening",
];
/// Share of people who did not fill in a date of birth, or a bio.
const UNSAID: f64 = 0.04;
const NO_BIO: f64 = 0.25;

impl World {
    /// Writes the account as it is at the end of the history.
    pub(super) fn write_account(&mut self, who: Who) {
        let mut dice = self.private_dice(who);
        let name = dice.pick(&NAMES).to_lowercase();
        let domain = dice.pick(&["example.com", "example.org"]);
        let born = born_on(&mut dice, self.start.date_naive());
        let member = &self.members[who as usize];
        self.sink.write(&User {
            id: member.person.id,
            email: format!("{name}.{who}@{domain}"),
            username: format!("{name}{who}"),
            password_hash: format!("simulated-not-a-hash-{}", dice.id().simple()),
            date_of_birth: Some(born).filter(|_| !dice.chance(UNSAID)),
            gender: member.person.gender.map(|gender| gender.as_str()),
            country: member.person.country.map(|country| country.code),
            signup_platform: member.person.devices[0].platform,
            status: member.standing.as_str(),
            is_internal: member.person.is_internal,
            created_at: member.person.registered_at,
            updated_at: member.changed_at,
        });
    }

    /// Writes the profile as it is at the end of the history.
    pub(super) fn write_profile(&mut self, who: Who) {
        let mut dice = self.private_dice(who);
        let display_name = (*dice.pick(&NAMES)).to_owned();
        let interests = (0..dice.between(0..=4)).map(|_| *dice.pick(&INTERESTS)).collect();
        let member = &self.members[who as usize];
        self.sink.write(&UserProfile {
            user_id: member.person.id,
            display_name,
            bio: Some(*dice.pick(&BIOS)).filter(|_| !dice.chance(NO_BIO)),
            interests,
            city: member.person.country.map(|country| *dice.pick(country.cities)),
            updated_at: member.profile_changed_at,
        });
    }

    fn private_dice(&self, who: Who) -> Dice {
        self.seed.dice(Purpose::PrivateLife, who, 0)
    }
}

/// Adults: most in their twenties, few beyond sixty.
fn born_on(dice: &mut Dice, today: NaiveDate) -> NaiveDate {
    let years = 18.1 + dice.exponential(11.0).min(60.0);
    today - Days::new((years * 365.25) as u64)
}
