//! The rows that a learner works with: all of them at hand, or a panel at hand and the rest in passes.

use super::all_rows::{AllRows, Job, Pass, PassSums};
use super::whitened::map::WhiteMap;
use super::whitened::standard_outputs::Outputs;
use super::whitened::third_cumulants::WhiteRows;
use crate::Error;
use crate::fit::Check;
use crate::io::samples::Samples;
use crate::run::Observer;
use crate::stats::split::Split;
use crate::stats::{Moments, Panel};
use faer::Mat;

const OP: &str = "Quadratic::learn";

/// Rows at hand, and the way to all of them where those are more.
pub(in crate::learn) struct Data<'a> {
    pub(in crate::learn) near: &'a Samples,
    pub(in crate::learn) far: Option<&'a dyn AllRows>,
    /// Number of all rows.
    pub(in crate::learn) rows: u64,
}

impl<'a> Data<'a> {
    pub(in crate::learn) fn at_hand(near: &'a Samples) -> Self {
        let rows = near.rows() as u64;
        Self {
            near,
            far: None,
            rows,
        }
    }

    /// The panel of rows that are elsewhere.
    pub(in crate::learn) fn panel(
        far: &dyn AllRows,
        (columns, most): (usize, usize),
        observer: Observer<'_>,
    ) -> Result<Panel, Error> {
        match far.pass(&Pass(Job::Panel { columns, most }), observer)? {
            PassSums::Panel(panel) if panel.columns() == columns => Ok(panel),
            _ => Err(other_answer()),
        }
    }

    /// Means and covariances of the outputs, over all rows for learning.
    pub(in crate::learn) fn outputs(
        &self,
        split: Split,
        observer: Observer<'_>,
    ) -> Result<Outputs, Error> {
        if self.far.is_none() {
            return Outputs::of(self.near, split, observer);
        }
        let rows = Outputs::near_one(self.near, split);
        let columns = self.near.columns();
        let job = Job::Outputs {
            columns,
            rows: rows.clone(),
        };
        let moments = self.moments(job, columns, observer)?;
        Outputs::of_moments(self.near, &rows, &moments)
    }

    /// Third central moments in the coordinates of `rows`.
    pub(in crate::learn) fn third(
        &self,
        rows: &WhiteRows,
        observer: Observer<'_>,
    ) -> Result<Moments, Error> {
        let width = rows.down.ncols();
        if self.far.is_none() {
            let prepare = |chunk: &_, out: &mut Vec<f64>| rows.white(chunk, out);
            return Moments::of_samples(self.near, (width, true), &prepare, observer);
        }
        let job = Job::Third {
            columns: self.near.columns(),
            rows: rows.clone(),
        };
        self.moments(job, width, observer)
    }

    /// How many of all rows are not on the variety of a map.
    pub(in crate::learn) fn off(
        &self,
        rows: &WhiteRows,
        (map, up): (&WhiteMap, &Mat<f64>),
        observer: Observer<'_>,
    ) -> Result<u64, Error> {
        let job = Job::Variety {
            columns: self.near.columns(),
            rows: rows.clone(),
            map: map.clone(),
            up: up.clone(),
        };
        match self.ask(job, observer)? {
            PassSums::Variety { rows, off } if rows == self.rows => Ok(off),
            PassSums::Variety { rows, .. } => Err(self.other_rows(rows)),
            _ => Err(other_answer()),
        }
    }

    /// What is said of samples that were read in passes.
    pub(in crate::learn) fn note(&self) -> Option<Check> {
        let label = "rows of the panel that refinement and tests look at";
        let rows = self.near.rows() as f64;
        let far = self.far.is_some();
        far.then(|| Check::reported("quadratic.panel-rows", label, rows))
    }

    fn moments(&self, job: Job, width: usize, observer: Observer<'_>) -> Result<Moments, Error> {
        let third = matches!(job, Job::Third { .. });
        let PassSums::Moments(sums) = self.ask(job, observer)? else {
            return Err(other_answer());
        };
        if sums.columns() != width || sums.has_third_order() != third {
            return Err(other_answer());
        }
        // Rows for learning are numbered through: a gap is a part that was lost, or counted from a wrong place.
        if sums.count() > self.rows || !sums.is_gapless() {
            return Err(self.other_rows(sums.count()));
        }
        Ok(sums)
    }

    fn ask(&self, job: Job, observer: Observer<'_>) -> Result<PassSums, Error> {
        match self.far {
            Some(far) => far.pass(&Pass(job), observer),
            None => Err(other_answer()),
        }
    }

    fn other_rows(&self, found: u64) -> Error {
        let text = format!(
            "the same rows in every pass: the first one saw {}, this one {found}",
            self.rows
        );
        Error::invalid(OP, text)
    }
}

fn other_answer() -> Error {
    Error::invalid(OP, "an answer to the pass that was asked for")
}
