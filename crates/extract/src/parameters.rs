//! The one place that puts values into a query's text: COPY cannot bind parameters.
//!
//! Only instants can be put there, each as a typed literal of digits, so that nothing a caller holds can be taken for SQL.

use std::collections::BTreeSet;
use std::fmt;

use chrono::NaiveDate;
use kindred_model::{Instant, day_start};

/// A bound of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    At(Instant),
    /// Before every instant.
    Earliest,
    /// After every instant.
    Latest,
}

impl Bound {
    pub(crate) fn from_day(day: Option<NaiveDate>) -> Self {
        day.map_or(Self::Earliest, |day| Self::At(day_start(day)))
    }

    pub(crate) fn to_day(day: Option<NaiveDate>) -> Self {
        day.map_or(Self::Latest, |day| Self::At(day_start(day)))
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(instant) => write!(f, "timestamptz '{}'", instant.format("%Y-%m-%dT%H:%M:%S%.6fZ")),
            Self::Earliest => f.write_str("timestamptz '-infinity'"),
            Self::Latest => f.write_str("timestamptz 'infinity'"),
        }
    }
}

/// A piece of a query.
enum Piece<'a> {
    Text(&'a str),
    Parameter(&'a str),
}

/// The query with each `$name` of `values` replaced. Names that `values` lacks stay as they are: `parameters` finds
/// them beforehand.
pub(crate) fn render(sql: &str, values: &[(&str, Bound)]) -> String {
    let mut rendered = String::with_capacity(sql.len() + 64);
    for piece in pieces(sql) {
        match piece {
            Piece::Text(text) => rendered.push_str(text),
            Piece::Parameter(name) => match values.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => rendered.push_str(&value.to_string()),
                None => rendered.extend(["$", name]),
            },
        }
    }
    rendered
}

/// The names of the parameters that a query takes.
pub(crate) fn parameters(sql: &str) -> BTreeSet<&str> {
    pieces(sql)
        .filter_map(|piece| match piece {
            Piece::Parameter(name) => Some(name),
            Piece::Text(_) => None,
        })
        .collect()
}

/// Cuts a query at its parameters: `$name`, but not the `$name$` of a dollar quote, nor `$1`.
///
/// Comments hold none, so that a header cannot pass for the condition that it describes.
fn pieces(sql: &str) -> impl Iterator<Item = Piece<'_>> {
    sql.split_inclusive('\n').flat_map(|line| {
        let (code, comment) = line.split_at(line.find("--").unwrap_or(line.len()));
        pieces_of_code(code).into_iter().chain([Piece::Text(comment)])
    })
}

fn pieces_of_code(code: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = code;
    while let Some(dollar) = rest.find('$') {
        let after = &rest[dollar + 1..];
        let name_end = after
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(after.len());
        let (name, tail) = after.split_at(name_end);
        if let Some(body) = tail.strip_prefix('$') {
            // The opening or closing tag of a dollar quote.
            pieces.push(Piece::Text(&rest[..rest.len() - body.len()]));
            rest = body;
            continue;
        }
        if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            pieces.push(Piece::Text(&rest[..dollar]));
            pieces.push(Piece::Parameter(name));
        } else {
            pieces.push(Piece::Text(&rest[..=dollar + name.len()]));
        }
        rest = tail;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_becomes_typed_literals() {
        let from = Bound::At("2026-01-01T00:00:00.000001Z".parse().unwrap());
        assert_eq!(
            render(
                "where t >= $from\n    and t < $to\n",
                &[("from", from), ("to", Bound::Latest)]
            ),
            "where t >= timestamptz '2026-01-01T00:00:00.000001Z'\n    and t < timestamptz 'infinity'\n"
        );
    }

    #[test]
    fn comments_dollar_quotes_and_numbered_parameters_stay_as_they_are() {
        let sql = "-- $from is a bound\nselect $q$it$q$, $$x$$, $1, a$ from t -- $to\n";
        assert_eq!(render(sql, &[("from", Bound::Earliest), ("to", Bound::Latest)]), sql);
        assert!(parameters(sql).is_empty());
    }

    #[test]
    fn parameters_are_found_whole() {
        assert_eq!(
            parameters("x >= $from and y < $from_2 and z=$to")
                .into_iter()
                .collect::<Vec<_>>(),
            ["from", "from_2", "to"]
        );
    }

    #[test]
    fn no_instant_can_close_its_quotes() {
        for instant in [Instant::MIN_UTC, Instant::UNIX_EPOCH, Instant::MAX_UTC] {
            let literal = Bound::At(instant).to_string();
            let digits = literal
                .strip_prefix("timestamptz '")
                .and_then(|rest| rest.strip_suffix('\''));
            let harmless = |c: char| c.is_ascii_digit() || "-+:.TZ".contains(c);
            assert!(digits.is_some_and(|digits| digits.chars().all(harmless)), "{literal}");
        }
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Queries of pieces that mean something to whoever cuts them.
    fn sql() -> impl Strategy<Value = String> {
        let pieces = [
            "$from", "$to", "$$", "$q$", "$1", "$", "--", "\n", "'", "\"", "/*", "*/", ";", "é", "select ", "_",
            "$fromé", "a$to",
        ];
        let piece = prop_oneof![4 => select(pieces.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,6}"];
        prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_no_parameter_comes_out_as_it_went_in(sql in sql()) {
            prop_assert_eq!(render(&sql, &[]), sql.as_str());
            let nothing = render(&sql, &[("elsewhere", Bound::Latest)]);
            prop_assert_eq!(nothing, sql.as_str());
        }

        #[test]
        fn a_query_whose_parameters_all_have_values_has_none_left(sql in sql()) {
            let names: Vec<_> = parameters(&sql).into_iter().collect();
            let values: Vec<_> = names.iter().map(|name| (*name, Bound::Earliest)).collect();
            let rendered = render(&sql, &values);
            prop_assert_eq!(
                rendered.matches("timestamptz '-infinity'").count() > 0,
                !names.is_empty(),
                "{}", rendered
            );
            // Nothing but the values was put in.
            let out = rendered.replace("timestamptz '-infinity'", "");
            prop_assert!(out.len() <= sql.len(), "{}", rendered);
        }
    }
}
