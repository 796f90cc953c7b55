//! Schemes of small rank by random walks in flip graphs, modulo 2 (and then lifted) or with entries -1, 0, 1.
//!
//! Several walkers with different rules work in rounds of a fixed number of flips; between rounds those that fell behind
//! continue from the best scheme. What is found depends on the seed and the number of flips, not on threads.

pub(crate) mod flip_graph;
mod hunt;
mod policy;
pub(crate) mod starts;
pub(crate) mod vectors;

use super::model::{Scheme, Target};
use super::verdict::{SchemeField, Verdict, examine};
use super::whole::{Term, scheme_of};
use crate::run::Observer;
use crate::{Error, Status};
use flip_graph::Walk;
use hunt::{Hunt, State};
use policy::Walker;
use serde::{Deserialize, Serialize};
use vectors::{Bits, MAX_ENTRIES, Signs, Vector};

const OP: &str = "Search::standard";
/// Flips of each walker in one round, for a hundred terms.
const ROUND: u64 = 1 << 17;
/// Rounds that a saved state may count.
const MAX_ROUNDS: u64 = 1 << 40;
const MAX_WALKERS: usize = 256;

/// Where the coefficients of a wanted scheme lie.
///
/// # Example
/// ```
/// use wickring::scheme::SearchField;
/// assert_eq!(SearchField::parse("ZT")?, SearchField::ZT);
/// assert_eq!(SearchField::F2.name(), "F2");
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SearchField {
    /// Modulo 2.
    F2,
    /// Modulo 2 first, then lifted to the integers.
    Z,
    /// Modulo 2 first, then lifted to the rationals.
    Q,
    /// Entries -1, 0 and 1 on the whole way.
    ZT,
}

impl SearchField {
    /// `F2`, `Z`, `Q` or `ZT`.
    ///
    /// # Errors
    /// `InvalidInput` for anything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "F2" => Ok(Self::F2),
            "Z" => Ok(Self::Z),
            "Q" => Ok(Self::Q),
            "ZT" => Ok(Self::ZT),
            _ => Err(Error::invalid(
                "--field",
                format!("must be F2, Z, Q or ZT, not {text}"),
            )),
        }
    }

    /// The word that [`SearchField::parse`] reads.
    pub fn name(self) -> &'static str {
        match self {
            Self::F2 => "F2",
            Self::Z => "Z",
            Self::Q => "Q",
            Self::ZT => "ZT",
        }
    }

    fn characteristic(self) -> u32 {
        if self == Self::ZT { 0 } else { 2 }
    }
}

/// What to look for and how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// Where the coefficients lie.
    pub field: SearchField,
    /// The rank that is enough; without it the search goes on to the end of its flips.
    pub rank: Option<usize>,
    /// Flips of each walker.
    pub flips: u64,
    /// Walkers; each follows one of four rules.
    pub walkers: usize,
    /// Seed of all randomness.
    pub seed: u64,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            field: SearchField::Z,
            rank: None,
            flips: 1 << 25,
            walkers: 4,
            seed: 0,
        }
    }
}

/// What a search ended with.
///
/// See [`Search::standard`] for an example.
#[derive(Clone, Debug)]
pub struct Found {
    /// The best scheme over the field that was asked for; the start where nothing better was found.
    pub scheme: Scheme,
    /// The best scheme modulo 2, where it has fewer terms than [`Found::scheme`].
    pub modulo_two: Option<Scheme>,
    /// Flips of all walkers together.
    pub flips: u64,
    /// Lifts that were tried.
    pub lifts: u64,
    /// `Converged` when the rank asked for was reached (or none was asked for), `IterationLimit`, `Stopped`.
    pub status: Status,
    /// The state of all walkers as JSON, for [`Search::resume`].
    pub state: String,
}

impl Search {
    /// Searches from the standard algorithm of `target`.
    ///
    /// # Errors
    /// `InvalidInput`, `Shape` and `LimitExceeded` when a mode has more than 64 entries or options make no sense.
    ///
    /// # Complexity
    /// About 100 ns for each flip of a scheme of thirty terms.
    ///
    /// ```
    /// use wickring::run::unobserved;
    /// use wickring::scheme::{Search, Target};
    /// let search = Search { rank: Some(7), ..Search::default() };
    /// let found = search.standard(&Target::Matmul([2, 2, 2]), &mut unobserved)?;
    /// assert_eq!((found.scheme.rank(), found.scheme.field()), (7, "ZT"));
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn standard(&self, target: &Target, observer: Observer<'_>) -> Result<Found, Error> {
        self.require_sizes(target)?;
        let terms = starts::standard(target, self.field.characteristic())?;
        self.begin_with(&terms, target, observer)
    }

    /// Searches from a scheme, or from the sum of schemes of blocks that are laid side by side along one of the sizes.
    ///
    /// # Errors
    /// As [`Search::standard`], and `InvalidInput` when a scheme is wrong or the blocks do not fit together.
    pub fn from_schemes(
        &self,
        schemes: &[Scheme],
        target: Option<&Target>,
        observer: Observer<'_>,
    ) -> Result<Found, Error> {
        let own = |s: &Scheme| {
            let target = target.filter(|_| schemes.len() == 1);
            starts::terms_of(s, target, self.field.characteristic(), None)
        };
        let mut blocks = schemes.iter().map(own).collect::<Result<Vec<_>, Error>>()?;
        let (terms, target) = match blocks.len() {
            1 => blocks.remove(0),
            _ => starts::block_sum(&blocks, target)?,
        };
        self.require_sizes(&target)?;
        self.begin_with(&terms, &target, observer)
    }

    /// Goes on where a search of the same field ended, as though it had not been interrupted; `scheme` is the best that it had.
    ///
    /// # Errors
    /// `InvalidInput` when the state is not one of `target`.
    pub fn resume(
        &self,
        state: &str,
        scheme: &Scheme,
        target: &Target,
        observer: Observer<'_>,
    ) -> Result<Found, Error> {
        self.require_sizes(target)?;
        let wrong = |what: &str| Error::invalid(OP, format!("the state to go on from {what}"));
        let state: State =
            serde_json::from_str(state).map_err(|e| wrong(&format!("is none: {e}")))?;
        if state.field != self.field {
            return Err(wrong(&format!("is one over {}", state.field.name())));
        }
        match self.field {
            SearchField::ZT => self.go_on::<Signs>(&state, scheme, target, observer),
            _ => self.go_on::<Bits>(&state, scheme, target, observer),
        }
    }

    fn require_sizes(&self, target: &Target) -> Result<(), Error> {
        let shape = target.shape();
        if shape.len() != 3 || shape.iter().any(|n| *n > MAX_ENTRIES) {
            let expected = format!("a tensor of three modes of at most {MAX_ENTRIES} entries");
            return Err(Error::shape(OP, expected, format!("{shape:?}")));
        }
        if self.walkers == 0 || self.walkers > MAX_WALKERS {
            let what = format!(
                "the number of walkers must be in 1..={MAX_WALKERS}, got {}",
                self.walkers
            );
            return Err(Error::invalid(OP, what));
        }
        if self.rank == Some(0) {
            return Err(Error::invalid(OP, "the rank must be positive"));
        }
        Ok(())
    }

    fn begin_with(
        &self,
        terms: &[Term],
        target: &Target,
        observer: Observer<'_>,
    ) -> Result<Found, Error> {
        match self.field {
            SearchField::ZT => self.begin::<Signs>(terms, target, observer),
            _ => self.begin::<Bits>(terms, target, observer),
        }
    }

    fn begin<V: Vector>(
        &self,
        terms: &[Term],
        target: &Target,
        observer: Observer<'_>,
    ) -> Result<Found, Error> {
        let outside = || Error::invalid(OP, "the start has entries other than -1, 0 and 1");
        let walk = Walk::<V>::of(terms).ok_or_else(outside)?;
        let walkers = (0..self.walkers).map(|k| Walker::new(k, self.seed, &walk));
        let mut hunt = Hunt {
            search: self,
            target,
            walkers: walkers.collect(),
            round: 0,
            // Long rows of terms make flips dearer.
            chunk: (ROUND * 100 / (70 + walk.rank() as u64))
                .min(self.flips)
                .max(1),
            lifts: 0,
            failed: 0,
            lifted: None,
        };
        if self.field != SearchField::F2 && V::CHARACTERISTIC == 2 {
            // The start may be exact over the integers as it is, or lift.
            hunt.lifted = hunt.try_lift(&walk)?;
        }
        hunt.run(observer)
    }

    fn go_on<V: Vector>(
        &self,
        state: &State,
        scheme: &Scheme,
        target: &Target,
        observer: Observer<'_>,
    ) -> Result<Found, Error> {
        let wrong = |what: &str| Error::invalid(OP, format!("the state to go on from {what}"));
        if state.walkers.is_empty() || state.walkers.len() > MAX_WALKERS {
            return Err(wrong("has no walkers"));
        }
        if state.round > MAX_ROUNDS || state.lifts > MAX_ROUNDS || state.failed > MAX_ROUNDS {
            return Err(wrong("counts more rounds than a search makes"));
        }
        let mut walkers = Vec::new();
        for saved in &state.walkers {
            let walker =
                Walker::<V>::restored(saved).ok_or_else(|| wrong("has vectors that are none"))?;
            for walk in [&walker.now, &walker.best] {
                let field = match V::CHARACTERISTIC {
                    0 => SchemeField::Integers,
                    p => SchemeField::Modulo(p),
                };
                let scheme = scheme_of(&walk.terms(), target)
                    .map_err(|_| wrong("does not fit the tensor"))?;
                if examine(&scheme, Some(target), field)?.verdict != Verdict::Exact {
                    return Err(wrong(&format!("is not {}", target.name())));
                }
            }
            walkers.push(walker);
        }
        let mut hunt = Hunt {
            search: self,
            target,
            walkers,
            round: state.round,
            chunk: state.chunk.clamp(1, ROUND << 1),
            lifts: state.lifts,
            failed: state.failed,
            lifted: None,
        };
        if hunt.lifting() {
            let found = examine(scheme, Some(target), SchemeField::Rationals)?;
            hunt.lifted = (found.verdict == Verdict::Exact).then_some(found.scheme);
        }
        hunt.run(observer)
    }
}
