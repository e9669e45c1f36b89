//! Accounts and profiles as they are. What only these say is invented, so that the private columns hold something to keep
//! private.

use chrono::{Days, NaiveDate};
use kindred_model::Interval;

use super::chance::{Dice, Purpose};
use super::person::Who;
use super::world::World;
use crate::rows::{Row, User, UserProfile};

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
    /// The accounts, then the profiles and running subscriptions, that changed within a span that ends now, as they are.
    pub(crate) fn accounts(&self, changed: Interval) -> impl Iterator<Item = Row> {
        let people = 0..self.registered;
        let accounts = people
            .clone()
            .filter(move |who| changed.contains(self.member(*who).changed_at));
        let profiles = people
            .clone()
            .filter(move |who| changed.contains(self.member(*who).profile_changed_at));
        let subscriptions = people.filter_map(|who| {
            let member = self.member(who);
            Some(member.subscription.as_ref()?.row(member.person.id, None))
        });
        let subscriptions = subscriptions.map(Row::from).filter(move |row| row.changes_in(changed));
        accounts
            .map(|who| self.account(who).into())
            .chain(profiles.map(|who| self.profile(who).into()))
            .chain(subscriptions)
    }

    fn account(&self, who: Who) -> User {
        let mut dice = self.private_dice(who);
        let name = dice.pick(&NAMES).to_lowercase();
        let domain = dice.pick(&["example.com", "example.org"]);
        let born = born_on(&mut dice, self.start().date_naive());
        let member = self.member(who);
        User {
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
        }
    }

    fn profile(&self, who: Who) -> UserProfile {
        let mut dice = self.private_dice(who);
        let display_name = (*dice.pick(&NAMES)).to_owned();
        let interests = (0..dice.between(0..=4)).map(|_| *dice.pick(&INTERESTS)).collect();
        let member = self.member(who);
        UserProfile {
            user_id: member.person.id,
            display_name,
            bio: Some(*dice.pick(&BIOS)).filter(|_| !dice.chance(NO_BIO)),
            interests,
            city: member.person.country.map(|country| *dice.pick(country.cities)),
            updated_at: member.profile_changed_at,
        }
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
