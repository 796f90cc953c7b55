//! Long work without the interpreter's lock, that Ctrl-C, a callback and a time limit can stop.

use crate::error::raise;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBool;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use wickring::Error;
use wickring::poly::Budget;
use wickring::run::Progress;

/// How often the interpreter is asked.
const EVERY: Duration = Duration::from_millis(50);
/// Parsing and factoring recurse: as much as a main thread has, twice.
const STACK: usize = 16 << 20;

/// Who watches a computation: a callback `(stage, done, total, figure)`, and the clock.
pub struct Watch {
    progress: Option<Py<PyAny>>,
    deadline: Option<Instant>,
    last: Instant,
    error: Option<PyErr>,
}

/// The moment `timeout` seconds from now.
fn deadline(timeout: Option<f64>) -> PyResult<Option<Instant>> {
    let Some(seconds) = timeout else {
        return Ok(None);
    };
    let wrong = || PyValueError::new_err("timeout: a number of seconds from 0 is needed");
    let span = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
    Ok(Instant::now().checked_add(span))
}

impl Watch {
    fn see(&mut self, p: &Progress) -> ControlFlow<()> {
        if self.deadline.is_some_and(|d| Instant::now() >= d) {
            return ControlFlow::Break(());
        }
        if self.last.elapsed() < EVERY && p.done != 0 {
            return ControlFlow::Continue(());
        }
        self.last = Instant::now();
        let asked = Python::attach(|py| -> PyResult<bool> {
            py.check_signals()?;
            let Some(f) = &self.progress else {
                return Ok(false);
            };
            // `False`, not `None`, asks to stop and to return the best model so far.
            let answer = f.bind(py).call1((p.stage, p.done, p.total, p.figure))?;
            Ok(answer.is_instance_of::<PyBool>() && !answer.is_truthy()?)
        });
        match asked {
            Ok(false) => ControlFlow::Continue(()),
            Ok(true) => ControlFlow::Break(()),
            Err(e) => {
                self.error = Some(e);
                ControlFlow::Break(())
            }
        }
    }
}

/// Runs `work`, whose observer looks for Ctrl-C, calls `progress` and ends at `timeout` seconds.
pub fn watched<T: Send>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    timeout: Option<f64>,
    work: impl FnOnce(&mut dyn FnMut(&Progress) -> ControlFlow<()>) -> Result<T, Error> + Send,
) -> PyResult<T> {
    let (deadline, last) = (deadline(timeout)?, Instant::now());
    let mut watch = Watch {
        progress,
        deadline,
        last,
        error: None,
    };
    let answer = py.detach(|| work(&mut |p| watch.see(p)));
    match watch.error {
        Some(e) => Err(e),
        None => answer.map_err(|e| raise(py, &e)),
    }
}

/// Runs exact `work` within a budget that Ctrl-C and `timeout` seconds end, on a thread of its own.
pub fn budgeted<T: Send>(
    py: Python<'_>,
    timeout: Option<f64>,
    work: impl FnOnce(&Budget<'_>) -> Result<T, Error> + Send,
) -> PyResult<T> {
    let deadline = deadline(timeout)?;
    let stop = AtomicBool::new(false);
    let asked = || stop.load(Ordering::Relaxed);
    let mut budget = Budget::default().stop(&asked);
    if let Some(moment) = deadline {
        budget = budget.deadline(moment);
    }
    let (answer, signal) = py.detach(|| {
        let (send, receive) = channel();
        let budget = &budget;
        std::thread::scope(|scope| {
            let builder = std::thread::Builder::new().stack_size(STACK);
            let begun = builder.spawn_scoped(scope, move || send.send(work(budget)));
            if begun.is_err() {
                return (None, None);
            }
            let mut signal = None;
            loop {
                match receive.recv_timeout(EVERY) {
                    Ok(answer) => return (Some(answer), signal),
                    Err(RecvTimeoutError::Disconnected) => return (None, signal),
                    Err(RecvTimeoutError::Timeout) => {
                        if let Err(e) = Python::attach(|py| py.check_signals()) {
                            signal = Some(e);
                            stop.store(true, Ordering::Relaxed);
                        }
                    }
                }
            }
        })
    });
    match (answer, signal) {
        (_, Some(e)) => Err(e),
        (Some(answer), None) => answer.map_err(|e| raise(py, &e)),
        (None, None) => Err(PyRuntimeError::new_err("the work could not be begun")),
    }
}
