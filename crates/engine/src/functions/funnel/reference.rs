//! The funnel said again, slowly: every attempt on its own, and every way of giving moments to steps.

use super::walk::{Entry, Moment, Order, Reached, Seconds, Shape};

/// What [`Shape::walk`] must answer.
pub(super) fn walk(shape: &Shape, moments: &[Moment]) -> Option<Reached> {
    let mut sorted = moments.to_vec();
    sorted.sort_by_key(|moment| (moment.at, moment.steps.trailing_zeros(), moment.steps));
    let first = sorted.iter().find(|moment| moment.fills(0))?.at;
    let begins = (0..sorted.len()).filter(|&index| sorted[index].fills(0));
    let begins: Vec<_> = match (shape.entry, shape.order) {
        (Entry::Any, _) => begins.collect(),
        (Entry::First, Order::Ordered) => begins.filter(|&index| sorted[index].at == first).collect(),
        (Entry::First, Order::Strict) => begins.take(1).collect(),
    };
    let attempts = begins.into_iter().map(|begin| match shape.order {
        Order::Ordered => ordered(shape, &sorted, begin),
        Order::Strict => strict(shape, &sorted, begin),
    });
    let attempts: Vec<_> = attempts.collect();
    let depth = attempts.iter().map(Vec::len).max()?;
    let deepest: Vec<_> = attempts
        .into_iter()
        .filter(|instants| instants.len() == depth)
        .collect();
    let seconds = (1..depth).map(|step| {
        let mut spans: Vec<_> = deepest
            .iter()
            .map(|at| (at[step] - at[step - 1]) as f64 / 1e6)
            .collect();
        spans.sort_by(f64::total_cmp);
        let middle = spans.len() / 2;
        let lower = if spans.len() % 2 == 1 { middle } else { middle - 1 };
        Seconds {
            mean: spans.iter().sum::<f64>() / spans.len() as f64,
            median: f64::midpoint(spans[lower], spans[middle]),
        }
    });
    Some(Reached {
        entered_at: deepest.iter().map(|at| at[0]).min()?,
        seconds: seconds.collect(),
    })
}

/// The instants of the attempt that fills the most steps and, of those, each as early as can be: by trying every
/// unused moment for every step.
fn ordered(shape: &Shape, moments: &[Moment], begin: usize) -> Vec<i64> {
    fn extend(shape: &Shape, moments: &[Moment], used: &mut Vec<usize>, best: &mut Vec<i64>) {
        let instants: Vec<_> = used.iter().map(|&index| moments[index].at).collect();
        if instants.len() > best.len() || instants.len() == best.len() && instants < *best {
            best.clone_from(&instants);
        }
        let step = used.len();
        if step == shape.steps {
            return;
        }
        for index in 0..moments.len() {
            let moment = moments[index];
            let in_time = moment.at >= instants[step - 1] && moment.at - instants[0] <= shape.window;
            if in_time && moment.fills(step) && !used.contains(&index) {
                used.push(index);
                extend(shape, moments, used, best);
                used.pop();
            }
        }
    }
    let mut best = Vec::new();
    extend(shape, moments, &mut vec![begin], &mut best);
    best
}

fn strict(shape: &Shape, moments: &[Moment], begin: usize) -> Vec<i64> {
    let mut instants = vec![moments[begin].at];
    while instants.len() < shape.steps
        && let Some(moment) = moments.get(begin + instants.len())
        && moment.fills(instants.len())
        && moment.at - instants[0] <= shape.window
    {
        instants.push(moment.at);
    }
    instants
}
