//! Rounds of discovery: find a subspace, find neurons in it, descend in the full space, look at what is left.

use super::absolute_values::Kinks;
use super::levenberg_marquardt::{Landing, descend};
use super::merge::reduced;
use crate::Error;
use crate::learn::relu::directions::search::{
    Search, by_chance, from_net, greedy, linear_fit, random_starts,
};
use crate::learn::relu::directions::subspace::{Span, span, widened};
use crate::learn::relu::sample::{Sample, mean_square};
use crate::learn::relu::structure;
use crate::run::{Observer, Progress};
use faer::Mat;
use rand::Rng;

/// How neurons are found.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::learn::relu::{ReluLearner, Strategy};
/// use wickring::planted::relu::{Story, draw};
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let truth = Story::Separated.plant(2, 1, &mut rng)?;
/// let (x, y) = draw(&truth, 100, 0.0, &mut rng)?;
/// let baseline = ReluLearner::new().neurons(1).strategy(Strategy::RandomStarts(4));
/// let fit = baseline.learn(x.as_ref(), &y, &mut rng)?;
/// assert!(fit.model.report.held_out.relative_error < 1e-12);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// Label transforms for the subspace, then dipoles, nets and chance inside it.
    Full,
    /// The paper's own moments only, `M_2` and contractions `M_4(g)`, `M_6(g)`, for the subspace; the rest as
    /// [`Strategy::Full`]. Neurons whose low moments cancel are out of its reach.
    Correlational,
    /// Baseline: this many random starts in all dimensions, the best kept.
    RandomStarts(usize),
    /// Baseline: this many random starts in the subspace of the label transforms, the best polished.
    SubspaceStarts(usize),
}

/// The best network found and the errors on the way.
pub(in crate::learn::relu) struct Found {
    pub landing: Landing,
    /// Mean square of the residual: of the linear fit, then after each round.
    pub history: Vec<f64>,
    pub stopped: bool,
    pub starts: usize,
    pub sweeps: usize,
}

impl Found {
    fn offer(&mut self, landed: Landing, sample: &Sample, search: Search) {
        self.starts += 1;
        self.sweeps += landed.sweeps;
        if search.price(&landed, sample) < search.price(&self.landing, sample) {
            self.landing = landed;
        }
    }

    /// Descends from each start until one is exact.
    fn try_all(&mut self, train: &Sample, starts: Vec<Kinks>, search: Search) {
        for start in starts {
            let landed = reduced(train, polish(train, start, search), search);
            self.offer(landed, train, search);
            if self.landing.mse <= search.enough * mean_square(&train.y) {
                break;
            }
        }
    }
}

/// Greatest number of rounds: past the third nothing new was ever found on planted networks.
const ROUNDS: usize = 4;
/// Samples that a low-dimensional search looks at.
const SEARCHED: usize = 6000;
/// Share of the targets' mean square below which nothing is left to find.
pub(in crate::learn::relu) const EXACT: f64 = 1e-24;

/// Finds at most `search.limit` neurons.
pub(in crate::learn::relu) fn discover(
    train: &Sample,
    search: Search,
    strategy: Strategy,
    rng: &mut impl Rng,
    observe: Observer<'_>,
) -> Result<Found, Error> {
    let landing = descend(train, &linear_fit(train), search.descent(0));
    let history = vec![landing.mse];
    let mut found = Found {
        landing,
        history,
        stopped: false,
        starts: 0,
        sweeps: 0,
    };
    let enough = search.enough * mean_square(&train.y);
    if search.limit == 0 || found.landing.mse <= enough {
        return Ok(found);
    }
    match strategy {
        Strategy::RandomStarts(starts) => random_starts(train, search, starts, rng, |landed| {
            found.offer(landed, train, search);
            found.history.push(found.landing.mse);
            let step = Progress::of("random starts", found.starts as u64, starts as u64);
            found.stopped = observe(&step.with_figure(found.landing.mse)).is_break();
            found.stopped || found.landing.mse <= enough
        }),
        Strategy::SubspaceStarts(starts) => {
            let linear = &found.landing.kinks;
            let spanned = span_of(train, linear.forward(train).residual, false, rng)?;
            let room = Room::spanned(train, linear, &spanned, search, false);
            for landed in by_chance(&room.low, search, starts, rng) {
                let start = room.lifted(&landed.kinks);
                found.offer(polish(train, start, search), train, search);
            }
            found.history.push(found.landing.mse);
        }
        Strategy::Full | Strategy::Correlational => {
            let correlational = strategy == Strategy::Correlational;
            rounds(train, search, correlational, rng, observe, &mut found)?;
            widened_search(train, search, correlational, rng, observe, &mut found)?;
        }
    }
    Ok(found)
}

/// Rounds from the start again with the greatest number of neurons, where fewer have left something.
///
/// The rounds before are not gone on from: neurons too few for what is there stand between those that are, and
/// the span of the labels is cleaner than that of what they leave.
fn widened_search(
    train: &Sample,
    search: Search,
    correlational: bool,
    rng: &mut impl Rng,
    observe: Observer<'_>,
    found: &mut Found,
) -> Result<(), Error> {
    let done = search.widest <= search.limit || found.stopped;
    if done
        || found.landing.mse <= search.enough * mean_square(&train.y)
        || !something_left(train, &found.landing.kinks)?
    {
        return Ok(());
    }
    let search = search.up_to(search.widest);
    let linear = descend(train, &linear_fit(train), search.descent(0));
    let few = std::mem::replace(&mut found.landing, linear);
    rounds(train, search, correlational, rng, observe, found)?;
    found.offer(few, train, search);
    Ok(())
}

fn rounds(
    train: &Sample,
    search: Search,
    correlational: bool,
    rng: &mut impl Rng,
    observe: Observer<'_>,
    found: &mut Found,
) -> Result<(), Error> {
    let enough = search.enough * mean_square(&train.y);
    let wide = search.up_to(search.limit + 2);
    let mut spare: Vec<Kinks> = Vec::new();
    for round in 0..ROUNDS {
        let step = Progress::of("rounds", round as u64, ROUNDS as u64);
        found.stopped = observe(&step.with_figure(found.landing.mse)).is_break();
        if found.stopped {
            break;
        }
        let kinks = found.landing.kinks.clone();
        let residual = kinks.forward(train).residual;
        let spanned = span_of(train, residual, correlational, rng)?;
        let room = if kinks.len() == 0 {
            Room::spanned(train, &kinks, &spanned, search, round > 0)
        } else {
            Room::next(train, &kinks, &spanned, search)?
        };
        // Each search is dearer than the one before it and comes only after the cheaper ones have failed.
        if round == 0 && spanned.rank_by_gap().is_some() {
            // A crowd of neurons in few directions is easily found there and hardly among directions of noise.
            let few = Room::spanned(train, &kinks, &spanned, search, true);
            spare.extend(few.pursue(train, wide, search, rng, found));
        }
        if found.landing.mse > enough {
            spare.extend(room.pursue(train, wide, search, rng, found));
        }
        if found.landing.mse > enough && round > 0 {
            deeper(train, search, (&room, &spanned), round, rng, found);
        }
        // Cancelling neurons may hide from every test: only after two rounds does silence mean absence.
        let silence_counts = round > 0 || found.landing.kinks.len() > 0;
        let explained = found.landing.mse <= enough
            || (silence_counts && !something_left(train, &found.landing.kinks)?);
        if !explained {
            // Networks with many more neurons are dear to descend: another round may find fewer.
            let most = if round == 0 {
                found.landing.kinks.len() + 2
            } else {
                usize::MAX
            };
            let (now, later) = spare.into_iter().partition(|s| s.len() <= most);
            spare = later;
            found.try_all(train, now, search);
        }
        found.history.push(found.landing.mse);
        // Where as many as may be are too few, more rounds are for a search with more.
        let crowded = search.open && found.landing.kinks.len() >= search.limit;
        if explained || crowded || found.landing.mse <= enough {
            break;
        }
    }
    Ok(())
}

/// The dearer searches of a later round, each only after those before it have failed.
fn deeper(
    train: &Sample,
    search: Search,
    (room, spanned): (&Room, &Span),
    round: usize,
    rng: &mut impl Rng,
    found: &mut Found,
) {
    let enough = search.enough * mean_square(&train.y);
    if found.landing.kinks.len() > 0 {
        let kinks = found.landing.kinks.clone();
        let starts = beside(train, &kinks, spanned, search, rng);
        found.try_all(train, starts, search);
    }
    if found.landing.mse > enough
        && let Some(landed) = from_net(&room.low, search, rng)
    {
        let start = room.lifted(&landed.kinks);
        found.offer(polish(train, start, search), train, search);
    }
    if found.landing.mse > enough && round > 1 {
        for landed in by_chance(&room.low, search, 8, rng) {
            let start = room.lifted(&landed.kinks);
            found.offer(polish(train, start, search), train, search);
        }
    }
}

/// A network together with neurons for what it leaves, found in the residual alone.
///
/// The descent has ended, so the residual holds nothing that turns and lengths of the neurons found explain: a
/// strong one no longer drowns a crowd of weak ones, and the crowd's own directions lead its spectrum. The joint
/// descent then rights both.
fn beside(
    train: &Sample,
    kinks: &Kinks,
    spanned: &Span,
    search: Search,
    rng: &mut impl Rng,
) -> Vec<Kinks> {
    let room = search.limit.saturating_sub(kinks.len());
    if room == 0 {
        return Vec::new();
    }
    let inner = Search {
        limit: room,
        ..search
    };
    let (d, full) = (train.dim(), (train.dim(), train.len()));
    let seen = train.range(0, train.len().min(SEARCHED));
    let rest = kinks.forward(&seen).residual;
    let most = spanned.rank().min(room).min(d).max(1);
    let mut ranks = vec![
        spanned.rank_by_gap().unwrap_or(2).min(most),
        2.min(most),
        most,
    ];
    ranks.dedup();
    let mut starts = Vec::new();
    for r in ranks {
        let basis = spanned.first(r);
        let low = seen.project(basis, rest.clone());
        let mut landed = greedy(&low, inner, full, rng);
        landed.extend(from_net(&low, inner, rng));
        for more in landed.iter().filter(|l| l.kinks.len() > 0) {
            let up = more.kinks.lift(basis, &kinks.linear);
            let neurons: Vec<(Vec<f64>, f64)> = (0..up.len())
                .map(|i| (up.weight(i).to_vec(), up.signs[i]))
                .collect();
            let mut joint = kinks.with(&neurons);
            joint.linear = up.linear;
            starts.push(joint);
        }
    }
    starts
}

/// Whether the residual depends on the inputs as far as the tests can see.
fn something_left(train: &Sample, kinks: &Kinks) -> Result<bool, Error> {
    structure::visible(train, &kinks.forward(train).residual)
}

/// Descends in the full space, on a part of the samples first.
fn polish(train: &Sample, start: Kinks, search: Search) -> Landing {
    let parameters = (train.dim() + 1) * (start.len() + 1);
    let few = train.len().min(8 * parameters);
    let first = if few < train.len() {
        descend(&train.range(0, few), &start, search.descent(40)).kinks
    } else {
        start
    };
    descend(train, &first, search.descent(40))
}

/// A subspace, the sample seen in it, and the linear part that stays outside.
struct Room {
    basis: Mat<f64>,
    outside: Vec<f64>,
    low: Sample,
}

impl Room {
    /// The span of the label transforms; only its leading directions when there is a `gap` and it is asked for.
    fn spanned(train: &Sample, kinks: &Kinks, spanned: &Span, search: Search, gap: bool) -> Self {
        let all = spanned.rank().clamp(1, search.limit.min(train.dim()));
        let r = spanned.rank_by_gap().filter(|_| gap).unwrap_or(all);
        Self::new(train, kinks, spanned.first(r).to_owned())
    }

    /// The span of the neurons found and of the residual.
    fn next(train: &Sample, kinks: &Kinks, spanned: &Span, search: Search) -> Result<Self, Error> {
        let basis = widened(kinks, spanned, search.limit + 1)?;
        Ok(Self::new(train, kinks, basis))
    }

    fn new(train: &Sample, kinks: &Kinks, basis: Mat<f64>) -> Self {
        let d = train.dim();
        let mut outside = kinks.linear[..d].to_vec();
        for j in 0..basis.ncols() {
            let along: f64 = (0..d).map(|i| basis[(i, j)] * kinks.linear[i]).sum();
            (0..d).for_each(|i| outside[i] -= along * basis[(i, j)]);
        }
        outside.push(0.0);
        let seen = train.range(0, train.len().min(SEARCHED));
        let y = Kinks::linear(outside.clone()).forward(&seen).residual;
        let low = seen.project(basis.as_ref(), y);
        Self {
            basis,
            outside,
            low,
        }
    }

    /// The greedy search and a descent of its first network in the full space; its other networks are returned,
    /// for the case that this one leaves something.
    fn pursue(
        &self,
        train: &Sample,
        wide: Search,
        search: Search,
        rng: &mut impl Rng,
        found: &mut Found,
    ) -> Vec<Kinks> {
        let full = (train.dim(), train.len());
        let mut starts: Vec<Kinks> = greedy(&self.low, wide, full, rng)
            .iter()
            .map(|l| self.lifted(&l.kinks))
            .collect();
        let others = starts.split_off(1.min(starts.len()));
        found.try_all(train, starts, search);
        others
    }

    /// A network found here as one in the full space.
    fn lifted(&self, low: &Kinks) -> Kinks {
        low.lift(self.basis.as_ref(), &self.outside)
    }
}

fn span_of(
    train: &Sample,
    labels: Vec<f64>,
    correlational: bool,
    rng: &mut impl Rng,
) -> Result<Span, Error> {
    let labelled = Sample {
        x: train.x.clone(),
        y: labels,
    };
    span(&labelled, correlational, rng)
}
