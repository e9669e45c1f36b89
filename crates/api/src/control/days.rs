//! Days that a caller asks for: they have begun.

use chrono::{Days, NaiveDate};
use kindred_model::DayWindow;

use crate::problem::ApiError;

/// The most days of one request: a longer window is a slip of the pen.
const MOST_DAYS: u64 = 10 * 366;

/// The days from `from` up to, and without, `to`, if there are any, they are not too many, and the last has begun.
pub(crate) fn begun(from: NaiveDate, to: NaiveDate, today: NaiveDate) -> Result<DayWindow, ApiError> {
    let window = DayWindow::new(from, to).map_err(|error| ApiError::BadRequest(error.to_string()))?;
    let last = to - Days::new(1);
    if last > today {
        return Err(ApiError::BadRequest(format!(
            "{last} lies in the future: today is {today}, in UTC"
        )));
    }
    if window.len() > MOST_DAYS {
        return Err(ApiError::BadRequest(format!(
            "{window} holds more than {MOST_DAYS} days; ask for them one part after the other"
        )));
    }
    Ok(window)
}
