//! Quadratic maps with the law of their input, in files and as a source of samples.

use crate::Error;
use crate::io::model::ModelFile;
use crate::linalg::norm2;
use crate::tensor::QuadraticMap;
use faer::Mat;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

/// A quadratic map together with the law of its input.
///
/// See [`super::learner::RadialQuadratic::learn`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct RadialMap {
    /// The map; its constants are zero up to sampling error.
    pub map: QuadraticMap,
    /// `m_4` and `m_6` of `|x|` at `E x x' = I`, found or given.
    pub law: (f64, f64),
    /// Quantiles of `|x|` at `0, 1/100, .., 1`; empty when the latents could not be seen.
    pub radii: Vec<f64>,
}

impl RadialMap {
    /// The law in the entry `radial` of a model file, beside its map.
    ///
    /// # Errors
    /// `InvalidInput` naming the entry that is wrong.
    pub fn from_model(file: &ModelFile, map: QuadraticMap) -> Result<Self, Error> {
        let op = "RadialMap::from_model";
        let radial = &file.body["radial"];
        let number = |key: &str| {
            let value = radial[key].as_f64().filter(|x| x.is_finite() && *x > 0.0);
            value.ok_or_else(|| {
                Error::invalid(op, format!("radial.{key}: expected a positive number"))
            })
        };
        let listed = radial["radii"].as_array().map_or(&[][..], Vec::as_slice);
        let radius = |v: &serde_json::Value| v.as_f64().filter(|x| x.is_finite() && *x >= 0.0);
        let radii: Option<Vec<f64>> = listed.iter().map(radius).collect();
        let wrong = || Error::invalid(op, "radial.radii: expected numbers of at least 0");
        Ok(Self {
            map,
            law: (number("m4")?, number("m6")?),
            radii: radii.ok_or_else(wrong)?,
        })
    }

    /// `n` samples, row after row: directions uniform, lengths by the quantiles.
    ///
    /// # Errors
    /// `InvalidInput` when the law of `|x|` is not known (no quantiles).
    pub fn sample(&self, n: usize, rng: &mut impl Rng) -> Result<Vec<f64>, Error> {
        let last = self.radii.len().saturating_sub(1);
        if last == 0 {
            let text = "the law of |x| is not known well enough to draw from it";
            return Err(Error::invalid("RadialMap::sample", text));
        }
        let r = self.map.latent_dim();
        let mut rows = Vec::with_capacity(n * self.map.output_dim());
        for start in (0..n).step_by(1024) {
            let m = 1024.min(n - start);
            let mut x = Mat::<f64>::zeros(m, r);
            for i in 0..m {
                let u: Vec<f64> = (0..r).map(|_| StandardNormal.sample(&mut *rng)).collect();
                let place = rng.random::<f64>() * last as f64;
                let k = (place as usize).min(last - 1);
                let radius =
                    self.radii[k] + (place - k as f64) * (self.radii[k + 1] - self.radii[k]);
                let length = norm2(&u).max(f64::MIN_POSITIVE);
                (0..r).for_each(|j| x[(i, j)] = u[j] * radius / length);
            }
            let z = self.map.eval(x.as_ref())?;
            (0..m).for_each(|i| rows.extend((0..z.ncols()).map(|a| z[(i, a)])));
        }
        Ok(rows)
    }
}
