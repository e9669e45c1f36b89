//! The app's own events: what each call was about, as the collector of the app keeps it, and the telemetry of the
//! session beside it.

use kindred_model::Instant;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Playground;
use crate::refusal::chain;
use crate::sessions::Caller;

/// What happened, by the names that the simulated app uses.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    AppOpen,
    RegistrationStart,
    RegistrationComplete,
    ScreenView { screen: &'static str },
    EditProfile,
    SwipeRight { target: Uuid, super_like: bool },
    SwipeLeft { target: Uuid },
    MatchViewed { other: Uuid },
    MessageSend { conversation: Uuid },
    SubscriptionView,
    SubscriptionPurchase { plan: &'static str, price: f64 },
}

impl Event {
    const fn name(self) -> &'static str {
        match self {
            Self::AppOpen => "app_open",
            Self::RegistrationStart => "registration_start",
            Self::RegistrationComplete => "registration_complete",
            Self::ScreenView { .. } => "screen_view",
            Self::EditProfile => "feature_use",
            Self::SwipeRight { .. } => "swipe_right",
            Self::SwipeLeft { .. } => "swipe_left",
            Self::MatchViewed { .. } => "match_action",
            Self::MessageSend { .. } => "message_send",
            Self::SubscriptionView => "subscription_view",
            Self::SubscriptionPurchase { .. } => "subscription_purchase",
        }
    }

    fn properties(self) -> Value {
        match self {
            Self::AppOpen => json!({}),
            Self::RegistrationStart | Self::RegistrationComplete => json!({ "method": "email" }),
            Self::ScreenView { screen } => json!({ "screen": screen }),
            Self::EditProfile => json!({ "feature": "edit_profile" }),
            Self::SwipeRight { target, super_like } => json!({ "target_user_id": target, "super_like": super_like }),
            Self::SwipeLeft { target } => json!({ "target_user_id": target }),
            Self::MatchViewed { other } => json!({ "action": "viewed", "target_user_id": other }),
            Self::MessageSend { conversation } => json!({ "conversation_id": conversation, "kind": "text" }),
            Self::SubscriptionView => json!({ "source": "settings" }),
            Self::SubscriptionPurchase { plan, price } => {
                json!({ "plan": plan, "price": price, "currency": "USD", "trial": false })
            }
        }
    }

    /// What it adds to the telemetry: screens viewed, actions taken.
    const fn counts(self) -> (i32, i32) {
        match self {
            Self::AppOpen => (0, 0),
            Self::ScreenView { .. } | Self::SubscriptionView => (1, 0),
            _ => (0, 1),
        }
    }
}

/// Where events come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    pub(crate) user: Option<Uuid>,
    pub(crate) device: Option<String>,
    pub(crate) session: Option<Uuid>,
    pub(crate) platform: Option<String>,
    pub(crate) app_version: Option<String>,
    pub(crate) country: Option<String>,
}

impl From<&Caller> for Origin {
    fn from(caller: &Caller) -> Self {
        Self {
            user: Some(caller.user_id),
            device: caller.device_id.clone(),
            session: Some(caller.session_id),
            platform: caller.platform.clone(),
            app_version: caller.app_version.clone(),
            country: caller.country.clone(),
        }
    }
}

impl Playground {
    /// Notes what happened at an instant. The collector is apart from the services: when it cannot be written, the call
    /// has been carried out all the same, and the log says what is missing.
    pub(crate) async fn note(&self, origin: &Origin, at: Instant, event: Event) {
        if let Err(error) = self.try_note(origin, at, event).await {
            tracing::warn!(event = event.name(), error = chain(&error), "an event was not noted");
        }
    }

    async fn try_note(&self, origin: &Origin, at: Instant, event: Event) -> Result<(), sqlx::Error> {
        let (screens, actions) = event.counts();
        sqlx::query(
            "with counted as (
                update session_telemetry
                set screens_viewed = screens_viewed + $11, actions_taken = actions_taken + $12,
                    updated_at = greatest(updated_at, $8)
                where session_id = $4 and $11 + $12 > 0
            )
            insert into behavior_events
                (event_id, user_id, anonymous_id, session_id, event_name, properties, event_time, received_at,
                 platform, app_version, country)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $13)",
        )
        .bind(Uuid::now_v7().to_string())
        .bind(origin.user)
        .bind(&origin.device)
        .bind(origin.session)
        .bind(event.name())
        .bind(event.properties())
        .bind(at)
        .bind(self.clock.now())
        .bind(&origin.platform)
        .bind(&origin.app_version)
        .bind(screens)
        .bind(actions)
        .bind(&origin.country)
        .execute(&self.interactions)
        .await?;
        Ok(())
    }
}
