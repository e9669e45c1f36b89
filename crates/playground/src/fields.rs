//! What may stand in the fields of a body. All mistakes are told at once.

use std::ops::RangeInclusive;
use std::str::FromStr;

use celes::Country;
use chrono::NaiveDate;
use email_address::{EmailAddress, Options};

use crate::refusal::{Mistake, Refusal};

/// Nobody younger may register, and nobody is older.
const AGES: RangeInclusive<u32> = 18..=120;
/// The longest address that mail can be sent to.
const EMAIL_BYTES: usize = 254;

/// Reads fields and gathers what is wrong with them.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    mistakes: Vec<Mistake>,
}

impl Fields {
    pub(crate) fn mistake(&mut self, field: &'static str, problem: impl Into<String>) {
        self.mistakes.push(Mistake {
            field,
            problem: problem.into(),
        });
    }

    /// A text of one line, without blanks around it.
    pub(crate) fn line(&mut self, field: &'static str, text: &str, length: RangeInclusive<usize>) -> String {
        let text = text.trim().to_owned();
        if text.chars().any(char::is_control) {
            self.mistake(field, "must be one line, without control characters");
        }
        self.length(field, &text, length);
        text
    }

    /// A text that may have lines.
    pub(crate) fn prose(&mut self, field: &'static str, text: &str, length: RangeInclusive<usize>) -> String {
        let text = text.trim().to_owned();
        if text
            .chars()
            .any(|letter| letter.is_control() && !"\n\r\t".contains(letter))
        {
            self.mistake(field, "must have no control characters but line breaks and tabs");
        }
        self.length(field, &text, length);
        text
    }

    /// A text taken as it is.
    pub(crate) fn length(&mut self, field: &'static str, text: &str, length: RangeInclusive<usize>) {
        if !length.contains(&text.chars().count()) {
            let (least, most) = (length.start(), length.end());
            self.mistake(field, format!("must have {least} to {most} characters"));
        }
    }

    /// An e-mail address, in lower case: whoever writes theirs otherwise the next time is the same person.
    pub(crate) fn email(&mut self, field: &'static str, text: &str) -> String {
        let text = text.trim().to_lowercase();
        // Everybody's provider has a name of two parts, at least.
        let options = Options {
            minimum_sub_domains: 2,
            ..Options::default()
        };
        if text.len() > EMAIL_BYTES || EmailAddress::parse_with_options(&text, options).is_err() {
            self.mistake(field, "is no e-mail address, such as user1@example.com");
        }
        text
    }

    /// The date of birth of somebody who is of age on a day.
    pub(crate) fn birth(&mut self, field: &'static str, text: &str, today: NaiveDate) -> Option<NaiveDate> {
        let Ok(birth) = text.parse::<NaiveDate>() else {
            self.mistake(field, "is no date, such as 1995-05-15");
            return None;
        };
        match today.years_since(birth) {
            None => self.mistake(field, "lies in the future"),
            Some(age) if age < *AGES.start() => self.mistake(field, format!("is less than {} years ago", AGES.start())),
            Some(age) if age > *AGES.end() => self.mistake(field, format!("is more than {} years ago", AGES.end())),
            Some(_) => {}
        }
        Some(birth)
    }

    /// A country, by its code or name, as its two letters.
    pub(crate) fn country(&mut self, field: &'static str, text: &str) -> Option<&'static str> {
        let written_together: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let country = Country::from_str(&written_together).ok();
        if country.is_none() {
            self.mistake(field, "is no country, such as USA, US or United States");
        }
        country.map(|country| country.alpha2)
    }

    /// One of some words.
    pub(crate) fn one_of(&mut self, field: &'static str, text: &str, words: &[&'static str]) -> Option<&'static str> {
        let found = words.iter().copied().find(|word| *word == text);
        if found.is_none() {
            self.mistake(field, format!("is none of {}", words.join(", ")));
        }
        found
    }

    /// The end: nothing is wrong, or everything that is.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        if self.mistakes.is_empty() {
            Ok(())
        } else {
            Err(Refusal::fields(self.mistakes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with one field; nothing: an empty text.
    fn problem<T>(read: impl FnOnce(&mut Fields) -> T) -> String {
        let mut fields = Fields::default();
        read(&mut fields);
        fields.mistakes.pop().map_or(String::new(), |mistake| mistake.problem)
    }

    #[test]
    fn whoever_is_18_today_is_of_age_and_whoever_is_tomorrow_is_not() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        for (born, told) in [
            ("2008-03-01", ""),
            ("2008-03-02", "is less than 18 years ago"),
            // A birthday that this year does not have is over on the day after.
            ("2008-02-29", ""),
            ("2026-03-02", "lies in the future"),
            ("1905-03-02", ""),
            ("1904-03-01", "is more than 120 years ago"),
            ("1995-02-30", "is no date"),
            ("15.05.1995", "is no date"),
            ("", "is no date"),
        ] {
            let problem = problem(|fields| fields.birth("dateOfBirth", born, today));
            assert!(
                problem.starts_with(told) && problem.is_empty() == told.is_empty(),
                "{born}: {problem}"
            );
        }
    }

    #[test]
    fn addresses_are_compared_in_lower_case() {
        let mut fields = Fields::default();
        assert_eq!(fields.email("email", "  User1@Example.COM "), "user1@example.com");
        assert!(fields.finish().is_ok());
        for odd in [
            "",
            "user1",
            "@example.com",
            "user1@",
            "user1@example",
            "a b@example.com",
            "a@b@c",
            "a\0@example.com",
        ] {
            assert!(!problem(|fields| fields.email("email", odd)).is_empty(), "{odd}");
        }
        let long = format!("{}@example.com", "a".repeat(64)) + &".com".repeat(60);
        assert!(!problem(|fields| fields.email("email", &long)).is_empty());
    }

    #[test]
    fn countries_go_by_code_or_name() {
        for (text, code) in [
            ("USA", "US"),
            ("us", "US"),
            ("United States", "US"),
            ("New Zealand", "NZ"),
            ("DEU", "DE"),
        ] {
            assert_eq!(Fields::default().country("location.country", text), Some(code));
        }
        for odd in ["", "XX", "Atlantis", "'; drop table users; --"] {
            assert!(
                !problem(|fields| fields.country("location.country", odd)).is_empty(),
                "{odd}"
            );
        }
    }

    #[test]
    fn texts_are_counted_in_characters_and_have_no_control_characters() {
        assert_eq!(problem(|fields| fields.line("username", " ünï ", 3..=3)), "");
        assert!(problem(|fields| fields.line("username", "   ", 1..=3)).contains("1 to 3 characters"));
        assert!(problem(|fields| fields.line("username", "a\nb", 1..=3)).contains("one line"));
        assert_eq!(problem(|fields| fields.prose("bio", "a\n\tb", 1..=9)), "");
        assert!(problem(|fields| fields.prose("bio", "a\0b", 1..=9)).contains("control characters"));
    }
}
