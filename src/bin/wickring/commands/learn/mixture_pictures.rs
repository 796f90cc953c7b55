//! Pictures of laws: data, samples and, in two dimensions, the score field.

use crate::plot::{Figure, Mark, Series};
use wickring::Error;
use wickring::learn::mixture::MixtureModel;

/// Points of a cloud at most.
const POINTS: usize = 2000;
/// Arrows in each direction.
const ARROWS: usize = 22;

/// The first two coordinates of data and samples, under the names of their columns where they have some; with two columns also
/// the score field of the model, behind them.
///
/// # Errors
/// Those of the evaluation of the score.
pub fn law(
    (rows, names): (&[f64], &[String]),
    fresh: &[f64],
    model: &MixtureModel,
) -> Result<Figure, Error> {
    let dim = model.dim();
    let points = |rows: &[f64]| -> Vec<(f64, f64)> {
        let step = (rows.len() / dim).div_ceil(POINTS).max(1);
        let second = |r: &[f64]| r.get(1).copied().unwrap_or(0.0);
        rows.chunks_exact(dim)
            .step_by(step)
            .map(|r| (r[0], second(r)))
            .collect()
    };
    let cloud = points(fresh);
    let mut series = vec![
        Series::new("data", Mark::Dots, points(rows)),
        Series::new("model", Mark::Dots, cloud.clone()),
    ];
    if dim == 2 {
        let arrows = Series::new("score", Mark::Arrows, field(&cloud, model)?);
        series.insert(0, arrows);
    }
    let axis = |k: usize| match names.get(k) {
        Some(name) => name.clone(),
        None => format!("coordinate {k}"),
    };
    Ok(Figure {
        title: "Samples of the model over the data".into(),
        x: axis(0),
        y: axis(1),
        equal: dim > 1,
        series,
        ..Figure::default()
    })
}

/// Tails and heads of the arrows, alternating; the longest is one grid step.
fn field(cloud: &[(f64, f64)], model: &MixtureModel) -> Result<Vec<(f64, f64)>, Error> {
    let range = |of: &dyn Fn(&(f64, f64)) -> f64| {
        let mut v: Vec<f64> = cloud.iter().map(of).collect();
        v.sort_by(f64::total_cmp);
        // The bulk of the samples: arrows far outside say nothing.
        let at = |share: f64| {
            v.get((share * v.len() as f64) as usize)
                .copied()
                .unwrap_or(0.0)
        };
        (at(0.005), at(0.995))
    };
    let (x, y) = (range(&|p| p.0), range(&|p| p.1));
    let step = |(low, high): (f64, f64)| (high - low) / (ARROWS - 1) as f64;
    let mut grid = Vec::with_capacity(2 * ARROWS * ARROWS);
    for i in 0..ARROWS * ARROWS {
        grid.push(x.0 + (i % ARROWS) as f64 * step(x));
        grid.push(y.0 + (i / ARROWS) as f64 * step(y));
    }
    let scores = model.score(&grid)?;
    let longest = scores
        .chunks_exact(2)
        .map(|s| (s[0] * s[0] + s[1] * s[1]).sqrt())
        .fold(f64::MIN_POSITIVE, f64::max);
    let length = step(x).min(step(y)).max(f64::MIN_POSITIVE) * 1.6;
    let arrows = grid.chunks_exact(2).zip(scores.chunks_exact(2));
    Ok(arrows
        .flat_map(|(p, s)| {
            let size = (s[0] * s[0] + s[1] * s[1]).sqrt();
            // Square roots of lengths: long arrows stay apart, short ones stay visible.
            let scale = if size > 0.0 {
                length * (size / longest).sqrt() / size
            } else {
                0.0
            };
            [(p[0], p[1]), (p[0] + scale * s[0], p[1] + scale * s[1])]
        })
        .collect())
}
