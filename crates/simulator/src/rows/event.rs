//! The behaviour events that the app reports, and what each says.

use std::fmt::Write as _;

use bytes::BytesMut;
use uuid::Uuid;

use super::binary::{Cents, Field};

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
    pub(crate) const fn name(self) -> &'static str {
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
