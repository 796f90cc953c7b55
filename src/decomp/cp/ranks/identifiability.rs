//! Whether the components of a CP model are the only ones.

use super::core_consistency::kruskal_slack;
use crate::Status;
use crate::decomp::cp::checks::MISSING_ENTRIES;
use crate::decomp::cp::constrained::evidence::CONSTRAINED_MODES;
use crate::decomp::cp::normal_equations::hadamard_grams;
use crate::fit::Fit;
use crate::linalg::{Scalar, small};
use crate::poly::Ring;
use crate::tensor::{CpTensor, Factor};
use faer::Mat;

/// Unknowns, and entries, up to which directions are counted: a symmetric eigenvalue problem of half a second.
const MOST_COUNTED: usize = 600;
/// Squared sines below which a direction is flat: half of the digits of a double, squared by the Gram matrix, and a margin.
const FLAT: f64 = 1e-12;
/// Modes up to which all ways to sort them into three groups are tried.
const MOST_MODES: usize = 8;

/// Whether the components of a model are the only ones that give its tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Uniqueness {
    /// The only ones, by Jennrich's or Kruskal's condition.
    Unique,
    /// One of a family: this many directions change the components but not the tensor, to first order.
    Family(usize),
    /// No direction changes the tensor by nothing, but other decompositions far away are not excluded.
    LocallyUnique,
    /// No condition decides, and the model is too large to count directions.
    Unknown,
}

impl Uniqueness {
    /// `unique`, `not unique` or `not known`, the words of every report.
    ///
    /// # Example
    /// ```
    /// use wickring::decomp::Uniqueness;
    /// assert_eq!(Uniqueness::Family(2).word(), "not unique");
    /// ```
    pub fn word(self) -> &'static str {
        match self {
            Uniqueness::Unique => "unique",
            Uniqueness::Family(_) => "not unique",
            Uniqueness::LocallyUnique | Uniqueness::Unknown => "not known",
        }
    }
}

/// Share of the greatest weight up to which a component is rounding.
const NOTHING: f64 = 1e-12;

/// Whether the components of `model` are the only ones that give its tensor, and whether any tensor near it has others.
///
/// In this order: components of weight zero and one or two modes (a matrix has a family of `R (R - 1)` directions at rank
/// `R`); more parameters than entries; Jennrich's condition on three groups of modes (independent columns in two, none
/// parallel in the third); Kruskal's; the rank of the derivative, counted where unknowns or entries number at most 600.
///
/// # Complexity
/// `O(3^m R^3)` for order `m <= 8`, and at most an eigenvalue problem of size 600.
///
/// # Example
/// ```
/// use wickring::decomp::{Uniqueness, uniqueness};
/// use wickring::tensor::{CpTensor, Factor};
/// let f = |n: usize, k: usize| Factor::from_fn(n, 2, move |i, r| ((1 + i + k * r) as f64).sin());
/// let three = CpTensor::from_factors(vec![f(3, 1), f(4, 2), f(5, 3)])?;
/// assert_eq!(uniqueness(&three), Uniqueness::Unique);
/// let matrix = CpTensor::from_factors(vec![f(6, 1), f(5, 2)])?;
/// assert_eq!(uniqueness(&matrix), Uniqueness::Family(2));
/// # Ok::<(), wickring::Error>(())
/// ```
///
/// # Source
/// Harshman 1972, Leurgans, Ross, Abel 1993 (Jennrich's condition); Kruskal 1977; Sidiropoulos and Bro 2000.
pub fn uniqueness<T: Scalar + Ring>(model: &CpTensor<T>) -> Uniqueness {
    let canonical = model.canonical();
    let rank = canonical.rank();
    let factors: Vec<Factor<T>> = canonical
        .factors()
        .iter()
        .filter(|f| f.rows() > 1)
        .cloned()
        .collect();
    let entries = factors.iter().map(|f| f.rows() as f64).product::<f64>();
    let own = 1 + factors.iter().map(|f| f.rows() - 1).sum::<usize>();
    // Whatever the unit: squares of small weights would vanish.
    let size = |w: &T| w.re().hypot(w.im());
    let top = canonical.weights().iter().map(size).fold(0.0, f64::max);
    let zeros = canonical
        .weights()
        .iter()
        .filter(|w| !(size(w) > NOTHING * top))
        .count();
    if zeros > 0 {
        // A component of no size may be any that the others leave room for.
        return Uniqueness::Family(zeros * (own - 1).max(1));
    }
    if rank == 1 {
        return Uniqueness::Unique;
    }
    match factors.len() {
        0 => return Uniqueness::Family(rank - 1),
        1 => return Uniqueness::Family(factors[0].rows() * (rank - 1)),
        _ => {}
    }
    let excess = (rank * own) as f64 - entries;
    if excess > 0.0 && factors.len() > 2 {
        return Uniqueness::Family(counted(&factors, own).unwrap_or(excess as usize));
    }
    if factors.len() > 2 && (jennrich_holds(&factors) || kruskal_slack(&canonical).0 >= 0) {
        return Uniqueness::Unique;
    }
    match counted(&factors, own) {
        Some(0) => Uniqueness::LocallyUnique,
        Some(flat) => Uniqueness::Family(flat),
        None if factors.len() == 2 => Uniqueness::Family(rank * (rank - 1)),
        None => Uniqueness::Unknown,
    }
}

/// [`uniqueness`] of the model of a fit; `Unknown` where entries are missing and the evidence does not hold, since what was
/// seen may leave room for other models, and where constraints may exclude the others of a family.
pub fn fit_uniqueness<T: Scalar + Ring>(fit: &Fit<CpTensor<T>>) -> Uniqueness {
    let missing = fit.evidence.check(MISSING_ENTRIES);
    match missing {
        Some(c) if c.measured > 0.0 && fit.status != Status::Converged => Uniqueness::Unknown,
        _ => {
            let bound = fit.evidence.check(CONSTRAINED_MODES);
            let all = fit.model.weights().iter().all(|w| Scalar::abs(*w) > 0.0);
            match uniqueness(&fit.model) {
                Uniqueness::Family(_) if bound.is_some_and(|c| c.measured > 0.0) && all => {
                    Uniqueness::Unknown
                }
                other => other,
            }
        }
    }
}

/// Whether three groups of modes exist of which two have independent columns and the third no two parallel ones.
fn jennrich_holds<T: Scalar>(factors: &[Factor<T>]) -> bool {
    let (order, rank) = (factors.len(), factors[0].cols());
    if order > MOST_MODES {
        return false;
    }
    let grams: Vec<Factor<T>> = factors.iter().map(Factor::gram).collect();
    let group = |code: usize, which: usize| -> Option<Factor<T>> {
        let of = |m: usize| code / 3usize.pow(m as u32) % 3;
        let outside: Vec<usize> = (0..order).filter(|&m| of(m) != which).collect();
        (outside.len() < order).then(|| hadamard_grams(&grams, rank, &outside))
    };
    (0..3usize.pow(order as u32)).any(|code| {
        let (Some(a), Some(b), Some(c)) = (group(code, 0), group(code, 1), group(code, 2)) else {
            return false;
        };
        independent(a) && independent(b) && none_parallel(&c)
    })
}

/// Whether columns with these inner products (unit lengths) are independent, to about six digits.
fn independent<T: Scalar>(mut gram: Factor<T>) -> bool {
    let n = gram.cols();
    small::cholesky(gram.as_mut_slice(), n) && (0..n).all(|r| gram.column(r)[r].re() > 1e-6)
}

fn none_parallel<T: Scalar>(gram: &Factor<T>) -> bool {
    let n = gram.cols();
    (0..n).all(|r| (0..r).all(|s| 1.0 - gram.column(r)[s].abs_sq() > FLAT))
}

/// Directions that change the components but not the tensor: parameters less the rank of the derivative.
fn counted<T: Scalar>(factors: &[Factor<T>], own: usize) -> Option<usize> {
    let rank = factors[0].cols();
    let entries = factors
        .iter()
        .try_fold(1usize, |n, f| n.checked_mul(f.rows()))?;
    let parameters = rank * own;
    let columns: usize = rank * factors.iter().map(Factor::rows).sum::<usize>();
    if entries.min(columns) > MOST_COUNTED || entries.checked_mul(columns)? > 1 << 24 {
        return None;
    }
    let derivative = derivative(factors, entries, columns);
    let side = entries.min(columns);
    let mut gram = Mat::from_fn(side, side, |_, _| T::zero());
    let adjoint = Mat::from_fn(columns, entries, |i, e| derivative[(e, i)].conj());
    if columns <= entries {
        T::gemm(
            gram.as_mut(),
            false,
            adjoint.as_ref(),
            derivative.as_ref(),
            1.0,
        );
    } else {
        T::gemm(
            gram.as_mut(),
            false,
            derivative.as_ref(),
            adjoint.as_ref(),
            1.0,
        );
    }
    let (values, _) = T::hermitian_eigen("uniqueness", gram.as_ref()).ok()?;
    let top = values.iter().copied().fold(0.0, f64::max);
    let found = values.iter().filter(|&&v| v > FLAT * top).count();
    Some(parameters.saturating_sub(found))
}

/// The derivative of the tensor in all entries of the factors, one column for each.
fn derivative<T: Scalar>(factors: &[Factor<T>], entries: usize, columns: usize) -> Mat<T> {
    let mut out = Mat::from_fn(entries, columns, |_, _| T::zero());
    let mut at = 0;
    for (m, f) in factors.iter().enumerate() {
        for r in 0..f.cols() {
            for e in 0..entries {
                let (mut rest, mut value, mut row) = (e, T::one(), 0);
                for (k, g) in factors.iter().enumerate() {
                    let i = rest % g.rows();
                    rest /= g.rows();
                    if k == m {
                        row = i;
                    } else {
                        value *= g.column(r)[i];
                    }
                }
                out[(e, at + row)] = value;
            }
            at += f.rows();
        }
    }
    out
}
