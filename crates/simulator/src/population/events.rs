//! Reporting behaviour events: whose they are, and when they arrive.

use kindred_model::Instant;
use uuid::Uuid;

use super::chance::{Dice, seconds};
use super::person::Device;
use super::world::World;
use crate::rows::{AppVersion, BehaviorEvent, EventKind, IdText};

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
    /// Reports an event. One that happened before the history is in no table.
    pub(super) fn report_event(&mut self, dice: &mut Dice, origin: &Origin, at: Instant, kind: EventKind) {
        let delay = if dice.chance(LATE) {
            seconds(dice.exponential(4.0).min(LATEST_HOURS) * 3_600.0 + 60.0)
        } else {
            dice.span(0.1..4.0)
        };
        if at < self.start() {
            return;
        }
        self.write(BehaviorEvent {
            event_id: IdText(dice.id_at(at)),
            user_id: origin.user_id,
            anonymous_id: IdText(origin.device.id),
            session_id: origin.session_id,
            event_name: kind.name(),
            properties: kind,
            event_time: at,
            received_at: at + delay,
            platform: origin.device.platform,
            app_version: origin.version,
            country: origin.country,
        });
    }
}
