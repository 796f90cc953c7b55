//! How long work reports its progress and is asked to stop.
//!
//! Algorithms print nothing. Those that may run long take an [`Observer`]; it is called between steps,
//! never from inside a kernel, and its answer `Break` ends the work with the best model so far and
//! `Status::Stopped`.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Where a long computation stands.
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
    if items.len() < 2 || rayon::current_thread_index().is_some() {
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
