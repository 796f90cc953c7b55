//! How long work reports its progress, is asked to stop, and remembers what it has finished.
//!
//! Algorithms print nothing. Those that may run long take an [`Observer`]; it is called between steps,
//! never from inside a kernel, and its answer `Break` ends the work with the best model so far and
//! `Status::Stopped`. Those that consist of independent starts can keep the finished ones in a [`Checkpoint`],
//! so that a run that was killed goes on where it was.

use crate::Error;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Where a long computation stands.
///
/// # Example
/// ```
/// use std::ops::ControlFlow;
/// use wickring::run::Progress;
/// let mut watch = |p: &Progress| match p.figure {
///     Some(residual) if residual < 1e-6 => ControlFlow::Break(()), // good enough
///     _ => ControlFlow::Continue(()),
/// };
/// let at = Progress::of("sweeps", 3, 12);
/// assert_eq!(watch(&at), ControlFlow::Continue(()));
/// assert_eq!(watch(&at.with_figure(1e-9)), ControlFlow::Break(()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// What is being done, as a few words.
    pub stage: &'static str,
    /// Units done in this stage (samples, sweeps, starts).
    pub done: u64,
    /// Units in this stage, when known.
    pub total: Option<u64>,
    /// The figure that tells how well it goes (a residual), when there is one.
    pub figure: Option<f64>,
}

impl Progress {
    /// A stage with a known length.
    pub fn of(stage: &'static str, done: u64, total: u64) -> Self {
        Self {
            stage,
            done,
            total: Some(total),
            figure: None,
        }
    }

    /// A stage of unknown length.
    pub fn open(stage: &'static str, done: u64) -> Self {
        Self {
            stage,
            done,
            total: None,
            figure: None,
        }
    }

    /// The same with a figure.
    #[must_use]
    pub fn with_figure(self, figure: f64) -> Self {
        let figure = Some(figure);
        Self { figure, ..self }
    }
}

/// Called between steps of long work; `Break` asks it to stop.
pub type Observer<'a> = &'a mut dyn FnMut(&Progress) -> ControlFlow<()>;

/// The observer that watches nothing and never stops.
pub fn unobserved(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// What a method needs besides its data: where randomness comes from, and who watches and may stop it.
///
/// # Example
/// ```
/// use wickring::decomp::{Cp, Decompose};
/// use wickring::run::Run;
/// use wickring::tensor::Tensor;
/// let t = Tensor::from_fn(&[3, 4, 2], |i| ((1 + i[0]) * (2 + i[1]) * (1 + i[2])) as f64)?;
/// let fit = Cp::new(1).fit(&t.view(), &mut Run::seeded(0))?;
/// assert!(fit.converged().is_ok());
/// # Ok::<(), wickring::Error>(())
/// ```
pub struct Run<'a> {
    rng: ChaCha8Rng,
    observer: Option<Observer<'a>>,
}

impl<'a> Run<'a> {
    /// A run whose randomness is fixed by `seed`, watched by nobody.
    pub fn seeded(seed: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        let observer = None;
        Self { rng, observer }
    }

    /// The same run, watched and stopped by `observer`.
    #[must_use]
    pub fn observed(self, observer: Observer<'a>) -> Self {
        let observer = Some(observer);
        Self { observer, ..self }
    }

    /// The generator, and the observer as algorithms take it.
    pub fn parts(
        &mut self,
    ) -> (
        &mut ChaCha8Rng,
        impl FnMut(&Progress) -> ControlFlow<()> + '_,
    ) {
        let observer = &mut self.observer;
        let watch = move |p: &Progress| match observer {
            Some(o) => o(p),
            None => ControlFlow::Continue(()),
        };
        (&mut self.rng, watch)
    }
}

/// Works on all `items` at once and asks `observer` with `progress` ten times a second meanwhile; answers come in the order of
/// the items, and whether the observer broke. Work looks at the flag that it is given and ends early when that is set.
///
/// On a thread of a pool, which must not wait for the pool, the items come one after the other, and the observer is asked
/// between them.
pub(crate) fn side_by_side<I: Sync, O: Send>(
    items: &[I],
    progress: &Progress,
    observer: Observer<'_>,
    work: impl Fn(&I, &AtomicBool) -> O + Sync,
) -> (Vec<O>, bool) {
    let halt = AtomicBool::new(false);
    let mut stopped = false;
    if items.is_empty() || rayon::current_thread_index().is_some() {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            out.push(work(item, &halt));
            stopped = stopped || observer(progress).is_break();
            halt.store(stopped, Ordering::Relaxed);
        }
        return (out, stopped);
    }
    let (send, receive) = channel();
    let mut out: Vec<Option<O>> = items.iter().map(|_| None).collect();
    rayon::in_place_scope(|scope| {
        for (k, item) in items.iter().enumerate() {
            let (send, work, halt) = (send.clone(), &work, &halt);
            // The other end lives until every item has answered.
            scope.spawn(move |_| drop(send.send((k, work(item, halt)))));
        }
        let mut left = items.len();
        while left > 0 {
            match receive.recv_timeout(ASKED) {
                Ok((k, answer)) => {
                    out[k] = Some(answer);
                    left -= 1;
                }
                Err(RecvTimeoutError::Timeout) => {
                    stopped = stopped || observer(progress).is_break();
                    halt.store(stopped, Ordering::Relaxed);
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
    (out.into_iter().flatten().collect(), stopped)
}

/// How often an observer is asked while work goes on elsewhere.
const ASKED: Duration = Duration::from_millis(100);

/// What a long run has finished, unit by unit (a unit is a start), kept outside of the process.
///
/// Units are finished in a fixed order, whatever the number of threads. A run that is given a checkpoint of the same task
/// takes its units for done and comes to the same result, bit for bit, as one that was never interrupted. Units are handed
/// out to be kept at most once a second, and when the run ends: a kill costs the last second and the unit in work.
///
/// # Format
/// Lines of text: `wickring/checkpoint/1`; `task` and one line that describes the work; `unit` and one line, once for each
/// finished unit; `end`, the number of units, and a digest (FNV-1a, 64 bits) of the lines before. The digest finds damage, not
/// malice: whoever reads a unit tests it against the data.
///
/// # Example
/// ```
/// use wickring::run::Checkpoint;
/// let mut text = String::new();
/// let mut kept = Checkpoint::kept(None, |t: &str| { text = t.to_owned(); Ok(()) })?;
/// kept.begin("count to three")?;
/// kept.push("one")?;
/// kept.flush()?;
/// drop(kept);
/// let mut kept = Checkpoint::kept(Some(&text), |_: &str| Ok(()))?;
/// assert_eq!(kept.begin("count to three")?, ["one"]);
/// # Ok::<(), wickring::Error>(())
/// ```
pub struct Checkpoint<'a> {
    task: String,
    units: Vec<String>,
    keep: Option<Box<dyn FnMut(&str) -> Result<(), Error> + 'a>>,
    kept: Instant,
    fresh: bool,
}

const CHECKPOINT: &str = "Checkpoint::kept";
/// The first line of a checkpoint.
const FORMAT: &str = "wickring/checkpoint/1";
/// How long finished units may wait to be kept.
const WAIT: Duration = Duration::from_secs(1);

impl<'a> Checkpoint<'a> {
    /// A checkpoint that keeps nothing.
    pub fn none() -> Self {
        Self {
            task: String::new(),
            units: Vec::new(),
            keep: None,
            kept: Instant::now(),
            fresh: false,
        }
    }

    /// A checkpoint whose text goes to `keep` (which writes it whole or not at all), going on from `text`.
    ///
    /// # Errors
    /// `Parse` with the byte where `text` is damaged, cut short or no checkpoint.
    pub fn kept(
        text: Option<&str>,
        keep: impl FnMut(&str) -> Result<(), Error> + 'a,
    ) -> Result<Self, Error> {
        let (task, units) = text.map(read).transpose()?.unwrap_or_default();
        let keep: Box<dyn FnMut(&str) -> Result<(), Error> + 'a> = Box::new(keep);
        Ok(Self {
            task,
            units,
            keep: Some(keep),
            ..Self::none()
        })
    }

    /// Whether anything is kept; formatting units for nobody is wasted.
    pub fn is_kept(&self) -> bool {
        self.keep.is_some()
    }

    /// Names the work by all that its units depend on, and answers the units that are finished.
    ///
    /// # Errors
    /// `InvalidInput` when the checkpoint is one of another task.
    pub fn begin(&mut self, task: &str) -> Result<&[String], Error> {
        let task = one_line(task);
        if !self.task.is_empty() && self.task != task {
            let what = format!("a checkpoint of the same work, found one of: {}", self.task);
            return Err(Error::invalid("Checkpoint::begin", what));
        }
        self.task = task;
        Ok(&self.units)
    }

    /// Remembers a finished unit.
    ///
    /// # Errors
    /// Those of `keep`.
    pub fn push(&mut self, unit: &str) -> Result<(), Error> {
        if self.keep.is_none() {
            return Ok(());
        }
        self.units.push(one_line(unit));
        self.fresh = true;
        match self.kept.elapsed() >= WAIT {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Hands out what was finished since the last time.
    ///
    /// # Errors
    /// Those of `keep`.
    pub fn flush(&mut self) -> Result<(), Error> {
        let Some(keep) = self.keep.as_mut().filter(|_| self.fresh) else {
            return Ok(());
        };
        let mut text = format!("{FORMAT}\ntask {}\n", self.task);
        for unit in &self.units {
            text += &format!("unit {unit}\n");
        }
        let end = format!("end {} {:016x}\n", self.units.len(), digest(&text));
        keep(&(text + &end))?;
        (self.kept, self.fresh) = (Instant::now(), false);
        Ok(())
    }
}

fn one_line(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

/// FNV-1a of 64 bits: finds accidents.
pub(crate) fn digest(text: &str) -> u64 {
    let mix = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

/// Task and units of the text of a checkpoint.
fn read(text: &str) -> Result<(String, Vec<String>), Error> {
    let fault = |at: usize, expected: &str| {
        let expected = expected.to_owned();
        Error::Parse {
            op: CHECKPOINT,
            at,
            expected,
        }
    };
    let end = text.trim_end_matches('\n').rfind('\n').map_or(0, |n| n + 1);
    let (body, last) = text.split_at(end);
    let mut lines = body.lines();
    if lines.next() != Some(FORMAT) {
        return Err(fault(0, FORMAT));
    }
    let mut at = FORMAT.len() + 1;
    let task = lines.next().and_then(|l| l.strip_prefix("task "));
    let task = task.ok_or_else(|| fault(at, "the line of the task"))?;
    at += task.len() + 6;
    let mut units = Vec::new();
    for line in lines {
        let unit = line.strip_prefix("unit ");
        units.push(
            unit.ok_or_else(|| fault(at, "the line of a unit"))?
                .to_owned(),
        );
        at += line.len() + 1;
    }
    match last == format!("end {} {:016x}\n", units.len(), digest(body)) {
        true => Ok((task.to_owned(), units)),
        false => Err(fault(
            end,
            "an end with the number of units and their digest",
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sample() -> String {
        let mut text = String::new();
        let keep = |t: &str| {
            text = t.to_owned();
            Ok(())
        };
        let mut kept = Checkpoint::kept(None, keep).unwrap();
        kept.begin("a task\nof two lines").unwrap();
        kept.push("one").unwrap();
        kept.push("two\rtwo").unwrap();
        kept.flush().unwrap();
        drop(kept);
        text
    }

    #[test]
    fn units_come_back_and_other_work_is_refused() {
        let text = sample();
        let mut kept = Checkpoint::kept(Some(&text), |_: &str| Ok(())).unwrap();
        assert!(kept.begin("another").is_err());
        assert_eq!(
            kept.begin("a task of two lines").unwrap(),
            ["one", "two two"]
        );
    }

    #[test]
    fn no_damaged_byte_and_no_cut_passes() {
        let text = sample();
        for n in 0..text.len() {
            assert!(
                Checkpoint::kept(Some(&text[..n]), |_: &str| Ok(())).is_err(),
                "cut at {n}"
            );
            let mut bytes = text.clone().into_bytes();
            bytes[n] ^= 1;
            if let Ok(other) = String::from_utf8(bytes) {
                assert!(
                    Checkpoint::kept(Some(&other), |_: &str| Ok(())).is_err(),
                    "byte {n}"
                );
            }
        }
    }

    #[test]
    fn the_digest_is_the_published_one() {
        assert_eq!(digest(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(digest("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(digest("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_fault_is_named_by_its_byte() {
        let place = |text: &str| match Checkpoint::kept(Some(text), |_: &str| Ok(())).err() {
            Some(Error::Parse { at, .. }) => at,
            other => panic!("{other:?}"),
        };
        let text = sample();
        assert_eq!(place(&text.replace("checkpoint/1", "checkpoint/2")), 0);
        for line in ["task ", "unit one", "unit two"] {
            let at = text.find(line).unwrap();
            assert_eq!(place(&text.replace(line, &line.replace(' ', "-"))), at);
        }
        assert_eq!(
            place(&text.replace("end 2", "end 3")),
            text.find("end 2").unwrap()
        );
    }

    #[test]
    fn what_is_kept_is_not_handed_out_again() {
        let mut times = 0;
        let mut kept = Checkpoint::kept(None, |_: &str| {
            times += 1;
            Ok(())
        })
        .unwrap();
        kept.begin("a").unwrap();
        kept.flush().unwrap();
        kept.push("b").unwrap();
        kept.flush().unwrap();
        kept.flush().unwrap();
        drop(kept);
        assert_eq!(times, 1);
    }

    #[test]
    fn what_cannot_be_kept_is_told() {
        let full = |_: &str| Err(Error::invalid("test", "full"));
        let mut kept = Checkpoint::kept(None, full).unwrap();
        kept.begin("a").unwrap();
        kept.push("b").unwrap();
        assert!(kept.flush().is_err());
    }
}
