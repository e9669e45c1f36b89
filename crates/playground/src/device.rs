//! The device that a call comes from. The app says so in headers; whoever says nothing is a browser.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::fields::Fields;
use crate::refusal::Refusal;

const PLATFORMS: &[&str] = &["ios", "android", "web"];
/// More than any version or device id has.
const LONGEST: usize = 64;

/// `X-Platform`, `X-App-Version` and `X-Device-Id`.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) platform: &'static str,
    pub(crate) app_version: Option<String>,
    /// By which events of before the sign-up are known.
    pub(crate) id: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Device {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let header = |name| parts.headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let mut fields = Fields::default();
        let platform = header("x-platform").map_or(Some("web"), |text| fields.one_of("X-Platform", text, PLATFORMS));
        let app_version = header("x-app-version").map(|text| fields.line("X-App-Version", text, 1..=LONGEST));
        let id = header("x-device-id").map(|text| fields.line("X-Device-Id", text, 1..=LONGEST));
        fields.finish()?;
        Ok(Self {
            platform: platform.unwrap_or("web"),
            app_version,
            id,
        })
    }
}
