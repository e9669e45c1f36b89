//! `PUT` and `GET /api/users/profile`: one's own profile, and nobody else's.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use kindred_model::Instant;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Playground;
use crate::body::Body;
use crate::events::{Event, Origin};
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::sessions::Caller;

/// The most interests that somebody may name.
const INTERESTS: usize = 30;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Asked {
    display_name: String,
    bio: Option<String>,
    #[serde(default)]
    interests: Vec<String>,
    #[serde(default)]
    location: AskedLocation,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AskedLocation {
    city: Option<String>,
    country: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Profile {
    user_id: Uuid,
    display_name: String,
    bio: Option<String>,
    interests: Vec<String>,
    location: Location,
    updated_at: Instant,
}

#[derive(Serialize)]
struct Location {
    city: Option<String>,
    /// Its two letters, by ISO 3166-1.
    country: Option<String>,
}

/// A profile as it is kept: every column may be null.
#[derive(sqlx::FromRow)]
struct Stored {
    display_name: Option<String>,
    bio: Option<String>,
    interests: Option<Vec<String>>,
    city: Option<String>,
    country: Option<String>,
    updated_at: Instant,
}

/// Writes the whole profile: what is left out is not kept.
pub(crate) async fn put(
    State(playground): State<Playground>,
    caller: Caller,
    Body(asked): Body<Asked>,
) -> Result<Json<Profile>, Refusal> {
    let profile = read(&caller, asked)?;
    write(&playground, &profile).await?;
    playground
        .note(&Origin::from(&caller), caller.at, Event::EditProfile)
        .await;
    Ok(Json(profile))
}

pub(crate) async fn get(State(playground): State<Playground>, caller: Caller) -> Result<Json<Profile>, Refusal> {
    let stored: Option<Stored> = sqlx::query_as(
        "select display_name, bio, interests, city, country, user_profiles.updated_at
        from user_profiles join users on users.id = user_id where user_id = $1",
    )
    .bind(caller.user_id)
    .fetch_optional(&playground.users)
    .await?;
    let screen = Event::ScreenView { screen: "profile" };
    playground.note(&Origin::from(&caller), caller.at, screen).await;
    let stored = stored.ok_or_else(|| {
        let told = "there is no profile yet: PUT one to this address";
        Refusal::new(StatusCode::NOT_FOUND, told)
    })?;
    Ok(Json(Profile {
        user_id: caller.user_id,
        display_name: stored.display_name.unwrap_or_default(),
        bio: stored.bio,
        interests: stored.interests.unwrap_or_default(),
        location: Location {
            city: stored.city,
            country: stored.country,
        },
        updated_at: stored.updated_at,
    }))
}

fn read(caller: &Caller, asked: Asked) -> Result<Profile, Refusal> {
    let mut fields = Fields::default();
    let AskedLocation { city, country } = asked.location;
    let profile = Profile {
        user_id: caller.user_id,
        display_name: fields.line("displayName", &asked.display_name, 1..=100),
        bio: asked.bio.map(|bio| fields.prose("bio", &bio, 0..=2_000)),
        interests: asked
            .interests
            .iter()
            .map(|interest| fields.line("interests", interest, 1..=50))
            .collect(),
        location: Location {
            city: city.map(|city| fields.line("location.city", &city, 1..=100)),
            country: country
                .and_then(|country| fields.country("location.country", &country))
                .map(str::to_owned),
        },
        updated_at: caller.at,
    };
    if profile.interests.len() > INTERESTS {
        fields.mistake("interests", format!("must be {INTERESTS} at most"));
    }
    fields.finish()?;
    Ok(profile)
}

async fn write(playground: &Playground, profile: &Profile) -> Result<(), sqlx::Error> {
    let mut transaction = playground.users.begin().await?;
    sqlx::query(
        "insert into user_profiles (user_id, display_name, bio, interests, city, updated_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (user_id) do update
        set display_name = excluded.display_name, bio = excluded.bio, interests = excluded.interests,
            city = excluded.city, updated_at = excluded.updated_at",
    )
    .bind(profile.user_id)
    .bind(&profile.display_name)
    .bind(&profile.bio)
    .bind(&profile.interests)
    .bind(&profile.location.city)
    .bind(profile.updated_at)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("update users set country = $2, updated_at = $3 where id = $1 and country is distinct from $2")
        .bind(profile.user_id)
        .bind(&profile.location.country)
        .bind(profile.updated_at)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}
