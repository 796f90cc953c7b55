//! Whether the components of a PARAFAC2 model are the only ones.
//!
//! With free bases the slices say no more than their inner products `X_k' X_k = A D_k Phi D_k A'`, `Phi = F'F`. In the column
//! space of `A` these are `K R (R + 1) / 2` equations for `R^2` entries of `A`, `K R` loadings and `R (R + 1) / 2` entries of
//! `Phi`, less `2 R` lengths that may move between them.

use crate::decomp::Uniqueness;
use crate::linalg::{small, symmetric_eigen};
use crate::tensor::{Factor, Parafac2Model};
use faer::Mat;

/// Unknowns up to which directions are counted.
const MOST_COUNTED: usize = 600;
/// Equations times unknowns up to which the derivative is formed.
const MOST_ENTRIES: usize = 1 << 24;
/// Squared sines below which a direction is flat.
const FLAT: f64 = 1e-12;
/// Share of the greatest pivot below which columns are dependent.
const DEPENDENT: f64 = 1e-6;

/// Whether the components of `model` are the only ones that give its slices.
///
/// `Unique` by the condition of Harshman and Lundy: independent columns in `A` and `F`, and
/// `K >= R (R + 1) (R + 2) (R + 3) / 24` slices whose products of four loadings are independent. Otherwise directions that
/// change the components but not the slices are counted. Fewer slices than that are mostly enough in practice; this is
/// `LocallyUnique`, whose word is `not known`.
///
/// # Complexity
/// An eigenvalue problem of size `R^2 + K R + R (R + 1) / 2`, at most 600; `Unknown` beyond.
///
/// # Example
/// ```
/// use wickring::decomp::{Uniqueness, parafac2_uniqueness};
/// use wickring::tensor::{Factor, Parafac2Model};
/// let unit = |n: usize| Factor::from_fn(n, 2, |i, r| if i == r { 1.0 } else { 0.0 });
/// let model = |slices: usize| {
///     let core = Factor::from_fn(2, 2, |i, r| if i == r { 1.0 } else { 0.4 });
///     let loadings = Factor::from_fn(slices, 2, |k, r| 1.0 + ((1 + k) * (2 + r)) as f64 % 3.7);
///     Parafac2Model::new(vec![unit(3); slices], core, unit(4), loadings)
/// };
/// assert_eq!(parafac2_uniqueness(&model(8)?), Uniqueness::Unique);
/// assert!(matches!(parafac2_uniqueness(&model(1)?), Uniqueness::Family(_)));
/// # Ok::<(), wickring::Error>(())
/// ```
///
/// # Source
/// Harshman and Lundy 1996; ten Berge and Kiers 1996; Kiers, ten Berge, Bro 1999, section 2.
pub fn parafac2_uniqueness(model: &Parafac2Model) -> Uniqueness {
    let model = model.canonical();
    let rank = model.rank();
    let loadings = model.loadings();
    let top = (0..rank)
        .map(|r| loadings.column_norm(r))
        .fold(0.0, f64::max);
    let gone = (0..rank)
        .filter(|&r| !(loadings.column_norm(r) > FLAT * top))
        .count();
    if gone > 0 {
        // A component of no size may be any.
        return Uniqueness::Family(gone * (model.shared().rows() + rank).saturating_sub(1).max(1));
    }
    if rank == 1 {
        return Uniqueness::Unique;
    }
    if !independent(model.shared()) || !independent(model.core()) {
        return Uniqueness::Unknown;
    }
    let mut unit = loadings.clone();
    for r in 0..rank {
        unit.scale_column(r, 1.0 / loadings.column_norm(r));
    }
    if fourth_powers_independent(&unit) {
        return Uniqueness::Unique;
    }
    match flat_directions(model.shared(), model.core(), &unit) {
        Some(0) => Uniqueness::LocallyUnique,
        Some(flat) => Uniqueness::Family(flat),
        None => Uniqueness::Unknown,
    }
}

/// Whether the columns of `f`, of any length, are independent, to about six digits.
fn independent(f: &Factor) -> bool {
    let mut unit = f.clone();
    for r in 0..f.cols() {
        let length = f.column_norm(r);
        if !(length > 0.0) {
            return false;
        }
        unit.divide_column(r, length);
    }
    let mut gram = unit.gram();
    let n = gram.cols();
    f.rows() >= n
        && small::cholesky(gram.as_mut_slice(), n)
        && (0..n).all(|r| gram.column(r)[r] > DEPENDENT)
}

/// Whether the products of four loadings, one column for each of the `R (R + 1) (R + 2) (R + 3) / 24`, are independent.
fn fourth_powers_independent(loadings: &Factor) -> bool {
    let (slices, rank) = (loadings.rows(), loadings.cols());
    let count = rank * (rank + 1) * (rank + 2) * (rank + 3) / 24;
    if slices < count || count > MOST_COUNTED {
        return false;
    }
    let mut products = Vec::with_capacity(slices * count);
    for a in 0..rank {
        for b in a..rank {
            for c in b..rank {
                for d in c..rank {
                    let at = |k: usize| [a, b, c, d].map(|r| loadings.column(r)[k]);
                    products.extend((0..slices).map(|k| at(k).iter().product::<f64>()));
                }
            }
        }
    }
    Factor::new(slices, count, products).is_ok_and(|f| independent(&f))
}

/// Directions that change `A`, loadings or `Phi` but no inner product, beyond the lengths that move between them.
fn flat_directions(shared: &Factor, core: &Factor, loadings: &Factor) -> Option<usize> {
    let (slices, rank) = (loadings.rows(), loadings.cols());
    let pairs = rank * (rank + 1) / 2;
    let (unknowns, equations) = (rank * rank + slices * rank + pairs, slices * pairs);
    if unknowns > MOST_COUNTED || unknowns * equations > MOST_ENTRIES {
        return None;
    }
    // A in an orthonormal basis of its columns.
    let basis = small::orthonormal(shared.as_slice(), shared.rows(), 1e-12);
    let basis = Factor::new(shared.rows(), basis.len() / shared.rows(), basis).ok()?;
    let a = shared.left_mul(basis.as_mat().transpose());
    let phi = core.gram();
    let derivative = derivative(&a, &phi, loadings)?;
    let gram = derivative.gram();
    let gram = Mat::from_fn(unknowns, unknowns, |i, j| gram.column(j)[i]);
    let found = symmetric_eigen("parafac2_uniqueness", gram.as_ref()).ok()?;
    let top = found.values.iter().copied().fold(0.0, f64::max);
    let steep = found.values.iter().filter(|&&v| v > FLAT * top).count();
    Some((unknowns - steep).saturating_sub(2 * rank))
}

/// The place of an entry of a symmetric matrix.
fn at(i: usize, j: usize) -> usize {
    let (i, j) = (i.max(j), i.min(j));
    i * (i + 1) / 2 + j
}

/// The derivative of all `A D_k Phi D_k A'` in the entries of `A`, the loadings and the entries of `Phi`, a column for each.
fn derivative(a: &Factor, phi: &Factor, loadings: &Factor) -> Option<Factor> {
    let (slices, rank) = (loadings.rows(), loadings.cols());
    let pairs = rank * (rank + 1) / 2;
    let (unknowns, equations) = (rank * rank + slices * rank + pairs, slices * pairs);
    let mut columns = vec![0.0; equations * unknowns];
    for k in 0..slices {
        let c = |r: usize| loadings.column(r)[k];
        // B = D Phi D A', so that G = A B.
        let b = Factor::from_fn(rank, a.rows(), |r, j| {
            let sum = |s: usize| phi.column(s)[r] * c(s) * a.column(s)[j];
            c(r) * (0..rank).map(sum).sum::<f64>()
        });
        let mut add = |unknown: usize, i: usize, j: usize, value: f64| {
            // Off the diagonal an equation counts twice, as its square does in the norm.
            let twice = if i == j {
                1.0
            } else {
                std::f64::consts::FRAC_1_SQRT_2
            };
            columns[unknown * equations + k * pairs + at(i, j)] += twice * value;
        };
        for i in 0..a.rows() {
            for j in 0..a.rows() {
                for r in 0..rank {
                    // d A[i, r]: e_i b_r' + b_r e_i'
                    add(r * rank + i, i, j, b.column(j)[r]);
                    add(r * rank + j, i, j, b.column(i)[r]);
                    // d c_r: the rank-one change of D on both sides.
                    let half = |j: usize| -> f64 {
                        let sum = |s: usize| phi.column(s)[r] * c(s) * a.column(s)[j];
                        (0..rank).map(sum).sum()
                    };
                    let change = a.column(r)[i] * half(j) + half(i) * a.column(r)[j];
                    add(rank * rank + k * rank + r, i, j, change);
                    for s in 0..=r {
                        let (u, v) = (c(r) * c(s), if r == s { 0.5 } else { 1.0 });
                        let both =
                            a.column(r)[i] * a.column(s)[j] + a.column(s)[i] * a.column(r)[j];
                        add(rank * rank + slices * rank + at(r, s), i, j, u * v * both);
                    }
                }
            }
        }
    }
    Factor::new(equations, unknowns, columns).ok()
}
