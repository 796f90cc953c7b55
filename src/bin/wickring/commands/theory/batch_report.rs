//! What a run of `theory full-batch` found: table, picture, verdict.

use super::inputs::Warnings;
use super::report::{Table, UNSOUND};
use crate::context::{Context, Outcome};
use crate::plot::{Figure, Mark, Series, save};
use serde_json::json;
use wickring::fit::Fit;
use wickring::theory::batch::BatchPoint;
use wickring::theory::{Comparison, Tally};
use wickring::{Error, Status};

/// What was found, point by point.
pub struct Report {
    /// The solutions.
    pub fits: Vec<Fit<BatchPoint>>,
    errors: Vec<Comparison>,
    table: Table,
    tally: Tally,
    warnings: Warnings,
    /// Densely solved curves for the picture, by lambda (none: the best).
    pub lines: Vec<(Option<f64>, Vec<(f64, f64)>)>,
    /// Whether the clock or the user cut the work short.
    pub stopped: bool,
}

impl Report {
    /// Nothing found yet.
    pub fn new(simulated: bool, warnings: Warnings) -> Self {
        let mut names = vec!["alpha", "lambda", "error"];
        if simulated {
            names.extend(["error_simulated", "error_se", "error_z"]);
        }
        names.extend(["train", "v", "q", "m", "residual"]);
        if simulated {
            names.extend(["train_simulated", "train_se"]);
        }
        Self {
            fits: Vec::new(),
            errors: Vec::new(),
            table: Table::new(names.into_iter().map(str::to_owned).collect()),
            tally: Tally::default(),
            warnings,
            lines: Vec::new(),
            stopped: false,
        }
    }

    /// Adds a point, with what was simulated there and the difference that finite size explains.
    pub fn push(
        &mut self,
        fit: Fit<BatchPoint>,
        found: Option<(Comparison, Comparison)>,
        allowance: f64,
    ) {
        let p = fit.model;
        let mut row = vec![p.alpha, p.lambda, p.error];
        if let Some((error, _)) = &found {
            row.extend([error.mean, error.standard_error, error.z()]);
        }
        row.extend([p.train, p.v, p.q, p.m, fit.evidence.rel_residual]);
        if let Some((error, train)) = found {
            row.extend([train.mean, train.standard_error]);
            self.tally.add(&error, allowance);
            self.errors.push(error);
        }
        self.table.push(row);
        self.fits.push(fit);
    }

    /// Writes table and picture, prints the verdict.
    pub fn finish(self, context: &Context, title: &str) -> Result<Outcome, Error> {
        self.table.save(context)?;
        if let Some(path) = &context.common.plot
            && !self.lines.is_empty()
        {
            save(path, &[self.figure(title)])?;
        }
        let solved = self
            .fits
            .iter()
            .filter(|f| f.status == Status::Converged)
            .count();
        let worst = self
            .fits
            .iter()
            .map(|f| f.evidence.rel_residual)
            .fold(0.0, f64::max);
        let compared = !self.errors.is_empty();
        let tally = self.tally;
        let agrees = tally.holds();
        let mut text = self.table.text(if compared { 6 } else { 4 }, 40);
        text += &format!(
            "equations: {solved} of {} points solved, residual at most {worst:.1e}\n",
            self.fits.len()
        );
        if compared {
            let word = |holds| if holds { "AGREES" } else { "DISAGREES" };
            text += &format!(
                "error: within 3.5 standard errors of the mean at {:.0}% of points, within those or what \
                 finite size explains at {:.0}%\nverdict: {} (strictly, without allowance for finite size: \
                 {})\n",
                100.0 * tally.strict_share(),
                100.0 * tally.allowed_share(),
                word(agrees),
                word(tally.holds_strictly())
            );
        }
        // Without a simulation the hypotheses decide; with one, the comparison does.
        let sound = compared || !self.warnings.refuted;
        if !sound {
            text += UNSOUND;
        }
        let status = match solved == self.fits.len() {
            _ if self.stopped => Status::Stopped,
            false => Status::IllConditioned,
            true if !agrees => Status::Stalled,
            true if !sound => Status::Undecided,
            true => Status::Converged,
        };
        let json = json!({
            "status": status.name(),
            "seed": context.common.seed,
            "inputs": title,
            "warnings": self.warnings.texts,
            "hypotheses_hold": !self.warnings.refuted,
            "worst_residual": worst,
            "points": self.table.json(),
            "verdict": compared.then(|| json!({
                "agrees": agrees,
                "agrees_strictly": tally.holds_strictly(),
                "share_within_standard_errors": tally.strict_share(),
                "share_within": tally.allowed_share(),
                "z": self.errors.iter().map(Comparison::z).collect::<Vec<_>>(),
            })),
        });
        context.emit(&json, &text);
        Ok(match status {
            Status::Converged => Outcome::Certified,
            _ => Outcome::NotCertified,
        })
    }

    /// Error against alpha, one line for each lambda, with the simulated points on it.
    fn figure(&self, title: &str) -> Figure {
        let mut series = Vec::new();
        for (lambda, line) in &self.lines {
            let label = match lambda {
                Some(lambda) => format!("lambda = {lambda}"),
                None => "best lambda".to_owned(),
            };
            series.push(Series::new(label, Mark::Line, line.clone()));
            let here = |f: &Fit<BatchPoint>| lambda.is_none_or(|l| f.model.lambda == l);
            let mut dots = Series::new("", Mark::Points, Vec::new());
            for (f, e) in self.fits.iter().zip(&self.errors).filter(|(f, _)| here(f)) {
                dots.points.push((f.model.alpha, e.mean));
                let bar = e.standard_error;
                // A single set has no error bar.
                dots.errors.push(if bar.is_finite() { bar } else { 0.0 });
            }
            series.push(dots);
        }
        Figure {
            title: title.to_owned(),
            x: "alpha = n / p".to_owned(),
            y: "generalisation error".to_owned(),
            log_x: true,
            log_y: true,
            series,
            ..Figure::default()
        }
    }
}
