//! The subspace power method for symmetric tensors of order four.

use super::landscape::{Landscape, distinct, flattening_spectrum, squares, unit_starts};
use super::packed::PackedForm;
use crate::fit::{Check, Evidence, Fit, Work};
use crate::linalg::symmetric_eigen;
use crate::tensor::{Factor, SymmetricCp, TensorView};
use crate::{Error, Status};
use faer::Mat;
use rand::Rng;

const OP: &str = "SubspacePower::decompose";
/// Starts tried for one component before the best of them is taken.
const TRIES: usize = 12;

/// Symmetric CP of order four, one component after the other, up to `n(n+1)/2 - n` of them.
///
/// The range of the square flattening of `sum_r w_r v_r^4` holds `x (x) x` only for the components, so that
///
/// ```text
/// F(x) = || P_range (x (x) x) ||^2,   F(v_r) = 1,     x <- (P_range(x (x) x) x + gamma x) / |.|
/// ```
///
/// climbs to one of them; its weight is `1 / ((v (x) v)' M^+ (v (x) v))`, subtracting it lowers the rank of `M` by
/// one, and the next climb starts. Weights of any sign; no starting point near the answer is needed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SubspacePower {
    rank: usize,
    steps: usize,
}

impl SubspacePower {
    /// Asks for `rank` components.
    pub fn new(rank: usize) -> Self {
        Self { rank, steps: 5000 }
    }

    /// Most power steps for a component, in `1..=1000000`; 5000 by default.
    #[must_use]
    pub fn max_steps(self, steps: usize) -> Self {
        Self { steps, ..self }
    }

    /// Refuses tensors of other shapes, and ranks and steps outside of their domain.
    fn require(&self, t: TensorView<'_>, rows: usize) -> Result<(), Error> {
        let n = t.dims().first().copied().unwrap_or(0);
        let fits = (1..=rows).contains(&self.rank) && (1..=1_000_000).contains(&self.steps);
        if t.dims() != [n; 4] || !fits {
            let text = format!(
                "an n x n x n x n tensor and a rank from 1 to n(n+1)/2, got {:?} and {}",
                t.dims(),
                self.rank
            );
            return Err(Error::invalid(OP, text));
        }
        Ok(())
    }

    /// Decomposes a symmetric tensor of order four.
    ///
    /// # Shapes
    /// `t` is `n x n x n x n`; the vectors of the model are `n x rank`, of unit length.
    ///
    /// # Errors
    /// `InvalidInput`: another shape, or `rank > n(n+1)/2`; `Degenerate`: the flattening has a lower rank;
    /// `NonFinite`, `Backend`.
    ///
    /// # Complexity
    /// `O(n^6)` once for the spectrum and `O(n^2 rank)` a step; steps grow near `n(n+1)/2 - n`.
    ///
    /// # Accuracy
    /// Exact data: the square root of `eps` at worst for a maximum found by values, `eps` times the condition of
    /// the flattening in practice, since the iteration converges linearly to a fixed point.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::{decomp::SubspacePower, tensor::{Factor, SymmetricCp}};
    /// let v = Factor::from_fn(4, 5, |i, r| ((r * r + 3 * i + i * r) % 7) as f64 - 3.0);
    /// let t = SymmetricCp::new(4, vec![1.0, -2.0, 1.0, 0.5, 1.0], v)?.to_dense()?;
    /// let fit = SubspacePower::new(5).decompose(t.view(), &mut ChaCha8Rng::seed_from_u64(0))?;
    /// assert!(fit.converged()?.rel_residual(t.view())? < 1e-8);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Kileel and Pereira, Subspace power method for symmetric tensor decomposition (2019), with their shift
    /// `gamma = sqrt(1/2)` for order four. We differ: twelve starts climb together and the best is taken.
    pub fn decompose(
        &self,
        t: TensorView<'_>,
        rng: &mut impl Rng,
    ) -> Result<Fit<SymmetricCp>, Error> {
        let n = t.dims().first().copied().unwrap_or(0);
        let rows = n * (n + 1) / 2;
        self.require(t, rows)?;
        let (form, _) = PackedForm::symmetrised(t)?;
        let eigen = flattening_spectrum(OP, &form)?;
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by(|a, b| eigen.values[*b].abs().total_cmp(&eigen.values[*a].abs()));
        let top = eigen.values[order[0]].abs();
        let least = eigen.values[order[self.rank - 1]].abs();
        if !(least > 1e-12 * top) {
            let hypothesis = "a square flattening of the rank asked for (its last eigenvalue)";
            return Err(Error::degenerate(
                OP,
                hypothesis,
                least / top.max(f64::MIN_POSITIVE),
            ));
        }
        let mut basis = Mat::from_fn(rows, self.rank, |i, c| eigen.vectors[(i, order[c])]);
        let mut core: Vec<f64> = order[..self.rank]
            .iter()
            .map(|&k| eigen.values[k])
            .collect();
        let next = order.get(self.rank).map_or(0.0, |&k| eigen.values[k].abs());

        let (mut weights, mut vectors) = (Vec::new(), Factor::zeros(n, self.rank));
        let mut heights = Vec::new();
        for r in 0..self.rank {
            let (x, height) = self.climb(&basis, n, rng);
            let (weight, rest) = peel(&basis, &core, &x)?;
            vectors.column_mut(r).copy_from_slice(&x);
            weights.push(weight);
            heights.push(height);
            (basis, core) = rest;
        }
        let model = SymmetricCp::new(4, weights, vectors)?.canonical();
        let rel_residual = model.rel_residual(t)?;
        let lowest = heights.iter().copied().fold(1.0, f64::min);
        let left_out = next / top;
        let evidence = evidence(rel_residual, top / least, 1.0 - lowest, left_out);
        let status = match evidence.holds() {
            true => Status::Converged,
            false => Status::Stalled,
        };
        Ok(Fit {
            model,
            status,
            history: vec![1.0, rel_residual],
            work: Work {
                sweeps: 1,
                starts: TRIES * self.rank,
                ..Work::default()
            },
            evidence,
        })
    }

    /// The best of several climbs and its height.
    fn climb(&self, basis: &Mat<f64>, n: usize, rng: &mut impl Rng) -> (Vec<f64>, f64) {
        let landscape = Landscape {
            basis: basis.clone(),
            weights: vec![1.0; basis.ncols()],
        };
        let mut x = unit_starts(n, TRIES, rng);
        let values = landscape.ascend(&mut x, 0.5f64.sqrt(), self.steps, 1e-14);
        let best = distinct(&x, &values, 0.0, 1).first().copied().unwrap_or(0);
        (x.col_as_slice(best).to_vec(), values[best])
    }
}

fn evidence(rel_residual: f64, condition: f64, miss: f64, left_out: f64) -> Evidence {
    Evidence {
        rel_residual,
        condition,
        checks: vec![
            Check::accuracy(
                "overcomplete.residual",
                "relative residual",
                rel_residual,
                1e-6,
            ),
            Check::search(
                "overcomplete.lowest-climb",
                "distance of the lowest climb from the summit",
                miss,
                1e-6,
            ),
            Check::reported(
                "overcomplete.eigenvalue-left-out",
                "first eigenvalue left out, relative",
                left_out,
            ),
        ],
    }
}

/// The weight of a component, and the flattening `B diag(core) B'` without it.
///
/// With `alpha = B'(x (x) x)` the rank of `diag(core) - w alpha alpha'` falls by one exactly at
/// `w = 1 / (alpha' diag(core)^-1 alpha)`.
fn peel(basis: &Mat<f64>, core: &[f64], x: &[f64]) -> Result<(f64, (Mat<f64>, Vec<f64>)), Error> {
    let r = core.len();
    let column = Mat::from_fn(x.len(), 1, |i, _| x[i]);
    let alpha = basis.transpose() * squares(column.as_ref());
    let inverse: f64 = (0..r)
        .map(|k| alpha[(k, 0)] * alpha[(k, 0)] / core[k])
        .sum();
    let weight = if inverse == 0.0 { 0.0 } else { inverse.recip() };
    let small = Mat::from_fn(r, r, |i, j| {
        let own = if i == j { core[i] } else { 0.0 };
        own - weight * alpha[(i, 0)] * alpha[(j, 0)]
    });
    let eigen = symmetric_eigen(OP, small.as_ref())?;
    let mut order: Vec<usize> = (0..r).collect();
    order.sort_by(|a, b| eigen.values[*b].abs().total_cmp(&eigen.values[*a].abs()));
    order.truncate(r - 1);
    let turn = Mat::from_fn(r, r - 1, |i, c| eigen.vectors[(i, order[c])]);
    let core = order.iter().map(|&k| eigen.values[k]).collect();
    Ok((weight, (basis * &turn, core)))
}
