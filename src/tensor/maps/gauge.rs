//! The orthogonal gauge of symmetric rings and quadratic maps: alignment and distance.

use crate::Error;
use crate::linalg::{cholesky_solve, frobenius, polar_orthogonal, symmetric_eigen};
use crate::tensor::ring::symmetric::SymmetricRing;
use faer::{Mat, MatRef};

const OP: &str = "SymmetricRing::align";
/// Directions tried for the start; each costs two eigendecompositions.
const STARTS: usize = 12;
/// Rotations and reflections tried beside, where those lead nowhere near; fewer for large cores, whose steps are dear.
const SPREAD: usize = 24;
const SPREAD_LARGE: usize = 4;
const LARGE: usize = 6;
/// Rings closer than this are in their best gauge.
const NEAR: f64 = 0.05;
/// Gauss-Newton steps; convergence is quadratic near a fit and linear with the noise otherwise.
const MAX_STEPS: usize = 60;

/// The best gauge between two rings and how far they are apart in it.
///
/// # Example
/// ```
/// use wickring::tensor::SymmetricRing;
/// let ring = SymmetricRing::new(2, vec![1.0, 0.0, 0.0, 2.0, 0.0, 1.0, 1.0, 0.0])?;
/// // The same with the two axes exchanged.
/// let turned = SymmetricRing::new(2, vec![2.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0])?;
/// assert!(turned.align(&ring)?.distance < 1e-7);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Alignment {
    /// The orthogonal `U` for which `Q_a ~ U Q'_a U'`.
    pub rotation: Mat<f64>,
    /// `(sum_a |Q_a - U Q'_a U'|^2 / sum_a |Q'_a|^2)^(1/2)`, Frobenius norms; `0/0 = 0`.
    pub distance: f64,
}

impl SymmetricRing {
    /// The rotation that brings `reference` closest to this ring, and the relative distance left.
    ///
    /// Starts from eigenvectors of common random combinations, and from rotations and reflections all over where these do
    /// not bring the rings together; then Gauss-Newton on the rotations. The
    /// global optimum is not guaranteed when the two rings are far apart: then the distance returned is an
    /// upper bound.
    ///
    /// # Errors
    /// `Shape` when the two differ in rank or outputs, `Backend`.
    ///
    /// # Complexity
    /// `O(d r^2 m^2 / 4)` for each of at most 60 steps, with `m = r(r-1)/2`.
    /// Here `d` is the number of cores.
    pub fn align(&self, reference: &Self) -> Result<Alignment, Error> {
        let (d, r) = (self.outputs(), self.rank());
        if (reference.outputs(), reference.rank()) != (d, r) {
            let expected = format!("{d} cores of size {r}");
            let found = format!("{} of size {}", reference.outputs(), reference.rank());
            return Err(Error::shape(OP, expected, found));
        }
        let mut best: Option<Alignment> = None;
        for start in 0..STARTS {
            let rotation = spectral_start(self, reference, start as u64)?;
            let found = descend(self, reference, rotation)?;
            let exact = found.distance < 1e-6;
            if best.as_ref().is_none_or(|b| found.distance < b.distance) {
                best = Some(found);
            }
            if exact {
                break;
            }
        }
        let spread = if r <= LARGE { SPREAD } else { SPREAD_LARGE };
        for start in 0..spread {
            if r < 2 || best.as_ref().is_some_and(|b| b.distance < NEAR) {
                break;
            }
            let entries = weights(r * r, (STARTS + start) as u64);
            let spread = Mat::from_fn(r, r, |i, j| entries[i * r + j]);
            let found = descend(self, reference, polar_orthogonal(OP, spread.as_ref())?.0)?;
            if best.as_ref().is_none_or(|b| found.distance < b.distance) {
                best = Some(found);
            }
        }
        best.ok_or(Error::Backend {
            op: OP,
            routine: "alignment",
        })
    }
}

/// Fixed pseudo-random weights in `(-1, 1)` (a Weyl sequence): the start needs no randomness of quality.
fn weights(d: usize, seed: u64) -> Vec<f64> {
    let step = 0.618_033_988_749_894_9;
    (0..d)
        .map(|a| {
            let x = (a as f64 + 1.0) * (seed as f64 + 1.0) * step
                + (seed as f64) * 0.414_213_562_373_095;
            2.0 * (x - x.floor()) - 1.0
        })
        .collect()
}

fn combination(ring: &SymmetricRing, w: &[f64]) -> Mat<f64> {
    let r = ring.rank();
    Mat::from_fn(r, r, |i, j| {
        w.iter()
            .enumerate()
            .map(|(a, x)| x * ring.entry(a, i, j))
            .sum()
    })
}

/// Matches eigenvectors of one combination by the order of eigenvalues, and their signs by another one.
fn spectral_start(x: &SymmetricRing, y: &SymmetricRing, seed: u64) -> Result<Mat<f64>, Error> {
    let (first, second) = (
        weights(x.outputs(), 2 * seed),
        weights(x.outputs(), 2 * seed + 1),
    );
    let u = symmetric_eigen(OP, combination(x, &first).as_ref())?.vectors;
    let v = symmetric_eigen(OP, combination(y, &first).as_ref())?.vectors;
    let a = u.transpose() * combination(x, &second) * &u;
    let b = v.transpose() * combination(y, &second) * &v;
    let r = x.rank();
    let agreement = Mat::from_fn(
        r,
        r,
        |i, j| if i == j { 0.0 } else { a[(i, j)] * b[(i, j)] },
    );
    let signs = symmetric_eigen(OP, agreement.as_ref())?.vectors;
    let sign = |i: usize| if signs[(i, r - 1)] < 0.0 { -1.0 } else { 1.0 };
    let flipped = Mat::from_fn(r, r, |i, j| u[(i, j)] * sign(j));
    Ok(flipped * v.transpose())
}

fn rotated(y: &SymmetricRing, u: MatRef<'_, f64>) -> Vec<Mat<f64>> {
    (0..y.outputs())
        .map(|a| u * y.core(a) * u.transpose())
        .collect()
}

fn distance(x: &SymmetricRing, p: &[Mat<f64>]) -> f64 {
    let gaps: Vec<f64> = p
        .iter()
        .enumerate()
        .map(|(a, p)| frobenius((x.core(a) - p).as_ref()))
        .collect();
    let norms: Vec<f64> = p.iter().map(|p| frobenius(p.as_ref())).collect();
    let (gap, norm) = (crate::linalg::norm2(&gaps), crate::linalg::norm2(&norms));
    if norm > 0.0 { gap / norm } else { gap }
}

/// Gauss-Newton on `U -> exp(W) U` with skew `W`: `x_a - p_a ~ W p_a - p_a W`.
fn descend(x: &SymmetricRing, y: &SymmetricRing, mut u: Mat<f64>) -> Result<Alignment, Error> {
    let r = x.rank();
    let pairs: Vec<(usize, usize)> = (1..r).flat_map(|j| (0..j).map(move |i| (i, j))).collect();
    let m = pairs.len();
    let mut p = rotated(y, u.as_ref());
    let mut best = distance(x, &p);
    for _ in 0..MAX_STEPS {
        if m == 0 {
            break;
        }
        let (mut normal, rhs) = normal_equations(x, &p, &pairs);
        let scale = (0..m).map(|i| normal[(i, i)]).fold(0.0, f64::max);
        (0..m).for_each(|i| normal[(i, i)] += 1e-13 * scale);
        let Some(w) = cholesky_solve(normal.as_ref(), rhs.as_ref()) else {
            break;
        };
        let mut step = 1.0;
        let mut improved = false;
        for _ in 0..12 {
            let mut cayley = Mat::<f64>::identity(r, r);
            for (row, &(i, j)) in pairs.iter().enumerate() {
                cayley[(i, j)] += step * w[(row, 0)];
                cayley[(j, i)] -= step * w[(row, 0)];
            }
            let (next, _, _) = polar_orthogonal(OP, (&cayley * &u).as_ref())?;
            let q = rotated(y, next.as_ref());
            let found = distance(x, &q);
            if found < best {
                improved = found < best * (1.0 - 1e-10);
                (u, p, best) = (next, q, found);
                break;
            }
            step *= 0.5;
        }
        if !improved {
            break;
        }
    }
    Ok(Alignment {
        rotation: u,
        distance: best,
    })
}

/// The normal equations of one step for `W`, whose entries are those at `pairs`.
fn normal_equations(
    x: &SymmetricRing,
    p: &[Mat<f64>],
    pairs: &[(usize, usize)],
) -> (Mat<f64>, Mat<f64>) {
    let (r, m) = (x.rank(), pairs.len());
    let mut normal = Mat::<f64>::zeros(m, m);
    let mut rhs = Mat::<f64>::zeros(m, 1);
    for (a, p) in p.iter().enumerate() {
        // Column (i,j) is [E_ij - E_ji, p]: rows i and j of p exchanged with signs, made symmetric.
        let mut c = Mat::<f64>::zeros(r * r, m);
        for (col, &(i, j)) in pairs.iter().enumerate() {
            for k in 0..r {
                c[(i + r * k, col)] += p[(j, k)];
                c[(j + r * k, col)] -= p[(i, k)];
                c[(k + r * i, col)] += p[(k, j)];
                c[(k + r * j, col)] -= p[(k, i)];
            }
        }
        let gap = Mat::from_fn(r * r, 1, |ij, _| {
            x.entry(a, ij % r, ij / r) - p[(ij % r, ij / r)]
        });
        normal += c.transpose() * &c;
        rhs += c.transpose() * gap;
    }
    (normal, rhs)
}
