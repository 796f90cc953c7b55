//! A model together with how it was obtained and how far to trust it.

use super::{Evidence, Work};
use crate::error::{Error, Status};

/// A model together with how it was obtained and how far to trust it.
///
/// # Example
/// ```
/// use wickring::Status;
/// use wickring::decomp::TtSvd;
/// use wickring::tensor::Tensor;
/// let t = Tensor::from_fn(&[4, 5, 6], |i| (i[0] + i[1] + i[2]) as f64)?;
/// let fit = TtSvd::new(1e-12).decompose(t.view())?;
/// assert_eq!(fit.status, Status::Converged);
/// assert!(fit.evidence.holds() && fit.evidence.rel_residual < 1e-12);
/// assert_eq!(fit.converged()?.ranks(), [1, 2, 2]);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a fit may not have converged: call `converged()` or read `status`"]
pub struct Fit<M> {
    /// The answer.
    pub model: M,
    /// Why the algorithm stopped.
    pub status: Status,
    /// Relative residual per sweep; index 0 is the starting point, length is sweeps + 1.
    pub history: Vec<f64>,
    /// What was consumed.
    pub work: Work,
    /// What was measured.
    pub evidence: Evidence,
}

impl<M> Fit<M> {
    /// The model, if every test passed.
    ///
    /// # Errors
    /// [`Error::NotConverged`] for every other status.
    pub fn converged(self) -> Result<M, Error> {
        match self.status {
            Status::Converged => Ok(self.model),
            status => {
                let rel_residual = self.evidence.rel_residual;
                Err(Error::NotConverged {
                    status,
                    rel_residual,
                })
            }
        }
    }

    /// The same fit with another model, keeping the evidence.
    pub fn map<N>(self, f: impl FnOnce(M) -> N) -> Fit<N> {
        Fit {
            model: f(self.model),
            status: self.status,
            history: self.history,
            work: self.work,
            evidence: self.evidence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_converged_model_is_handed_out() {
        let statuses = [
            Status::Converged,
            Status::IterationLimit,
            Status::Stalled,
            Status::IllConditioned,
            Status::Undecided,
            Status::Stopped,
        ];
        for status in statuses {
            let fit = Fit {
                model: 7,
                status,
                history: vec![1.0, 0.5],
                work: Work::default(),
                evidence: Evidence {
                    rel_residual: 0.5,
                    condition: 1.0,
                    checks: Vec::new(),
                },
            };
            let mapped = fit.map(|m| m + 1);
            assert_eq!(
                (mapped.status, &mapped.history[..]),
                (status, &[1.0, 0.5][..])
            );
            let refused = Error::NotConverged {
                status,
                rel_residual: 0.5,
            };
            let expected = if status == Status::Converged {
                Ok(8)
            } else {
                Err(refused)
            };
            assert_eq!(mapped.converged(), expected);
            assert_eq!(Status::from_name(status.name()), Some(status));
        }
        assert_eq!(Status::from_name("done"), None);
    }
}
