//! Pictures of decompositions: ranks compared, the error of the search, weights and factors, entries.

use crate::plot::{COLOURS, Figure, Mark, Series};
use wickring::tensor::CpTensor;

/// Modes of at most this many indices are drawn as bars: few indices are mostly categories.
const CATEGORIES: usize = 12;
/// Points of a cloud at most.
const POINTS: usize = 3000;

/// A rank that was tried.
#[derive(Clone, Copy, Debug)]
pub struct TriedRank {
    /// The number of components.
    pub rank: usize,
    /// The relative residual that was reached.
    pub residual: f64,
    /// The core consistency in percent, where it is defined.
    pub consistency: Option<f64>,
}

/// Residual and core consistency against the number of components; nothing for one rank.
pub fn ranks(tried: &[TriedRank]) -> Vec<Figure> {
    if tried.len() < 2 {
        return Vec::new();
    }
    // Positions are names: there is nothing between two numbers of components.
    let names: Vec<String> = tried.iter().map(|t| t.rank.to_string()).collect();
    let points = tried.iter().enumerate();
    let points = points.map(|(k, t)| (k as f64, t.residual)).collect();
    let mut all = vec![Figure {
        title: "what each number of components leaves unexplained".into(),
        x: "components".into(),
        y: "relative error".into(),
        categories: names.clone(),
        series: vec![Series::new("", Mark::Line, points)],
        ..Figure::default()
    }];
    let consistent = tried.iter().enumerate();
    let consistent = consistent.filter_map(|(k, t)| Some((k as f64, t.consistency?)));
    let points: Vec<(f64, f64)> = consistent.map(|(r, c)| (r, c.max(-20.0))).collect();
    if !points.is_empty() {
        all.push(Figure {
            title: "core consistency: near 100 where the components are trilinear (cut at -20)"
                .into(),
            x: "components".into(),
            y: "percent".into(),
            categories: names,
            series: vec![Series::new("", Mark::Line, points)],
            ..Figure::default()
        });
    }
    all
}

/// The error of each iteration; nothing where the method does not iterate.
pub fn error(history: &[f64]) -> Option<Figure> {
    let points: Vec<(f64, f64)> = history
        .iter()
        .enumerate()
        .map(|(i, &f)| (i as f64, f))
        .collect();
    let drawable = points.iter().any(|p| p.1.is_finite() && p.1 > 0.0);
    drawable.then(|| Figure {
        title: "relative error after each iteration".into(),
        x: "iteration".into(),
        y: "relative error".into(),
        log_y: true,
        series: vec![Series::new("", Mark::Line, points)],
        ..Figure::default()
    })
}

/// The weights, and one panel for each mode with a series for each component.
pub fn factors(model: &CpTensor) -> Vec<Figure> {
    let rank = model.rank();
    let shown = rank.min(COLOURS.len());
    let all_of = match rank > shown {
        true => format!("; {shown} of {rank} components are drawn"),
        false => String::new(),
    };
    let weights = model.weights().iter().enumerate();
    let mut all = vec![Figure {
        title: "weight of each component".into(),
        x: "component".into(),
        y: "weight".into(),
        categories: (0..rank).map(|r| r.to_string()).collect(),
        series: vec![Series::new(
            "",
            Mark::Bars,
            weights.map(|(r, &w)| (r as f64, w)).collect(),
        )],
        ..Figure::default()
    }];
    for (m, f) in model.factors().iter().enumerate() {
        let few = f.rows() <= CATEGORIES;
        let mark = if few { Mark::Bars } else { Mark::Line };
        let line = |r: usize| {
            let column = f.column(r).iter().enumerate();
            let points = column.map(|(i, &x)| (i as f64, x)).collect();
            Series::new(format!("component {r}"), mark, points)
        };
        let names = (0..f.rows()).map(|i| i.to_string());
        all.push(Figure {
            title: format!("mode {m}{all_of}"),
            x: "index".into(),
            y: "entry of the unit column".into(),
            categories: if few { names.collect() } else { Vec::new() },
            series: (0..shown).map(line).collect(),
            ..Figure::default()
        });
    }
    all
}

/// Entries of the model against those of the data, evenly chosen, in equal units.
pub fn entries(data: &[f64], model: &[f64]) -> Option<Figure> {
    let step = data.len().div_ceil(POINTS).max(1);
    let pairs = data
        .iter()
        .copied()
        .zip(model.iter().copied())
        .step_by(step);
    let points: Vec<(f64, f64)> = pairs
        .filter(|p| p.0.is_finite() && p.1.is_finite())
        .collect();
    let low = points.iter().map(|p| p.0).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|p| p.0).fold(f64::NEG_INFINITY, f64::max);
    (low <= high).then(|| Figure {
        title: "entries of the model against those of the data".into(),
        x: "data".into(),
        y: "model".into(),
        equal: true,
        series: vec![
            Series::new("entries", Mark::Points, points),
            Series::new("equal", Mark::Dashed, vec![(low, low), (high, high)]),
        ],
        ..Figure::default()
    })
}
