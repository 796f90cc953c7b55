//! How long work reports its progress and is asked to stop.
//!
//! Algorithms print nothing. Those that may run long take an [`Observer`]; it is called between steps,
//! never from inside a kernel, and its answer `Break` ends the work with the best model so far and
//! `Status::Stopped`.

use std::ops::ControlFlow;

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
