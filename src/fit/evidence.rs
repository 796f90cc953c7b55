//! What was measured about a model.

use super::check::{Check, Role};

/// What was measured about a model: its residual and condition number, recomputed from the input and the
/// model alone, and the checks.
///
/// Nothing in the first two fields, nor in a check of accuracy, conditioning or sampling, is copied from an
/// iteration's own bookkeeping, so a wrong algorithm cannot vouch for itself. Checks of uniqueness also count
/// what the search saw (starts that agree), and figures that are only reported may do so.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// `||data - model|| / ||data||` in the norm that the algorithm documents.
    pub rel_residual: f64,
    /// Condition number on which the algorithm's error bound depends; 1 when none does.
    pub condition: f64,
    /// Everything else that was measured: spectra, gaps, uniqueness, tests on held-out data.
    pub checks: Vec<Check>,
}

impl Evidence {
    /// Whether every bound is kept and the residual is a number.
    pub fn holds(&self) -> bool {
        self.rel_residual.is_finite() && self.checks.iter().all(Check::holds)
    }

    /// The first bound that is not kept.
    pub fn first_failure(&self) -> Option<&Check> {
        self.checks.iter().find(|c| !c.holds())
    }

    /// The checks that decide, conditioning first: all of them, or, where the caller gave a tolerance for the
    /// residual, conditioning and the residual against that tolerance.
    pub fn decisive(&self, tol: Option<f64>) -> Vec<Check> {
        let limit = tol.unwrap_or(f64::MAX);
        let residual = Check::accuracy(
            "fit.residual",
            "relative residual",
            self.rel_residual,
            limit,
        );
        let conditioning = |c: &&Check| c.role == Role::Conditioning;
        let mut all: Vec<Check> = self.checks.iter().filter(conditioning).cloned().collect();
        all.push(residual);
        if tol.is_none() {
            all.extend(self.checks.iter().filter(|c| !conditioning(c)).cloned());
        }
        all
    }

    /// The check under `key`.
    pub fn check(&self, key: &str) -> Option<&Check> {
        self.checks.iter().find(|c| c.key == key)
    }

    /// Whether a check under `key` is there and fails.
    pub fn fails(&self, key: &str) -> bool {
        self.checks.iter().any(|c| c.key == key && !c.holds())
    }
}
