//! Inputs that come as samples of latents and of what a generator made of them.

use super::inputs::{Inputs, Wanted};
use crate::context::Context;
use faer::Mat;
use std::path::PathBuf;
use wickring::Error;
use wickring::io::samples::Samples;
use wickring::theory::{CovarianceStream, PairedSamples, Source};

/// Rows read at a time.
const ROWS: usize = 2048;
/// Rows kept for the diagnostics when nothing is simulated.
const KEPT: usize = 4096;
/// Numbers kept in memory at most: a gigabyte.
const MAX_KEPT: usize = 1 << 27;

/// Streams covariances off the files, and keeps as many pairs as a simulation draws from.
pub fn open(
    latents: &[PathBuf],
    inputs: &[PathBuf],
    wanted: Wanted,
    context: &Context,
) -> Result<Inputs, Error> {
    let (c, x) = (Samples::open(latents)?, Samples::open(inputs)?);
    let name = |list: &[PathBuf]| {
        list.first()
            .map_or(String::new(), |p| p.display().to_string())
    };
    let pairs = x.rows();
    if c.rows() != pairs {
        let problem = format!(
            "has {pairs} rows, expected as many as {} has: {}",
            name(latents),
            c.rows()
        );
        return Err(Error::file(name(inputs), "", problem));
    }
    let (n, d) = (x.columns(), c.columns());
    let keep = match wanted {
        Wanted::Simulation => pairs,
        _ => pairs.min(KEPT),
    };
    if keep.saturating_mul(n + d) > MAX_KEPT {
        let problem = "is too large to draw from in memory: predict without --simulate";
        return Err(Error::file(name(inputs), "", problem));
    }
    let mut sums = CovarianceStream::new(n, d);
    let mut standard = CovarianceStream::new(d, d);
    let (mut kept_c, mut kept_x) = (Mat::zeros(d, keep), Mat::zeros(n, keep));
    for (chunk_c, chunk_x) in c.chunks(ROWS).zip(x.chunks(ROWS)) {
        let (chunk_c, chunk_x) = (chunk_c?, chunk_x?);
        let (part_c, part_x) = (
            chunk_c.as_matrix().transpose(),
            chunk_x.as_matrix().transpose(),
        );
        sums.push(part_c, part_x)?;
        standard.push(part_c, part_c)?;
        let from = chunk_x.first_row;
        for j in (0..chunk_x.rows()).take_while(|j| from + j < keep) {
            (0..d).for_each(|i| kept_c[(i, from + j)] = part_c[(i, j)]);
            (0..n).for_each(|i| kept_x[(i, from + j)] = part_x[(i, j)]);
        }
        if context.should_stop() {
            return Err(Error::Stopped { op: "theory" });
        }
    }
    if pairs < 20 * n {
        context.warn(&format!(
            "{pairs} samples are few for covariances of {n} inputs: expect errors of order {:.0}%",
            100.0 * (n as f64 / pairs as f64).sqrt()
        ));
    }
    let source = PairedSamples::new(kept_c, kept_x)?;
    Ok(Inputs {
        law: sums.finish()?,
        source: Some(Box::new(source) as Box<dyn Source>),
        description: format!("{pairs} pairs from {}", name(inputs)),
        pairs: Some(pairs),
        doubt: doubt(&standard, pairs)?,
    })
}

/// Latents that are not standard: the teacher would see another law than the theory does.
fn doubt(standard: &CovarianceStream, pairs: usize) -> Result<Option<String>, Error> {
    let law = standard.finish()?;
    let d = law.inputs();
    let mut worst = 0.0f64;
    for i in 0..d {
        for j in 0..=i {
            let unit = f64::from(u8::from(i == j));
            worst = worst.max((law.omega()[(i, j)] - unit).abs());
        }
    }
    // Six standard errors cover the greatest of the entries for any D that is met.
    let off = worst > 0.02 + 6.0 * (2.0 / pairs as f64).sqrt();
    Ok(off.then(|| {
        format!("the latents are not standard: an entry of their covariance is off by {worst:.2}")
    }))
}
