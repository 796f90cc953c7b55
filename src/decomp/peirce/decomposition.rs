//! Symmetric tensor rings of order three by the Peirce frame: exact in finitely many steps.
//!
//! Given `S[a,b] = Tr(Q_a Q_b)` and `T[a,b,c] = Tr(Q_a Q_b Q_c)` for symmetric `r x r` matrices `Q_a` that
//! span them all, `S` has rank `N = r(r+1)/2`; whitening with `W = V_N diag(l)^(-1/2)` turns `T` into the
//! structure constants of the Jordan algebra of symmetric matrices in an orthonormal basis, whose Peirce
//! frame ([`PeirceFrame`]) reads off the entries: `(Q_a)_ii = <Q_a, p_i>`, `(Q_a)_ij = <Q_a, F_ij> / sqrt 2`
//! with `<Q_a, .>` the rows of `V_N diag(l)^(1/2)`.
//!
//! The answer is unique up to `Q_a -> U Q_a U'` with one orthogonal `U`.

use super::contraction::TensorContraction;
use super::contraction::change_basis;
use super::frame::PeirceFrame;
use crate::decomp::ring::scale::{cube_root_power, divided, multiplied, times};
use crate::fit::{Check, Evidence, Fit, Work};
use crate::linalg::{frobenius, symmetric_eigen};
use crate::tensor::{SymmetricRing, TensorView};
use crate::{Error, Status};
use faer::{Mat, MatRef};
use rand::Rng;

const OP: &str = "Peirce::decompose";

/// Symmetric tensor ring of order three by the Peirce frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peirce {
    rank: usize,
    tol: f64,
    starts: usize,
}

impl Peirce {
    /// Asks for cores of size `rank x rank`, with residual tolerance `1e-8` and three starts.
    pub fn new(rank: usize) -> Self {
        let (tol, starts) = (1e-8, 3);
        Self { rank, tol, starts }
    }

    /// Relative residual of `S` and `T` below which the status is `Converged`; in `(0, 1)`.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        Self { tol, ..self }
    }

    /// Starts for the idempotent, in `1..=1000`; more of them only help when the data are noisy.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// What the model says of `S` and `T`, beside what the frame and the whitening said.
    fn evidence(
        &self,
        (model, gram, t): (&SymmetricRing, MatRef<'_, f64>, TensorView<'_>),
        frame: &PeirceFrame,
        white: &Whitening,
    ) -> Result<Evidence, Error> {
        let rel_residual = model.rel_residual(t)?;
        let gap = model.gram() - gram;
        let gram_residual = frobenius(gap.as_ref()) / frobenius(gram);
        let mut checks = frame.checks().to_vec();
        checks.push(Check::accuracy(
            "peirce.residual-third",
            "relative residual of T",
            rel_residual,
            self.tol,
        ));
        checks.push(Check::accuracy(
            "peirce.residual-gram",
            "relative residual of S",
            gram_residual,
            self.tol,
        ));
        checks.push(Check::reported(
            "peirce.gram-left-out",
            "share of S outside the leading eigenvalues",
            white.outside,
        ));
        Ok(Evidence {
            rel_residual,
            condition: white.condition,
            checks,
        })
    }

    /// Recovers the cores from the Gram matrix and the third-order tensor.
    ///
    /// # Shapes
    /// `gram` is `d x d`, `t` is `d x d x d` with `d >= r(r+1)/2`; the model has `d` cores of `r x r`.
    ///
    /// # Errors
    /// `InvalidInput`: an option out of its domain. `Shape`: sizes that do not go together.
    /// `NonFinite`: a NaN or infinite entry. `Degenerate`: `gram` has fewer than `r(r+1)/2` positive
    /// eigenvalues, or the whitened tensor is not near the structure constants of `Sym_r`. `Backend`.
    ///
    /// # Complexity
    /// `O(d^3 N + d N^3 + N^4 / r^2)` time with `N = r(r+1)/2`, `O(d^2 N + N^3)` memory.
    ///
    /// # Accuracy
    /// Relative error about `eps * cond(S)^(3/2)`; the recomputed residuals of `S` and `T` are in the
    /// certificate, and decide the status.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::Peirce;
    /// use wickring::laws::ring::planted::random_symmetric_ring;
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// let planted = random_symmetric_ring(10, 3, &mut rng)?;
    /// let t = planted.to_dense()?;
    /// let fit = Peirce::new(3).decompose(planted.gram().as_ref(), t.view(), &mut rng)?;
    /// assert!(fit.converged()?.rel_residual(t.view())? < 1e-10);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// The tensor ring problem of S. Chen, Li, Li and Zhang, *Learning polynomial transformations*
    /// (arXiv 2204.04209), section on tensor ring decomposition, where it is solved by sums of squares; the
    /// Jordan-algebra route is this project's (docs/DESIGN.md).
    pub fn decompose(
        &self,
        gram: MatRef<'_, f64>,
        t: TensorView<'_>,
        rng: &mut impl Rng,
    ) -> Result<Fit<SymmetricRing>, Error> {
        self.check(gram, t)?;
        if let Some(p) = cube_root_power(t) {
            // Squares of the entries would leave the exponent range.
            let gram = Mat::from_fn(gram.nrows(), gram.ncols(), |i, j| {
                times(gram[(i, j)], -2 * p)
            });
            let fit = self.decompose(gram.as_ref(), divided(t, p)?.view(), rng)?;
            let model = multiplied(&fit.model, p)?;
            return Ok(fit.map(|_| model));
        }
        let white = Whitening::of(OP, gram, self.rank * (self.rank + 1) / 2)?;
        let tensor = change_basis(t, white.down.as_ref())?;
        let mut form = TensorContraction::new(tensor.view())?;
        let frame = PeirceFrame::find(&mut form, self.rank, self.starts, rng)?;
        let model = read_off(&frame, white.up.as_ref())?;

        let evidence = self.evidence((&model, gram, t), &frame, &white)?;
        let status = if evidence.holds() {
            Status::Converged
        } else {
            Status::IllConditioned
        };
        let work = Work {
            sweeps: frame.squarings(),
            starts: self.starts,
            ..Work::default()
        };
        let history = vec![evidence.rel_residual];
        Ok(Fit {
            model,
            status,
            history,
            work,
            evidence,
        })
    }

    fn check(&self, gram: MatRef<'_, f64>, t: TensorView<'_>) -> Result<(), Error> {
        let d = gram.nrows();
        if self.rank == 0 || !(self.tol > 0.0 && self.tol < 1.0) {
            let found = format!(
                "rank >= 1 and tol in (0, 1), got {} and {}",
                self.rank, self.tol
            );
            return Err(Error::invalid(OP, found));
        }
        if self.starts == 0 || self.starts > 1000 {
            return Err(Error::invalid(
                OP,
                format!("starts in 1..=1000, got {}", self.starts),
            ));
        }
        if gram.ncols() != d || t.dims() != [d, d, d] {
            let found = format!("{d} x {} and {:?}", gram.ncols(), t.dims());
            return Err(Error::shape(OP, "gram d x d and t d x d x d", found));
        }
        let needed = self.rank.checked_mul(self.rank + 1).map(|n| n / 2);
        if needed.is_none_or(|n| n > d) {
            let text = format!("d >= r(r+1)/2 outputs for rank {}, got d = {d}", self.rank);
            return Err(Error::invalid(OP, text));
        }
        t.require_finite(OP)
    }
}

/// Whitening of the leading eigenspace of a positive semidefinite matrix.
pub(crate) struct Whitening {
    /// `V_N diag(l)^(-1/2)`, `d x N`: from outputs to white coordinates.
    pub(crate) down: Mat<f64>,
    /// `V_N diag(l)^(1/2)`, `d x N`: rows are the outputs in white coordinates.
    pub(crate) up: Mat<f64>,
    /// Ratio of the greatest eigenvalue to the least one kept.
    pub(crate) condition: f64,
    /// Sum of the eigenvalues left out, relative to the sum of all (absolute values).
    pub(crate) outside: f64,
}

impl Whitening {
    pub(crate) fn of(op: &'static str, gram: MatRef<'_, f64>, keep: usize) -> Result<Self, Error> {
        let d = gram.nrows();
        let e = symmetric_eigen(op, gram)?;
        let (top, least) = (e.values[d - 1], e.values[d - keep]);
        // Rounding of the eigenvalues is d * eps * top; below that there is no direction to keep.
        if !(least > d as f64 * f64::EPSILON * top) {
            let hypothesis = "outputs that span all symmetric matrices (least eigenvalue kept of S relative to the greatest)";
            let share = if top > 0.0 { least / top } else { 0.0 };
            return Err(Error::degenerate(op, hypothesis, share));
        }
        let column = |j: usize| d - 1 - j;
        let down = Mat::from_fn(d, keep, |i, j| {
            e.vectors[(i, column(j))] / e.values[column(j)].sqrt()
        });
        let up = Mat::from_fn(d, keep, |i, j| {
            e.vectors[(i, column(j))] * e.values[column(j)].sqrt()
        });
        let total: f64 = e.values.iter().map(|x| x.abs()).sum();
        let outside: f64 = e.values[..d - keep].iter().map(|x| x.abs()).sum();
        let outside = outside / total;
        Ok(Self {
            down,
            up,
            condition: top / least,
            outside,
        })
    }
}

/// The cores of a frame: rows of `up` (`d x N`) are the outputs in the coordinates of the frame.
pub(crate) fn read_off(frame: &PeirceFrame, up: MatRef<'_, f64>) -> Result<SymmetricRing, Error> {
    let (d, r) = (up.nrows(), frame.rank());
    let inner = up * frame.quadratic();
    let mut cores = Vec::with_capacity(d * r * r);
    for a in 0..d {
        for i in 0..r {
            cores.extend((0..r).map(|j| {
                let x = inner[(a, frame.column(i, j))];
                if i == j { x } else { x / 2f64.sqrt() }
            }));
        }
    }
    SymmetricRing::new(r, cores)
}
