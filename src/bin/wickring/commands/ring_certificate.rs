//! The certificate of `decompose ring`: the tensor, the cores and the bound on the residual, for `wickring check`.

use num_complex::Complex;
use std::path::Path;
use wickring::Error;
use wickring::certify::{Certificate, Claim, ClaimedTensor};
use wickring::tensor::{Scalar, Tensor, TensorRing};

/// Exact products beyond which no certificate is written: the checker needs about 20 microseconds for each of
/// them, and takes a minute at most.
const MAX_PRODUCTS: usize = 1_000_000;

/// The certificate that the ring reproduces `t` to its residual, or `None` when it is too large for the exact
/// checker. A complex ring of rank `R` becomes two real ones of rank `2 R`, for the real and the imaginary part.
pub fn certificate<T: Scalar>(
    file: &Path,
    t: &Tensor<T>,
    ring: &TensorRing<T>,
) -> Result<Option<Certificate>, Error> {
    if products(ring) > MAX_PRODUCTS {
        return Ok(None);
    }
    let bytes = std::fs::read(file).map_err(|e| Error::file(file, "", e.to_string()))?;
    let mut certificate = Certificate::new().input(&file.display().to_string(), &bytes);
    let parts: &[(Complex<f64>, &str)] = if T::COMPLEX {
        let (one, turn) = (Complex::new(1.0, 0.0), Complex::new(0.0, -1.0));
        &[(one, "the real part"), (turn, "the imaginary part")]
    } else {
        &[(Complex::new(1.0, 0.0), "the tensor")]
    };
    for &(turn, words) in parts {
        let of = |x: &T| (x.to_complex() * turn).re;
        let part = Tensor::from_vec(t.dims(), t.as_slice().iter().map(of).collect())?;
        let model = if T::COMPLEX {
            doubled(ring, turn)?
        } else {
            real(ring)?
        };
        let residual = model.rel_residual(part.view())?;
        // Without a norm to compare with, only an exact zero can be claimed.
        let zero = part.as_slice().iter().all(|x| *x == 0.0);
        if zero && residual > 0.0 {
            return Ok(None);
        }
        // The residual was computed in floating point, the checker computes it exactly: 64 eps covers the
        // rounding of sums of a few dozen products, relative to the tensor.
        let bound = residual * (1.0 + 1e-9) + 64.0 * f64::EPSILON;
        let target = ClaimedTensor::floats(part.view());
        let claim = Claim::ring_residual(&rows(&model), &target, bound);
        let ranks = ring.ranks();
        let about = format!("{words} is a ring of ranks {ranks:?} up to a relative {residual:.3e}");
        certificate = certificate.claim(claim.about(about));
    }
    Ok(Some(certificate))
}

/// Multiplications of numbers for the whole tensor, mode after mode.
fn products<T: Scalar>(ring: &TensorRing<T>) -> usize {
    let (ranks, m) = (ring.ranks(), ring.order());
    let factor = if T::COMPLEX { 16 } else { 1 };
    let (mut entries, mut total) = (1usize, 0usize);
    for (k, n) in ring.dims().into_iter().enumerate() {
        entries = entries.saturating_mul(n);
        let each = ranks[0] * ranks[k] * ranks[(k + 1) % m] * factor;
        total = total.saturating_add(entries.saturating_mul(each));
    }
    total
}

fn real<T: Scalar>(ring: &TensorRing<T>) -> Result<TensorRing, Error> {
    let mut cores = Vec::with_capacity(ring.order());
    for g in ring.cores() {
        let data = g.as_slice().iter().map(|x| x.real()).collect();
        cores.push(Tensor::from_vec(g.dims(), data)?);
    }
    TensorRing::new(cores)
}

/// `Re(turn Tr(G_0 G_1 ..))` as a real ring: `[[Re, -Im], [Im, Re]]` for each slice has twice the real part of
/// the trace as its own.
fn doubled<T: Scalar>(ring: &TensorRing<T>, turn: Complex<f64>) -> Result<TensorRing, Error> {
    let mut cores = Vec::with_capacity(ring.order());
    for (k, g) in ring.cores().iter().enumerate() {
        let factor = if k == 0 {
            turn * 0.5
        } else {
            Complex::new(1.0, 0.0)
        };
        let (r, n, s) = (g.dims()[0], g.dims()[1], g.dims()[2]);
        let view = g.view();
        cores.push(Tensor::from_fn(&[2 * r, n, 2 * s], |i| {
            let entry = view.get(&[i[0] % r, i[1], i[2] % s]).copied();
            let z = entry.unwrap_or(T::zero()).to_complex() * factor;
            match (i[0] < r, i[2] < s) {
                (true, true) | (false, false) => z.re,
                (true, false) => -z.im,
                (false, true) => z.im,
            }
        })?);
    }
    TensorRing::new(cores)
}

/// Cores as nested lists `R x n x R'`.
fn rows(ring: &TensorRing) -> Vec<Vec<Vec<Vec<f64>>>> {
    let core = |g: &Tensor| {
        let (r, n, s) = (g.dims()[0], g.dims()[1], g.dims()[2]);
        let entry = |a: usize, i: usize, b: usize| g.as_slice()[a + r * (i + n * b)];
        let row = |a: usize, i: usize| (0..s).map(|b| entry(a, i, b)).collect();
        (0..r)
            .map(|a| (0..n).map(|i| row(a, i)).collect())
            .collect()
    };
    ring.cores().iter().map(core).collect()
}
