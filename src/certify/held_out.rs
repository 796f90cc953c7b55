//! Cumulants of the held-out rows of a sample beside those of a model: claims of kind `held-out-cumulants`.
//!
//! The model's are those of an earlier claim of the same certificate, exact; the sample's are sums in binary64 over
//! the rows in order, and a difference is measured in standard errors of the same rows (by the influence function of
//! each cumulant). What is claimed is the largest quotient. It says how well the model fits rows that it has not
//! seen, as far as the rows are those that the split holds out; it does not say that the law is right.

use super::format::Verdict;
use super::json::{Json, malformed};
use super::numbers::{Budget, limited, whole};
use super::rings::MAX_EXPONENT;
use super::rounded::{TensorData, float};
use crate::Error;

/// Rows `i`, from zero, with `mix(i) < threshold` are held out; `mix` is the finaliser of SplitMix64.
fn mix(row: u64) -> u64 {
    let mut z = row.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// How far the held-out cumulants are from those of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Distance {
    /// The largest difference in standard errors.
    pub(crate) model: f64,
    /// The same for a model whose cumulants are all zero.
    pub(crate) zeros: f64,
}

/// Held-out rows of some columns, less their means.
struct Rows {
    means: Vec<f64>,
    columns: Vec<Vec<f64>>,
    count: f64,
}

/// The sum over the rows, in order.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, x| sum + x)
}

impl Rows {
    fn of(sample: &TensorData<'_>, threshold: u64) -> Self {
        let n = sample.shape.first().copied().unwrap_or(0);
        let held: Vec<usize> = (0..n).filter(|i| mix(*i as u64) < threshold).collect();
        let count = held.len() as f64;
        let (mut means, mut columns) = (Vec::new(), Vec::new());
        for column in sample.entries.chunks(n.max(1)) {
            let mean = sum(held.iter().map(|&i| column[i])) / count;
            columns.push(held.iter().map(|&i| column[i] - mean).collect());
            means.push(mean);
        }
        Self {
            means,
            columns,
            count,
        }
    }

    /// A cumulant of order one to three and its standard error.
    fn cumulant(&self, index: &[usize]) -> (f64, f64) {
        let y = |a: usize, i: usize| self.columns[a][i];
        let rows = || 0..self.count as usize;
        let mean = |f: &dyn Fn(usize) -> f64| sum(rows().map(f)) / self.count;
        let second = |a: usize, b: usize| mean(&|i| y(a, i) * y(b, i));
        let (value, spread) = match *index {
            [a] => (self.means[a], mean(&|i| y(a, i) * y(a, i))),
            [a, b] => {
                let value = second(a, b);
                let off = |i: usize| y(a, i) * y(b, i) - value;
                (value, mean(&|i| off(i) * off(i)))
            }
            [a, b, c] => {
                let value = mean(&|i| y(a, i) * y(b, i) * y(c, i));
                let (ab, ac, bc) = (second(a, b), second(a, c), second(b, c));
                let off = |i: usize| {
                    y(a, i) * y(b, i) * y(c, i)
                        - value
                        - (ab * y(c, i) + ac * y(b, i) + bc * y(a, i))
                };
                (value, mean(&|i| off(i) * off(i)))
            }
            _ => (f64::NAN, f64::NAN),
        };
        (value, (spread / self.count).sqrt())
    }
}

/// The largest distance of the cumulants at these indices from the values; `None` with fewer than two rows, or when
/// one is not finite.
pub(crate) fn distance(
    sample: &TensorData<'_>,
    threshold: u64,
    values: &[(Vec<usize>, f64)],
) -> Option<Distance> {
    let rows = Rows::of(sample, threshold);
    let mut most = Distance {
        model: 0.0,
        zeros: 0.0,
    };
    for (index, value) in values {
        let (found, error) = rows.cumulant(index);
        for (most, gap) in [
            (&mut most.model, (found - value).abs()),
            (&mut most.zeros, found.abs()),
        ] {
            let quotient = if gap == 0.0 { 0.0 } else { gap / error };
            if !quotient.is_finite() {
                return None;
            }
            if quotient > *most {
                *most = quotient;
            }
        }
    }
    (rows.count >= 2.0).then_some(most)
}

/// The indices and values of a claim of kind `gaussian-moments`, cumulants of orders one to three.
fn stated(claim: &Json, budget: &mut Budget) -> Result<(Vec<(Vec<usize>, f64)>, usize), Error> {
    let [kind, _, data] = claim.fields(["kind", "about", "data"])?;
    if kind.text()? != "gaussian-moments" {
        return malformed("the claim about the model is one of gaussian-moments");
    }
    let [outputs, values, _] = data.fields(["polynomials", "values", "tolerance"])?;
    let outputs = outputs.list()?.len();
    let mut found = Vec::new();
    for item in values.list()? {
        let [what, index, value] = item.list()? else {
            return malformed("a value is stated as [\"cumulant\", [indices], number]");
        };
        let index = index.list()?.iter();
        let index = index.map(|a| Ok(whole(a, 0, outputs as i64 - 1)? as usize));
        let index = index.collect::<Result<Vec<_>, Error>>()?;
        if what.text()? != "cumulant" || !(1..=3).contains(&index.len()) {
            return malformed("only cumulants of orders one to three are held against samples");
        }
        let value = budget.rational(value, false)?;
        found.push((index, value.to_f64().value()));
    }
    Ok((found, outputs))
}

/// Claims of kind `held-out-cumulants`; `earlier` are the claims before it.
pub(super) fn replay(
    data: &Json,
    earlier: &[Json],
    budget: &mut Budget,
    offered: &[TensorData<'_>],
) -> Result<Verdict, Error> {
    let names = ["model", "columns", "rows", "sha256", "threshold", "bound"];
    let [model, columns, rows, sha256, threshold, bound] = data.fields(names)?;
    let model = whole(model, 0, earlier.len() as i64 - 1)? as usize;
    let (values, outputs) = stated(&earlier[model], budget)?;
    let most = MAX_EXPONENT * MAX_EXPONENT;
    let column = |c: &Json| limited(c, 0, most, "columns");
    let columns = columns.list()?.iter().map(column);
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let rows = limited(rows, 1, most, "rows")? as usize;
    let (sha256, digits) = (sha256.text()?, threshold.text()?);
    let hex = |s: &str| s.bytes().all(|b| b"0123456789abcdef".contains(&b));
    let threshold = u64::from_str_radix(digits, 16).ok();
    let (Some(threshold), true) = (threshold, digits.len() == 16 && hex(digits)) else {
        return malformed("the threshold must have 16 digits");
    };
    if sha256.len() != 64 || !hex(sha256) || columns.len() != outputs {
        return malformed("a digest of 64 digits, and a column for each polynomial, are needed");
    }
    let bound = float(bound)?;
    if bound < 0.0 {
        return malformed("the bound is negative");
    }
    let fits = |t: &&TensorData| {
        t.shape == [rows, outputs] && Some(t.entries.len()) == rows.checked_mul(outputs)
    };
    let mut same = offered.iter().filter(fits);
    let Some(sample) = same.find(|t| t.digest() == sha256) else {
        return Ok(Verdict::Open(format!(
            "it needs columns {columns:?} of the {rows} samples with the digest {sha256}, by check --data FILES"
        )));
    };
    budget.spend(rows.saturating_mul(1 + values.len()) / 4)?;
    let claim = model + 1;
    let what = format!(
        "{} cumulants of held-out rows within {bound} standard errors of those of claim {claim}",
        values.len()
    );
    Ok(match distance(sample, threshold, &values) {
        Some(d) if d.model <= bound && d.zeros <= bound => {
            Verdict::Vacuous(format!("{what}, as zeros are"))
        }
        Some(d) if d.model <= bound => Verdict::True(what),
        Some(d) => Verdict::False(format!("not {what}: the largest distance is {:e}", d.model)),
        None => Verdict::Undecided(format!(
            "two held-out rows or more, and spread, are needed to tell: {what}"
        )),
    })
}
