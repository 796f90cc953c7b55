//! What the exact search begins with and ends with.

use super::search::{OP, RationalCp};
use crate::fit::{Check, Evidence, Fit, Work};
use crate::linalg::split_power_of_two;
use crate::poly::Rational;
use crate::tensor::TensorView;
use crate::{Error, Status};
use num_traits::Zero;

/// The tensor brought below 2 by a power of two: thresholds are absolute.
pub(super) struct Scaled {
    pub(super) entries: Vec<f64>,
    /// The same, exactly.
    pub(super) target: Vec<Rational>,
    pub(super) norm: f64,
    /// The power of two.
    pub(super) scale: Rational,
}

impl Scaled {
    pub(super) fn of(t: TensorView<'_>) -> Result<Self, Error> {
        t.require_finite(OP)?;
        let largest = t.as_slice().iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let (one, two) = match largest > 0.0 {
            true => split_power_of_two(largest),
            false => (1.0, 1.0),
        };
        let entries: Vec<f64> = t.as_slice().iter().map(|v| v / one / two).collect();
        let norm = TensorView::new(t.dims(), &entries)?.norm();
        let exact = |v: f64| Rational::from_f64(v).unwrap_or_default();
        let scale = &exact(one) * &exact(two);
        let inverse = scale.recip().unwrap_or_default();
        let target = t.as_slice().iter().map(|v| &exact(*v) * &inverse).collect();
        Ok(Self {
            entries,
            target,
            norm,
            scale,
        })
    }
}

/// What the starts have led to.
#[derive(Default)]
pub(super) struct Found {
    /// The least exact squared residual, and its factors.
    pub(super) best: Option<(Rational, RationalCp)>,
    /// Relative residual of each start.
    pub(super) residuals: Vec<f64>,
    pub(super) stopped: bool,
}

impl Found {
    pub(super) fn fit(self, scaled: &Scaled) -> Result<Fit<RationalCp>, Error> {
        let starts = self.residuals.len();
        let mut history = vec![1.0];
        history.extend(self.residuals);
        let Some((gap, mut model)) = self.best else {
            if self.stopped {
                return Err(Error::Stopped { op: OP });
            }
            let closest = history.iter().copied().fold(f64::INFINITY, f64::min);
            return Err(Error::degenerate(
                OP,
                "a numeric solution of this rank (closest relative residual)",
                closest,
            ));
        };
        model.factors[2]
            .iter_mut()
            .flatten()
            .for_each(|v| *v *= &scaled.scale);
        let norm = if scaled.norm > 0.0 { scaled.norm } else { 1.0 };
        let checks = vec![Check::accuracy(
            "exact.exact-residual",
            "exact squared residual over Q, entries scaled below 2",
            gap.to_f64(),
            0.0,
        )];
        let status = match (gap.is_zero(), self.stopped) {
            (true, _) => Status::Converged,
            (false, true) => Status::Stopped,
            (false, false) => Status::Stalled,
        };
        let evidence = Evidence {
            rel_residual: gap.to_f64().sqrt() / norm,
            condition: 1.0,
            checks,
        };
        let work = Work {
            sweeps: starts,
            starts,
            ..Work::default()
        };
        Ok(Fit {
            model,
            status,
            history,
            work,
            evidence,
        })
    }
}
