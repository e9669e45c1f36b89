//! When each job runs.

use std::collections::BTreeMap;

use kindred_model::Job;
use kindred_ticker::Schedule;

use super::Reader;

/// The schedule of every job: `DAILY_SCHEDULE`, `HOURLY_SCHEDULE`, `WEEKLY_SCHEDULE`, `SESSIONS_SCHEDULE`, in cron, UTC.
pub(crate) type Schedules = BTreeMap<Job, Schedule>;

pub(super) fn read(reader: &mut Reader<'_>) -> Schedules {
    Job::ALL.iter().map(|job| (*job, schedule(reader, *job))).collect()
}

fn schedule(reader: &mut Reader<'_>, job: Job) -> Schedule {
    let setting = match job {
        Job::Daily => "DAILY_SCHEDULE",
        Job::Hourly => "HOURLY_SCHEDULE",
        Job::Weekly => "WEEKLY_SCHEDULE",
        Job::Sessions => "SESSIONS_SCHEDULE",
    };
    match reader.text(setting).map(|text| text.parse()) {
        Some(Ok(schedule)) => return schedule,
        Some(Err(error)) => reader.mistake(setting, kindred_jobs::describe(&error)),
        None => {}
    }
    Schedule::default_of(job)
}
