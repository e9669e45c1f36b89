//! Days that a caller asks for: they have begun.

use chrono::{Days, NaiveDate};
use kindred_model::DayWindow;

use crate::problem::ApiError;

/// The days from `from` up to, and without, `to`, if there are any and the last has begun.
pub(crate) fn begun(from: NaiveDate, to: NaiveDate, today: NaiveDate) -> Result<DayWindow, ApiError> {
    let window = DayWindow::new(from, to).map_err(|error| ApiError::BadRequest(error.to_string()))?;
    let last = to - Days::new(1);
    if last > today {
        return Err(ApiError::BadRequest(format!(
            "{last} lies in the future: today is {today}, in UTC"
        )));
    }
    Ok(window)
}
