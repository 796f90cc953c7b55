//! Starts of the descent on the empirical risk.

use super::activation::PolynomialActivation;
use super::learner::Coefficients;
use super::regression::HermiteFit;
use super::risk::Risk;
use super::sample::{Sample, low_degrees};
use super::search::{Found, Task, finish};
use super::watch::Watch;
use crate::Error;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Most features that are projected off the targets.
const MOST_LOW: usize = 2500;

/// Descent on the risk of the top degree where the lower ones can be projected off, else of the network.
pub(super) struct Descents<'a> {
    task: &'a Task<'a>,
    train: &'a Sample,
    aside: &'a Sample,
    /// The training sample off the lower degrees, and the top power: `None` where they stay.
    projected: Option<(Sample, PolynomialActivation)>,
}

impl<'a> Descents<'a> {
    /// The sample that the descents look at.
    pub fn prepared(
        task: &'a Task<'a>,
        train: &'a Sample,
        aside: &'a Sample,
    ) -> Result<Self, Error> {
        let (n, d, m) = (train.len(), train.dim(), task.sigma.degree());
        let low = low_degrees(task.sigma);
        let p = HermiteFit::features(d, &low);
        let fits = (p + task.neurons * d) as f64 <= 0.85 * n as f64;
        let projected = if m >= 3 && p <= MOST_LOW && fits {
            let mut top = vec![0.0; m];
            top.push(task.sigma.leading());
            let inner = Sample::new(train.x.clone(), train.y.clone(), &low)?;
            Some((inner, PolynomialActivation::new(top)?))
        } else {
            None
        };
        Ok(Self {
            task,
            train,
            aside,
            projected,
        })
    }

    /// The best of the starts that were asked for; the first exact one ends them.
    pub fn first(&self, rng: &mut impl Rng, watch: &mut Watch<'_>) -> Found {
        let mut best = Found::nothing(self.task, self.train);
        let (mut evaluations, mut starts) = (0, 0);
        for k in 0..self.task.starts {
            let found = self.start(k, rng, watch);
            starts += 1;
            evaluations += found.evaluations;
            if k == 0 || found.held_out < best.held_out {
                best = found;
            }
            if best.exact() || watch.stopped {
                break;
            }
        }
        (best.evaluations, best.starts) = (evaluations, starts);
        best
    }

    /// One start, polished.
    pub fn start(&self, k: usize, rng: &mut impl Rng, watch: &mut Watch<'_>) -> Found {
        let (task, r, m) = (self.task, self.task.neurons, self.task.sigma.degree());
        let (sample, phi) = match &self.projected {
            Some((sample, top)) => (sample, top),
            None => (self.train, task.sigma),
        };
        let risk = Risk { sample, phi };
        let signs = start_signs(k, r, m, task.coefficients);
        let mut normal = || StandardNormal.sample(rng);
        let mut point = risk.small_start(r, &signs, &mut normal);
        let mut step = 0;
        let trace = risk.descend(&mut point, task.iterations, &mut |error| {
            step += 1;
            watch.stops("descent", step, task.iterations, error.sqrt())
        });
        let seen = (self.train, self.aside);
        let mut found = finish(task, point, self.projected.is_some(), seen, watch);
        found.evaluations += trace.evaluations;
        found.history.splice(0..0, trace.errors);
        found
    }
}

/// Signs of the components of a start: an even power has them, and only free coefficients may be negative.
fn start_signs(k: usize, r: usize, m: usize, coefficients: Coefficients) -> Vec<f64> {
    let mixed = m.is_multiple_of(2) && coefficients == Coefficients::Free;
    let sign = |i: usize| match k % 3 {
        0 if mixed => [1.0, -1.0][i % 2],
        1 if mixed => -1.0,
        _ => 1.0,
    };
    (0..r).map(sign).collect()
}
