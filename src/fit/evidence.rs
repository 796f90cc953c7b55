//! What was measured about a model.

use super::check::{Check, Role};

/// What was measured about a model: its residual and condition number, recomputed from the input and the
/// model alone, and the checks.
///
/// Nothing in the first two fields, nor in a check of accuracy, conditioning or sampling, is copied from an
/// iteration's own bookkeeping, so a wrong algorithm cannot vouch for itself. Checks of uniqueness also count
/// what the search saw (starts that agree), and figures that are only reported may do so.
///
/// See [`Fit`](super::Fit) for an example.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn evidence(rel_residual: f64) -> Evidence {
        let fails = Check::search("a.starts-missing", "further starts needed", 1.0, 0.0);
        let edge = Check::uniqueness("a.gap", "exactly at its bound", 2.0, 2.0);
        let crowded = Check::conditioning("a.condition", "condition", f64::NAN, 1e12);
        Evidence {
            rel_residual,
            condition: 3.0,
            checks: vec![edge, fails, crowded],
        }
    }

    #[test]
    fn the_first_failure_is_the_first_that_does_not_hold() {
        let found = evidence(0.5);
        assert_eq!(found.first_failure().unwrap().key, "a.starts-missing");
        assert!(!found.holds());
        let held = Evidence {
            checks: found.checks[..1].to_vec(),
            ..found.clone()
        };
        assert!(held.holds() && held.first_failure().is_none());
        let lost = Evidence {
            rel_residual: f64::INFINITY,
            ..held
        };
        assert!(!lost.holds());
    }

    #[test]
    fn conditioning_speaks_first_then_the_residual_then_what_no_tolerance_replaces() {
        let keys =
            |tol| -> Vec<&str> { evidence(0.5).decisive(tol).iter().map(|c| c.key).collect() };
        let all = ["a.condition", "fit.residual", "a.gap", "a.starts-missing"];
        assert_eq!(keys(None), all);
        assert_eq!(keys(Some(0.1)), all[..2]);
        // However many there are, none is left out.
        let mut many = evidence(0.5);
        many.checks = (0..12).flat_map(|_| many.checks.clone()).collect();
        assert_eq!(many.decisive(None).len(), 37);
        assert_eq!(many.decisive(Some(0.1)).len(), 13);
        // A residual at its tolerance holds, one above it does not; without a tolerance any number does.
        let residual = |r: f64, tol| evidence(r).decisive(tol)[1].holds();
        assert!(residual(0.5, Some(0.5)) && !residual(0.5, Some(0.4)));
        assert!(
            residual(1e300, None) && !residual(f64::INFINITY, None) && !residual(f64::NAN, None)
        );
    }

    #[test]
    fn checks_are_found_by_their_keys() {
        let found = evidence(0.5);
        assert_eq!(found.check("a.gap").unwrap().role, Role::Uniqueness);
        assert!(found.check("a").is_none());
        let failing = ["a.gap", "a.starts-missing", "a.condition", "b"].map(|k| found.fails(k));
        assert_eq!(failing, [false, true, true, false]);
    }

    #[test]
    fn every_role_has_its_word_and_its_constructor() {
        let made = [
            (Check::accuracy("k", "l", 1.0, 2.0), "accuracy"),
            (Check::conditioning("k", "l", 1.0, 2.0), "conditioning"),
            (Check::uniqueness("k", "l", 1.0, 2.0), "uniqueness"),
            (Check::search("k", "l", 1.0, 2.0), "search"),
            (Check::sampling("k", "l", 1.0, 2.0), "sampling"),
            (Check::power("k", "l", 1.0, 2.0), "power"),
            (Check::reported("k", "l", 1.0), "reported"),
        ];
        for (check, word) in made {
            assert_eq!(check.role.word(), word);
            assert_eq!((check.key, &*check.label, check.measured), ("k", "l", 1.0));
            assert!(check.holds() && check.allowed >= 2.0);
        }
        assert!(!Check::reported("k", "l", f64::NAN).holds());
    }
}
