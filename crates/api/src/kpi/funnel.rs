//! `GET /kpis/funnel`: how far those came who entered a funnel in a window, and where they left it.

use axum::extract::State;
use axum::response::Response;
use kindred_model::{Granularity, Instant};
use kindred_warehouse::Warehouse;
use kindred_warehouse::read::funnel::StepSums;
use serde::Serialize;
use utoipa::ToSchema;

use super::funnel_dates::Dates;
use super::funnel_steps::{DropOff, Step, StepConversion};
use crate::ApiState;
use crate::answer::{Answer, Asked, Table};
use crate::comparison::{Compare, Compared};
use crate::figure::Figure;
use crate::meta::Meta;
use crate::params::{windowed_params, word};
use crate::problem::ApiError;
use crate::window::{Range, days_before, default_timeframe};

/// The funnel that there always is.
const ONBOARDING: &str = "onboarding";

/// The numbers of entry dates over which percentiles are computed.
const PERCENTILE_DATES: [u64; 3] = [7, 30, 90];

windowed_params! {
    /// The parameters.
    FunnelParams {
        /// The funnel's name; `onboarding` when absent.
        #[param(example = "onboarding")]
        funnel: Option<String>,
        /// Whether only those of the window's dates count whose people have all had the whole of the funnel's time; false
        /// when absent.
        #[serde(deserialize_with = "word")]
        #[param(value_type = Option<bool>)]
        matured: Option<bool>,
        /// The complete dates against as many before the window.
        #[param(inline)]
        compare: Option<Compare>,
    }
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Funnel)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FunnelAnswer {
    /// The steps, in their order.
    funnel: Vec<Step>,
    /// From each step to the next.
    step_conversions: Vec<StepConversion>,
    insights: Insights,
    /// The complete dates against as many before the window; absent when it is not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<FunnelComparison>,
    meta: Meta,
}

/// The whole way, over the window's computed entry dates, the current one included.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FunnelInsights)]
#[serde(rename_all = "camelCase")]
struct Insights {
    /// Where the largest share left, of two equal ones the larger count; null when nobody left.
    biggest_drop_off: Option<DropOff>,
    /// Of those who entered, the share who reached the last step, in per cent; null when nobody entered.
    overall_conversion_rate: Option<Figure>,
    /// Persons who entered.
    total_users: Option<i64>,
    /// Of them, those who reached the last step.
    final_conversions: Option<i64>,
    /// Entry dates among those counted whose people may still go on; 0 with `matured=true`.
    immature_dates: usize,
}

/// The whole way over the window's complete entry dates, and over as many before the window.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FunnelComparison {
    /// The dates before.
    range: Range,
    total_users: Compared,
    final_conversions: Compared,
    overall_conversion_rate: Compared,
}

/// How far those came who entered a funnel in a window of days, and where they left it
///
/// A person counts on the day on which they entered. The window ends with today, on which people are still entering, and
/// the people of its last days may still go on: `matured=true` leaves these days out. As CSV and Arrow: the steps.
#[utoipa::path(get, path = "/kpis/funnel", operation_id = "funnel", tag = "KPIs",
    params(FunnelParams), responses((status = 200, body = FunnelAnswer)))]
pub(crate) async fn get(State(state): State<ApiState>, asked: Asked<FunnelParams>) -> Response {
    asked
        .answered(&state, |params, now| answer(&state.warehouse, params, now))
        .await
}

async fn answer(warehouse: &Warehouse, params: FunnelParams, now: Instant) -> Result<FunnelAnswer, ApiError> {
    let window = params.window(default_timeframe(Granularity::Daily), now)?.days(now)?;
    let matured = params.matured.unwrap_or(false);
    let name = known(warehouse, params.funnel).await?;
    let computed = warehouse.funnel_dates(&name, window.union(days_before(window))).await?;
    let as_of = warehouse.watermark().await?;
    // A date is over when the sources were read beyond it.
    let today = as_of.map_or(now, |as_of| as_of.min(now)).date_naive();
    let dates = Dates::of(window, &computed, matured, today);
    let mut meta = Meta::new(as_of, now);
    meta.empty = computed.is_empty() && warehouse.funnel_names().await?.is_empty();
    meta.averages_partial = dates.averages_partial();
    if !meta.empty {
        let in_window = computed
            .iter()
            .map(|entry| entry.date)
            .filter(|date| window.contains(*date));
        meta.cover(window, in_window, now);
        // Those who entered on a mature date are all there.
        meta.is_partial = !matured && (meta.is_partial || dates.are_partial());
    }

    let steps = warehouse.funnel_steps(&name, &dates.counted).await?;
    let averages = warehouse.funnel_steps(&name, dates.averaged()).await?;
    let percentiles = match !matured && PERCENTILE_DATES.contains(&window.len()) {
        true => warehouse.funnel_percentiles(&name, window).await?,
        false => Vec::new(),
    };
    let comparison = match params.compare {
        Some(Compare::Previous) => {
            let current = if meta.averages_partial {
                &[]
            } else {
                averages.as_slice()
            };
            let previous = warehouse.funnel_steps(&name, &dates.before).await?;
            Some(FunnelComparison::of(dates.range, current, &previous))
        }
        None => None,
    };
    let funnel = Step::all(&steps, &averages, dates.averaged().len(), &percentiles);
    Ok(FunnelAnswer {
        step_conversions: StepConversion::all(&steps),
        insights: Insights {
            biggest_drop_off: DropOff::biggest(&steps, &funnel),
            overall_conversion_rate: overall_rate(&steps),
            total_users: entered(&steps),
            final_conversions: finished(&steps),
            immature_dates: dates.immature,
        },
        funnel,
        comparison,
        meta,
    })
}

/// The funnel's name, when there is such a funnel.
async fn known(warehouse: &Warehouse, asked: Option<String>) -> Result<String, ApiError> {
    let asked = asked.unwrap_or_else(|| ONBOARDING.to_owned());
    if asked == ONBOARDING {
        return Ok(asked);
    }
    let mut names = warehouse.funnel_names().await?;
    if names.contains(&asked) {
        return Ok(asked);
    }
    if !names.iter().any(|name| name == ONBOARDING) {
        names.insert(0, ONBOARDING.to_owned());
    }
    let given: String = asked.chars().take(40).collect();
    Err(ApiError::BadRequest(format!(
        "`{given}` is no funnel; expected one of {}",
        names.join(", ")
    )))
}

fn entered(steps: &[StepSums]) -> Option<i64> {
    steps.first().map(|step| step.users)
}

fn finished(steps: &[StepSums]) -> Option<i64> {
    steps.last().map(|step| step.users)
}

fn overall_rate(steps: &[StepSums]) -> Option<Figure> {
    Figure::rate(finished(steps)?, entered(steps)?)
}

impl FunnelComparison {
    fn of(range: Range, current: &[StepSums], previous: &[StepSums]) -> Self {
        let count = |steps: &[StepSums], of: fn(&[StepSums]) -> Option<i64>| of(steps).map(Figure::count);
        Self {
            range,
            total_users: Compared::of(count(current, entered), count(previous, entered)),
            final_conversions: Compared::of(count(current, finished), count(previous, finished)),
            overall_conversion_rate: Compared::of(overall_rate(current), overall_rate(previous)),
        }
    }
}

impl Answer for FunnelAnswer {
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    /// The steps.
    fn table(&self) -> Table {
        Step::table(&self.funnel)
    }
}
