//! Rings of order three from a few queried entries.
//!
//! A tensor `T[i,j,k] = Tr(A_i B_j C_k)` is known from a small block and some fibres: the block at
//! `R_a R_b` rows `i`, four middle indices `j` and `R_c R_a` columns `k` gives the core `A` at those rows by the
//! algebraic method and `C` at those columns; every other slice follows from a small linear system whose
//! right-hand side is one fibre: `C_k` from pairs `(i, j)`, `B_j` from pairs `(i, k)`, `A_i` from pairs `(j, k)`.

use super::{RingAlgebraic, algebraic::checked_ranks};
use crate::decomp::{Certificate, Evidence, Fit, Work};
use crate::tensor::{Scalar, Tensor, TensorRing};
use crate::{Error, Status};
use faer::Mat;
use rand::{Rng, RngExt};

const OP: &str = "RingQueries::decompose";
/// Middle indices of the block: three combinations must be independent, one is spare.
const MIDDLE: usize = 4;
/// Rows and columns of the block, and equations of each slice, beyond the number of unknowns.
const SPARE: usize = 4;
/// Random entries that were not used, on which the answer is tested.
const TESTS: usize = 32;

/// Tensor ring of order three from about `(n_0 + n_1 + n_2) R^2 + 4 R^4` queried entries.
#[derive(Clone, Debug, PartialEq)]
pub struct RingQueries {
    ranks: Vec<usize>,
    tol: f64,
}

impl RingQueries {
    /// Asks for ranks `R_0, R_1, R_2` (one entry stands for all), with tolerance `1e-8`.
    pub fn new(ranks: &[usize]) -> Self {
        let (ranks, tol) = (ranks.to_vec(), 1e-8);
        Self { ranks, tol }
    }

    /// Relative residual on fresh random entries at most which the fit is `Converged`; in `(0, 1)`.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        Self { tol, ..self }
    }

    /// Recovers the ring behind `entry`, which is asked for single entries of a tensor of shape `dims`.
    ///
    /// # Shapes
    /// `dims` has three entries with `n_0 >= R_0 R_1`, `n_2 >= R_2 R_0` and `n_1 >= 4`.
    ///
    /// # Errors
    /// `InvalidInput`: an option or the number of ranks. `Shape`: not order three. `NonFinite`: an entry.
    /// `Degenerate`, `Backend`: as [`RingAlgebraic`] on the block, or a slice that the fibres chosen do not
    /// determine.
    ///
    /// # Complexity
    /// `4 (R^2 + 4)^2 + (n_0 + n_1 + n_2)(R^2 + 4)` queries for equal ranks, and the same number of flops times `R^2`.
    ///
    /// # Accuracy
    /// That of [`RingAlgebraic`] on the block, times the condition of the fibre systems. The residual in the
    /// certificate is measured on 32 fresh random entries, not on all.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::RingQueries;
    /// use wickring::tensor::TensorRing;
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// // Eight million entries, of which some 5000 are looked at.
    /// let hidden = TensorRing::<f64>::gaussian(&[200, 200, 200], &[2, 2, 2], &mut rng)?;
    /// let mut look = |i: &[usize]| hidden.entry(i).unwrap_or(f64::NAN);
    /// let fit = RingQueries::new(&[2]).decompose(&[200, 200, 200], &mut look, &mut rng)?;
    /// assert!(fit.work.samples < 6000);
    /// let ring = fit.converged()?;
    /// assert!((ring.entry(&[3, 1, 4]).unwrap() - hidden.entry(&[3, 1, 4]).unwrap()).abs() < 1e-8);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// The count of H. Chen, S. Chen and A. Zhang (arXiv 2512.01016); the choice of entries is this project's.
    pub fn decompose<T: Scalar>(
        &self,
        dims: &[usize],
        entry: &mut dyn FnMut(&[usize]) -> T,
        rng: &mut impl Rng,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let &[n0, n1, n2] = dims else {
            return Err(Error::shape(OP, "order three", format!("{dims:?}")));
        };
        if !(self.tol > 0.0 && self.tol < 1.0) {
            return Err(Error::invalid(
                OP,
                format!("tol in (0, 1), got {}", self.tol),
            ));
        }
        let mut queries = 0u64;
        let mut look = |at: [usize; 3]| {
            queries += 1;
            let x = entry(&at);
            let index = queries as usize;
            if x.finite() {
                Ok(x)
            } else {
                Err(Error::NonFinite { op: OP, index })
            }
        };
        if dims.contains(&0) {
            return Err(Error::shape(OP, "at least one entry", format!("{dims:?}")));
        }
        let wide = |n: usize, a: usize, b: usize| a.saturating_mul(b).saturating_add(SPARE).min(n);
        let given = match self.ranks[..] {
            [r] => [r; 3],
            [a, b, c] => [a, b, c],
            _ => return Err(Error::invalid(OP, "one rank, or three of them")),
        };
        let [ra, rb, rc] = given;
        let rows = chosen(n0, wide(n0, ra, rb), rng);
        let middle = chosen(n1, MIDDLE.min(n1), rng);
        let cols = chosen(n2, wide(n2, rc, ra), rng);
        let shape = [rows.len(), middle.len(), cols.len()];
        let mut data = Vec::with_capacity(shape.iter().product());
        for &k in &cols {
            for &j in &middle {
                for &i in &rows {
                    data.push(look([i, j, k])?);
                }
            }
        }
        let block = Tensor::from_vec(&shape, data)?;
        checked_ranks(OP, &given, block.view())?;
        let fit = RingAlgebraic::new(&given)
            .tol(self.tol)
            .decompose(block.view(), rng)?;
        let small = &fit.model;

        let mut settings = Vec::new();
        for _ in 0..wide(usize::MAX, rc, ra) {
            let (x, y) = (
                rng.random_range(0..rows.len()),
                rng.random_range(0..middle.len()),
            );
            let known = T::product(small.slice(0, x), small.slice(1, y));
            settings.push((known, [rows[x], middle[y], 0]));
        }
        let third = fibres(2, n2, [rc, ra], &settings, &mut look)?;
        settings.clear();
        for _ in 0..wide(usize::MAX, rb, rc) {
            let (x, k) = (rng.random_range(0..rows.len()), rng.random_range(0..n2));
            let known = T::product(slice(&third, k).as_ref(), small.slice(0, x));
            settings.push((known, [rows[x], 0, k]));
        }
        let second = fibres(1, n1, [rb, rc], &settings, &mut look)?;
        settings.clear();
        for _ in 0..wide(usize::MAX, ra, rb) {
            let (j, k) = (rng.random_range(0..n1), rng.random_range(0..n2));
            let known = T::product(slice(&second, j).as_ref(), slice(&third, k).as_ref());
            settings.push((known, [0, j, k]));
        }
        let first = fibres(0, n0, [ra, rb], &settings, &mut look)?;
        let ring = TensorRing::new(vec![first, second, third])?.balanced();

        let (mut gap, mut size) = (0.0, 0.0);
        for _ in 0..TESTS {
            let at = [n0, n1, n2].map(|n| rng.random_range(0..n));
            let x = look(at)?;
            gap += (x - ring.entry(&at).unwrap_or(T::zero())).squared();
            size += x.squared();
        }
        let residual = if size > 0.0 {
            (gap / size).sqrt()
        } else {
            gap.sqrt()
        };
        let fresh = "relative residual on fresh random entries";
        let mut evidence = vec![Evidence::new(fresh, residual, self.tol)];
        let inside = fit.certificate.rel_residual;
        evidence.push(Evidence::note("relative residual of the block", inside));
        let status = match evidence.iter().all(Evidence::holds) {
            true => Status::Converged,
            false => Status::IllConditioned,
        };
        Ok(Fit {
            model: ring,
            status,
            history: vec![residual],
            work: Work {
                samples: queries,
                ..fit.work
            },
            certificate: Certificate {
                rel_residual: residual,
                evidence,
                ..fit.certificate
            },
        })
    }
}

/// `count` different indices below `n`, in random order.
fn chosen(n: usize, count: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut all: Vec<usize> = (0..n).collect();
    for i in 0..count.min(n) {
        let j = rng.random_range(i..n);
        all.swap(i, j);
    }
    all.truncate(count);
    all
}

/// Slice `i` of a core, owned.
fn slice<T: Scalar>(core: &Tensor<T>, i: usize) -> Mat<T> {
    let (c, n, d) = (core.dims()[0], core.dims()[1], core.dims()[2]);
    Mat::from_fn(c, d, |a, b| core.as_slice()[a + c * (i + n * b)])
}

/// The core of one mode from fibres: for each setting `(M, index)` and every value `i` of the mode,
/// `T[index with i] = sum G[a, i, b] M[b, a]`.
fn fibres<T: Scalar>(
    mode: usize,
    n: usize,
    [c, d]: [usize; 2],
    settings: &[(Mat<T>, [usize; 3])],
    look: &mut dyn FnMut([usize; 3]) -> Result<T, Error>,
) -> Result<Tensor<T>, Error> {
    let mut values = Mat::<T>::zeros(settings.len(), n);
    for (row, (_, index)) in settings.iter().enumerate() {
        let mut at = *index;
        for i in 0..n {
            at[mode] = i;
            values[(row, i)] = look(at)?;
        }
    }
    let design = Mat::from_fn(settings.len(), c * d, |row, ab| {
        settings[row].0[(ab / c, ab % c)]
    });
    let slices = T::lstsq(OP, design.as_ref(), values.as_ref())?;
    Tensor::from_fn(&[c, n, d], |i| slices[(i[0] + c * i[2], i[1])])
}
