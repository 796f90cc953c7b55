//! Finding neurons in a low-dimensional space, three ways: greedily with dipoles, from a net, by chance.
//!
//! Everything here works on a sample projected to a few dimensions, where a descent costs milliseconds.

use crate::learn::relu::fit::absolute_values::Kinks;
use crate::learn::relu::fit::levenberg_marquardt::{Descent, Landing, descend};
use crate::learn::relu::sample::{Sample, mean_square};
use crate::linalg::{cholesky_solve, norm2};
use faer::Mat;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// Scales at which a nearly cancelling pair is split: half the angle between its two neurons.
const DIPOLE_SCALES: [f64; 3] = [0.4, 0.1, 0.02];

/// What every search needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search {
    /// Greatest number of neurons.
    pub limit: usize,
    /// Greatest number once something is left by that many.
    pub widest: usize,
    /// Whether the number is left open, so that as many as may be are a sign of too few.
    pub open: bool,
    /// Share of the mean square of the targets below which a descent ends.
    pub exact: f64,
    /// Share below which nothing is left to find: what remains is rounding.
    pub enough: f64,
    /// Whether neurons have offsets.
    pub offsets: bool,
}

impl Search {
    /// The same for another number of neurons.
    pub fn up_to(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// A descent of at most `sweeps` steps.
    pub fn descent(&self, sweeps: usize) -> Descent {
        Descent {
            sweeps,
            exact: self.exact,
            gain: 1e-6,
            offsets: self.offsets,
        }
    }

    /// The same, ended where a step gains less than a thousandth: to compare starts that are refined later.
    pub fn sketch(&self, sweeps: usize) -> Descent {
        Descent {
            gain: 1e-3,
            ..self.descent(sweeps)
        }
    }

    /// What a network costs: log of the error and three nats per parameter and sample, so that a neuron must
    /// explain clearly more than the noise that its parameters would fit by chance. Smaller is better.
    pub fn price(&self, landing: &Landing, sample: &Sample) -> f64 {
        self.price_in(landing, sample, (sample.dim(), sample.len()))
    }

    /// The same for a network that will be fitted in `d` dimensions to `n` samples.
    fn price_in(&self, landing: &Landing, sample: &Sample, (d, n): (usize, usize)) -> f64 {
        let parameters = d + 1 + landing.kinks.len() * d;
        // Well below the level of rounding errors do not compare.
        let floor = 0.1 * self.enough * mean_square(&sample.y);
        (landing.mse + floor).max(f64::MIN_POSITIVE).ln() + 3.0 * parameters as f64 / n as f64
    }
}

/// Samples on which the first steps from many starts are compared.
const SCREENED: usize = 2000;

/// Unit directions: an even fan for two dimensions, random ones otherwise.
fn net(r: usize, m: usize, rng: &mut impl Rng) -> Mat<f64> {
    if r == 1 {
        return Mat::from_fn(1, 1, |_, _| 1.0);
    }
    if r == 2 {
        let angle = |j: usize| std::f64::consts::PI * (j as f64 + 0.5) / m as f64;
        return Mat::from_fn(2, m, |i, j| {
            if i == 0 {
                angle(j).cos()
            } else {
                angle(j).sin()
            }
        });
    }
    let mut c = Mat::from_fn(r, m, |_, _| rng.sample::<f64, _>(StandardNormal));
    for j in 0..m {
        let column = c.col_as_slice_mut(j);
        let norm = norm2(column).max(f64::MIN_POSITIVE);
        column.iter_mut().for_each(|x| *x /= norm);
    }
    c
}

/// The best linear function: the start of every search.
pub(crate) fn linear_fit(sample: &Sample) -> Kinks {
    let zero = Kinks::linear(vec![0.0; sample.x.nrows()]);
    let plan = Descent {
        sweeps: 4,
        exact: 0.0,
        gain: 1e-9,
        offsets: false,
    };
    descend(sample, &zero, plan).kinks
}

/// A direction and the block `v` for which `sgn(<c,z>) <v,z>` explains most of the residual.
struct Atom {
    direction: Vec<f64>,
    block: Vec<f64>,
}

/// The best atoms at directions that are not close to each other.
///
/// The Gram matrix of the block `sgn(<c,z>) z` is that of `z` because the sign squares to one; the part
/// along the constant is taken out with its Gaussian value `E sgn(<c,z>) z = sqrt(2/pi) c`.
fn best_atoms(sample: &Sample, residual: &[f64], directions: &Mat<f64>, count: usize) -> Vec<Atom> {
    let (r, m, n) = (sample.dim(), directions.ncols(), sample.len());
    let mut b = Mat::<f64>::zeros(r, m);
    sample.sum_chunks(
        |x, from, _| {
            let z = x.subrows(0, r);
            let mut s = z.transpose() * directions;
            for j in 0..m {
                let column = s.col_as_slice_mut(j);
                for (v, e) in column.iter_mut().zip(&residual[from..]) {
                    *v = if *v < 0.0 { -e } else { *e };
                }
            }
            z * s
        },
        |part| b += part,
    );
    let along = (2.0 / std::f64::consts::PI) / (1.0 - 2.0 / std::f64::consts::PI);
    let atom = |j: usize| -> (f64, Vec<f64>) {
        let (b, c) = (b.col_as_slice(j), directions.col_as_slice(j));
        let bc = crate::learn::relu::network::dot(b, c);
        let v: Vec<f64> = b
            .iter()
            .zip(c)
            .map(|(b, c)| (b + along * bc * c) / n as f64)
            .collect();
        (crate::learn::relu::network::dot(b, &v), v)
    };
    let mut scored: Vec<(f64, usize, Vec<f64>)> = (0..m)
        .map(|j| {
            let (score, v) = atom(j);
            (score, j, v)
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut chosen: Vec<Atom> = Vec::new();
    for (_, j, block) in scored {
        let direction = directions.col_as_slice(j).to_vec();
        let far =
            |a: &Atom| crate::learn::relu::network::dot(&a.direction, &direction).abs() < 0.97;
        if chosen.iter().all(far) {
            chosen.push(Atom { direction, block });
        }
        if chosen.len() == count {
            break;
        }
    }
    chosen
}

/// The neurons that an atom stands for: one (a monopole), and, when the block has a part across the
/// direction, a dipole at several scales.
fn readings(atom: &Atom, room: usize) -> Vec<Vec<(Vec<f64>, f64)>> {
    let c = &atom.direction;
    let along = crate::learn::relu::network::dot(&atom.block, c);
    let across: Vec<f64> = atom
        .block
        .iter()
        .zip(c)
        .map(|(v, c)| v - along * c)
        .collect();
    let size = norm2(&across);
    let neuron = |v: Vec<f64>, sign: f64| {
        let mut v = v;
        v.push(0.0);
        (v, sign)
    };
    let mut out = Vec::new();
    if along.abs() > 1e-12 {
        let a = c.iter().map(|x| x * along.abs()).collect();
        out.push(vec![neuron(a, along.signum())]);
    }
    if size > 0.3 * along.abs() && room >= 2 && size > 0.0 {
        for scale in DIPOLE_SCALES {
            let amplitude = size / (2.0 * scale);
            let side = |s: f64| -> Vec<f64> {
                c.iter()
                    .zip(&across)
                    .map(|(c, t)| amplitude * (c + s * scale * t / size))
                    .collect()
            };
            out.push(vec![neuron(side(1.0), 1.0), neuron(side(-1.0), -1.0)]);
        }
    }
    out
}

/// Adds the atom that helps most, again and again; returns the cheapest networks on the way: by the price in
/// `full` dimensions and samples, and, where it is another one, by the price in the few dimensions of `sample`.
///
/// The first is the better guess when the few dimensions are the right ones up to a rotation: there more neurons
/// go on explaining what the rotation leaves, at next to no price.
pub(crate) fn greedy(
    sample: &Sample,
    search: Search,
    full: (usize, usize),
    rng: &mut impl Rng,
) -> Vec<Landing> {
    let r = sample.dim();
    let directions = net(r, if r == 2 { 360 } else { 600 }, rng);
    let screen = sample.range(0, sample.len().min(SCREENED));
    let start = linear_fit(sample);
    let mut at = descend(sample, &start, search.descent(0));
    let (mut best, mut thrifty) = (at.clone(), at.clone());
    let mut idle = 0;
    let enough = search.enough * mean_square(&sample.y);
    while at.kinks.len() < search.limit && at.mse > enough && idle < 2 {
        let residual = at.kinks.forward(sample).residual;
        let room = search.limit - at.kinks.len();
        let starts = best_atoms(sample, &residual, &directions, 3)
            .iter()
            .flat_map(|atom| readings(atom, room))
            .map(|more| at.kinks.with(&more))
            .collect();
        let Some(landed) = winner(sample, &screen, starts, search) else {
            break;
        };
        at = landed;
        if search.price_in(&at, sample, full) < search.price_in(&thrifty, sample, full) {
            thrifty = at.clone();
        }
        if search.price(&at, sample) < search.price(&best, sample) {
            idle = 0;
            best = at.clone();
        } else {
            idle += 1;
        }
    }
    if thrifty.kinks.len() == best.kinks.len() || thrifty.kinks.len() == 0 {
        vec![best]
    } else {
        vec![thrifty, best]
    }
}

/// The start that leads to the cheapest network, by successive halving: a few steps of all on some samples,
/// more of the better ones, the last two on all samples.
fn winner(sample: &Sample, screen: &Sample, starts: Vec<Kinks>, search: Search) -> Option<Landing> {
    let mut field = starts;
    for (steps, kept) in [(3, 4), (4, 2)] {
        let mut tried: Vec<Landing> = field
            .iter()
            .map(|start| descend(screen, start, search.sketch(steps)))
            .collect();
        tried.sort_by(|a, b| search.price(a, screen).total_cmp(&search.price(b, screen)));
        tried.truncate(kept);
        field = tried.into_iter().map(|l| l.kinks).collect();
    }
    field
        .iter()
        .map(|start| descend(sample, start, search.sketch(20)))
        .min_by(|a, b| search.price(a, sample).total_cmp(&search.price(b, sample)))
}

/// Ridge regression on a net of neurons; the smoothed density's separated extrema start a descent.
///
/// Needed where many neurons share a low-dimensional span and no single one helps much.
pub(crate) fn from_net(sample: &Sample, search: Search, rng: &mut impl Rng) -> Option<Landing> {
    let (r, n) = (sample.dim(), sample.len());
    if r < 2 {
        return None;
    }
    let m = 400;
    let directions = net(r, m, rng);
    let rows = r + 1;
    let mut gram = Mat::<f64>::zeros(rows + m, rows + m);
    let mut right = Mat::<f64>::zeros(rows + m, 1);
    sample.sum_chunks(
        |x, from, to| {
            let p = directions.transpose() * x.subrows(0, r);
            let f = Mat::from_fn(rows + m, to - from, |i, j| {
                if i < rows {
                    x[(i, j)]
                } else {
                    p[(i - rows, j)].abs()
                }
            });
            let y = Mat::from_fn(to - from, 1, |j, _| sample.y[from + j]);
            (&f * f.transpose(), &f * y)
        },
        |(g, b)| {
            gram += g;
            right += b;
        },
    );
    let mut best: Option<Landing> = None;
    for ridge in [1e-3, 1e-4, 1e-5] {
        let mut g = gram.clone();
        for i in 0..rows + m {
            g[(i, i)] += n as f64 * if i < rows { 1e-9 } else { ridge };
        }
        let Some(c) = cholesky_solve(g.as_ref(), right.as_ref()) else {
            continue;
        };
        let start = extrema(&directions, &c, rows, search.limit);
        let first = descend(sample, &start, search.descent(40));
        let cost = |l: &Landing| search.price(l, sample);
        if best.as_ref().is_none_or(|b| cost(&first) < cost(b)) {
            best = Some(first);
        }
    }
    best
}

/// Neurons at the separated extrema of the smoothed signed density on the net.
fn extrema(directions: &Mat<f64>, c: &Mat<f64>, rows: usize, limit: usize) -> Kinks {
    let m = directions.ncols();
    let cosines = directions.transpose() * directions;
    let near = |i: usize, j: usize| (-(1.0 - cosines[(i, j)].powi(2)) / 0.02).exp();
    let density: Vec<f64> = (0..m)
        .map(|i| (0..m).map(|j| near(i, j) * c[(rows + j, 0)]).sum())
        .collect();
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&a, &b| {
        density[b]
            .abs()
            .total_cmp(&density[a].abs())
            .then(a.cmp(&b))
    });
    let mut used = vec![false; m];
    let mut neurons = Vec::new();
    for j in order {
        if used[j] || neurons.len() == limit {
            continue;
        }
        for (i, u) in used.iter_mut().enumerate() {
            *u |= cosines[(i, j)].abs() > 0.3f64.cos();
        }
        let mut a: Vec<f64> = directions
            .col_as_slice(j)
            .iter()
            .map(|x| x * density[j].abs())
            .collect();
        a.push(0.0);
        neurons.push((a, density[j].signum()));
    }
    let linear = (0..rows).map(|i| c[(i, 0)]).collect();
    Kinks::linear(linear).with(&neurons)
}

/// Random neurons of the size of the targets, around the best linear function.
fn at_random(sample: &Sample, linear: &Kinks, search: Search, rng: &mut impl Rng) -> Kinks {
    let r = sample.dim();
    let size = mean_square(&sample.y).sqrt();
    let neurons: Vec<(Vec<f64>, f64)> = (0..search.limit)
        .map(|_| {
            let mut a: Vec<f64> = (0..r).map(|_| rng.sample(StandardNormal)).collect();
            let norm = norm2(&a).max(f64::MIN_POSITIVE);
            a.iter_mut().for_each(|x| *x *= size / norm);
            a.push(0.0);
            (a, if rng.random_bool(0.5) { 1.0 } else { -1.0 })
        })
        .collect();
    linear.with(&neurons)
}

/// Random starts with `limit` neurons: short descents of all, long ones of the best two.
pub(crate) fn by_chance(
    sample: &Sample,
    search: Search,
    starts: usize,
    rng: &mut impl Rng,
) -> Vec<Landing> {
    let linear = linear_fit(sample);
    let mut tried: Vec<Landing> = (0..starts)
        .map(|_| {
            let start = at_random(sample, &linear, search, rng);
            descend(sample, &start, search.descent(10))
        })
        .collect();
    tried.sort_by(|a, b| a.mse.total_cmp(&b.mse));
    tried.truncate(2);
    tried
        .iter()
        .map(|l| descend(sample, &l.kinks, search.descent(40)))
        .collect()
}

/// Random starts, each descended for 40 steps and handed to `done`, until `done` answers true.
pub(crate) fn random_starts(
    sample: &Sample,
    search: Search,
    starts: usize,
    rng: &mut impl Rng,
    mut done: impl FnMut(Landing) -> bool,
) {
    let linear = linear_fit(sample);
    for _ in 0..starts {
        let start = at_random(sample, &linear, search, rng);
        if done(descend(sample, &start, search.descent(40))) {
            return;
        }
    }
}
