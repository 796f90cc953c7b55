//! Quadratic maps of a standard Gaussian.

use crate::Error;
use crate::linalg::symmetric_eigen;
use crate::tensor::ring::symmetric::SymmetricRing;
use faer::{Mat, MatRef};
use num_complex::Complex;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// `z_a = x' Q_a x + b_a' x + c_a` with `x ~ N(0, I_r)` and symmetric `Q_a`, for outputs `a < d`.
///
/// The distribution of `z` does not change under `Q_a -> U Q_a U'`, `b_a -> U b_a` with one orthogonal `U`.
/// Invariant: sizes agree and every number is finite.
///
/// # Example
/// ```
/// use wickring::tensor::{QuadraticMap, SymmetricRing};
/// // x_0^2 + x_1^2: chi squared with two degrees of freedom.
/// let ring = SymmetricRing::new(2, vec![1.0, 0.0, 0.0, 1.0])?;
/// let map = QuadraticMap::new(ring, vec![0.0, 0.0], vec![0.0])?;
/// let cumulants = map.combination(&[1.0]).cumulants(3);
/// assert!(cumulants.iter().zip([2.0, 4.0, 16.0]).all(|(k, exact)| (k - exact).abs() < 1e-12));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct QuadraticMap {
    quadratic: SymmetricRing,
    /// `d` rows of `r` entries.
    linear: Vec<f64>,
    constant: Vec<f64>,
}

/// One output, or a combination of outputs, of a quadratic map.
///
/// See [`QuadraticMap`] for an example.
#[derive(Clone, Debug)]
pub struct QuadraticForm {
    /// `Q`, `r x r`.
    pub quadratic: Mat<f64>,
    /// `b`, of length `r`.
    pub linear: Vec<f64>,
    /// `c`.
    pub constant: f64,
}

impl QuadraticMap {
    /// A map from its parts: cores `Q_a`, `d` rows `b_a` of `r` entries, `d` constants.
    ///
    /// # Errors
    /// `Shape` when sizes do not agree, `NonFinite`.
    pub fn new(
        quadratic: SymmetricRing,
        linear: Vec<f64>,
        constant: Vec<f64>,
    ) -> Result<Self, Error> {
        let op = "QuadraticMap::new";
        let (d, r) = (quadratic.outputs(), quadratic.rank());
        if linear.len() != d * r || constant.len() != d {
            let expected = format!("{} linear and {d} constant entries", d * r);
            let found = format!("{} and {}", linear.len(), constant.len());
            return Err(Error::shape(op, expected, found));
        }
        let bad = linear.iter().chain(&constant).position(|x| !x.is_finite());
        match bad {
            Some(index) => Err(Error::NonFinite { op, index }),
            None => Ok(Self {
                quadratic,
                linear,
                constant,
            }),
        }
    }

    /// Latent dimension `r`.
    pub fn latent_dim(&self) -> usize {
        self.quadratic.rank()
    }

    /// Number of outputs `d`.
    pub fn output_dim(&self) -> usize {
        self.quadratic.outputs()
    }

    /// The cores `Q_a`.
    pub fn quadratic(&self) -> &SymmetricRing {
        &self.quadratic
    }

    /// Row `a` of the linear part, `b_a`.
    ///
    /// # Panics
    /// If `a` is out of range.
    pub fn linear(&self, a: usize) -> &[f64] {
        let r = self.latent_dim();
        &self.linear[a * r..(a + 1) * r]
    }

    /// The constants `c_a`.
    pub fn constant(&self) -> &[f64] {
        &self.constant
    }

    /// The combination `sum_a w_a z_a` of the outputs. `O(d r^2)`.
    ///
    /// # Panics
    /// If `w` is longer than the number of outputs.
    pub fn combination(&self, w: &[f64]) -> QuadraticForm {
        let r = self.latent_dim();
        let mut form = QuadraticForm {
            quadratic: Mat::zeros(r, r),
            linear: vec![0.0; r],
            constant: 0.0,
        };
        for (a, &w) in w.iter().enumerate().filter(|(_, w)| **w != 0.0) {
            for (i, b) in self.linear(a).iter().enumerate() {
                form.linear[i] += w * b;
                for j in 0..r {
                    form.quadratic[(i, j)] += w * self.quadratic.entry(a, i, j);
                }
            }
            form.constant += w * self.constant[a];
        }
        form
    }

    /// Outputs at given latents.
    ///
    /// # Shapes
    /// `x` is `n x r`; the result is `n x d`.
    ///
    /// # Errors
    /// `Shape` when `x` does not have `r` columns.
    pub fn eval(&self, x: MatRef<'_, f64>) -> Result<Mat<f64>, Error> {
        let (d, r) = (self.output_dim(), self.latent_dim());
        if x.ncols() != r {
            let expected = format!("{r} latent columns");
            return Err(Error::shape(
                "QuadraticMap::eval",
                expected,
                x.ncols().to_string(),
            ));
        }
        // Row n of `squares` is vec(x x'), so one product evaluates every quadratic part.
        let squares = Mat::from_fn(x.nrows(), r * r, |n, ij| x[(n, ij % r)] * x[(n, ij / r)]);
        let q = MatRef::from_column_major_slice(self.quadratic.as_slice(), r * r, d);
        let b = MatRef::from_column_major_slice(&self.linear, r, d);
        let mut z = squares * q + x * b;
        for (a, c) in self.constant.iter().enumerate() {
            (0..z.nrows()).for_each(|n| z[(n, a)] += c);
        }
        Ok(z)
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
            let x = MatRef::from_row_major_slice(&draws, m, r);
            if let Ok(z) = self.eval(x) {
                (0..m).for_each(|i| rows.extend((0..d).map(|a| z[(i, a)])));
            }
        }
        rows
    }

    /// Relative distance to `reference` in the best gauge: `|self - U reference| / |reference|` over all
    /// entries of `Q` and `b` (constants are left out: they do not depend on the gauge).
    ///
    /// # Errors
    /// As [`SymmetricRing::align`].
    pub fn distance(&self, reference: &Self) -> Result<f64, Error> {
        if self
            .linear
            .iter()
            .chain(&reference.linear)
            .all(|x| *x == 0.0)
        {
            return Ok(self.quadratic.align(&reference.quadratic)?.distance);
        }
        let u = self.quadratic.align(&reference.quadratic)?.rotation;
        let (d, r) = (self.output_dim(), self.latent_dim());
        // The gauge of the quadratic parts leaves the common sign of x open when only they are aligned.
        let gap = |sign: f64| {
            let mut sum = 0.0;
            for o in 0..d {
                let turned = &u * reference.quadratic.core(o) * u.transpose();
                let gap = self.quadratic.core(o) - turned;
                sum += crate::linalg::frobenius(gap.as_ref()).powi(2);
                for i in 0..r {
                    let turned: f64 = (0..r).map(|j| u[(i, j)] * reference.linear(o)[j]).sum();
                    sum += 0.5 * (self.linear(o)[i] - sign * turned).powi(2);
                }
            }
            sum.sqrt()
        };
        // In the homogenised form each linear entry stands twice, halved.
        let norm = crate::linalg::norm2(reference.homogenised()?.as_slice());
        let best = gap(1.0).min(gap(-1.0));
        Ok(if norm > 0.0 { best / norm } else { best })
    }

    /// The ring of `M_a = [[Q_a, b_a/2], [b_a'/2, 0]]`: `k2 = 2 Tr M_a M_b` and `k3 = 8 Tr M_a M_b M_c`
    /// hold exactly, so a general quadratic map is a homogeneous one as far as these two go.
    ///
    /// # Errors
    /// None in practice: the parts are valid by construction.
    pub fn homogenised(&self) -> Result<SymmetricRing, Error> {
        let (d, r) = (self.output_dim(), self.latent_dim());
        let mut cores = Vec::with_capacity(d * (r + 1) * (r + 1));
        for a in 0..d {
            for i in 0..=r {
                cores.extend((0..=r).map(|j| match (i == r, j == r) {
                    (false, false) => self.quadratic.entry(a, i, j),
                    (true, true) => 0.0,
                    (true, false) => 0.5 * self.linear(a)[j],
                    (false, true) => 0.5 * self.linear(a)[i],
                }));
            }
        }
        SymmetricRing::new(r + 1, cores)
    }
}

impl QuadraticForm {
    /// The cumulants of orders `1 ..= orders` under `x ~ N(0, I)`:
    /// `k_m = 2^(m-1) (m-1)! Tr Q^m + m! 2^(m-3) b' Q^(m-2) b` for `m >= 2`, `k_1 = Tr Q + c`.
    pub fn cumulants(&self, orders: usize) -> Vec<f64> {
        let r = self.linear.len();
        let trace = |m: &Mat<f64>| (0..r).map(|i| m[(i, i)]).sum::<f64>();
        let b = Mat::from_fn(r, 1, |i, _| self.linear[i]);
        let mut out = Vec::with_capacity(orders);
        let mut power = self.quadratic.clone();
        let mut image = b.clone();
        let mut factor = 1.0; // 2^(m-1) (m-1)!
        for m in 1..=orders {
            if m == 1 {
                out.push(trace(&power) + self.constant);
                continue;
            }
            power = &power * &self.quadratic;
            factor *= 2.0 * (m - 1) as f64;
            let mixed: f64 = (0..r).map(|i| b[(i, 0)] * image[(i, 0)]).sum();
            // m! 2^(m-3) = factor * m / 4
            out.push(factor * trace(&power) + factor * m as f64 / 4.0 * mixed);
            image = &self.quadratic * image;
        }
        out
    }

    /// The characteristic function `E exp(i t z)` at several `t`:
    /// `exp(i t c) prod_j (1 - 2 i t l_j)^(-1/2) exp(-t^2 b_j^2 / (2 (1 - 2 i t l_j)))` in the eigenbasis.
    ///
    /// # Errors
    /// `Backend` when the eigenvalues are not found.
    pub fn characteristic(&self, points: &[f64]) -> Result<Vec<Complex<f64>>, Error> {
        let op = "QuadraticForm::characteristic";
        let e = symmetric_eigen(op, self.quadratic.as_ref())?;
        let r = self.linear.len();
        let along: Vec<f64> = (0..r)
            .map(|j| (0..r).map(|i| e.vectors[(i, j)] * self.linear[i]).sum())
            .collect();
        Ok(points
            .iter()
            .map(|&t| {
                let mut log = Complex::new(0.0, t * self.constant);
                for (l, b) in e.values.iter().zip(&along) {
                    // Re > 0, so the principal logarithm is the continuous one from t = 0.
                    let w = Complex::new(1.0, -2.0 * t * l);
                    log -= w.ln() * 0.5 + t * t * b * b / (w * 2.0);
                }
                log.exp()
            })
            .collect())
    }
}
