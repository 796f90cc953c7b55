//! Cumulants of few outputs, and the different maps that fit them.

use crate::Error;
use crate::io::samples::{Chunk, Samples};
use crate::learn::quadratic::whitened::map::WhiteMap;
use crate::learn::quadratic::whitened::standard_outputs::Outputs;
use crate::learn::quadratic::whitened::third_cumulants::WhiteRows;
use crate::run::Observer;
use crate::stats::Moments;
use crate::tensor::{QuadraticMap, SymmetricRing, Tensor};
use faer::Mat;

const OP: &str = "FewOutputs::learn";
/// Starts whose residual is less than this many times the best are candidates: cumulants of samples do not tell them apart.
const LIKELY: f64 = 1.5;
/// Candidates nearer than this, relative and up to the gauge, are the same.
const SAME: f64 = 0.05;

/// Halved covariance and an eighth of the third cumulants: `Tr Q_a Q_b` and `Tr Q_a Q_b Q_c`.
pub(in crate::learn) struct Cumulants {
    pub(in crate::learn) gram: Mat<f64>,
    pub(in crate::learn) tensor: Tensor,
}

impl Cumulants {
    /// Of the scaled outputs, over all learning rows or every other one.
    pub(in crate::learn) fn of(
        samples: &Samples,
        rows: &WhiteRows,
        half: Option<usize>,
        observer: Observer<'_>,
    ) -> Result<Self, Error> {
        let m = rows.active.len();
        let plain = WhiteRows {
            down: Mat::identity(m, m),
            ..rows.clone()
        };
        let prepare = |chunk: &Chunk, out: &mut Vec<f64>| match half {
            None => plain.white(chunk, out),
            Some(half) => {
                let mut all = Vec::new();
                plain.white(chunk, &mut all);
                all.chunks_exact(m)
                    .skip(half)
                    .step_by(2)
                    .for_each(|row| out.extend_from_slice(row));
            }
        };
        let summary = Moments::of_samples(samples, (m, true), &prepare, observer)?.summary()?;
        let cov = summary.covariance();
        let third = summary.third_cumulants();
        let third = third.ok_or_else(|| Error::invalid(OP, "third cumulants"))?;
        let eighth = third.as_slice().iter().map(|x| x / 8.0).collect();
        Ok(Self {
            gram: Mat::from_fn(m, m, |i, j| 0.5 * cov[(i, j)]),
            tensor: Tensor::from_vec(&[m, m, m], eighth)?,
        })
    }
}

/// A map that some starts ended in.
pub(in crate::learn) struct Candidate {
    pub(in crate::learn) ring: SymmetricRing,
    pub(in crate::learn) residual: f64,
    pub(in crate::learn) hits: usize,
}

/// The different maps among fits in rising order of their residuals, as far as the cumulants do not tell them apart.
pub(in crate::learn) fn distinct(
    found: Vec<(f64, SymmetricRing)>,
) -> Result<Vec<Candidate>, Error> {
    let limit = found.first().map_or(0.0, |f| LIKELY * f.0 + 1e-12);
    let mut out: Vec<Candidate> = Vec::new();
    'fits: for (residual, ring) in found.into_iter().filter(|f| f.0 <= limit) {
        for known in &mut out {
            if known.ring.align(&ring)?.distance <= SAME {
                known.hits += 1;
                continue 'fits;
            }
        }
        out.push(Candidate {
            ring,
            residual,
            hits: 1,
        });
    }
    Ok(out)
}

/// A ring of scaled outputs as a map in white coordinates (`up` leads back).
pub(in crate::learn) fn white_map(
    ring: &SymmetricRing,
    rows: &WhiteRows,
    up: &Mat<f64>,
) -> WhiteMap {
    let (m, r) = (up.nrows(), ring.rank());
    let places = WhiteMap::places(r);
    let scaled = Mat::from_fn(m, places.len() + 1, |a, k| match places.get(k) {
        Some(&(i, j)) if i == j => ring.entry(a, i, i),
        Some(&(i, j)) => 2f64.sqrt() * ring.entry(a, i, j),
        None => -(0..r).map(|i| ring.entry(a, i, i)).sum::<f64>(),
    });
    WhiteMap {
        rank: r,
        linear: false,
        coefficients: rows.down.transpose() * scaled,
    }
}

/// The ring of the scaled outputs as a map in the units of the data.
pub(in crate::learn) fn in_units(
    outputs: &Outputs,
    ring: &SymmetricRing,
    columns: usize,
) -> Result<QuadraticMap, Error> {
    let r = ring.rank();
    let mut cores = vec![0.0; columns * r * r];
    let mut constant = outputs.mean().to_vec();
    for (row, (&a, s)) in outputs.active.iter().zip(&outputs.scale).enumerate() {
        for i in 0..r {
            for j in 0..r {
                cores[(a * r + i) * r + j] = ring.entry(row, i.min(j), i.max(j)) / s;
            }
            constant[a] -= ring.entry(row, i, i) / s;
        }
    }
    let linear = vec![0.0; columns * r];
    QuadraticMap::new(SymmetricRing::new(r, cores)?, linear, constant)
}
