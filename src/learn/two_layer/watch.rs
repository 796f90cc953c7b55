//! Who watches a fit, and whether they asked it to stop.

use crate::run::{Observer, Progress};

/// An observer that remembers its answer: once stopped, always stopped.
pub(super) struct Watch<'a> {
    observe: Observer<'a>,
    pub stopped: bool,
}

impl<'a> Watch<'a> {
    pub fn new(observe: Observer<'a>) -> Self {
        let stopped = false;
        Self { observe, stopped }
    }

    /// Reports a step and a residual; whether to stop.
    pub fn stops(&mut self, stage: &'static str, done: usize, total: usize, figure: f64) -> bool {
        let p = Progress::of(stage, done as u64, total as u64).with_figure(figure);
        self.stopped = self.stopped || (self.observe)(&p).is_break();
        self.stopped
    }

    /// The observer, for work that takes one; tell [`Watch::heard`] how it ended.
    pub fn observer(&mut self) -> Observer<'_> {
        self.observe
    }

    /// Takes note of an answer that somebody else heard.
    pub fn heard(&mut self, stopped: bool) {
        self.stopped = self.stopped || stopped;
    }
}
