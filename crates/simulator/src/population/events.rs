//! The behaviour events that the app reports, and what each says.

use std::fmt::Write as _;

use bytes::BytesMut;
use chrono::TimeDelta;
use kindred_model::Instant;
use uuid::Uuid;

use super::World;
use super::chance::{Dice, seconds};
use super::person::Device;
use crate::load::{BehaviorEvent, Cents, Field};

/// An event's name and its properties.
#[derive(Clone, Copy)]
pub(crate) enum EventKind {
    AppOpen,
    ScreenView {
        screen: &'static str,
    },
    ButtonClick {
        button: &'static str,
        screen: &'static str,
    },
    FeatureUse {
        feature: &'static str,
    },
    Search {
        min_age: u32,
        max_age: u32,
        distance_km: u32,
    },
    ProfileView {
        target: Uuid,
    },
    SwipeRight {
        target: Uuid,
        super_like: bool,
    },
    SwipeLeft {
        target: Uuid,
    },
    MatchAction {
        action: &'static str,
        target: Uuid,
    },
    MessageSend {
        conversation: Uuid,
        kind: &'static str,
    },
    RegistrationStart {
        method: &'static str,
    },
    RegistrationComplete {
        method: &'static str,
    },
    SubscriptionView {
        source: &'static str,
    },
    SubscriptionPurchase {
        plan: &'static str,
        price: Cents,
        currency: &'static str,
        trial: bool,
    },
}

impl EventKind {
    const fn name(self) -> &'static str {
        match self {
            Self::AppOpen => "app_open",
            Self::ScreenView { .. } => "screen_view",
            Self::ButtonClick { .. } => "button_click",
            Self::FeatureUse { .. } => "feature_use",
            Self::Search { .. } => "search",
            Self::ProfileView { .. } => "profile_view",
            Self::SwipeRight { .. } => "swipe_right",
            Self::SwipeLeft { .. } => "swipe_left",
            Self::MatchAction { .. } => "match_action",
            Self::MessageSend { .. } => "message_send",
            Self::RegistrationStart { .. } => "registration_start",
            Self::RegistrationComplete { .. } => "registration_complete",
            Self::SubscriptionView { .. } => "subscription_view",
            Self::SubscriptionPurchase { .. } => "subscription_purchase",
        }
    }
}

/// `jsonb`: a version byte, then the text. No value here needs escaping.
impl Field for EventKind {
    fn write(&self, out: &mut BytesMut) {
        const VERSION: &str = "\u{1}";
        let written = match *self {
            Self::AppOpen => write!(out, "{VERSION}{{}}"),
            Self::ScreenView { screen } => write!(out, r#"{VERSION}{{"screen":"{screen}"}}"#),
            Self::ButtonClick { button, screen } => {
                write!(out, r#"{VERSION}{{"button":"{button}","screen":"{screen}"}}"#)
            }
            Self::FeatureUse { feature } => write!(out, r#"{VERSION}{{"feature":"{feature}"}}"#),
            Self::Search {
                min_age,
                max_age,
                distance_km,
            } => write!(
                out,
                r#"{VERSION}{{"min_age":{min_age},"max_age":{max_age},"distance_km":{distance_km}}}"#
            ),
            Self::ProfileView { target } => write!(out, r#"{VERSION}{{"target_user_id":"{target}"}}"#),
            Self::SwipeRight { target, super_like } => {
                write!(
                    out,
                    r#"{VERSION}{{"target_user_id":"{target}","super_like":{super_like}}}"#
                )
            }
            Self::SwipeLeft { target } => write!(out, r#"{VERSION}{{"target_user_id":"{target}"}}"#),
            Self::MatchAction { action, target } => {
                write!(out, r#"{VERSION}{{"action":"{action}","target_user_id":"{target}"}}"#)
            }
            Self::MessageSend { conversation, kind } => {
                write!(
                    out,
                    r#"{VERSION}{{"conversation_id":"{conversation}","kind":"{kind}"}}"#
                )
            }
            Self::RegistrationStart { method } | Self::RegistrationComplete { method } => {
                write!(out, r#"{VERSION}{{"method":"{method}"}}"#)
            }
            Self::SubscriptionView { source } => write!(out, r#"{VERSION}{{"source":"{source}"}}"#),
            Self::SubscriptionPurchase {
                plan,
                price,
                currency,
                trial,
            } => write!(
                out,
                r#"{VERSION}{{"plan":"{plan}","price":{price},"currency":"{currency}","trial":{trial}}}"#
            ),
        };
        written.expect("a buffer grows");
    }
}

/// An id in a text column.
#[derive(Clone, Copy)]
pub(crate) struct IdText(pub(crate) Uuid);

impl Field for IdText {
    fn write(&self, out: &mut BytesMut) {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        out.extend_from_slice(self.0.hyphenated().encode_lower(&mut text).as_bytes());
    }
}

/// A release of the app: `4.0.0`, `4.1.0`, …
#[derive(Clone, Copy)]
pub(crate) struct AppVersion(i64);

impl AppVersion {
    /// The app is released every other week.
    const RELEASE_EVERY: TimeDelta = TimeDelta::days(14);

    /// The latest release at an instant; the first one came out before the history starts.
    pub(super) fn released_by(start: Instant, at: Instant) -> Self {
        Self(((at - start).num_seconds() / Self::RELEASE_EVERY.num_seconds()).max(0))
    }
}

impl Field for AppVersion {
    fn write(&self, out: &mut BytesMut) {
        write!(out, "4.{}.0", self.0).expect("a buffer grows");
    }
}

/// Where events come from: what is the same for all of one session or visit.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    /// None before the sign-up.
    pub(super) user_id: Option<Uuid>,
    /// None before the sign-up.
    pub(super) session_id: Option<Uuid>,
    pub(super) device: Device,
    pub(super) version: AppVersion,
    pub(super) country: Option<&'static str>,
}

/// Share of events that wait on a device without a network.
const LATE: f64 = 0.01;
/// The app throws away what it could not send within two days.
const LATEST_HOURS: f64 = 47.0;

impl World {
    /// Reports an event. One that happened before the history, or has not arrived by its end, is in no table.
    pub(super) fn report_event(&mut self, dice: &mut Dice, origin: &Origin, at: Instant, kind: EventKind) {
        let delay = if dice.chance(LATE) {
            seconds(dice.exponential(4.0).min(LATEST_HOURS) * 3_600.0 + 60.0)
        } else {
            dice.span(0.1..4.0)
        };
        let received_at = at + delay;
        if at < self.start || received_at >= self.until {
            return;
        }
        self.sink.write(&BehaviorEvent {
            event_id: IdText(dice.id_at(at)),
            user_id: origin.user_id,
            anonymous_id: IdText(origin.device.id),
            session_id: origin.session_id,
            event_name: kind.name(),
            properties: kind,
            event_time: at,
            received_at,
            platform: origin.device.platform,
            app_version: origin.version,
            country: origin.country,
        });
    }
}
