//! What a fit rests on: components on rows, different ones and more than chance puts together; what is recomputed.

use super::covariance_kind::CovarianceKind;
use super::learner::{EmModel, EmRow, OP};
use super::nesting_audit::{TableEntry, broken_nestings};
use super::search::{AUDIT_SLACK, Found, Search};
use super::sweep::e_step::{BLOCK, Work};
use super::sweep::m_step::statistics;
use crate::Error;
use crate::fit::{Check, Evidence};
use crate::learn::mixture::gaussian::GaussianMixture;
use crate::learn::mixture::law_check::{Keys, Terms, follows};
use crate::linalg;
use crate::run::Observer;
use crate::stats::goodness::law_test::MOST_ROWS;
use faer::Mat;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const KEYS: Keys = Keys {
    law: "em.law",
    near: "em.near-rows",
    detectable: "em.detectable",
};
/// The maximum of the likelihood meets means and covariances at least as well as the empirical law.
const TERMS: Terms = Terms {
    most: MOST_ROWS,
    loose: 1.0,
    decides: false,
};
/// What the way back to the columns may change in the log-likelihood: nats, and a share of it.
const SAME: (f64, f64) = (0.01, 1e-9);
/// Components of so many times the rows that determine a covariance are no accident of a search.
const SMALL: f64 = 5.0;

/// What the poorest component of a mixture rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::learn::mixture) struct Support {
    /// Sum of shares of the smallest component.
    pub(in crate::learn::mixture) smallest: f64,
    /// Rows that a component needs over the different rows that the poorest one has.
    pub(in crate::learn::mixture) need: f64,
    /// Logarithm of the number of such components that the others' rows would give by chance; of the worst component.
    pub(in crate::learn::mixture) chance: f64,
}

impl Support {
    /// Of a mixture on rows whose copies share one vote.
    ///
    /// A component of `m` different rows on which the rest of the mixture puts the share `f` of what it puts there itself is
    /// one of `C(n, m)` sets, each as narrow by chance with a probability of about `f^(m - d)` when it may be stretched in
    /// every direction and `f^(m - 1)` when not (the determinant of a scatter of `m` normal rows has that tail). Where
    /// their product exceeds one, a search finds some. Only components of few rows are asked; large ones are a matter of
    /// BIC.
    ///
    /// # Complexity
    /// One sweep.
    pub(in crate::learn::mixture) fn of(
        rows: &[f64],
        shares: &[f64],
        m: &GaussianMixture,
        kind: CovarianceKind,
    ) -> Self {
        let (dim, components) = (m.dim(), m.len());
        let mut work = Work::new(dim, components);
        let (mut sums, mut distinct) = (vec![0.0; components], vec![0.0; components]);
        for (block, votes) in rows.chunks(BLOCK * dim).zip(shares.chunks(BLOCK)) {
            m.posterior(block, &mut work);
            for j in 0..components {
                for (share, vote) in work.share(j).iter().zip(votes) {
                    sums[j] += share;
                    distinct[j] += share * vote;
                }
            }
        }
        let all: f64 = shares.iter().sum();
        let least = kind.samples_for_one(dim);
        let mut chance = f64::NEG_INFINITY;
        for (j, c) in m.components().iter().enumerate() {
            let size = distinct[j];
            if components == 1 || !kind.is_own() || size > SMALL * least {
                continue;
            }
            m.posterior(&c.mean, &mut work);
            // Shares at the mean are those of densities there.
            let own = work.share(j)[0];
            let others = (1.0 - own).max(0.0) / own * c.weight / (1.0 - c.weight);
            let free = kind.free_of_chance(size, dim);
            let here = log_choose(all, size) + free * others.clamp(1e-300, 1.0).ln();
            chance = chance.max(here);
        }
        let poorest = distinct.iter().copied().fold(f64::INFINITY, f64::min);
        Self {
            smallest: sums.iter().copied().fold(f64::INFINITY, f64::min),
            need: least / poorest,
            chance,
        }
    }

    /// Whether there are enough different rows, up to the shares that components leave each other.
    pub(in crate::learn::mixture) fn suffices(&self) -> bool {
        self.need <= ALLOWED_NEED && self.chance <= 0.0
    }
}

/// Shares are no whole numbers: a component of three rows may count 2.99.
pub(in crate::learn::mixture) const ALLOWED_NEED: f64 = 1.01;

/// `log C(n, m)` for real numbers, by Stirling's formula.
fn log_choose(n: f64, m: f64) -> f64 {
    let log_factorial = |x: f64| {
        let x = x.max(0.0);
        if x < 1.0 {
            return 0.0;
        }
        x * x.ln() - x + 0.5 * (std::f64::consts::TAU * x).ln() + 1.0 / (12.0 * x)
    };
    log_factorial(n) - log_factorial(m) - log_factorial(n - m)
}

impl Search<'_> {
    /// Recomputed from the rows and the model: one more sweep must gain nothing, the table must be nested, and the model
    /// in the coordinates of the columns must be the one that was fitted.
    pub(in crate::learn::mixture) fn evidence(
        &self,
        model: &EmModel,
        found: &Found,
        stopped: &mut bool,
        (rng, observer): (&mut impl Rng, Observer<'_>),
    ) -> Result<Evidence, Error> {
        let mut checks = vec![
            Check::reported("em.log-likelihood", "log-likelihood", model.log_likelihood),
            Check::reported("em.bic", "BIC (larger is better)", model.bic),
            Check::reported(
                "em.outliers",
                "rows set aside as outliers",
                model.set_aside as f64,
            ),
            Check::reported(
                "em.repeated-rows",
                "rows that repeat another one (share)",
                self.sample.repeated(),
            ),
            Check::reported(
                "em.rows-that-count",
                "rows that count in the choice, copies once",
                self.sample.effective(),
            ),
        ];
        let mut gain = 0.0;
        if !*stopped {
            let mut decide = self.tests(model, found, &mut gain)?;
            let mut draw = |n: usize, rng: &mut ChaCha8Rng| Ok(model.mixture.sample(n, rng));
            let mut own = ChaCha8Rng::seed_from_u64(rng.next_u64());
            let sample = (&self.sample.rows[..], self.sample.dim);
            if self.em.tested {
                match follows(sample, (&KEYS, &TERMS), &mut draw, &mut own, observer) {
                    Err(Error::Stopped { .. }) => *stopped = true,
                    other => decide.extend(other?),
                }
            }
            decide.append(&mut checks);
            checks = decide;
        }
        Ok(Evidence {
            rel_residual: gain.abs() / model.log_likelihood.abs().max(1.0),
            condition: worst_condition(&found.climb.mixture)?,
            checks,
        })
    }

    /// The checks that decide.
    fn tests(&self, model: &EmModel, found: &Found, gain: &mut f64) -> Result<Vec<Check>, Error> {
        let (view, here) = (self.view(model.kind), &found.climb.mixture);
        let s = statistics(&view.rows, here, model.kind.scatter());
        let next = s.update(here, model.kind, &view.floor)?;
        *gain = next.mixture.log_likelihood(&view.rows) - s.log_likelihood;
        let support = found
            .support
            .unwrap_or_else(|| Support::of(&view.rows, &self.sample.shares, here, model.kind));
        // A fit that the floor of the covariances holds up is no maximum that others must reach.
        let sound = model.table.iter().filter(|r| r.sound);
        let entries: Vec<TableEntry> = sound.map(EmRow::entry).collect();
        let broken = broken_nestings(&entries, AUDIT_SLACK).len();
        let again = model.mixture.log_likelihood(&self.sample.rows);
        let cut = self.em.least < self.em.most && model.mixture.len() == self.em.most;
        let mut checks = vec![
            Check::conditioning(
                "em.floor",
                "a covariance as thin as the digits of the columns",
                f64::from(u8::from(next.floored)),
                0.0,
            ),
            Check::conditioning(
                "em.rows-of-component",
                "different rows that a component needs over those of the poorest",
                support.need,
                ALLOWED_NEED,
            ),
        ];
        if support.chance.is_finite() {
            checks.push(Check::conditioning(
                "em.chance-component",
                "logarithm of the number of components as narrow as the narrowest of few rows, by chance",
                support.chance,
                0.0,
            ));
        }
        checks.extend([
            Check::conditioning(
                "em.digits",
                "log-likelihood changed by writing the model in the columns (nats)",
                (again - model.log_likelihood).abs(),
                SAME.0 + SAME.1 * model.log_likelihood.abs(),
            ),
            Check::conditioning(
                "em.boundary",
                "at the boundary: a covariance at its floor or a component with too few rows",
                f64::from(u8::from(found.reason.is_some() && found.climb.settled)),
                0.0,
            ),
            Check::accuracy(
                "em.gain-of-sweep",
                "log-likelihood gained by one more sweep (nats)",
                *gain,
                10.0 * self.em.tol,
            ),
            Check::search(
                "em.broken-nestings",
                "broken nestings among the sound fits of the table",
                broken as f64,
                0.0,
            ),
            Check::search(
                "em.most-components",
                "best at the largest number of components tried: more may be better",
                f64::from(u8::from(cut)),
                0.0,
            ),
            Check::reported(
                "em.smallest-component",
                "rows in the smallest component",
                support.smallest,
            ),
        ]);
        Ok(checks)
    }
}

/// Largest condition number among the covariances.
fn worst_condition(m: &GaussianMixture) -> Result<f64, Error> {
    let dim = m.dim();
    let mut worst = 1.0f64;
    for c in m.components() {
        let sigma = Mat::from_fn(dim, dim, |a, b| c.covariance[a * dim + b]);
        let values = linalg::symmetric_eigen(OP, sigma.as_ref())?.values;
        worst = worst.max(values[dim - 1] / values[0]);
    }
    Ok(worst)
}
