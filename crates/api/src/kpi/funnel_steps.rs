//! The steps of `GET /kpis/funnel`, and what is lost between them.

use std::cmp::Reverse;

use kindred_warehouse::read::funnel::{StepPercentiles, StepSums};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Table;
use crate::figure::Figure;

/// A step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FunnelStep)]
#[serde(rename_all = "camelCase")]
pub(super) struct Step {
    /// Its name.
    step: String,
    /// Mean per complete entry date of those who reached it; dates without entries count.
    average_users: Option<Figure>,
    /// Mean per complete entry date of those who reached the next step too; null for the last step.
    average_converted: Option<Figure>,
    /// `converted` by `users`, in per cent; null for the last step, and when nobody reached it.
    conversion_rate: Option<Figure>,
    /// Mean per complete entry date of those who did not reach the next step; null for the last step.
    drop_off_count: Option<Figure>,
    /// Persons who reached it, over all computed entry dates of the window.
    users: i64,
    /// Of them, those who reached the next step; null for the last step.
    converted: Option<i64>,
    /// Mean time from this step to the next in seconds, of those; null when there are none.
    avg_time_to_convert_seconds: Option<Figure>,
    /// The median of the same. Percentiles do not add up, and are computed for windows of 7, 30 and 90 days: null for
    /// others, and with `matured=true`.
    median_time_to_convert_seconds: Option<Figure>,
    /// The time, in seconds, within which 9 of 10 of them went on; null as the median is.
    p90_time_to_convert_seconds: Option<Figure>,
}

/// From a step to the next, over all computed entry dates of the window.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StepConversion {
    /// The step.
    from_step: String,
    /// The next one.
    to_step: String,
    /// Of those who reached the one, the share who reached the other, in per cent; null when nobody reached it.
    conversion_rate: Option<Figure>,
    /// The share who did not.
    drop_off_rate: Option<Figure>,
}

/// Where people leave.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FunnelDropOff)]
#[serde(rename_all = "camelCase")]
pub(super) struct DropOff {
    /// The last step that they reached.
    from_step: String,
    /// The step that they did not reach.
    to_step: String,
    /// Of those who reached the one, the share who did not reach the other, in per cent.
    drop_off_rate: Option<Figure>,
    /// How many: mean per complete entry date, as in `funnel`.
    drop_off_count: Option<Figure>,
}

impl Step {
    /// The steps over the window; means are of the second sums by so many dates.
    pub(super) fn all(
        steps: &[StepSums],
        averages: &[StepSums],
        dates: usize,
        percentiles: &[StepPercentiles],
    ) -> Vec<Self> {
        let steps = steps.iter().map(|step| {
            let means = averages.iter().find(|of| of.step_order == step.step_order);
            let percentiles = percentiles.iter().find(|of| of.step_order == step.step_order);
            let mean = |count: fn(&StepSums) -> Option<i64>| Figure::mean(means.and_then(count)?, dates);
            Self {
                step: step.funnel_step.clone(),
                average_users: mean(|of| Some(of.users)),
                average_converted: mean(|of| of.converted),
                conversion_rate: step.converted.and_then(|converted| Figure::rate(converted, step.users)),
                drop_off_count: mean(lost),
                users: step.users,
                converted: step.converted,
                avg_time_to_convert_seconds: mean_time(step),
                median_time_to_convert_seconds: percentiles
                    .and_then(|of| of.median_time_to_convert)
                    .and_then(Figure::duration),
                p90_time_to_convert_seconds: percentiles
                    .and_then(|of| of.p90_time_to_convert)
                    .and_then(Figure::duration),
            }
        });
        steps.collect()
    }

    pub(super) fn table(steps: &[Self]) -> Table {
        Table::default()
            .column("step", steps.iter().map(|of| Some(of.step.as_str())))
            .column("averageUsers", steps.iter().map(|of| of.average_users))
            .column("averageConverted", steps.iter().map(|of| of.average_converted))
            .column("conversionRate", steps.iter().map(|of| of.conversion_rate))
            .column("dropOffCount", steps.iter().map(|of| of.drop_off_count))
            .column("users", steps.iter().map(|of| Some(of.users)))
            .column("converted", steps.iter().map(|of| of.converted))
            .column(
                "avgTimeToConvertSeconds",
                steps.iter().map(|of| of.avg_time_to_convert_seconds),
            )
            .column(
                "medianTimeToConvertSeconds",
                steps.iter().map(|of| of.median_time_to_convert_seconds),
            )
            .column(
                "p90TimeToConvertSeconds",
                steps.iter().map(|of| of.p90_time_to_convert_seconds),
            )
    }
}

impl StepConversion {
    /// From each step to the next.
    pub(super) fn all(steps: &[StepSums]) -> Vec<Self> {
        let pairs = steps.iter().zip(steps.iter().skip(1));
        pairs
            .map(|(from, to)| Self {
                from_step: from.funnel_step.clone(),
                to_step: to.funnel_step.clone(),
                conversion_rate: from.converted.and_then(|converted| Figure::rate(converted, from.users)),
                drop_off_rate: lost(from).and_then(|lost| Figure::rate(lost, from.users)),
            })
            .collect()
    }
}

impl DropOff {
    /// The largest by rate, then by count, then the first; `told` are the same steps as they are answered.
    pub(super) fn biggest(steps: &[StepSums], told: &[Step]) -> Option<Self> {
        let pairs = steps.iter().zip(steps.iter().skip(1)).zip(told);
        let left = pairs.filter_map(|((from, to), told)| {
            let lost = lost(from).filter(|lost| *lost > 0)?;
            let rate = Decimal::from(lost).checked_div(from.users.into())?;
            Some(((rate, lost, Reverse(from.step_order)), from, to, told))
        });
        let ((_, lost, _), from, to, told) = left.max_by_key(|(rank, ..)| *rank)?;
        Some(Self {
            from_step: from.funnel_step.clone(),
            to_step: to.funnel_step.clone(),
            drop_off_rate: Figure::rate(lost, from.users),
            drop_off_count: told.drop_off_count,
        })
    }
}

/// Those who reached the step and not the next; none for the last.
fn lost(step: &StepSums) -> Option<i64> {
    Some(step.users - step.converted?)
}

/// Of all who went on, whatever date they entered on.
fn mean_time(step: &StepSums) -> Option<Figure> {
    let converted = step.converted.filter(|converted| *converted > 0)?;
    Figure::duration(step.seconds? / converted.to_f64()?)
}
