//! Tensor trains by sequential truncated SVDs.
//!
//! ```text
//! T[i_0, .., i_{d-1}] ~ G_0(i_0) .. G_{d-1}(i_{d-1})      G_k(i) of R_k x R_{k+1},  R_0 = R_d = 1
//! ```
//!
//! Cut `k` separates the first `k` modes from the rest. Its SVD is cut where the dropped singular values have norm
//! `e_k`; since every step projects orthogonally, the error of the whole is `sqrt(e_1^2 + .. + e_{d-1}^2)`, exactly. For a
//! prescribed error the budget is spread evenly over the cuts that remain, so that what one does not use the next may.
//!
//! No train of the same ranks is closer than the greatest `e_k`, hence none is better than this one by more than
//! `sqrt(d - 1)`; the ratio at hand is reported.
//!
//! Source: Oseledets 2011, algorithm 1 and theorem 2.2.

use super::cp::checks::unexplained;
use super::ring::algebraic::decomposition::checked_ranks;
use super::ring::scale::in_scale;
use super::unfolding_svd::{Go, Keep, left_space};
use crate::Error;
use crate::fit::{Check, Ended, Evidence, Fit, Work, judge};
use crate::run::{Observer, Progress, unobserved};
use crate::tensor::{Scalar, Tensor, TensorRing, TensorTrain, TensorView, columns, norm};
use faer::Mat;

const OP: &str = "TtSvd::decompose";

/// Tensor train by sequential truncated SVDs, with a prescribed relative error or with given ranks.
#[derive(Clone, Debug, PartialEq)]
pub struct TtSvd {
    tolerance: Option<f64>,
    ranks: Vec<usize>,
    max_rank: usize,
}

impl TtSvd {
    /// Asks for a relative error of at most `tolerance`, in `[0, 1)`; 0 keeps everything above rounding.
    pub fn new(tolerance: f64) -> Self {
        Self {
            tolerance: Some(tolerance),
            ranks: Vec::new(),
            max_rank: 1 << 20,
        }
    }

    /// Asks for the inner ranks `R_1, .., R_{d-1}` (one entry stands for all), each at least 1. A rank above what its cut
    /// allows counts as that.
    pub fn with_ranks(ranks: &[usize]) -> Self {
        Self {
            tolerance: None,
            ranks: ranks.to_vec(),
            max_rank: 1 << 20,
        }
    }

    /// A bound on every rank, at least 1; when it cuts more than the tolerance allows, the status says so.
    #[must_use]
    pub fn max_rank(self, max_rank: usize) -> Self {
        Self { max_rank, ..self }
    }

    /// With [`TtSvd::new`], bounds on the inner ranks `R_1, .., R_{d-1}` (one entry stands for all).
    #[must_use]
    pub fn most(self, ranks: &[usize]) -> Self {
        let ranks = ranks.to_vec();
        Self { ranks, ..self }
    }

    /// Decomposes `t`.
    ///
    /// # Shapes
    /// Any order of at least one; cores `R_k x n_k x R_{k+1}` with `R_0 = 1`, all but the last left-orthogonal.
    ///
    /// # Errors
    /// `InvalidInput`: an option out of its domain. `Shape`: no modes or no entries. `NonFinite`, `Backend`.
    ///
    /// # Complexity
    /// `O(N c)` for each cut with `N` entries left and a shorter side of `c`; memory of the first remainder, `N R_1 / n_0`.
    ///
    /// # Accuracy
    /// `||t - model|| <= tolerance * ||t||` up to rounding unless `max_rank` cuts, and at most
    /// `sqrt(d - 1)` times the best error with the same ranks.
    ///
    /// # Example
    /// ```
    /// use wickring::decomp::TtSvd;
    /// use wickring::tensor::Tensor;
    /// let t = Tensor::from_fn(&[4, 5, 6], |i| (i[0] + i[1] + i[2]) as f64)?;
    /// // A sum of one-variable functions has ranks 2.
    /// assert_eq!(TtSvd::new(1e-12).decompose(t.view())?.model.ranks(), [1, 2, 2]);
    /// let one = TtSvd::with_ranks(&[1]).decompose(t.view())?;
    /// assert_eq!(one.model.ranks(), [1, 1, 1]);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Oseledets 2011, algorithm 1.
    pub fn decompose<T: Scalar>(&self, t: TensorView<'_, T>) -> Result<Fit<TensorTrain<T>>, Error> {
        self.decompose_observed(t, &mut unobserved)
    }

    /// [`TtSvd::decompose`], asking between blocks of the data whether to go on.
    ///
    /// # Errors
    /// As [`TtSvd::decompose`], and `Stopped`: a train that is cut half way is none.
    pub fn decompose_observed<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorTrain<T>>, Error> {
        let ranks = self.check(t)?;
        let fit = in_scale(t, |t| self.cut(t, &ranks, observer))?;
        let train = TensorTrain::new(fit.model.cores().to_vec())?;
        Ok(fit.map(|_| train))
    }

    /// Shortens a train: the error or the ranks of this value are those of the result.
    ///
    /// # Errors
    /// As [`TensorTrain::round_to`].
    ///
    /// # Complexity
    /// `O(d n R^3)`.
    /// Here `n` is the length of the longest mode, `d` the number of modes and `R` the greatest rank.
    ///
    /// # Accuracy
    /// The residual is recomputed from the two trains, exactly up to rounding.
    ///
    /// # Source
    /// Oseledets 2011, algorithm 2.
    pub fn round<T: Scalar>(&self, train: &TensorTrain<T>) -> Result<Fit<TensorTrain<T>>, Error> {
        let most = self.bounds(train.dims().len())?;
        let (unit, exponent) = train.unit()?;
        let short = unit.round_to(self.tolerance.unwrap_or(0.0), &most)?;
        let (gap, size) = (unit.add(&short.scaled(-T::one()))?.norm()?, unit.norm()?);
        let rel_residual = if size > 0.0 { gap / size } else { gap };
        let allowed = self.tolerance.map_or(1.0, |e| e) + 1e-14 * most.len() as f64;
        let label = "distance from the train that was given";
        let checks = vec![Check::accuracy(
            "train.residual",
            label,
            rel_residual,
            allowed,
        )];
        Ok(Fit {
            model: short.times_two_to(exponent)?,
            status: judge(&checks, Ended::Arrived),
            history: vec![rel_residual],
            work: Work {
                starts: 1,
                ..Work::default()
            },
            evidence: Evidence {
                rel_residual,
                condition: 1.0,
                checks,
            },
        })
    }

    /// The most that every inner rank may be.
    fn check<T: Scalar>(&self, t: TensorView<'_, T>) -> Result<Vec<usize>, Error> {
        let bounds = self.bounds(t.order())?;
        // Any rank passes: this checks modes, entries and finiteness.
        checked_ranks(OP, &[1], t)?;
        Ok(bounds)
    }

    fn bounds(&self, order: usize) -> Result<Vec<usize>, Error> {
        let refuse = |text: String| Err(Error::invalid(OP, text));
        if let Some(tolerance) = self.tolerance.filter(|x| !(0.0..1.0).contains(x)) {
            return refuse(format!("the tolerance must lie in [0, 1), got {tolerance}"));
        }
        if self.max_rank == 0 || self.ranks.contains(&0) {
            return refuse("ranks must be at least 1".to_owned());
        }
        let cuts = order.saturating_sub(1);
        match self.ranks[..] {
            [] => Ok(vec![self.max_rank; cuts]),
            [one] => Ok(vec![one.min(self.max_rank); cuts]),
            ref all if all.len() == cuts => Ok(all.iter().map(|&r| r.min(self.max_rank)).collect()),
            ref all => refuse(format!(
                "a train of order {order} has {cuts} inner ranks, got {}",
                all.len()
            )),
        }
    }

    fn cut<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        most: &[usize],
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        let m = t.order();
        let size = norm(t.as_slice());
        let total = self.tolerance.map(|e| e * size);
        let mut cores = Vec::with_capacity(m);
        let mut dropped: Vec<f64> = Vec::with_capacity(m);
        let mut rest: Option<Tensor<T>> = None;
        let mut left = 1;
        for k in 0..m - 1 {
            let n = left * t.dims()[k];
            let data = rest.as_ref().map_or(t.as_slice(), Tensor::as_slice);
            let dims = [n, data.len() / n];
            let wide = TensorView::new(&dims, data)?;
            let keep = match total {
                None => Keep::Rank(most[k]),
                Some(total) => {
                    let spent: f64 = dropped.iter().map(|e| e * e).sum();
                    let share = (total * total - spent).max(0.0) / (m - 1 - k) as f64;
                    Keep::Tail(share.sqrt(), most[k])
                }
            };
            let mut go = watched(observer, "cuts", k, m - 1);
            let (u, lost) = cut_off(wide, keep, &mut go)?;
            dropped.push(lost);
            let below = T::adjoint_product(u.as_ref(), wide.as_matrix(1));
            cores.push(Tensor::from_vec(
                &[left, t.dims()[k], u.ncols()],
                columns(u.as_ref()),
            )?);
            left = u.ncols();
            rest = Some(Tensor::from_vec(&[left, dims[1]], columns(below.as_ref()))?);
        }
        let last = rest.map_or_else(|| t.as_slice().to_vec(), Tensor::into_vec);
        cores.push(Tensor::from_vec(&[left, t.dims()[m - 1], 1], last)?);
        let relative = |x: f64| if size > 0.0 { x / size } else { 0.0 };
        let dropped: Vec<f64> = dropped.into_iter().map(relative).collect();
        let model = TensorRing::new(cores)?;
        let evidence = self.evidence(t, &model, &dropped)?;
        Ok(Fit {
            status: judge(&evidence.checks, Ended::Arrived),
            history: vec![evidence.rel_residual],
            work: Work {
                starts: 1,
                ..Work::default()
            },
            evidence,
            model,
        })
    }

    fn evidence<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        model: &TensorRing<T>,
        dropped: &[f64],
    ) -> Result<Evidence, Error> {
        let rel_residual = model.rel_residual(t)?;
        let rounding = 1e-14 * t.order() as f64;
        let sum = dropped.iter().fold(0.0f64, |x, y| x.hypot(*y));
        let mut checks = Vec::new();
        if let Some(tolerance) = self.tolerance {
            let label = "relative residual";
            let allowed = tolerance + rounding;
            checks.push(Check::accuracy(
                "train.residual",
                label,
                rel_residual,
                allowed,
            ));
        } else {
            // Pure noise leaves what the parameters do not take; the gauge of each bond takes none.
            let ranks = model.ranks();
            let gauge: usize = ranks.iter().skip(1).map(|r| r * r).sum();
            let free = model.parameters().saturating_sub(gauge) as f64;
            let noise = (1.0 - free / t.as_slice().len() as f64).max(0.02);
            checks.push(unexplained(rel_residual * rel_residual, 0.5 * noise));
        }
        let label = "residual against what the cuts dropped";
        let allowed = rounding + 1e-3 * sum;
        checks.push(Check::accuracy(
            "train.dropped",
            label,
            (rel_residual - sum).abs(),
            allowed,
        ));
        checks.push(optimality("train.optimality", dropped, rel_residual));
        Ok(Evidence {
            rel_residual,
            condition: 1.0,
            checks,
        })
    }
}

/// Basis of the leading left singular vectors; all of them where nothing has to go.
fn cut_off<T: Scalar>(
    wide: TensorView<'_, T>,
    keep: Keep,
    go: Go<'_>,
) -> Result<(Mat<T>, f64), Error> {
    let (n, most) = (wide.dims()[0], wide.dims()[1]);
    if n <= most && matches!(keep, Keep::Rank(r) if r >= n) {
        return Ok((Mat::identity(n, n), 0.0));
    }
    let space = left_space(OP, wide, 0, keep, go)?;
    Ok((space.basis, space.dropped))
}

/// How far from the best of its ranks a model of successive orthogonal cuts can be, at most.
pub(super) fn optimality(key: &'static str, dropped: &[f64], residual: f64) -> Check {
    let least = dropped.iter().fold(0.0f64, |x, &y| x.max(y));
    let label = "error over that of the best model of these ranks, at most";
    let exact = residual <= 1e-13 || least == 0.0;
    Check::reported(key, label, if exact { 1.0 } else { residual / least })
}

/// The wish to stop as an error, for work that has nothing to show half way.
pub(super) fn watched<'a>(
    observer: Observer<'a>,
    stage: &'static str,
    done: usize,
    total: usize,
) -> impl FnMut() -> Result<(), Error> + 'a {
    move || match observer(&Progress::of(stage, done as u64, total as u64)).is_break() {
        true => Err(Error::Stopped { op: OP }),
        false => Ok(()),
    }
}
