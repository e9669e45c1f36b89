//! Sessions: a login opens one, every later call is seen in it, a logout ends it.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use chrono::TimeDelta;
use kindred_model::Instant;
use uuid::Uuid;

use crate::Playground;
use crate::device::Device;
use crate::refusal::Refusal;

/// How long a token may be used.
pub(crate) const LASTS: TimeDelta = TimeDelta::hours(24);

/// The signed-in person of a call. Reading it moves the session's last sign of life.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user_id: Uuid,
    pub(crate) session_id: Uuid,
    pub(crate) device_id: Option<String>,
    pub(crate) platform: Option<String>,
    pub(crate) app_version: Option<String>,
    pub(crate) country: Option<String>,
    /// When the call arrived.
    pub(crate) at: Instant,
}

impl FromRequestParts<Playground> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, playground: &Playground) -> Result<Self, Refusal> {
        let device = Device::from_request_parts(parts, playground).await?;
        let token = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let session = token.and_then(|token| playground.tokens.session(token));
        let session = session.ok_or_else(stranger)?;
        let caller = playground.seen(session, device.id).await?;
        caller.ok_or_else(stranger)
    }
}

/// An open session, as it is looked up.
#[derive(sqlx::FromRow)]
struct Seen {
    user_id: Uuid,
    platform: Option<String>,
    app_version: Option<String>,
    country: Option<String>,
}

/// Who has no token, or one of another process, of a session that is over, or of an account that was closed.
fn stranger() -> Refusal {
    Refusal::new(
        StatusCode::UNAUTHORIZED,
        "this takes a token of POST /api/auth/login that is no older than a day: send `Authorization: Bearer` and the \
         token",
    )
}

impl Playground {
    /// Opens a session, with its telemetry.
    pub(crate) async fn open_session(&self, user: Uuid, device: &Device, at: Instant) -> Result<Uuid, Refusal> {
        let session = Uuid::now_v7();
        sqlx::query(
            "insert into user_sessions
                (id, user_id, platform, app_version, country, started_at, last_seen_at, updated_at)
            select $1, id, $3, $4, country, $5, $5, $5 from users where id = $2",
        )
        .bind(session)
        .bind(user)
        .bind(device.platform)
        .bind(&device.app_version)
        .bind(at)
        .execute(&self.users)
        .await?;
        let telemetry = sqlx::query(
            "insert into session_telemetry (session_id, user_id, started_at, updated_at) values ($1, $2, $3, $3)",
        );
        telemetry
            .bind(session)
            .bind(user)
            .bind(at)
            .execute(&self.interactions)
            .await?;
        Ok(session)
    }

    /// The person of an open session, which is heard of now.
    async fn seen(&self, session: Uuid, device_id: Option<String>) -> Result<Option<Caller>, Refusal> {
        let at = self.clock.now();
        let found: Option<Seen> = sqlx::query_as(
            "update user_sessions as s
            set last_seen_at = greatest(last_seen_at, $2), updated_at = greatest(s.updated_at, $2)
            from users as u
            where s.id = $1 and s.ended_at is null and s.started_at > $3 and u.id = s.user_id and u.status = 'active'
            returning s.user_id, s.platform, s.app_version, s.country",
        )
        .bind(session)
        .bind(at)
        .bind(at - LASTS)
        .fetch_optional(&self.users)
        .await?;
        Ok(found.map(|seen| Caller {
            user_id: seen.user_id,
            session_id: session,
            device_id,
            platform: seen.platform,
            app_version: seen.app_version,
            country: seen.country,
            at,
        }))
    }

    /// Ends a session.
    pub(crate) async fn end_session(&self, caller: &Caller) -> Result<(), Refusal> {
        sqlx::query(
            "update user_sessions set ended_at = $2, exit_reason = 'logout', updated_at = greatest(updated_at, $2)
            where id = $1 and ended_at is null",
        )
        .bind(caller.session_id)
        .bind(caller.at)
        .execute(&self.users)
        .await?;
        Ok(())
    }
}
