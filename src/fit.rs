//! What every decomposition and every learner returns.

use crate::{Error, Status};

/// One measured quantity beside the bound that it was held against.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// What was measured, in words that also stand in the algorithm's documentation.
    pub name: String,
    /// The measured value.
    pub measured: f64,
    /// The value that it must not exceed; infinite when the figure only informs.
    pub allowed: f64,
}

impl Evidence {
    /// A measurement that must not exceed `allowed`.
    pub fn new(name: impl Into<String>, measured: f64, allowed: f64) -> Self {
        let name = name.into();
        Self {
            name,
            measured,
            allowed,
        }
    }

    /// A measurement without a bound.
    pub fn note(name: impl Into<String>, measured: f64) -> Self {
        Self::new(name, measured, f64::INFINITY)
    }

    /// Whether the bound is kept; false for NaN.
    pub fn holds(&self) -> bool {
        self.measured <= self.allowed
    }
}

/// Evidence about a model, recomputed from the input and the model alone.
///
/// Nothing here is copied from an iteration's own bookkeeping, so a wrong algorithm cannot vouch
/// for itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// `||data - model|| / ||data||` in the norm that the algorithm documents.
    pub rel_residual: f64,
    /// Condition number on which the algorithm's error bound depends; 1 when none does.
    pub cond: f64,
    /// Everything else that was measured: spectra, gaps, uniqueness, tests on held-out data.
    pub evidence: Vec<Evidence>,
}

impl Certificate {
    /// Whether every bound is kept and the residual is a number.
    pub fn holds(&self) -> bool {
        self.rel_residual.is_finite() && self.evidence.iter().all(Evidence::holds)
    }

    /// The first bound that is not kept.
    pub fn first_failure(&self) -> Option<&Evidence> {
        self.evidence.iter().find(|e| !e.holds())
    }
}

/// What an algorithm consumed; never wall time, so that equal runs compare equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Sweeps or iterations of the outer loop.
    pub sweeps: usize,
    /// Calls of fallible linear-algebra routines.
    pub backend_calls: usize,
    /// Samples read, counted once for each pass.
    pub samples: u64,
    /// Independent starts tried.
    pub starts: usize,
}

/// A model together with how it was obtained and how far to trust it.
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
    /// Recomputed evidence.
    pub certificate: Certificate,
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
                let rel_residual = self.certificate.rel_residual;
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
            certificate: self.certificate,
        }
    }
}
