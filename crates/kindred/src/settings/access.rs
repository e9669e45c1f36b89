//! Who may call the servers.

use std::net::IpAddr;

use axum::http::HeaderValue;
use kindred_api::{Role, Token};
use url::Url;

use super::Reader;

const TOKENS: &str = "API_TOKENS";
const ANONYMOUS: &str = "ALLOW_ANONYMOUS";
const FRONTEND: &str = "FRONTEND_URL";

/// Settings of who may call.
#[derive(Debug)]
pub(crate) struct Access {
    /// `API_TOKENS`, as `name:role:sha256` with commas between them; none: everyone may call.
    pub(crate) tokens: Vec<Token>,
    /// `FRONTEND_URL`, the origin of the dashboard's page.
    pub(crate) frontend: Option<HeaderValue>,
}

impl Access {
    /// The settings, for servers that listen on this address.
    pub(super) fn read(reader: &mut Reader<'_>, bind: IpAddr) -> Self {
        let tokens = tokens(reader);
        let is_any = reader.text(TOKENS).is_some();
        let is_anonymous = reader.flag(ANONYMOUS);
        if is_any && is_anonymous {
            reader.mistake(
                ANONYMOUS,
                "is true, and API_TOKENS demands a token of every caller: unset one of them",
            );
        }
        if !bind.is_loopback() && !is_any && !is_anonymous {
            reader.mistake(
                "BIND_ADDRESS",
                format!(
                    "{bind} can be reached by others, who could read and start everything: set API_TOKENS \
                     (name:role:sha256-of-token), or ALLOW_ANONYMOUS=true to permit it"
                ),
            );
        }
        Self {
            tokens,
            frontend: frontend(reader),
        }
    }
}

/// The tokens. What is wrong is said without quoting anything: a token itself may stand where its hash belongs.
fn tokens(reader: &mut Reader<'_>) -> Vec<Token> {
    let Some(text) = reader.text(TOKENS) else {
        return Vec::new();
    };
    let mut tokens: Vec<Token> = Vec::new();
    for (place, text) in (1..).zip(text.split(',')) {
        match token(text.trim()) {
            Ok(token) if tokens.iter().any(|other| other.name == token.name) => {
                reader.mistake(TOKENS, format!("the name of token {place} is another's, too"));
            }
            Ok(token) if tokens.iter().any(|other| other.digest == token.digest) => {
                reader.mistake(TOKENS, format!("token {place} is the same as another"));
            }
            Ok(token) => tokens.push(token),
            Err(problem) => reader.mistake(TOKENS, format!("token {place} {problem}")),
        }
    }
    tokens
}

fn token(text: &str) -> Result<Token, &'static str> {
    let parts: Vec<_> = text.split(':').map(str::trim).collect();
    let [name, role, digest] = parts[..] else {
        return Err("is not written name:role:sha256-of-token");
    };
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
        return Err("has no name of 1 to 64 letters, digits, `-`, `_` and `.`");
    }
    let role = Role::ALL.into_iter().find(|known| known.as_str() == role);
    let role = role.ok_or("has none of the roles viewer, operator, admin")?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(digest, &mut bytes)
        .map_err(|_| "does not end with the 64 hexadecimal digits that `printf %s TOKEN | sha256sum` prints")?;
    Ok(Token {
        name: name.to_owned(),
        role,
        digest: bytes,
    })
}

/// The origin of the one page that browsers let read answers. What is wrong is said by the origin alone: the rest may
/// hold a password.
fn frontend(reader: &mut Reader<'_>) -> Option<HeaderValue> {
    let text = reader.text(FRONTEND)?;
    let url = Url::parse(&text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && !text.contains(','));
    let origin = url.map(|url| url.origin().ascii_serialization());
    match origin {
        Some(origin) if origin.eq_ignore_ascii_case(&text) => HeaderValue::try_from(origin).ok(),
        Some(origin) => {
            reader.mistake(FRONTEND, format!("is more than an origin: write {origin}"));
            None
        }
        None => {
            reader.mistake(
                FRONTEND,
                "is no origin, such as https://dashboard.example.com; there is one, and no `*`",
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn read(bind: &str, variables: &[(&str, &str)]) -> Result<Access, Vec<String>> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(setting, _)| *setting == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let mut reader = Reader::new(&variable);
        let access = Access::read(&mut reader, bind.parse().unwrap());
        reader
            .finish(access)
            .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
    }

    fn mistakes(variables: &[(&str, &str)]) -> Vec<String> {
        read("127.0.0.1", variables).unwrap_err()
    }

    #[test]
    fn tokens_have_names_roles_and_hashes() {
        let other = DIGEST.replace('9', "8").to_uppercase();
        let text = format!("dashboard:viewer:{DIGEST}, night.shift-2:admin:{other}");
        let tokens = read("0.0.0.0", &[(TOKENS, &text)]).unwrap().tokens;
        let told: Vec<_> = tokens.iter().map(|token| (token.name.as_str(), token.role)).collect();
        assert_eq!(told, [("dashboard", Role::Viewer), ("night.shift-2", Role::Admin)]);
        assert_eq!(tokens[0].digest[..4], [0x9f, 0x86, 0xd0, 0x81]);
        assert!(!format!("{tokens:?}").contains("159"), "a hash is printed");
    }

    #[test]
    fn every_mistake_in_a_token_is_told_and_nothing_of_it() {
        let text = format!(
            "s3cret,s3cret:viewer:s3cret,a:s3cret:{DIGEST},:viewer:{DIGEST},s3cret s3cret:viewer:{DIGEST},\
             b:viewer:{DIGEST},b:admin:{},c:admin:{DIGEST},",
            DIGEST.replace('9', "8")
        );
        let mistakes = mistakes(&[(TOKENS, &text)]);
        for (mistake, expected) in mistakes.iter().zip([
            "token 1 is not written name:role:sha256-of-token",
            "token 2 does not end with the 64 hexadecimal digits",
            "token 3 has none of the roles viewer, operator, admin",
            "token 4 has no name",
            "token 5 has no name",
            "the name of token 7 is another's, too",
            "token 8 is the same as another",
            "token 9 is not written",
        ]) {
            assert!(mistake.starts_with(&format!("API_TOKENS: {expected}")), "{mistake}");
            assert!(!mistake.contains("s3cret"), "{mistake}");
        }
        assert_eq!(mistakes.len(), 8, "{mistakes:?}");
    }

    #[test]
    fn an_address_that_others_reach_takes_tokens_or_a_word() {
        let token = format!("a:viewer:{DIGEST}");
        for bind in ["0.0.0.0", "::", "192.168.1.7"] {
            let mistakes = read(bind, &[]).unwrap_err();
            for word in ["BIND_ADDRESS", "API_TOKENS", "ALLOW_ANONYMOUS=true"] {
                assert!(mistakes[0].contains(word), "{mistakes:?}");
            }
            assert!(read(bind, &[(TOKENS, &token)]).is_ok());
            assert!(read(bind, &[(ANONYMOUS, "true")]).is_ok());
        }
        for bind in ["127.0.0.1", "127.8.9.10", "::1"] {
            assert!(read(bind, &[]).unwrap().tokens.is_empty());
        }
        let both = mistakes(&[(TOKENS, &token), (ANONYMOUS, "true")]);
        assert!(
            both[0].starts_with("ALLOW_ANONYMOUS: is true, and API_TOKENS"),
            "{both:?}"
        );
    }

    #[test]
    fn the_dashboard_is_one_origin_and_nothing_more() {
        for (given, origin) in [
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://Dashboard.Example.com", "https://dashboard.example.com"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            let access = read("127.0.0.1", &[(FRONTEND, given)]).unwrap();
            assert_eq!(access.frontend.unwrap(), origin);
        }
        for (given, told) in [
            ("https://example.com/", "write https://example.com"),
            ("https://example.com/dashboard", "write https://example.com"),
            ("https://example.com:443", "write https://example.com"),
            ("https://ann:s3cret@example.com", "write https://example.com"),
            ("https://example.com?s3cret", "write https://example.com"),
            ("*", "is no origin"),
            ("null", "is no origin"),
            ("example.com", "is no origin"),
            ("file:///srv/s3cret", "is no origin"),
            ("https://a.example.com,https://b.example.com", "is no origin"),
        ] {
            let mistakes = mistakes(&[(FRONTEND, given)]);
            assert!(
                mistakes[0].starts_with("FRONTEND_URL: ") && mistakes[0].contains(told),
                "{mistakes:?}"
            );
            assert!(!mistakes[0].contains("s3cret"), "{mistakes:?}");
        }
    }
}
