//! Compression by orthonormal bases of the unfoldings.

use super::starts::jennrich::normal;
use crate::Error;
use crate::decomp::tucker::identity;
use crate::linalg::{Scalar, small};
use crate::tensor::{Factor, Tensor, TensorView, unfolding_gram};
use crate::tensor::{mode_product, mttkrp, mttkrp_all};
use faer::{Mat, MatRef};
use rand::Rng;

/// Orthonormal bases `U_m` and the core `T x_m U_m^H`.
#[derive(Clone, Debug)]
pub(crate) struct Compressed<T> {
    pub(super) core: Tensor<T>,
    /// `None` where a mode was left as it is.
    bases: Vec<Option<Factor<T>>>,
}

impl<T: Scalar> Compressed<T> {
    /// Sequentially truncated HOSVD: mode `m` keeps at most `keep[m]` directions.
    ///
    /// Modes are taken from the one that shrinks most, so that later ones are cheaper
    /// (Vannieuwenhoven, Vandebril, Meerbergen 2012).
    pub(crate) fn hosvd(
        op: &'static str,
        t: TensorView<'_, T>,
        keep: &[usize],
    ) -> Result<Self, Error> {
        let mut order: Vec<usize> = (0..keep.len()).collect();
        let ratio = |m: usize| keep[m] as f64 / t.dims()[m].max(1) as f64;
        order.sort_by(|&a, &b| ratio(a).total_cmp(&ratio(b)));
        let mut bases: Vec<Option<Factor<T>>> = vec![None; keep.len()];
        let mut core: Option<Tensor<T>> = None;
        for m in order {
            let n = t.dims()[m];
            if keep[m] >= n {
                continue;
            }
            let view = core.as_ref().map_or(t, Tensor::view);
            let (basis, _) = dominant(op, view, m, keep[m])?;
            core = Some(mode_product(view, basis.conj().as_mat().transpose(), m)?);
            bases[m] = Some(basis);
        }
        let core = core.unwrap_or_else(|| t.to_tensor());
        Ok(Self { core, bases })
    }

    /// As [`Compressed::hosvd`] with a randomised range finder: the tensor is multiplied by Gaussian vectors
    /// in all other modes at once, `keep[m]` and eight more for mode `m` (Halko, Martinsson, Tropp 2011).
    /// Reads the data once for each mode that shrinks, at `O(N keep)`.
    pub(super) fn sketched(
        t: TensorView<'_, T>,
        keep: &[usize],
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let mut spans = Vec::with_capacity(keep.len());
        for (m, &k) in keep.iter().enumerate() {
            let n = t.dims()[m];
            let k = n.min(k + 8);
            if keep[m] >= n {
                spans.push(identity(n, n));
                continue;
            }
            let noise: Vec<Factor<T>> = t
                .dims()
                .iter()
                .map(|&n| Factor::from_fn(n, k, |_, _| T::from_parts(normal(rng), 0.0)))
                .collect();
            let sample = mttkrp(t, &noise, m)?;
            spans.push(Factor::new(n, k, sample.as_slice().to_vec())?);
        }
        Self::onto(t, &spans)
    }

    /// As [`Compressed::hosvd`] for tensors whose Gram matrices would cost more than all else: one sketch of all modes, each
    /// then replaced by the dominant space of the data contracted with the others (one step of orthogonal iteration:
    /// De Lathauwer, De Moor, Vandewalle 2000). `None` where the sketch may have missed a direction.
    ///
    /// With data of squared norm `size` and noise of norm `e`, a sketch by `k` Gaussian vectors shows a component of weight `w` as
    /// `w sqrt(k)` against noise of spectral norm `e (1 + sqrt(k / n))`. So it is trusted where the least of the `rank`
    /// singular values that were found stands [`CLEAR`] times above that.
    ///
    /// # Complexity
    /// `O(N keep)`: four products with the data.
    /// Here `N` is the number of entries.
    pub(super) fn improved_sketch(
        op: &'static str,
        (t, size): (TensorView<'_, T>, f64),
        (keep, rank): (&[usize], usize),
        rng: &mut impl Rng,
    ) -> Result<Option<Self>, Error> {
        let width = keep.iter().max().map_or(0, |k| k + EXTRA);
        let mut bases = sketches(t, keep, width, rng)?;
        let last = t.order() - 1;
        let shared = match &bases[last] {
            Some(u) => Some(mode_product(t, u.conj().as_mat().transpose(), last)?),
            None => None,
        };
        let mut least = f64::INFINITY;
        for m in 0..last {
            if bases[m].is_some() {
                let view = shared.as_ref().map_or(t, Tensor::view);
                let rest = contracted(view, &bases[..last], Some(m))?;
                let (basis, values) =
                    dominant(op, rest.as_ref().map_or(view, Tensor::view), m, keep[m])?;
                least = least.min(values.get(rank - 1).copied().unwrap_or(0.0));
                bases[m] = Some(basis);
            }
        }
        drop(shared);
        let rest = contracted(t, &bases[..last], None)?;
        let view = rest.as_ref().map_or(t, Tensor::view);
        let core = if bases[last].is_some() {
            let (basis, values) = dominant(op, view, last, keep[last])?;
            least = least.min(values.get(rank - 1).copied().unwrap_or(0.0));
            let core = mode_product(view, basis.conj().as_mat().transpose(), last)?;
            bases[last] = Some(basis);
            core
        } else {
            view.to_tensor()
        };
        let lost = (size - small::norm_sq(core.as_slice())).max(0.0).sqrt();
        let width = width as f64;
        let shortest = t.dims().iter().min().map_or(1.0, |&n| n as f64);
        let floor = lost * (1.0 / width.sqrt() + 1.0 / shortest.sqrt());
        Ok((least > CLEAR * floor).then_some(Self { core, bases }))
    }

    /// Projection on the spans of given matrices, one for each mode; a span that fills its mode is skipped.
    pub(super) fn onto(t: TensorView<'_, T>, spans: &[Factor<T>]) -> Result<Self, Error> {
        let mut bases: Vec<Option<Factor<T>>> = Vec::with_capacity(spans.len());
        for span in spans {
            let rows = span.rows();
            let basis = small::orthonormal(span.as_slice(), rows, 1e-10);
            let cols = basis.len() / rows.max(1);
            let full = cols >= rows || cols == 0;
            bases.push(if full {
                None
            } else {
                Some(Factor::new(rows, cols, basis)?)
            });
        }
        let mut core: Option<Tensor<T>> = None;
        for (m, basis) in bases.iter().enumerate() {
            if let Some(u) = basis {
                let view = core.as_ref().map_or(t, Tensor::view);
                core = Some(mode_product(view, u.conj().as_mat().transpose(), m)?);
            }
        }
        let core = core.unwrap_or_else(|| t.to_tensor());
        Ok(Self { core, bases })
    }

    /// Whether nothing was compressed.
    pub(super) fn is_trivial(&self) -> bool {
        self.bases.iter().all(Option::is_none)
    }

    /// Factors of the core seen in the full space.
    pub(super) fn expand(&self, factors: &[Factor<T>]) -> Vec<Factor<T>> {
        let pairs = self.bases.iter().zip(factors);
        pairs
            .map(|(u, f)| {
                u.as_ref()
                    .map_or_else(|| f.clone(), |u| f.left_mul(u.as_mat()))
            })
            .collect()
    }

    /// Factors of the full space seen in the core.
    pub(super) fn restrict(&self, factors: &[Factor<T>]) -> Vec<Factor<T>> {
        let pairs = self.bases.iter().zip(factors);
        pairs
            .map(|(u, f)| match u {
                Some(u) => f.left_mul(u.conj().as_mat().transpose()),
                None => f.clone(),
            })
            .collect()
    }
}

/// Vectors of a sketch beyond the directions that are kept.
const EXTRA: usize = 8;
/// How far the least direction of a sketch must stand above the noise in it.
const CLEAR: f64 = 4.0;

/// Orthonormal bases of the products of all unfoldings with `width` Gaussian vectors, for the modes that shrink.
fn sketches<T: Scalar>(
    t: TensorView<'_, T>,
    keep: &[usize],
    width: usize,
    rng: &mut impl Rng,
) -> Result<Vec<Option<Factor<T>>>, Error> {
    let mut draw = |n: usize| Factor::from_fn(n, width, |_, _| T::from_parts(normal(rng), 0.0));
    let noise: Vec<Factor<T>> = t.dims().iter().map(|&n| draw(n)).collect();
    let samples = mttkrp_all(t, &noise)?;
    let mut bases = Vec::with_capacity(keep.len());
    for (m, sample) in samples.into_iter().enumerate() {
        let n = t.dims()[m];
        bases.push(if keep[m] >= n {
            None
        } else {
            let basis = small::orthonormal(sample.as_slice(), n, 1e-10);
            Some(Factor::new(n, basis.len() / n, basis)?)
        });
    }
    Ok(bases)
}

/// `t` contracted with the bases of its first modes but `skip`; `None` where nothing was to be done.
fn contracted<T: Scalar>(
    t: TensorView<'_, T>,
    bases: &[Option<Factor<T>>],
    skip: Option<usize>,
) -> Result<Option<Tensor<T>>, Error> {
    let mut rest: Option<Tensor<T>> = None;
    for (k, basis) in bases.iter().enumerate() {
        if let Some(u) = basis.as_ref().filter(|_| skip != Some(k)) {
            let view = rest.as_ref().map_or(t, Tensor::view);
            rest = Some(mode_product(view, u.conj().as_mat().transpose(), k)?);
        }
    }
    Ok(rest)
}

/// At most `keep` leading left singular vectors of an unfolding, and its singular values, nonincreasing: from the Gram matrix
/// of its rows or of its columns, whichever is smaller.
fn dominant<T: Scalar>(
    op: &'static str,
    t: TensorView<'_, T>,
    mode: usize,
    keep: usize,
) -> Result<(Factor<T>, Vec<f64>), Error> {
    let n = t.dims()[mode];
    if n > t.as_slice().len() / n {
        return long_basis(op, t, mode, keep);
    }
    let gram = unfolding_gram(t, mode)?;
    let (values, vectors) = T::hermitian_eigen(op, gram.as_ref())?;
    let basis = Factor::from_fn(n, keep, |i, k| vectors[(i, n - 1 - k)]);
    let values = values.iter().rev().map(|v| v.max(0.0).sqrt()).collect();
    Ok((basis, values))
}

/// At most `keep` leading left singular vectors of an unfolding with more rows than columns, and all of its singular values,
/// from the Gram matrix of its columns: `A V` with the leading eigenvectors `V` of `A^H A`, made orthonormal.
///
/// Directions below `1e-8` of the greatest singular value are lost to rounding; sweeps in the full space restore them.
///
/// # Complexity
/// `O(N c)` for `c = N / n` columns, where the Gram matrix of the rows would cost `O(N n)` and an eigenvalue problem of size `n`.
fn long_basis<T: Scalar>(
    op: &'static str,
    t: TensorView<'_, T>,
    mode: usize,
    keep: usize,
) -> Result<(Factor<T>, Vec<f64>), Error> {
    let n = t.dims()[mode];
    let columns = t.as_slice().len() / n;
    let moved = if mode == 0 || t.dims()[..mode].iter().all(|&d| d == 1) {
        None
    } else {
        let mut order: Vec<usize> = (0..t.order()).collect();
        order.remove(mode);
        order.insert(0, mode);
        Some(t.permuted(&order)?)
    };
    let data = moved.as_ref().map_or(t.as_slice(), Tensor::as_slice);
    let a = MatRef::from_column_major_slice(data, n, columns);
    let conj: Vec<T>;
    let other = if T::COMPLEX {
        conj = data.iter().map(|x| x.conj()).collect();
        MatRef::from_column_major_slice(&conj, n, columns)
    } else {
        a
    };
    let mut gram = Mat::from_fn(columns, columns, |_, _| T::zero());
    T::gemm(gram.as_mut(), false, other.transpose(), a, 1.0);
    let (values, vectors) = T::hermitian_eigen(op, gram.as_ref())?;
    let values = values.iter().rev().map(|v| v.max(0.0).sqrt()).collect();
    let keep = keep.min(columns);
    let leading = Factor::from_fn(columns, keep, |i, k| vectors[(i, columns - 1 - k)]);
    let images = leading.left_mul(a);
    let basis = small::orthonormal(images.as_slice(), n, 1e-10);
    Ok((Factor::new(n, basis.len() / n, basis)?, values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::CpTensor;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    /// Gaussian components with the given weights and noise, divided by the norm.
    fn noisy(dims: &[usize], weights: &[f64], noise: f64, seed: u64) -> Result<Tensor, Error> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |n: usize, r: usize| Factor::from_fn(n, r, |_, _| normal(&mut rng));
        let factors = dims.iter().map(|&n| draw(n, weights.len())).collect();
        let unit = CpTensor::from_factors(factors)?.canonical();
        let (_, factors) = unit.into_parts();
        let mut t = CpTensor::new(weights.to_vec(), factors)?.to_dense()?;
        let count = t.as_slice().len();
        let errors = draw(count, 1);
        let size = noise / (count as f64).sqrt();
        let pairs = t.as_mut_slice().iter_mut().zip(errors.as_slice());
        pairs.for_each(|(x, e)| *x += size * e);
        let norm = t.view().norm();
        t.as_mut_slice().iter_mut().for_each(|x| *x /= norm);
        Ok(t)
    }

    fn sketch(t: &Tensor, keep: &[usize], rank: usize) -> Result<Option<Compressed<f64>>, Error> {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        Compressed::improved_sketch("test", (t.view(), 1.0), (keep, rank), &mut rng)
    }

    #[test]
    fn sketches_hold_what_spectra_hold() -> Result<(), Error> {
        let shapes: [(&[usize], &[usize]); 5] = [
            (&[40, 30, 50], &[5, 5, 5]),
            (&[3, 60, 40], &[3, 5, 5]),
            (&[2000, 9, 8], &[5, 5, 5]),
            (&[60, 40, 4], &[5, 5, 4]),
            (&[20, 9, 12, 15], &[5, 5, 5, 5]),
        ];
        for (dims, keep) in shapes {
            let t = noisy(dims, &[1.0, 0.8, 0.5], 0.05, 4)?;
            let spectra = Compressed::hosvd("test", t.view(), keep)?;
            let found = sketch(&t, keep, 3)?;
            let core = found.map(|s| small::norm_sq(s.core.as_slice()).sqrt());
            let best = small::norm_sq(spectra.core.as_slice()).sqrt();
            assert!(
                core.is_some_and(|c| c > best - 1e-4),
                "{dims:?}: {core:?} of {best}"
            );
        }
        Ok(())
    }

    /// The projection is that of the bases, in the order of the modes.
    #[test]
    fn the_core_of_a_sketch_is_the_projection() -> Result<(), Error> {
        let t = noisy(&[30, 25, 20], &[1.0, 0.7], 0.02, 5)?;
        let Some(found) = sketch(&t, &[4, 4, 4], 2)? else {
            return Err(Error::degenerate("test", "a clear sketch", 0.0));
        };
        let mut core = t.clone();
        for (m, u) in found.bases.iter().enumerate() {
            let u = u.as_ref().map(|u| u.as_mat().transpose());
            core = match u {
                Some(u) => mode_product(core.view(), u, m)?,
                None => core,
            };
        }
        let gaps = core.as_slice().iter().zip(found.core.as_slice());
        assert!(gaps.into_iter().all(|(a, b)| (a - b).abs() < 1e-12));
        Ok(())
    }

    /// A component that the whole spectrum shows and a sketch drowns: no sketch is given.
    #[test]
    fn sketches_that_may_miss_a_component_are_not_trusted() -> Result<(), Error> {
        let mut given = 0;
        for seed in 0..5 {
            let t = noisy(&[60, 60, 60], &[1.0, 0.1], 0.5, seed)?;
            given += usize::from(sketch(&t, &[4, 4, 4], 2)?.is_some());
        }
        assert_eq!(given, 0);
        Ok(())
    }
}
