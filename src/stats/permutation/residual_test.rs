//! Does a residual still depend on the inputs? Energies in Hermite degrees under permutations of the residual.
//!
//! If the residual `e` is noise that is independent of the inputs `x`, every order of its entries is as likely
//! as the one seen, whatever its law. So the energies of `e` in the Hermite degrees are held against the same
//! energies of permuted residuals: in all directions at once, and along given directions alone, where a ridge
//! function that is left shows with far fewer rows.

use super::mehler_kernels::{Law, Squares, Sums, kernels};
use crate::Error;
use crate::linalg::{norm2, thin_qr};
use faer::{Mat, MatRef};
use rand::Rng;
use rand::seq::SliceRandom;

/// Rows that enter; the cost is their square.
const MOST: usize = 3000;
/// Directions that are looked along.
const MOST_DIRECTIONS: usize = 64;
/// Permutations that the greatest deviation is held against.
const PERMUTATIONS: usize = 99;
/// Deviations that are never structure, however rare under permutations.
const LEAST: f64 = 4.0;
/// How far beyond the greatest of all permutations structure begins: one independent residual in a hundred exceeds
/// that greatest one, and a caller has other tests to make with the same hundredth.
const BEYOND: f64 = 1.15;

/// The energies of a residual in Hermite degrees, in deviations of permuted residuals.
///
/// # Example
/// ```
/// use faer::Mat;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use rand_distr::{Distribution, StandardNormal};
/// use wickring::stats::residual_test;
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let x = Mat::from_fn(600, 3, |_, _| -> f64 { StandardNormal.sample(&mut rng) });
/// let e: Vec<f64> = (0..600).map(|_| StandardNormal.sample(&mut rng)).collect();
/// let left: Vec<f64> = (0..600).map(|i| e[i] + x[(i, 0)] * x[(i, 1)]).collect();
/// let none = Mat::zeros(0, 3);
/// assert!(!residual_test(x.as_ref(), &e, none.as_ref(), 4, &mut rng)?.structure());
/// assert!(residual_test(x.as_ref(), &left, none.as_ref(), 4, &mut rng)?.structure());
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ResidualTest {
    /// For each degree from 1 on, the energy in deviations of its permutation law.
    pub degrees: Vec<f64>,
    /// The same of the functions of the given directions alone; empty without directions.
    pub along: Vec<f64>,
    /// Share of the residual's variance that the test would see in each degree, at most 1.
    pub visible: Vec<f64>,
    /// The greatest deviation that noise may show: four, or 1.15 times the greatest of all permutations where
    /// that is more.
    pub bound: f64,
    /// Rows looked at, evenly spread over all.
    pub rows: usize,
    /// Rank correlation of the residual's size with the inputs' length or a direction, times the root of the
    /// rows, the greatest: noise of unequal size, which is no fault of the model, or structure.
    pub unequal: f64,
}

impl ResidualTest {
    /// Whether something is left that depends on the inputs: of independent residuals fewer than one in a hundred.
    pub fn structure(&self) -> bool {
        self.greatest().0 > self.bound
    }

    /// Whether a deviation exceeds four, structure or not: worth another look at what else would fit.
    pub fn doubtful(&self) -> bool {
        self.greatest().0 > LEAST
    }

    /// The greatest deviation, and its degree.
    pub fn greatest(&self) -> (f64, usize) {
        let each = |z: &[f64]| {
            let all = z.iter().copied().zip(1..);
            all.fold((f64::NEG_INFINITY, 0), |best, new| {
                if new.0 > best.0 { new } else { best }
            })
        };
        let (all, along) = (each(&self.degrees), each(&self.along));
        if along.0 > all.0 { along } else { all }
    }
}

/// Tests whether the residual `e` is independent of the inputs `x`, in degrees `1..=top` and, along the rows of
/// `directions`, in the same degrees.
///
/// The inputs are whitened, of more than 3000 rows an even choice of 3000 is looked at, and of more than 64
/// directions the first 64. Deviations use the exact mean and variance under permutation; only where the greatest
/// exceeds 4 are 99 permutations formed and 1.15 times the greatest of each compared.
///
/// # Shapes
/// `x` is `n x d`, `e` has `n` entries, `directions` is `r x d`.
///
/// # Errors
/// `Shape`; `InvalidInput` for less than eight rows or a degree outside `1..=16`; `NonFinite`.
///
/// # Complexity
/// `O(N^2 (d + top))` for `N = min(n, 3000)` rows, a hundred times the second part where permutations are needed.
///
/// # Source
/// Mehler's generating function for the kernels; Mantel (1967) for the moments under permutation.
pub fn residual_test(
    x: MatRef<'_, f64>,
    e: &[f64],
    directions: MatRef<'_, f64>,
    top: usize,
    rng: &mut impl Rng,
) -> Result<ResidualTest, Error> {
    let op = "residual_test";
    require(op, [x.nrows(), x.ncols(), directions.ncols()], e, top)?;
    let n = e.len().min(MOST);
    let row = |i: usize| i * e.len() / n;
    let x = Mat::from_fn(n, x.ncols(), |i, j| x[(row(i), j)]);
    let e = unit(&(0..n).map(|i| e[row(i)]).collect::<Vec<f64>>());
    let white = whitened(op, &x)?;
    let ridges = Ridges::of(&x, directions, top);
    let squares = Squares::of(&e);
    let tables = kernels(&white, top, &e, None);
    let laws: Vec<Law> = tables.laws.iter().map(|k| k.law(&squares)).collect();
    let along: Vec<Law> = ridges.laws(&squares);
    let seen = |laws: &[Law], values: &[f64]| -> Vec<f64> {
        let each = laws.iter().zip(values);
        each.map(|(l, v)| l.deviation(*v)).collect()
    };
    let mut out = ResidualTest {
        degrees: seen(&laws, &tables.values[0]),
        along: seen(&along, &ridges.values(&e)),
        visible: laws.iter().map(|l| l.visible(LEAST, n)).collect(),
        bound: LEAST,
        rows: n,
        unequal: unequal(&white, &ridges, &e),
    };
    let greatest = out.greatest().0;
    if greatest > LEAST {
        let mut orders = Mat::zeros(n, PERMUTATIONS);
        let mut order = e.clone();
        for p in 0..PERMUTATIONS {
            order.shuffle(rng);
            orders.col_as_slice_mut(p).copy_from_slice(&order);
        }
        let values = kernels(&white, top, &e, Some(&orders)).values;
        for (p, values) in values.iter().skip(1).enumerate() {
            let ridge = ridges.values(orders.col_as_slice(p));
            let all = seen(&laws, values).into_iter();
            let all = all.chain(seen(&along, &ridge)).map(|z| BEYOND * z);
            out.bound = all.fold(out.bound, f64::max);
        }
    }
    Ok(out)
}

/// Refuses sizes that do not go together, too few rows and residuals that are not finite.
fn require(
    op: &'static str,
    [rows, columns, entries]: [usize; 3],
    e: &[f64],
    top: usize,
) -> Result<(), Error> {
    if rows != e.len() || entries != columns {
        let expected = format!("{rows} residuals, directions of {columns} entries");
        let found = format!("{} and {entries}", e.len());
        return Err(Error::shape(op, expected, found));
    }
    if e.len() < 8 || !(1..=16).contains(&top) {
        let text = format!(
            "eight rows or more and degrees in 1..=16, got {} and {top}",
            e.len()
        );
        return Err(Error::invalid(op, text));
    }
    match e.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(Error::NonFinite { op, index }),
        None => Ok(()),
    }
}

/// `e` minus its mean, of unit mean square; zeros stay.
fn unit(e: &[f64]) -> Vec<f64> {
    let mean = e.iter().sum::<f64>() / e.len() as f64;
    let centred: Vec<f64> = e.iter().map(|v| v - mean).collect();
    let size = norm2(&centred) / (e.len() as f64).sqrt();
    let size = if size > 0.0 { size } else { 1.0 };
    centred.iter().map(|v| v / size).collect()
}

/// The centred inputs in an orthonormal basis of their columns, times the root of the rows: one input a row.
fn whitened(op: &'static str, x: &Mat<f64>) -> Result<Mat<f64>, Error> {
    let (n, d) = (x.nrows(), x.ncols());
    let columns: Vec<Vec<f64>> = (0..d).map(|j| unit(x.col_as_slice(j))).collect();
    let centred = Mat::from_fn(n, d, |i, j| columns[j][i]);
    if 2 * d >= n {
        return Ok(centred);
    }
    let (q, r) = thin_qr(op, centred.as_ref())?;
    // A column that the ones before it give adds nothing.
    let own: Vec<usize> = (0..d)
        .filter(|&j| r[(j, j)].abs() > 1e-6 * (n as f64).sqrt())
        .collect();
    let root = (n as f64).sqrt();
    Ok(Mat::from_fn(n, own.len(), |i, j| root * q[(i, own[j])]))
}

/// Hermite polynomials of the inputs along directions: kernels of low rank.
struct Ridges {
    /// By degree from 1 on, `n x r`.
    features: Vec<Mat<f64>>,
    /// By degree, the squared length of each row of features.
    lengths: Vec<Vec<f64>>,
}

impl Ridges {
    fn of(x: &Mat<f64>, directions: MatRef<'_, f64>, top: usize) -> Self {
        let n = x.nrows();
        let used: Vec<usize> = (0..directions.nrows())
            .filter(|&i| directions.row(i).iter().any(|v| *v != 0.0))
            .take(MOST_DIRECTIONS)
            .collect();
        if used.is_empty() {
            let (features, lengths) = (Vec::new(), Vec::new());
            return Self { features, lengths };
        }
        let w = Mat::from_fn(x.ncols(), used.len(), |j, i| directions[(used[i], j)]);
        let plain = x * &w;
        let columns: Vec<Vec<f64>> = (0..used.len())
            .map(|i| unit(plain.col_as_slice(i)))
            .collect();
        let z = Mat::from_fn(n, used.len(), |a, i| columns[i][a]);
        let mut features: Vec<Mat<f64>> = vec![Mat::from_fn(n, used.len(), |_, _| 1.0), z.clone()];
        for k in 1..top {
            let (last, before) = (&features[k], &features[k - 1]);
            let at = k as f64;
            // h_{k+1} = (z h_k - sqrt k h_{k-1}) / sqrt(k+1), normalised
            let next = Mat::from_fn(n, used.len(), |a, i| {
                (z[(a, i)] * last[(a, i)] - at.sqrt() * before[(a, i)]) / (at + 1.0).sqrt()
            });
            features.push(next);
        }
        features.remove(0);
        let lengths = features.iter().map(|f| {
            let row = |a: usize| f.row(a).iter().map(|v| v * v).sum();
            (0..n).map(row).collect()
        });
        let lengths = lengths.collect();
        Self { features, lengths }
    }

    fn laws(&self, e: &Squares) -> Vec<Law> {
        let each = self.features.iter().zip(&self.lengths);
        each.map(|(f, lengths)| {
            let totals: Vec<f64> = (0..f.ncols())
                .map(|i| f.col_as_slice(i).iter().sum())
                .collect();
            let gram = f.transpose() * f;
            let all: f64 = (0..f.ncols())
                .map(|i| gram.col_as_slice(i).iter().map(|v| v * v).sum::<f64>())
                .sum();
            let row = |a: usize| {
                let inner: f64 = f.row(a).iter().zip(&totals).map(|(v, t)| v * t).sum();
                inner - lengths[a]
            };
            let rows: Vec<f64> = (0..f.nrows()).map(row).collect();
            let sums = Sums {
                entries: rows.iter().sum(),
                squares: all - lengths.iter().map(|l| l * l).sum::<f64>(),
                rows: rows.iter().map(|r| r * r).sum(),
            };
            sums.law(e)
        })
        .collect()
    }

    fn values(&self, e: &[f64]) -> Vec<f64> {
        let each = self.features.iter().zip(&self.lengths);
        each.map(|(f, lengths)| {
            let inner = |i: usize| crate::linalg::dot(f.col_as_slice(i), e).powi(2);
            let all: f64 = (0..f.ncols()).map(inner).sum();
            all - e.iter().zip(lengths).map(|(v, l)| v * v * l).sum::<f64>()
        })
        .collect()
    }
}

/// The greatest rank correlation of `|e|` with the length of the inputs and with `|<w, x>|`, times the root of
/// the rows.
fn unequal(x: &Mat<f64>, ridges: &Ridges, e: &[f64]) -> f64 {
    let n = e.len();
    let size = ranks(&e.iter().map(|v| v.abs()).collect::<Vec<f64>>());
    let length = (0..n).map(|i| x.row(i).iter().map(|v| v * v).sum());
    let mut others: Vec<Vec<f64>> = vec![length.collect()];
    if let Some(z) = ridges.features.first() {
        let column = |i: usize| z.col_as_slice(i).iter().map(|v| v.abs()).collect();
        others.extend((0..z.ncols()).map(column));
    }
    let spread = (n as f64 * n as f64 - 1.0) / 12.0;
    let correlation = |v: &Vec<f64>| {
        let pairs = ranks(v);
        let product: f64 = pairs.iter().zip(&size).map(|(a, b)| a * b).sum();
        (product / (n as f64 * spread)).abs() * (n as f64).sqrt()
    };
    others.iter().map(correlation).fold(0.0, f64::max)
}

/// Ranks around zero; equal values in the order they come.
fn ranks(v: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..v.len()).collect();
    order.sort_by(|&a, &b| v[a].total_cmp(&v[b]).then(a.cmp(&b)));
    let middle = (v.len() as f64 - 1.0) / 2.0;
    let mut out = vec![0.0; v.len()];
    for (rank, i) in order.into_iter().enumerate() {
        out[i] = rank as f64 - middle;
    }
    out
}
