//! How coarsely a sample is written: decimals, significant digits, single and half precision.
//!
//! A number written to a step `h` is off by at most `h / 2`, with variance `h^2 / 12` when `h` is small against the spread
//! (Sheppard 1897). That is noise of a known size, and no fit of the sample can go below it.

/// Decimals and significant digits that are looked for.
const MOST_DIGITS: usize = 12;
/// Coarser steps than this share of the spread are values, not rounding.
pub(crate) const COARSEST: f64 = 0.1;
/// Rows below which a common step may be chance.
const LEAST_ROWS: usize = 50;

/// The standard deviation of the rounding of each column of row-major `rows` of `d` columns; zero where a column is written to
/// the last bit, or so coarsely that its steps are its values.
///
/// # Complexity
/// `O(rows)`, with a dozen conversions to text for each entry at most.
pub(crate) fn rounding(rows: &[f64], d: usize) -> Vec<f64> {
    let n = rows.len() / d.max(1);
    if n < LEAST_ROWS {
        return vec![0.0; d];
    }
    (0..d)
        .map(|j| {
            let column: Vec<f64> = rows.iter().skip(j).step_by(d).copied().collect();
            let found = of_column(&column);
            let mean = column.iter().sum::<f64>() / n as f64;
            let square = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
            if found <= (COARSEST * COARSEST) * square {
                found.sqrt()
            } else {
                0.0
            }
        })
        .collect()
}

/// The step in which each column is written, a root mean square where it differs from entry to entry; zero where there is
/// none. Unlike [`rounding`] this says so of columns of few values, too.
pub(crate) fn steps(rows: &[f64], d: usize) -> Vec<f64> {
    let n = rows.len() / d.max(1);
    if n < LEAST_ROWS {
        return vec![0.0; d];
    }
    let column = |j: usize| {
        rows.iter()
            .skip(j)
            .step_by(d)
            .copied()
            .collect::<Vec<f64>>()
    };
    (0..d)
        .map(|j| (12.0 * of_column(&column(j))).sqrt())
        .collect()
}

/// Mean of `h^2 / 12` under the finest way of writing that fits every entry; zero when none does.
fn of_column(x: &[f64]) -> f64 {
    let n = x.len() as f64;
    let mean =
        |step: &dyn Fn(f64) -> f64| x.iter().map(|&v| step(v).powi(2)).sum::<f64>() / (12.0 * n);
    let decimals = (0..=MOST_DIGITS).find(|&p| x.iter().all(|&v| is(&format!("{v:.p$}"), v)));
    let digits = (0..MOST_DIGITS).find(|&p| x.iter().all(|&v| is(&format!("{v:.p$e}"), v)));
    let by_text = [
        decimals.map(|p| mean(&|_| 0.1f64.powi(p as i32))),
        digits.map(|p| mean(&|v| decade(v) * 0.1f64.powi(p as i32))),
    ];
    let by_bits = [11, 24]
        .into_iter()
        .find(|&bits| x.iter().all(|&v| fits(v, bits)));
    let by_bits = by_bits.map(|bits| mean(&|v| octave(v) * 0.5f64.powi(bits as i32 - 1)));
    // The way with the largest steps explains most: an entry that fits a coarse step fits the finer ones by itself.
    by_text
        .into_iter()
        .chain([by_bits])
        .flatten()
        .fold(0.0, f64::max)
}

/// Whether the text says the number.
fn is(text: &str, value: f64) -> bool {
    text.parse().is_ok_and(|v: f64| v == value)
}

/// Whether a number has at most so many significant bits.
fn fits(value: f64, bits: u32) -> bool {
    value.to_bits() & ((1u64 << (53 - bits)) - 1) == 0
}

/// The power of ten, and of two, at or below a number; zero for zero.
fn decade(value: f64) -> f64 {
    if value == 0.0 {
        0.0
    } else {
        10f64.powf(value.abs().log10().floor())
    }
}

fn octave(value: f64) -> f64 {
    if value == 0.0 {
        0.0
    } else {
        2f64.powf(value.abs().log2().floor())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What rounding did is within a factor of two of what is said of it, for every way of writing.
    #[test]
    fn ways_of_writing_are_recognised() {
        let x: Vec<f64> = (0..400)
            .map(|i| (f64::from(i) * 0.7).sin() * 3.7 + 1.0)
            .collect();
        assert_eq!(rounding(&x, 1), [0.0]);
        let text = |p: usize| move |v: f64| format!("{v:.p$}").parse::<f64>().unwrap();
        let digits = |v: f64| format!("{v:.5e}").parse::<f64>().unwrap();
        let single = |v: f64| f64::from(v as f32);
        let half = |v: f64| f64::from_bits((v.to_bits() + (1 << 41)) & !((1 << 42) - 1));
        let ways: [&dyn Fn(f64) -> f64; 6] =
            [&text(1), &text(3), &text(7), &digits, &single, &half];
        for (k, way) in ways.iter().enumerate() {
            let written: Vec<f64> = x.iter().map(|&v| way(v)).collect();
            let gap = x
                .iter()
                .zip(&written)
                .map(|(a, b)| (a - b).powi(2))
                .sum::<f64>();
            let ratio = rounding(&written, 1)[0] / (gap / x.len() as f64).sqrt();
            assert!((0.5..2.0).contains(&ratio), "way {k}: {ratio}");
        }
        // Values in steps of their own spread are values.
        let counts: Vec<f64> = x.iter().map(|v| (v / 3.0).round()).collect();
        assert_eq!(rounding(&counts, 1), [0.0]);
        assert_eq!((steps(&counts, 1), steps(&x, 1)), (vec![1.0], vec![0.0]));
    }
}
