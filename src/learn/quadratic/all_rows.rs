//! Samples that are too many to be looked at often, or that lie in several places: what a learner asks of all rows, and how
//! the answers add up.
//!
//! ```text
//! panel     a bounded part of the rows, their number, the size of every column
//! outputs   means and covariances of the rows for learning
//! third     third central moments in white coordinates
//! variety   rows that are not on the variety of the map (where samples carry no noise)
//! ```
//!
//! Everything else (the variety itself, likelihoods, tests) is done with the panel. Of noiseless samples the error of the answer
//! is still that of all rows: the variety is exact, and the change of `x` that it leaves open is read off the mean of all.

use super::noiseless::latents_of_all::{Reader, seen_latents};
use super::whitened::map::WhiteMap;
use super::whitened::third_cumulants::WhiteRows;
use crate::Error;
use crate::io::samples::{Chunk, Samples};
use crate::run::{Observer, Progress};
use crate::stats::{Moments, Panel};
use faer::Mat;

const OP: &str = "Pass::of_rows";
/// Rows read at a time for a panel.
const ROWS: usize = 4096;

/// What is asked of all rows at once. It travels as text, and its answers as bytes.
///
/// See [`AllRows`] for an example.
#[derive(Clone, Debug)]
pub struct Pass(pub(super) Job);

#[derive(Clone, Debug)]
pub(super) enum Job {
    Panel {
        columns: usize,
        most: usize,
    },
    Outputs {
        columns: usize,
        rows: WhiteRows,
    },
    Third {
        columns: usize,
        rows: WhiteRows,
    },
    Variety {
        columns: usize,
        rows: WhiteRows,
        map: WhiteMap,
        up: Mat<f64>,
    },
}

/// The answer to a [`Pass`]; answers about different rows add up.
///
/// See [`AllRows`] for an example.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PassSums {
    /// Some of the rows.
    Panel(Panel),
    /// Moments.
    Moments(Moments),
    /// Numbers of rows, and of those that are not on the variety.
    Variety {
        /// Rows looked at.
        rows: u64,
        /// Rows that are off.
        off: u64,
    },
}

/// Rows that a learner reads in passes only: a pass is sent to wherever rows lie, answered for each part of them, and the
/// answers are merged. The model does not depend on the parts, their order or the number of workers.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::laws::learn::quadratic_maps::random_quadratic_map;
/// use wickring::learn::{AllRows, Pass, PassSums, Quadratic};
/// use wickring::run::{Observer, unobserved};
///
/// /// Rows in two places, each of which gets the text of a pass and sends back bytes.
/// struct TwoPlaces([Vec<f64>; 2]);
/// impl AllRows for TwoPlaces {
///     fn pass(&self, pass: &Pass, _: Observer<'_>) -> Result<PassSums, wickring::Error> {
///         let (text, mut first, mut learned) = (pass.to_text(), 0, 0);
///         let mut answers = Vec::new();
///         for rows in &self.0 {
///             let there = Pass::from_text(&text)?;
///             answers.push(there.of_rows(first, learned, rows)?.to_bytes());
///             let number = (rows.len() / 6) as u64;
///             learned += pass.learning_rows(first, number);
///             first += number;
///         }
///         let mut sums = PassSums::from_bytes(&answers[0])?;
///         sums.merge(&PassSums::from_bytes(&answers[1])?)?;
///         Ok(sums)
///     }
/// }
/// let mut rng = ChaCha8Rng::seed_from_u64(7);
/// let hidden = random_quadratic_map(6, 3, false, &mut rng)?;
/// let rows = TwoPlaces([hidden.sample(9000, &mut rng), hidden.sample(7000, &mut rng)]);
/// let learner = Quadratic::new().panel(4000);
/// let fit = learner.learn_all(&rows, 6, &mut rng, &mut unobserved)?;
/// assert!(fit.converged()?.distance(&hidden)? < 0.1);
/// # Ok::<(), wickring::Error>(())
/// ```
pub trait AllRows {
    /// Answers a pass over all rows; `observer` may end it.
    ///
    /// # Errors
    /// Those of reading and of [`Pass::of_rows`]; `Stopped`.
    fn pass(&self, pass: &Pass, observer: Observer<'_>) -> Result<PassSums, Error>;
}

impl Pass {
    pub(super) fn columns(&self) -> usize {
        match &self.0 {
            Job::Panel { columns, .. }
            | Job::Outputs { columns, .. }
            | Job::Third { columns, .. }
            | Job::Variety { columns, .. } => *columns,
        }
    }

    /// How many of `count` rows from number `first` on are for learning; none in passes that do not tell them apart.
    ///
    /// # Complexity
    /// A few operations a row.
    pub fn learning_rows(&self, first: u64, count: u64) -> u64 {
        match &self.0 {
            Job::Outputs { rows, .. } | Job::Third { rows, .. } => {
                rows.split.learning_rows(first, count)
            }
            Job::Panel { .. } | Job::Variety { .. } => 0,
        }
    }

    /// The answer for consecutive rows, the first of which has the number `first_row` in the whole sample, and
    /// `first_learned` among the rows for learning ([`Pass::learning_rows`] of all before it).
    ///
    /// # Errors
    /// `Shape` when the length is not a multiple of the columns, `NonFinite`.
    pub fn of_rows(
        &self,
        first_row: u64,
        first_learned: u64,
        data: &[f64],
    ) -> Result<PassSums, Error> {
        let columns = self.columns();
        if !data.len().is_multiple_of(columns) {
            let expected = format!("a multiple of {columns} entries");
            return Err(Error::shape(OP, expected, data.len().to_string()));
        }
        if let Some(index) = data.iter().position(|x| !x.is_finite()) {
            return Err(Error::NonFinite { op: OP, index });
        }
        let what = "row number";
        let place = usize::try_from(first_row).map_err(|_| Error::Overflow { op: OP, what })?;
        let chunk = || Chunk {
            first_row: place,
            columns,
            data: data.to_vec(),
        };
        let moments = |width: usize, third: bool, rows: Vec<f64>| {
            let mut sums = Moments::new(width, third)?;
            sums.add(first_learned, &rows)?;
            Ok(PassSums::Moments(sums))
        };
        let mut kept = Vec::new();
        match &self.0 {
            Job::Panel { most, .. } => {
                let mut panel = Panel::new(columns, *most)?;
                panel.add(first_row, data)?;
                Ok(PassSums::Panel(panel))
            }
            Job::Outputs { rows, .. } => {
                rows.scaled(&chunk(), &mut kept);
                moments(rows.active.len(), false, kept)
            }
            Job::Third { rows, .. } => {
                rows.white(&chunk(), &mut kept);
                moments(rows.down.ncols(), true, kept)
            }
            Job::Variety { rows, map, up, .. } => Ok(PassSums::Variety {
                rows: (data.len() / columns) as u64,
                off: Reader::of(rows, (map, up))?.off(&chunk())?,
            }),
        }
    }
}

impl PassSums {
    /// Adds the answer about other rows.
    ///
    /// # Errors
    /// `InvalidInput` for answers to different passes, or about the same row; `Shape`.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        match (self, other) {
            (Self::Panel(a), Self::Panel(b)) => a.merge(b),
            (Self::Moments(a), Self::Moments(b)) => a.merge(b),
            (Self::Variety { rows, off }, Self::Variety { rows: r, off: o }) => {
                *rows = rows.saturating_add(*r);
                *off = off.saturating_add(*o);
                Ok(())
            }
            _ => Err(Error::invalid(
                "PassSums::merge",
                "answers to one pass, got answers to two",
            )),
        }
    }

    /// The answer as bytes; [`PassSums::from_bytes`] gives back an equal one.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Panel(panel) => panel.to_bytes(),
            Self::Moments(sums) => sums.to_bytes(),
            Self::Variety { rows, off } => [
                VARIETY.to_vec(),
                rows.to_le_bytes().to_vec(),
                off.to_le_bytes().to_vec(),
            ]
            .concat(),
        }
    }

    /// The answer that the bytes stand for.
    ///
    /// # Errors
    /// `Parse` when they do not stand for one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let words = bytes.as_chunks::<8>().0;
        match words.first() {
            Some(w) if w == VARIETY => match words[1..] {
                [rows, off] if bytes.len() == 24 => Ok(Self::Variety {
                    rows: u64::from_le_bytes(rows),
                    off: u64::from_le_bytes(off),
                }),
                _ => Err(Error::parse("PassSums::from_bytes", 8, "two numbers")),
            },
            _ if Panel::is_known(bytes) => Panel::from_bytes(bytes).map(Self::Panel),
            _ => Moments::from_bytes(bytes).map(Self::Moments),
        }
    }
}

const VARIETY: &[u8; 8] = b"WKVAR\x00\x00\x01";

/// A sample that can be read from here, as often as it takes.
pub(super) struct Near<'a>(pub(super) &'a Samples);

impl AllRows for Near<'_> {
    fn pass(&self, pass: &Pass, observer: Observer<'_>) -> Result<PassSums, Error> {
        let samples = self.0;
        let of = |width: usize,
                  third: bool,
                  white: &(dyn Fn(&Chunk, &mut Vec<f64>) + Sync),
                  observer| {
            Moments::of_samples(samples, (width, third), white, observer).map(PassSums::Moments)
        };
        match &pass.0 {
            Job::Panel { columns, most } => {
                let mut panel = Panel::new(*columns, *most)?;
                let total = samples.rows() as u64;
                for chunk in samples.chunks(ROWS) {
                    let chunk = chunk?;
                    let row = chunk.first_row as u64;
                    panel.add(row, &chunk.data)?;
                    if observer(&Progress::of("panel", row, total)).is_break() {
                        return Err(Error::Stopped { op: OP });
                    }
                }
                Ok(PassSums::Panel(panel))
            }
            Job::Outputs { columns, rows } => of(
                *columns,
                false,
                &|chunk, out| rows.scaled(chunk, out),
                observer,
            ),
            Job::Third { rows, .. } => {
                let n = rows.down.ncols();
                of(n, true, &|chunk, out| rows.white(chunk, out), observer)
            }
            Job::Variety { rows, map, up, .. } => {
                let seen = seen_latents(samples, rows, (map, up), observer)?;
                Ok(PassSums::Variety {
                    rows: samples.rows() as u64,
                    off: seen.off as u64,
                })
            }
        }
    }
}
