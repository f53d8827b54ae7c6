use serde::Serialize;

use crate::machine::Watch;

/// One line of the results.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    /// A stable name.
    pub(crate) name: String,
    pub(crate) ratio: Spread,
    pub(crate) goal: f64,
    /// `true` if the median reaches the goal.
    pub(crate) holds: bool,
    #[serde(skip)]
    pub(crate) better: Better,
    /// The median round in plain numbers, for people.
    #[serde(skip)]
    pub(crate) detail: String,
    /// The share of the processors that others took meanwhile, where it is known.
    #[serde(skip)]
    pub(crate) others: Option<f64>,
}

/// Least, middle and greatest of the rounds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

/// The direction in which a figure improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    /// Throughput, ours over raw.
    Higher,
    /// Time, ours over raw; requests; bytes.
    Lower,
}

impl Figure {
    pub(crate) fn new(name: String, ratios: &[f64], better: Better, goal: f64) -> Self {
        let ratio = Spread::of(ratios);
        let holds = match better {
            Better::Higher => ratio.median >= goal,
            Better::Lower => ratio.median <= goal,
        };
        Self {
            name,
            ratio,
            goal,
            holds,
            better,
            detail: String::new(),
            others: None,
        }
    }

    pub(crate) fn beside(mut self, watch: &Watch) -> Self {
        self.others = watch.others();
        self
    }

    pub(crate) fn detail(mut self, detail: String) -> Self {
        self.detail = detail;
        self
    }
}

impl Spread {
    /// The spread of one round or more.
    fn of(values: &[f64]) -> Self {
        Self {
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            median: median(values),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// The middle value; of an even number, the mean of the two in the middle; not a number for none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.len() / 2;
    let lower = sorted.len().saturating_sub(1) / 2;
    match (sorted.get(lower), sorted.get(upper)) {
        (Some(lower), Some(upper)) => f64::midpoint(*lower, *upper),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_goal_is_reached_from_its_own_side() {
        let ratios = [0.9, 1.0, 1.2];
        let holds = |better, goal| Figure::new(String::new(), &ratios, better, goal).holds;
        assert!(holds(Better::Higher, 0.95));
        assert!(!holds(Better::Higher, 1.05));
        assert!(holds(Better::Lower, 1.05));
        assert!(!holds(Better::Lower, 0.95));
    }

    #[test]
    fn the_file_has_the_agreed_fields_and_no_others() {
        let figure = Figure::new("redis/read/1".to_owned(), &[1.0], Better::Higher, 0.95);
        let json = serde_json::to_value(figure.detail("for people".to_owned())).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "name": "redis/read/1",
                "ratio": {"min": 1.0, "median": 1.0, "max": 1.0},
                "goal": 0.95,
                "holds": true,
            })
        );
    }
}
