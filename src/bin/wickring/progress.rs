//! Progress on standard error.

use crate::context::{Context, ProgressKind};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use wickring::run::Progress;

/// Shows progress and passes on the wish to stop; hand `&mut |p| meter.step(p)` to an algorithm.
pub struct Meter<'a> {
    context: &'a Context,
    bar: Option<ProgressBar>,
    stage: &'static str,
    last: Instant,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(context: &'a Context) -> Self {
        let wanted = match context.common.progress {
            ProgressKind::Auto => !context.common.quiet && std::io::stderr().is_terminal(),
            ProgressKind::Plain | ProgressKind::None => false,
        };
        let bar = wanted.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
            if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
                bar.set_style(style);
            }
            bar
        });
        let last = Instant::now();
        Self {
            context,
            bar,
            stage: "",
            last,
        }
    }

    /// One step: draw if it is time, and say whether to go on.
    pub fn step(&mut self, p: &Progress) -> ControlFlow<()> {
        let fresh = p.stage != self.stage;
        self.stage = p.stage;
        let figure = p.figure.map(|f| format!(" {f:.2e}")).unwrap_or_default();
        if let Some(bar) = &self.bar {
            if let Some(total) = p.total {
                bar.set_length(total);
            }
            bar.set_message(format!("{}{figure}", p.stage));
            bar.set_position(p.done);
        } else if self.context.common.progress == ProgressKind::Plain
            && (fresh || self.last.elapsed() > Duration::from_millis(500))
        {
            self.last = Instant::now();
            let total = p.total.map(|t| format!("/{t}")).unwrap_or_default();
            let mut err = std::io::stderr().lock();
            let _ = writeln!(err, "{}: {}{total}{figure}", p.stage, p.done);
        }
        if self.context.should_stop() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
