//! Steps of the quadratic learner: white coordinates, and the frame of the third cumulants.

use super::data::Data;
use super::latent_rank::{LatentRank, over_a_level, span};
use super::learner::Quadratic;
use super::noiseless::fit::EXACT;
use super::noisy::level;
use super::noisy::level::Noise;
use super::whitened::map::WhiteMap;
use super::whitened::standard_outputs::Outputs;
use super::whitened::third_cumulants::{WhiteRows, WhiteStream};
use crate::Error;
use crate::decomp::{PeirceFrame, TensorContraction, Whitening};
use crate::linalg::symmetric_eigen;
use crate::run::Observer;
use crate::stats::split::Split;
use crate::tensor::Tensor;
use faer::Mat;
use rand::Rng;

const OP: &str = "Quadratic::learn";
/// Up to this many white coordinates the third cumulants are stored (`N^3 / 6` numbers, two passes in all);
/// beyond, they are streamed.
const MAX_STORED: usize = 45;
/// Of samples that are read in passes only they are always stored, up to this many: 36 MB for each part of the rows.
const MAX_SENT: usize = 300;
/// What it means that there is no frame.
const NO_FRAME: &str = "third cumulants of a quadratic map of a Gaussian (least singular value of their Peirce frame, 1 in theory): the samples are not those of such a map, or too few, too noisy, or with outliers";
/// Steps of sharpening: three reach the optimum to a small part of the sampling error. Streamed, each of them is a pass.
const SHARPEN: usize = 5;
const SHARPEN_STREAMED: usize = 3;

impl Quadratic {
    /// Eigenvalues of half the covariance of the scaled outputs, in falling order.
    fn spectrum(outputs: &Outputs) -> Result<(Mat<f64>, Vec<f64>), Error> {
        let m = outputs.active.len();
        let cov = outputs.summary.covariance();
        let gram = Mat::from_fn(m, m, |i, j| 0.5 * cov[(i, j)]);
        let mut values = symmetric_eigen(OP, gram.as_ref())?.values;
        values.reverse();
        Ok((gram, values))
    }

    /// A smaller latent dimension beside which the outputs may carry noise, where they also fill that of a map without spare
    /// ones.
    pub(in crate::learn) fn fewer(&self, outputs: &Outputs) -> Result<Option<usize>, Error> {
        let (_, values) = Self::spectrum(outputs)?;
        let rows = outputs.summary.count();
        Ok(over_a_level(&values, self.general, rows))
    }

    /// White coordinates from the covariance, less that of the noise.
    pub(in crate::learn) fn whiten(&self, outputs: &Outputs, split: Split) -> Result<White, Error> {
        let m = outputs.active.len();
        let (mut gram, values) = Self::spectrum(outputs)?;
        let seen = (&values[..], outputs.summary.count());
        let latent = LatentRank::beside(self.noise, seen, self.general, self.latent)?;
        let noise = match self.noise {
            // Told by how far the samples are from the variety, then.
            Noise::Estimated if self.refine && latent.keep == m && m > latent.rank => 0.0,
            assumed => assumed.variance(&values, &latent)?,
        };
        (0..m).for_each(|i| gram[(i, i)] -= 0.5 * noise);
        let white = Whitening::of(OP, gram.as_ref(), latent.keep)?;
        let rows = WhiteRows {
            active: outputs.active.clone(),
            scale: outputs.scale.clone(),
            mean: outputs.summary.mean().to_vec(),
            down: white.down,
            split,
            exact: EXACT,
        };
        let rows = rows.tolerating(&outputs.rounding, 2.0);
        Ok(White {
            rows,
            up: white.up,
            left_over: level::left_over(&values, &latent),
            latent,
            cond: white.condition,
            noise,
        })
    }

    /// The Peirce frame of the third cumulants in white coordinates, and the samples read for it.
    pub(in crate::learn) fn frame(
        &self,
        data: &Data<'_>,
        rows: &WhiteRows,
        rank: usize,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<(PeirceFrame, u64), Error> {
        self.raw_frame(data, rows, rank, rng, observer)
            .map_err(|e| match e {
                Error::Degenerate { measured, .. } => Error::degenerate(OP, NO_FRAME, measured),
                e => e,
            })
    }

    fn raw_frame(
        &self,
        data: &Data<'_>,
        rows: &WhiteRows,
        rank: usize,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<(PeirceFrame, u64), Error> {
        let n = span(rank, self.general);
        let (samples, most) = match data.far {
            Some(_) => (data.near, MAX_SENT),
            None => (data.near, MAX_STORED),
        };
        if n > most && data.far.is_some() {
            return Err(Error::limit(OP, "white coordinates", MAX_SENT as u64));
        }
        if n > most {
            let mut stream = WhiteStream::new(samples, rows, observer);
            // Every start costs passes over the samples; one is enough for a simple top eigenvalue.
            let frame = match self.general {
                true => PeirceFrame::find_with_linear(&mut stream, rank, 1, rng),
                false => PeirceFrame::find(&mut stream, rank, 1, rng),
            }?;
            let frame = frame.sharpen(&mut stream, SHARPEN_STREAMED)?;
            return Ok((frame, stream.read));
        }
        let moments = data.third(rows, observer)?;
        let third = moments.summary()?.third_cumulants();
        let third = third.ok_or_else(|| Error::invalid(OP, "third cumulants"))?;
        let eighth = third.as_slice().iter().map(|x| x / 8.0).collect();
        let tensor = Tensor::from_vec(&[n, n, n], eighth)?;
        let mut form = TensorContraction::new(tensor.view())?;
        let frame = match self.general {
            true => PeirceFrame::find_with_linear(&mut form, rank, self.starts, rng),
            false => PeirceFrame::find(&mut form, rank, self.starts, rng),
        }?;
        let frame = frame.sharpen(&mut form, SHARPEN)?;
        Ok((frame, data.rows))
    }
}

/// White coordinates: rows, their way back to outputs, the latent rank, conditioning, noise variances.
pub(in crate::learn) struct White {
    pub(in crate::learn) rows: WhiteRows,
    pub(in crate::learn) up: Mat<f64>,
    pub(in crate::learn) latent: LatentRank,
    pub(in crate::learn) cond: f64,
    pub(in crate::learn) noise: f64,
    pub(in crate::learn) left_over: Option<f64>,
}

/// The frame as a map in white coordinates: `y = B f(x) - B f_0` with `f_0 = (svec(I), 0)`.
pub(in crate::learn) fn white_map(frame: &PeirceFrame) -> WhiteMap {
    let (quadratic, linear, rank) = (frame.quadratic(), frame.linear(), frame.rank());
    let (n, m) = (quadratic.nrows(), quadratic.ncols());
    let features = m + linear.map_or(0, |g| g.ncols());
    let coefficients = Mat::from_fn(n, features + 1, |i, j| match linear {
        _ if j < m => quadratic[(i, j)],
        Some(g) if j < features => g[(i, j - m)],
        _ => -(0..rank).map(|k| quadratic[(i, k)]).sum::<f64>(),
    });
    let linear = linear.is_some();
    WhiteMap {
        rank,
        linear,
        coefficients,
    }
}
