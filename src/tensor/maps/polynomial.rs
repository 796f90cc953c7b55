//! Polynomial maps of a standard Gaussian.

use super::monomials::MonomialBasis;
use super::quadratic::QuadraticMap;
use crate::Error;
use crate::linalg::{cholesky_solve, norm2, polar_orthogonal};
use crate::poly::{Poly, Rational, wick};
use crate::tensor::ring::symmetric::SymmetricRing;
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Starts for the gauge beside the alignment of gradients.
const SPREAD: usize = 12;
/// Maps closer than this are in their best gauge.
const NEAR: f64 = 0.05;

/// `z_a = sum_k C[a,k] x^(e_k)` with `x ~ N(0, I_r)`, for outputs `a < d`.
///
/// The distribution of `z` does not change under `x -> U x` with orthogonal `U`. Invariant: `coefficients` has a
/// column per monomial and finite entries.
///
/// # Example
/// ```
/// use faer::mat;
/// use wickring::tensor::{MonomialBasis, PolynomialMap};
/// // The third Hermite polynomial, x^3 - 3 x, has variance 3!.
/// let map = PolynomialMap::new(MonomialBasis::up_to(1, 3)?, mat![[0.0, -3.0, 0.0, 1.0]])?;
/// assert!((map.covariance()[(0, 0)] - 6.0).abs() < 1e-12);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PolynomialMap {
    basis: MonomialBasis,
    /// `d x len`.
    coefficients: Mat<f64>,
}

impl PolynomialMap {
    /// A map from its monomials and coefficients (`d x len`).
    ///
    /// # Errors
    /// `Shape` when the columns are not as many as the monomials, `NonFinite`.
    pub fn new(basis: MonomialBasis, coefficients: Mat<f64>) -> Result<Self, Error> {
        let op = "PolynomialMap::new";
        if coefficients.ncols() != basis.len() || coefficients.nrows() == 0 {
            let expected = format!("at least one row of {} coefficients", basis.len());
            let found = format!("{} x {}", coefficients.nrows(), coefficients.ncols());
            return Err(Error::shape(op, expected, found));
        }
        for k in 0..coefficients.ncols() {
            let column = coefficients.col_as_slice(k);
            if let Some(a) = column.iter().position(|x| !x.is_finite()) {
                let index = a * basis.len() + k;
                return Err(Error::NonFinite { op, index });
            }
        }
        Ok(Self {
            basis,
            coefficients,
        })
    }

    /// The same map, for a quadratic one.
    ///
    /// # Errors
    /// None in practice.
    pub fn of_quadratic(map: &QuadraticMap) -> Result<Self, Error> {
        let basis = MonomialBasis::up_to(map.latent_dim(), 2)?;
        let mut coefficients = Mat::zeros(map.output_dim(), basis.len());
        for a in 0..map.output_dim() {
            for (k, e) in basis.exponents().iter().enumerate() {
                let hit: Vec<usize> = (0..e.len())
                    .flat_map(|i| std::iter::repeat_n(i, e[i] as usize))
                    .collect();
                coefficients[(a, k)] = match hit[..] {
                    [] => map.constant()[a],
                    [i] => map.linear(a)[i],
                    [i, j] if i == j => map.quadratic().entry(a, i, i),
                    [i, j, ..] => 2.0 * map.quadratic().entry(a, i, j),
                };
            }
        }
        Self::new(basis, coefficients)
    }

    /// Latent dimension `r`.
    pub fn latent_dim(&self) -> usize {
        self.basis.variables()
    }

    /// Number of outputs `d`.
    pub fn output_dim(&self) -> usize {
        self.coefficients.nrows()
    }

    /// The greatest degree of a monomial.
    pub fn degree(&self) -> u32 {
        self.basis.degree()
    }

    /// The monomials.
    pub fn basis(&self) -> &MonomialBasis {
        &self.basis
    }

    /// The coefficients, `d x len`.
    pub fn coefficients(&self) -> MatRef<'_, f64> {
        self.coefficients.as_ref()
    }

    /// Outputs at given latents.
    ///
    /// # Shapes
    /// `x` is `n x r`; the result is `n x d`.
    ///
    /// # Errors
    /// `Shape` when `x` does not have `r` columns.
    pub fn eval(&self, x: MatRef<'_, f64>) -> Result<Mat<f64>, Error> {
        let r = self.latent_dim();
        if x.ncols() != r {
            let expected = format!("{r} latent columns");
            let found = x.ncols().to_string();
            return Err(Error::shape("PolynomialMap::eval", expected, found));
        }
        Ok(self.basis.design(x) * self.coefficients.transpose())
    }

    /// `n` independent samples, row after row.
    pub fn sample(&self, n: usize, rng: &mut impl Rng) -> Vec<f64> {
        const BLOCK: usize = 1024;
        let (d, r) = (self.output_dim(), self.latent_dim());
        let mut rows = Vec::with_capacity(n * d);
        for start in (0..n).step_by(BLOCK) {
            let m = BLOCK.min(n - start);
            let draws: Vec<f64> = (0..m * r)
                .map(|_| StandardNormal.sample(&mut *rng))
                .collect();
            if let Ok(z) = self.eval(MatRef::from_row_major_slice(&draws, m, r)) {
                (0..m).for_each(|i| rows.extend((0..d).map(|a| z[(i, a)])));
            }
        }
        rows
    }

    /// Output `a` as an exact polynomial: every float is a rational number.
    ///
    /// # Errors
    /// `InvalidInput` when there is no such output.
    pub fn output(&self, a: usize) -> Result<Poly<Rational>, Error> {
        if a >= self.output_dim() {
            let text = format!("an output below {}, got {a}", self.output_dim());
            return Err(Error::invalid("PolynomialMap::output", text));
        }
        let terms = self.basis.exponents().iter().enumerate();
        Ok(Poly::from_terms(terms.map(|(k, e)| {
            let c = Rational::from_f64(self.coefficients[(a, k)]).unwrap_or_default();
            (e.clone(), c)
        })))
    }

    /// The exact mean of output `a`.
    ///
    /// # Errors
    /// `InvalidInput` when there is no such output.
    pub fn exact_mean(&self, a: usize) -> Result<Rational, Error> {
        Ok(wick::expectation_standard(&self.output(a)?))
    }

    /// `E (p_a - E p_a)(p_b - E p_b)`, `d x d`: the covariance of the outputs. `O(len^2 (r + d))`.
    pub fn covariance(&self) -> Mat<f64> {
        let gram = centred_gram(&self.basis);
        let c = &self.coefficients;
        c * gram * c.transpose()
    }

    /// Relative distance to `reference` in the best gauge:
    /// `(sum_a E (p_a(x) - q_a(Ux) - const)^2 / sum_a Var q_a)^(1/2)`, minimised over orthogonal `U` from the
    /// alignment of `E grad p_a grad p_a'` and from some fixed rotations on; constants are free. Far from a fit it is an
    /// upper bound.
    ///
    /// # Errors
    /// `Shape` when latent or output dimensions differ; `InvalidInput` when the degrees do.
    ///
    /// # Complexity
    /// `O(d len (len + r^2))` for each of at most 80 steps.
    /// Here `d` is the number of outputs and `r` the latent dimension.
    pub fn distance(&self, reference: &Self) -> Result<f64, Error> {
        let op = "PolynomialMap::distance";
        let sizes = |m: &Self| (m.latent_dim(), m.output_dim());
        if sizes(self) != sizes(reference) {
            let show = |m: &Self| format!("{:?} (latents, outputs)", sizes(m));
            return Err(Error::shape(op, show(self), show(reference)));
        }
        let degree = self.degree().max(reference.degree()) as usize;
        let basis = MonomialBasis::up_to(self.latent_dim(), degree)?;
        let (p, q) = (self.in_basis(&basis)?, reference.in_basis(&basis)?);
        let gauge = Gauge::new(degree, basis, p, q)?;
        let r = self.latent_dim();
        let (own, other) = (gradient_ring(self)?, gradient_ring(reference)?);
        // Cores turn as `U Q U'` where a form turns as `q(U'x)`.
        let start = |own: &SymmetricRing, other: &SymmetricRing| -> Result<Mat<f64>, Error> {
            Ok(own.align(other)?.rotation.transpose().to_owned())
        };
        let mut starts = vec![start(&own, &other)?];
        // Mean Hessians alone tell the gauge of quadratic maps, where gradients in between may mislead the search.
        let hessians = |ring: &SymmetricRing| {
            let half = ring.as_slice().len() / 2;
            SymmetricRing::new(r, ring.as_slice()[half..].to_vec())
        };
        starts.push(start(&hessians(&own)?, &hessians(&other)?)?);
        for seed in 0..SPREAD {
            // Weyl sequences: any spread of rotations and reflections will do.
            let spread = Mat::from_fn(r, r, |i, j| {
                let p =
                    ((i * r + j + 1) as f64 + 0.5) * (seed as f64 + 1.0) * 0.618_033_988_749_895;
                p - p.floor() - 0.5
            });
            starts.push(polar_orthogonal(op, spread.as_ref())?.0);
        }
        let mut best = f64::INFINITY;
        for u in starts {
            let minus = Mat::from_fn(r, r, |i, j| -u[(i, j)]);
            best = best.min(gauge.descend(u)?).min(gauge.descend(minus)?);
            if best < NEAR {
                break;
            }
        }
        Ok(best)
    }

    /// Coefficients in a longer list of monomials.
    fn in_basis(&self, basis: &MonomialBasis) -> Result<Mat<f64>, Error> {
        let mut out = Mat::zeros(self.output_dim(), basis.len());
        for (k, e) in self.basis.exponents().iter().enumerate() {
            let missing =
                || Error::invalid("PolynomialMap::distance", "a list with every monomial");
            let place = basis.position(e).ok_or_else(missing)?;
            (0..self.output_dim()).for_each(|a| out[(a, place)] = self.coefficients[(a, k)]);
        }
        Ok(out)
    }
}

/// `E x^e` for `x ~ N(0, I)`.
fn moment(e: impl Iterator<Item = u32>) -> f64 {
    e.map(|k| match k % 2 {
        0 => (1..k).step_by(2).map(f64::from).product(),
        _ => 0.0,
    })
    .product()
}

/// `Cov(x^e, x^f)`.
pub(crate) fn centred_gram(basis: &MonomialBasis) -> Mat<f64> {
    let e = basis.exponents();
    let mean: Vec<f64> = e.iter().map(|e| moment(e.iter().copied())).collect();
    Mat::from_fn(basis.len(), basis.len(), |k, l| {
        moment(e[k].iter().zip(&e[l]).map(|(a, b)| a + b)) - mean[k] * mean[l]
    })
}

/// Symmetric matrices that turn with the gauge: `E grad p_a grad p_a'` and the mean Hessian of each output, each without
/// its trace and of size one, so that no output of high degree drowns the others.
fn gradient_ring(map: &PolynomialMap) -> Result<SymmetricRing, Error> {
    let (d, r) = (map.output_dim(), map.latent_dim());
    let exponents = map.basis.exponents();
    let mut cores = vec![0.0; 2 * d * r * r];
    // E of a product of monomials after one derivative by x_i and one by x_j.
    let lowered = |e: &[u32], f: &[u32], i: usize, j: usize| {
        moment((0..r).map(|v| e[v] + f[v] - u32::from(v == i) - u32::from(v == j)))
    };
    let nothing = vec![0; r];
    for i in 0..r {
        for j in 0..=i {
            for (k, e) in exponents.iter().enumerate() {
                for (l, f) in exponents.iter().enumerate() {
                    if e[i] == 0 || f[j] == 0 {
                        continue;
                    }
                    let weight = f64::from(e[i] * f[j]) * lowered(e, f, i, j);
                    for a in (0..d).filter(|_| weight != 0.0) {
                        let c = map.coefficients[(a, k)] * map.coefficients[(a, l)];
                        cores[(a * r + i) * r + j] += c * weight;
                    }
                }
                let left = if i == j { e[j].saturating_sub(1) } else { e[j] };
                if e[i] * left > 0 {
                    let weight = f64::from(e[i] * left) * lowered(e, &nothing, i, j);
                    for a in 0..d {
                        cores[((d + a) * r + i) * r + j] += map.coefficients[(a, k)] * weight;
                    }
                }
            }
        }
    }
    for core in cores.chunks_exact_mut(r * r) {
        let trace: f64 = (0..r).map(|i| core[i * (r + 1)]).sum();
        (0..r).for_each(|i| core[i * (r + 1)] -= trace / r as f64);
        for i in 0..r {
            (0..i).for_each(|j| core[j * r + i] = core[i * r + j]);
        }
        let size = norm2(core);
        if size > 0.0 {
            core.iter_mut().for_each(|x| *x /= size);
        }
    }
    SymmetricRing::new(r, cores)
}

/// Gauss-Newton on the rotations in the norm of `L2(N(0, I))` modulo constants.
struct Gauge {
    /// Monomials of one degree in one variable more: closed under substitution.
    wide: MonomialBasis,
    gram: Mat<f64>,
    p: Mat<f64>,
    q: Mat<f64>,
    norm: f64,
}

impl Gauge {
    fn new(degree: usize, basis: MonomialBasis, p: Mat<f64>, q: Mat<f64>) -> Result<Self, Error> {
        let wide = MonomialBasis::homogeneous(basis.variables() + 1, degree)?;
        let gram = centred_gram(&basis);
        let norm = square(&gram, &q);
        Ok(Self {
            wide,
            gram,
            p,
            q,
            norm,
        })
    }

    /// The coefficients of `q(Ux)`; the extra variable stays.
    fn turned(&self, u: MatRef<'_, f64>) -> Result<Mat<f64>, Error> {
        let r = u.nrows();
        let b = Mat::from_fn(r + 1, r + 1, |i, j| match (i, j) {
            (0, 0) => 1.0,
            (0, _) | (_, 0) => 0.0,
            _ => u[(i - 1, j - 1)],
        });
        Ok(&self.q * self.wide.substitution(b.as_ref())?)
    }

    /// Coefficients of `x_j d/dx_i - x_i d/dx_j` applied to the rows of `q`.
    fn rotated_by(&self, q: &Mat<f64>, i: usize, j: usize) -> Mat<f64> {
        let mut out = Mat::zeros(q.nrows(), q.ncols());
        for (k, e) in self.wide.exponents().iter().enumerate() {
            for (from, to, sign) in [(i + 1, j + 1, 1.0), (j + 1, i + 1, -1.0)] {
                if e[from] == 0 {
                    continue;
                }
                let mut f = e.clone();
                f[from] -= 1;
                f[to] += 1;
                if let Some(l) = self.wide.position(&f) {
                    let weight = sign * f64::from(e[from]);
                    (0..q.nrows()).for_each(|a| out[(a, l)] += weight * q[(a, k)]);
                }
            }
        }
        out
    }

    fn descend(&self, mut u: Mat<f64>) -> Result<f64, Error> {
        let op = "PolynomialMap::distance";
        let r = u.nrows();
        let pairs: Vec<(usize, usize)> = (1..r).flat_map(|j| (0..j).map(move |i| (i, j))).collect();
        let mut q = self.turned(u.as_ref())?;
        let mut best = square(&self.gram, &(&self.p - &q));
        for _ in 0..40 {
            let moves: Vec<Mat<f64>> = pairs
                .iter()
                .map(|&(i, j)| self.rotated_by(&q, i, j))
                .collect();
            let gap = &self.p - &q;
            let m = pairs.len();
            let weighted: Vec<Mat<f64>> = moves.iter().map(|x| x * &self.gram).collect();
            let inner = |x: &Mat<f64>, y: &Mat<f64>| -> f64 {
                (0..x.ncols())
                    .map(|k| dot(x.col_as_slice(k), y.col_as_slice(k)))
                    .sum()
            };
            let mut normal = Mat::from_fn(m, m, |s, t| inner(&weighted[s], &moves[t]));
            let scale = (0..m).map(|s| normal[(s, s)]).fold(0.0, f64::max);
            (0..m).for_each(|s| normal[(s, s)] += 1e-12 * scale + f64::MIN_POSITIVE);
            let rhs = Mat::from_fn(m, 1, |s, _| inner(&weighted[s], &gap));
            let Some(w) = cholesky_solve(normal.as_ref(), rhs.as_ref()).filter(|_| m > 0) else {
                break;
            };
            let (mut step, mut better) = (1.0, false);
            for _ in 0..10 {
                // q(U exp(tW) x): the generator acts on x first.
                let mut turn = Mat::<f64>::identity(r, r);
                for (s, &(i, j)) in pairs.iter().enumerate() {
                    turn[(i, j)] += step * w[(s, 0)];
                    turn[(j, i)] -= step * w[(s, 0)];
                }
                let (next, _, _) = polar_orthogonal(op, (&u * turn).as_ref())?;
                let moved = self.turned(next.as_ref())?;
                let found = square(&self.gram, &(&self.p - &moved));
                if found < best {
                    better = found < best * (1.0 - 1e-10);
                    (u, q, best) = (next, moved, found);
                    break;
                }
                step *= 0.5;
            }
            if !better {
                break;
            }
        }
        let best = best.max(0.0);
        Ok(if self.norm > 0.0 {
            (best / self.norm).sqrt()
        } else {
            best.sqrt()
        })
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| a * b).sum()
}

/// `tr(C G C')`.
fn square(gram: &Mat<f64>, c: &Mat<f64>) -> f64 {
    let cg = c * gram;
    (0..c.ncols())
        .map(|k| dot(cg.col_as_slice(k), c.col_as_slice(k)))
        .sum()
}
