//! `wickring bench`: the same data through this program and through a peer, in one run.

mod clock;
mod cp;
mod mixture;
mod peer;
mod poly;
mod ring;
mod table;

use crate::context::{Context, Outcome};
use clap::{Args, ValueEnum};
use peer::Worker;
use serde_json::Value;
use std::path::{Path, PathBuf};
use table::{Row, Skipped, Table};
use wickring::Error;

/// Times beside those of other programs: the same data and seeds, processor time, alternating in one run.
///
/// Peers are Python packages, looked for with the interpreter that WICKRING_PYTHON names, else python3; one that is not
/// there is skipped by name, with what to install. Both sides use --threads threads (by default one). Answers are compared:
/// exact ones must agree, others are judged by what they reach. A ratio above 1 means that wickring was faster. About a minute
/// for everything. Exit 1 if an exact answer differs, 3 if nothing could be compared.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wickring bench --area poly --against flint\n  \
    WICKRING_PYTHON=.venv/bin/python wickring bench --seed 7 --json")]
pub struct Bench {
    /// Compare with this peer only.
    #[arg(long, value_enum)]
    against: Option<Peer>,
    /// Compare in this area only.
    #[arg(long, value_enum)]
    area: Option<Area>,
}

/// Programs to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// FLINT, exact polynomials, by python-flint.
    Flint,
    /// TensorLy: CP and tensor rings.
    Tensorly,
    /// The Python tensor toolbox: CP.
    Pyttb,
    /// scikit-learn: mixtures of Gaussians.
    Sklearn,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Area {
    /// Exact polynomials: products, quotients, common divisors, factors.
    Poly,
    /// Canonical polyadic decompositions.
    Cp,
    /// Tensor rings.
    Ring,
    /// Mixtures of Gaussians by maximum likelihood.
    Mixture,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::Flint => "flint",
            Self::Tensorly => "tensorly",
            Self::Pyttb => "pyttb",
            Self::Sklearn => "sklearn",
        }
    }

    /// What `pip install` calls it.
    fn package(self) -> &'static str {
        match self {
            Self::Flint => "python-flint",
            Self::Sklearn => "scikit-learn",
            other => other.name(),
        }
    }
}

impl Area {
    const ALL: [Self; 4] = [Self::Poly, Self::Cp, Self::Ring, Self::Mixture];

    fn name(self) -> &'static str {
        match self {
            Self::Poly => "poly",
            Self::Cp => "cp",
            Self::Ring => "ring",
            Self::Mixture => "mixture",
        }
    }

    fn peers(self) -> &'static [Peer] {
        match self {
            Self::Poly => &[Peer::Flint],
            Self::Cp => &[Peer::Tensorly, Peer::Pyttb],
            Self::Ring => &[Peer::Tensorly],
            Self::Mixture => &[Peer::Sklearn],
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Poly => include_str!("peers/polynomials.py"),
            Self::Cp | Self::Ring => include_str!("peers/tensors.py"),
            Self::Mixture => include_str!("peers/mixtures.py"),
        }
    }

    fn cases(self, folder: &Path, seed: u64) -> Result<Vec<Case>, Error> {
        match self {
            Self::Poly => poly::cases(folder, seed),
            Self::Cp => cp::cases(folder, seed),
            Self::Ring => ring::cases(folder, seed),
            Self::Mixture => mixture::cases(folder, seed),
        }
    }
}

/// What one run found, in a form that two programs can compare.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A digest of an exact answer.
    Exact(String),
    /// The relative residual of a decomposition.
    Residual(f64),
    /// The mean log-likelihood of a sample.
    LogLikelihood(f64),
}

/// One problem: what the peer is told, and our own run.
pub struct Case {
    /// What the table calls it.
    pub name: String,
    /// What the peer reads.
    pub request: Value,
    /// Our own run.
    pub work: Box<dyn FnMut() -> Result<Answer, Error>>,
}

/// A folder of its own for the files that both sides read; removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Error> {
        let base = std::env::temp_dir();
        for attempt in 0..1000 {
            let path = base.join(format!("wickring-bench-{}-{attempt}", std::process::id()));
            // A folder that is there already is somebody else's.
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Error::file(path, "", format!("cannot be made: {e}"))),
            }
        }
        let problem = "holds a thousand old folders named wickring-bench-*: remove them";
        Err(Error::file(base, "", problem))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs `wickring bench`.
pub fn run(args: &Bench, context: &Context) -> Result<Outcome, Error> {
    let chosen = chosen(args)?;
    // Nothing has run in parallel yet, so that this is the pool of everything below.
    let wanted = context.common.threads.unwrap_or(1);
    let _ = rayon::ThreadPoolBuilder::new()
        .num_threads(wanted)
        .build_global();
    let threads = rayon::current_num_threads();
    let scratch = Scratch::new()?;
    let mut table = Table::new(context.common.seed, threads);
    for (area, peers) in chosen {
        let mut cases = area.cases(&scratch.0, context.common.seed)?;
        for peer in peers {
            if context.should_stop() {
                table.stopped = true;
                break;
            }
            let worker = Worker::start(peer.name(), area.script(), &scratch.0, threads, context);
            let mut worker = match worker? {
                Ok(worker) => worker,
                Err(reason) => {
                    table.skip(Skipped::new(
                        area.name(),
                        peer.name(),
                        peer.package(),
                        reason,
                    ));
                    continue;
                }
            };
            let version = worker.version.clone();
            table.open(area.name(), peer.name(), &version);
            for case in &mut cases {
                match alternate(case, &mut worker, context)? {
                    Some(row) => table.add(row, context),
                    None => table.stopped = true,
                }
                if table.stopped {
                    break;
                }
            }
        }
    }
    table.finish(context)
}

/// Rounds of each side; the least time of each counts.
const ROUNDS: usize = 3;

/// Alternating runs of both sides; `None` when the time is up.
fn alternate(
    case: &mut Case,
    worker: &mut Worker,
    context: &Context,
) -> Result<Option<Row>, Error> {
    let mut row = Row::new(&case.name);
    for _ in 0..ROUNDS {
        if context.should_stop() {
            return Ok(None);
        }
        let (seconds, answer) = clock::timed(&mut case.work)?;
        row.ours(seconds, answer);
        match worker.ask(&case.request, context) {
            None => return Ok(None),
            Some(found) => row.theirs(found),
        }
    }
    Ok(Some(row))
}

/// The areas with the peers asked for.
fn chosen(args: &Bench) -> Result<Vec<(Area, Vec<Peer>)>, Error> {
    let wanted = |p: &Peer| args.against.is_none_or(|a| a == *p);
    let areas = Area::ALL.into_iter();
    let areas = areas.filter(|a| args.area.is_none_or(|b| b == *a));
    let listed = areas.map(|a| (a, a.peers().iter().copied().filter(wanted).collect()));
    let listed: Vec<(Area, Vec<Peer>)> = listed
        .filter(|(_, p): &(_, Vec<_>)| !p.is_empty())
        .collect();
    if let (Some(area), Some(peer), true) = (args.area, args.against, listed.is_empty()) {
        let known: Vec<&str> = area.peers().iter().map(|p| p.name()).collect();
        let (peer, area, known) = (peer.name(), area.name(), known.join(" or "));
        let what = format!("{peer} does nothing in the area {area}: compare with {known}");
        return Err(Error::invalid("--against", what));
    }
    Ok(listed)
}
