//! Laws that every ring decomposition keeps, whatever its method: a method is registered once as a [`Subject`].

use super::methods;
use crate::fit::Fit;
use crate::laws::broken::{Broken, check, within};
use crate::tensor::{Scalar, Tensor, TensorRing, TensorView};
use crate::{Error, Status};
use faer::Mat;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A decomposition under test.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::decomp::RingSvd;
/// use wickring::laws::ring::subjects::Subject;
/// use wickring::tensor::Tensor;
/// let train = Subject {
///     name: "a train by SVD",
///     plant: |seed| Tensor::from_fn(&[3, 4, 3], |i| ((i[0] + 2) * (i[1] + 1) * (i[2] + 1)) as f64 + seed as f64),
///     decompose: |t, seed| RingSvd::new(&[1, 2, 2]).decompose(t, &mut ChaCha8Rng::seed_from_u64(seed)),
///     accuracy: 1e-10,
///     noise: None,
///     symmetric: false,
/// };
/// assert!(train.recovers_what_was_planted(1).is_ok());
/// ```
pub struct Subject {
    /// How it is called in reports.
    pub name: &'static str,
    /// A tensor that it must recover, for a seed.
    pub plant: fn(u64) -> Result<Tensor, Error>,
    /// The method with the ranks of the planted tensors, for a seed.
    pub decompose: fn(TensorView<'_>, u64) -> Result<Fit<TensorRing>, Error>,
    /// Relative residual that it must reach on planted tensors.
    pub accuracy: f64,
    /// Factor by which its residual may exceed that of relative noise in the tensor; `None` when it promises
    /// nothing under noise.
    pub noise: Option<f64>,
    /// Whether the planted tensors are totally symmetric, and must stay so.
    pub symmetric: bool,
}

fn failed(subject: &Subject) -> impl Fn(Error) -> Broken + '_ {
    move |e| Broken {
        law: subject.name,
        measured: f64::NAN,
        allowed: 0.0,
        case: e.to_string(),
    }
}

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

impl Subject {
    /// A planted tensor is recovered and called converged, and the certificate says what the entries say.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn recovers_what_was_planted(&self, seed: u64) -> Result<(), Broken> {
        let t = (self.plant)(seed).map_err(failed(self))?;
        self.recovers(t.view(), seed)
    }

    fn recovers(&self, t: TensorView<'_>, seed: u64) -> Result<(), Broken> {
        let fit = (self.decompose)(t, seed).map_err(failed(self))?;
        methods::fit_is_honest(t, &fit)?;
        within(self.name, fit.evidence.rel_residual, self.accuracy)?;
        let words = || format!("seed {seed}: {} {:?}", fit.status, fit.evidence);
        check(self.name, fit.status == Status::Converged, words)
    }

    /// Turning the modes around the ring, reversing their order (all slices transposed), and an orthogonal
    /// change of basis in every mode lead from one tensor that is recovered to another.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn moves_with_the_tensor(&self, seed: u64) -> Result<(), Broken> {
        let fail = failed(self);
        let t = (self.plant)(seed).map_err(&fail)?;
        let m = t.dims().len();
        let same = t.dims().iter().all(|&n| n == t.dims()[0]);
        let permuted = |order: &dyn Fn(usize) -> usize| {
            let dims: Vec<usize> = (0..m).map(|k| t.dims()[order(k)]).collect();
            Tensor::from_fn(&dims, |i| {
                let mut at = vec![0; m];
                (0..m).for_each(|k| at[order(k)] = i[k]);
                t.view().get(&at).copied().unwrap_or(f64::NAN)
            })
        };
        // With equal sizes (and equal ranks, as registered) the same call applies.
        if same {
            let turned = permuted(&|k| (k + 1) % m).map_err(&fail)?;
            self.recovers(turned.view(), seed)?;
            let reversed = permuted(&|k| m - 1 - k).map_err(&fail)?;
            self.recovers(reversed.view(), seed)?;
        }
        let mut rng = rng(seed + 1);
        let mut bases: Vec<Mat<f64>> = Vec::with_capacity(m);
        for (k, &n) in t.dims().iter().enumerate() {
            if self.symmetric && k > 0 {
                bases.push(bases[0].clone());
                continue;
            }
            let g = Mat::from_fn(n, n, |_, _| f64::gaussian(&mut rng));
            bases.push(f64::qr("basis", g.as_ref()).map_err(&fail)?.0);
        }
        let mut data = t.as_slice().to_vec();
        for q in &bases {
            // Contracts the first mode and moves it behind the others.
            let rows =
                faer::MatRef::from_column_major_slice(&data, q.nrows(), data.len() / q.nrows());
            let moved = rows.transpose() * q;
            data = (0..moved.ncols())
                .flat_map(|j| moved.col(j).iter().copied().collect::<Vec<_>>())
                .collect();
        }
        let changed = Tensor::from_vec(t.dims(), data).map_err(&fail)?;
        self.recovers(changed.view(), seed)
    }

    /// The residual grows in proportion to noise.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn noise_grows_in_proportion(&self, seed: u64) -> Result<(), Broken> {
        let Some(factor) = self.noise else {
            return Ok(());
        };
        let fail = failed(self);
        let t = (self.plant)(seed).map_err(&fail)?;
        for level in [1e-6, 1e-4, 1e-3] {
            let noisy =
                crate::laws::planted::with_noise(&t, level, &mut rng(seed + 2)).map_err(&fail)?;
            let fit = (self.decompose)(noisy.view(), seed).map_err(&fail)?;
            methods::fit_is_honest(noisy.view(), &fit)?;
            within(self.name, fit.evidence.rel_residual, factor * level)?;
        }
        Ok(())
    }

    /// A tensor of independent Gaussian entries is never called converged.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn structureless_tensors_are_refused(&self, seed: u64) -> Result<(), Broken> {
        let fail = failed(self);
        let dims = (self.plant)(seed).map_err(&fail)?.dims().to_vec();
        let mut rng = rng(seed + 3);
        let t = Tensor::from_fn(&dims, |_| f64::gaussian(&mut rng)).map_err(&fail)?;
        // Refusing is as good as an honest status.
        let Ok(fit) = (self.decompose)(t.view(), seed) else {
            return Ok(());
        };
        methods::fit_is_honest(t.view(), &fit)?;
        let words = || format!("seed {seed}: {:?}", fit.evidence);
        check(self.name, fit.status != Status::Converged, words)
    }

    /// Scales at which squares leave the exponent range change nothing but the scale of the cores.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn extreme_scales_are_moderate_ones(&self, seed: u64) -> Result<(), Broken> {
        let fail = failed(self);
        let t = (self.plant)(seed).map_err(&fail)?;
        for scale in [2f64.powi(-700), 2f64.powi(-900), 2f64.powi(800)] {
            let data = t.as_slice().iter().map(|x| x * scale).collect();
            let scaled = Tensor::from_vec(t.dims(), data).map_err(&fail)?;
            let fit = (self.decompose)(scaled.view(), seed).map_err(&fail)?;
            within(self.name, fit.evidence.rel_residual, self.accuracy)?;
            let (mut gap, mut size) = (0.0, 0.0);
            let dense = fit.model.to_dense().map_err(&fail)?;
            for (x, y) in dense.as_slice().iter().zip(t.as_slice()) {
                gap += (x / scale - y).powi(2);
                size += y * y;
            }
            within(self.name, (gap / size).sqrt(), self.accuracy)?;
        }
        Ok(())
    }

    /// NaN and infinity are refused with their place; the same seed gives the same cores.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn is_safe_and_repeatable(&self, seed: u64) -> Result<(), Broken> {
        let fail = failed(self);
        let t = (self.plant)(seed).map_err(&fail)?;
        let run = || (self.decompose)(t.view(), seed).map_err(failed(self));
        check(self.name, run()?.model == run()?.model, || {
            "same seed".into()
        })?;
        for bad in [f64::NAN, f64::INFINITY] {
            let mut broken = t.clone();
            broken.as_mut_slice()[1] = bad;
            let refused = matches!(
                (self.decompose)(broken.view(), seed),
                Err(Error::NonFinite { .. })
            );
            check(self.name, refused, || format!("{bad}"))?;
        }
        Ok(())
    }
}
