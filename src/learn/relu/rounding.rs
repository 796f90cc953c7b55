//! How coarsely targets are written: single precision and few decimals set a floor that no fit can go below.

/// Coarser writing than this share of the deviation (squared) is not floor but noise, and treated as such.
const FLOOR: f64 = 1e-8;
/// Mean squares of rounding up to this many times a half unit squared are put down to rounding: the targets'
/// own is a third of it, inputs written in the same way bring as much again for every unit of slope.
const SLACK: f64 = 4.0;

/// The mean square error that writing `y` the way it is written causes at most, relative to `unit` squared.
///
/// `y` may be single precision (every value survives the way to `f32` and back), rounded to some number of
/// decimals or of significant digits; the coarsest that fits counts. Otherwise the floor is that of
/// subtracting `mean`.
pub(super) fn floor(y: &[f64], mean: f64, unit: f64) -> f64 {
    let subtracted = (8.0 * f64::EPSILON * (mean / unit).abs()).powi(2);
    let squares: f64 = y.iter().map(|v| (v / unit).powi(2)).sum();
    let square = squares / y.len().max(1) as f64;
    let relative = |step: f64| SLACK * (step / 2.0).powi(2) * square;
    let single = y
        .iter()
        .all(|&v| f64::from(v as f32) == v)
        .then(|| relative(f64::from(f32::EPSILON)));
    let decimals = (0..=12)
        .find(|&p| y.iter().all(|v| same(&format!("{v:.p$}"), *v)))
        .map(|p| SLACK * (0.5 * 0.1f64.powi(p as i32) / unit).powi(2));
    let digits = (0..=11)
        .find(|&p| y.iter().all(|v| same(&format!("{v:.p$e}"), *v)))
        .map(|p| relative(0.1f64.powi(p as i32)));
    [single, decimals, digits]
        .into_iter()
        .flatten()
        .filter(|&f| f <= FLOOR)
        .fold(subtracted, f64::max)
}

fn same(text: &str, value: f64) -> bool {
    text.parse().is_ok_and(|v: f64| v == value)
}

#[cfg(test)]
mod tests {
    use super::floor;

    #[test]
    fn the_way_targets_are_written_is_recognised() {
        let y: Vec<f64> = (0..200).map(|i| (f64::from(i) * 0.7).sin() * 1.7).collect();
        let of = |f: &dyn Fn(f64) -> f64| {
            let written: Vec<f64> = y.iter().map(|&v| f(v)).collect();
            floor(&written, 0.0, 1.0)
        };
        let gap = |f: &dyn Fn(f64) -> f64| {
            y.iter().map(|&v| (v - f(v)).powi(2)).sum::<f64>() / y.len() as f64
        };
        assert_eq!(of(&|v| v), 0.0);
        let single = |v: f64| f64::from(v as f32);
        let six = |v: f64| (v * 1e6).round() / 1e6;
        let digits = |v: f64| format!("{v:.5e}").parse().unwrap_or(v);
        for write in [&single as &dyn Fn(f64) -> f64, &six, &digits] {
            // The floor is above what rounding did, and not by orders of magnitude.
            let (floor, gap) = (of(write), gap(write));
            assert!(
                gap > 0.0 && gap <= floor && floor <= 100.0 * gap,
                "{floor} {gap}"
            );
        }
        // Integers are too coarse to be a floor; that they are single precision too is harmless.
        assert!(of(&|v| (10.0 * v).round()) < 1e-11);
    }
}
