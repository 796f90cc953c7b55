//! Errors of one spectral norm that hurt in different ways.

use super::flattening::OP;
use crate::Error;
use crate::linalg::{symmetric_eigen, thin_qr};
use crate::tensor::{Factor, Tensor};
use faer::Mat;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

/// Errors for planted problems; each is scaled to the spectral norm asked for.
///
/// See [`Robust::decompose`](crate::decomp::Robust::decompose) for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoiseFamily {
    /// A symmetric Gaussian square flattening.
    Gaussian,
    /// A Gaussian tensor symmetric in all modes.
    Symmetric,
    /// `Id (x) uu' + uu' (x) Id`.
    IdentityRankOne,
    /// `vec(Id) vec(Id)'`.
    VecIdentity,
    /// `-Id`: lowers every form value alike and stops plain power iteration.
    NegativeIdentity,
    /// The components of another orthonormal basis.
    RotatedBasis,
    /// A random orthogonal matrix with random signs as eigenvalues.
    Orthogonal,
    /// A partial isometry of rank `n` whose flattening `{123}{4}` is `sqrt n` times larger.
    Rectangular,
}

impl NoiseFamily {
    /// All families.
    pub const ALL: [Self; 8] = [
        Self::Gaussian,
        Self::Symmetric,
        Self::IdentityRankOne,
        Self::VecIdentity,
        Self::NegativeIdentity,
        Self::RotatedBasis,
        Self::Orthogonal,
        Self::Rectangular,
    ];

    /// A short name for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Symmetric => "symmetric",
            Self::IdentityRankOne => "identity-rank-one",
            Self::VecIdentity => "vec-identity",
            Self::NegativeIdentity => "negative-identity",
            Self::RotatedBasis => "rotated-basis",
            Self::Orthogonal => "orthogonal",
            Self::Rectangular => "rectangular",
        }
    }

    /// `m` orthonormal components in dimension `n` (columns), and the tensor with an error of norm `eps`.
    ///
    /// # Errors
    /// `InvalidInput` unless `1 <= m <= n <= 40` and `eps` is finite; `Backend`.
    pub fn plant(
        self,
        n: usize,
        m: usize,
        eps: f64,
        rng: &mut impl Rng,
    ) -> Result<(Factor, Tensor), Error> {
        if !(1..=n).contains(&m) || n > 40 || !eps.is_finite() {
            let text = format!("1 <= m <= n <= 40 and a finite error, got {m}, {n}, {eps}");
            return Err(Error::invalid("NoiseFamily::plant", text));
        }
        let a = orthonormal(n, m, rng)?;
        let mut error = self.error(n, rng)?;
        let symmetric = (&error + error.transpose()) * faer::Scale(0.5);
        let norm = match self {
            // Its flattening is symmetric by construction, like all others.
            _ if eps == 0.0 => 1.0,
            _ => {
                let values = symmetric_eigen(OP, symmetric.as_ref())?.values;
                values.iter().fold(0.0, |s: f64, v| s.max(v.abs()))
            }
        };
        error = faer::Scale(eps / norm) * &symmetric;
        let t = Tensor::from_fn(&[n; 4], |x| {
            let power: f64 = (0..m)
                .map(|c| x.iter().map(|&i| a[(i, c)]).product::<f64>())
                .sum();
            power + error[(x[0] + n * x[1], x[2] + n * x[3])]
        })?;
        Ok((Factor::from_fn(n, m, |i, c| a[(i, c)]), t))
    }

    /// The error before scaling, `n^2 x n^2`.
    fn error(self, n: usize, rng: &mut impl Rng) -> Result<Mat<f64>, Error> {
        let square = n * n;
        let mut gaussian = |r: usize, c: usize| -> Mat<f64> {
            Mat::from_fn(r, c, |_, _| StandardNormal.sample(rng))
        };
        let diagonal = |c: usize| c % n == c / n;
        Ok(match self {
            Self::Gaussian => gaussian(square, square),
            Self::Symmetric => {
                let g = gaussian(square, square);
                let at = |x: [usize; 4]| g[(x[0] + n * x[1], x[2] + n * x[3])];
                let orders = orders();
                Mat::from_fn(square, square, |r, c| {
                    let x = [r % n, r / n, c % n, c / n];
                    orders.iter().map(|p| at(p.map(|k| x[k]))).sum()
                })
            }
            Self::IdentityRankOne => {
                let u = gaussian(n, 1);
                Mat::from_fn(square, square, |r, c| {
                    let (i, j, k, l) = (r % n, r / n, c % n, c / n);
                    let first = if i == k { u[(j, 0)] * u[(l, 0)] } else { 0.0 };
                    let second = if j == l { u[(i, 0)] * u[(k, 0)] } else { 0.0 };
                    first + second
                })
            }
            Self::VecIdentity => Mat::from_fn(square, square, |r, c| {
                f64::from(u8::from(diagonal(r) && diagonal(c)))
            }),
            Self::NegativeIdentity => {
                Mat::from_fn(square, square, |r, c| -f64::from(u8::from(r == c)))
            }
            Self::RotatedBasis => {
                let b = orthonormal(n, n, rng)?;
                let z = Mat::from_fn(square, n, |r, c| b[(r % n, c)] * b[(r / n, c)]);
                &z * z.transpose()
            }
            Self::Orthogonal => {
                let q = orthonormal(square, square, rng)?;
                let signs: Vec<f64> = (0..square)
                    .map(|_| if rng.random::<bool>() { 1.0 } else { -1.0 })
                    .collect();
                let scaled = Mat::from_fn(square, square, |i, j| q[(i, j)] * signs[j]);
                &scaled * q.transpose()
            }
            Self::Rectangular => {
                let u = orthonormal(n, 1, rng)?;
                let p = orthonormal(square, n, rng)?;
                let k = Mat::from_fn(
                    square,
                    n,
                    |r, c| {
                        if r % n == c { u[(r / n, 0)] } else { 0.0 }
                    },
                );
                &p * k.transpose()
            }
        })
    }
}

fn orthonormal(rows: usize, cols: usize, rng: &mut impl Rng) -> Result<Mat<f64>, Error> {
    let g = Mat::<f64>::from_fn(rows, cols, |_, _| StandardNormal.sample(rng));
    Ok(thin_qr(OP, g.as_ref())?.0)
}

/// All orders of four modes.
fn orders() -> Vec<[usize; 4]> {
    let mut all = Vec::new();
    for code in 0..256usize {
        let p = [code % 4, code / 4 % 4, code / 16 % 4, code / 64];
        let mut seen = [false; 4];
        p.iter().for_each(|&k| seen[k] = true);
        if seen == [true; 4] {
            all.push(p);
        }
    }
    all
}
