//! From outputs to as many coordinates as there are monomials.

use super::OP;
use super::requirements::{Form, Requirements};
use crate::Error;
use crate::fit::Check;
use crate::io::samples::Samples;
use crate::linalg::{Svd, norm2, thin_svd};
use crate::stats::goodness::rows::scattered;
use crate::stats::split::Split;
use faer::{Mat, MatRef};

/// Singular values below this share of the greatest are rounding.
const ROUNDING: f64 = 1e-11;
/// With noise no singular value vanishes; a drop by this factor is taken for the edge of the signal.
const CLEAR_DROP: f64 = 30.0;
const FULL_DROP: f64 = 1e3;

/// Some rows left for learning, spread over the sample, each output scaled to size one.
pub(super) struct Subset {
    pub(super) columns: usize,
    pub(super) scale: Vec<f64>,
    /// Scaled rows.
    pub(super) rows: Vec<f64>,
}

impl Subset {
    pub(super) fn of(samples: &Samples, split: Split, wanted: usize) -> Result<Self, Error> {
        let d = samples.columns();
        let share = 1.0 - split.share();
        let every = ((samples.rows() as f64 * share / wanted as f64) as usize).max(1);
        let (mut rows, mut seen) = (Vec::new(), 0usize);
        for chunk in samples.chunks(4096) {
            let chunk = chunk?;
            for (i, row) in chunk.data.chunks_exact(d).enumerate() {
                if split.holds_out((chunk.first_row + i) as u64) {
                    continue;
                }
                if seen.is_multiple_of(every) && rows.len() < wanted * d {
                    rows.extend_from_slice(row);
                }
                seen += 1;
            }
        }
        let mut scale = vec![1.0; d];
        for (a, s) in scale.iter_mut().enumerate() {
            let column: Vec<f64> = rows.iter().skip(a).step_by(d).copied().collect();
            let size = norm2(&column) / (column.len().max(1) as f64).sqrt();
            if size > 0.0 && (1.0 / size).is_finite() {
                *s = 1.0 / size;
            }
        }
        for row in rows.chunks_exact_mut(d) {
            row.iter_mut().zip(&scale).for_each(|(x, s)| *x *= s);
        }
        Ok(Self {
            columns: d,
            scale,
            rows,
        })
    }

    pub(super) fn count(&self) -> usize {
        self.rows.len() / self.columns
    }

    /// The longest rows, in their order: for homogeneous maps those that noise disturbs least.
    pub(super) fn longest(&self, count: usize) -> Self {
        let d = self.columns;
        let lengths: Vec<f64> = self.rows.chunks_exact(d).map(norm2).collect();
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        order.sort_by(|&i, &j| lengths[j].total_cmp(&lengths[i]).then(i.cmp(&j)));
        order.truncate(count);
        order.sort_unstable();
        self.chosen(&order)
    }

    /// So many rows, spread over all.
    pub(super) fn spaced(&self, count: usize) -> Self {
        self.chosen(&scattered(self.count(), count).collect::<Vec<_>>())
    }

    fn chosen(&self, places: &[usize]) -> Self {
        let d = self.columns;
        let row = |i: &usize| self.rows[i * d..(i + 1) * d].iter().copied();
        Self {
            columns: d,
            scale: self.scale.clone(),
            rows: places.iter().flat_map(row).collect(),
        }
    }

    /// The rows, with the constant 1 first if asked for, each divided by its tamed length: for homogeneous
    /// maps that is the same variety, without the heavy tails.
    fn tamed(&self, constant: bool) -> Mat<f64> {
        let (n, d, extra) = (self.count(), self.columns, usize::from(constant));
        let mut y = Mat::from_fn(n, d + extra, |i, j| match j {
            0 if constant => 1.0,
            j => self.rows[i * d + j - extra],
        });
        tame(&mut y);
        y
    }
}

/// Divides each row by `(|y|^2 + median^2)^(1/2)`; returns the divisors.
pub(super) fn tame(y: &mut Mat<f64>) -> Vec<f64> {
    let n = y.nrows();
    let length = |i: usize| norm2(&Vec::from_iter((0..y.ncols()).map(|j| y[(i, j)])));
    let lengths: Vec<f64> = (0..n).map(length).collect();
    let mut sorted = lengths.clone();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.get(n / 2).copied().unwrap_or(1.0);
    let middle = if middle > 0.0 { middle } else { 1.0 };
    let divisors: Vec<f64> = lengths.iter().map(|l| l.hypot(middle)).collect();
    for j in 0..y.ncols() {
        y.col_as_slice_mut(j)
            .iter_mut()
            .zip(&divisors)
            .for_each(|(x, s)| *x /= s);
    }
    divisors
}

/// The space that the outputs span.
pub(super) struct Reduction {
    pub(super) needs: Requirements,
    /// Outputs (scaled, with the constant first for general maps) to `m` coordinates: orthonormal columns.
    pub(super) basis: Mat<f64>,
    /// Multipliers of the coordinates that make them equal in size.
    pub(super) white: Vec<f64>,
    /// The tamed rows of the subset in these coordinates, before whitening.
    pub(super) rows: Mat<f64>,
    pub(super) checks: Vec<Check>,
}

impl Reduction {
    /// The readings of the span that are worth trying, the likeliest first; at least one.
    pub(super) fn candidates(
        subset: &Subset,
        degree: usize,
        latent: Option<usize>,
        form: Option<Form>,
    ) -> Result<Vec<Self>, Error> {
        Self::with_drop(subset, degree, (latent, form), CLEAR_DROP)
    }

    /// The same where a drop of the singular values by the given factor counts as the edge of the signal.
    pub(super) fn with_drop(
        subset: &Subset,
        degree: usize,
        (latent, form): (Option<usize>, Option<Form>),
        clear: f64,
    ) -> Result<Vec<Self>, Error> {
        let known = |f: Form| {
            let all = Requirements::all(degree).into_iter();
            all.filter(move |c| c.form == f && latent.is_none_or(|r| r == c.latent))
        };
        let mut found: Vec<(f64, Self)> = Vec::new();
        let mut span = 0;
        for f in [Form::Homogeneous, Form::General] {
            if form.is_some_and(|wanted| wanted != f) {
                continue;
            }
            let rows = subset.tamed(f == Form::General);
            let svd = thin_svd(OP, rows.as_ref())?;
            let numeric = rank(&svd.s);
            span = span.max(numeric);
            for needs in known(f).filter(|c| c.monomials <= numeric) {
                let drop = match svd.s.get(needs.monomials) {
                    // Outputs that span everything they could are no evidence, but only a drop beyond what
                    // conditioning does speaks against them.
                    None => FULL_DROP,
                    Some(_) if needs.monomials == numeric => f64::MAX,
                    Some(next) => svd.s[needs.monomials - 1] / next,
                };
                if drop >= clear || latent.is_some() {
                    found.push((drop, Self::with(needs, &rows, &svd)));
                }
            }
        }
        if found.is_empty() {
            return Err(no_span(span, subset.columns, degree, latent));
        }
        Ok(ordered(found))
    }

    fn with(needs: Requirements, rows: &Mat<f64>, svd: &Svd) -> Self {
        let m = needs.monomials;
        let basis = svd.v.subcols(0, m).to_owned();
        let root = (rows.nrows() as f64).sqrt();
        let white = svd.s[..m].iter().map(|s| root / s).collect();
        let rows = rows * &basis;
        let mut checks = vec![Check::reported(
            "polynomial.least-kept",
            "least singular value kept, relative to the greatest",
            svd.s[m - 1] / svd.s[0],
        )];
        if let Some(next) = svd.s.get(m) {
            checks.push(Check::reported(
                "polynomial.left-out",
                "greatest singular value left out, relative to the least kept",
                next / svd.s[m - 1],
            ));
        }
        Self {
            needs,
            basis,
            white,
            rows,
            checks,
        }
    }

    /// Whether there are samples enough.
    pub(super) fn enough(&self) -> Result<(), Error> {
        if self.rows.nrows() >= self.needs.samples + 4 {
            return Ok(());
        }
        let text = format!(
            "{}, found {} left for learning; bring more, or lower --holdout",
            self.needs.line(),
            self.rows.nrows()
        );
        Err(Error::invalid(OP, text))
    }

    /// Coordinates of rows of raw outputs: not tamed.
    pub(super) fn coordinates(&self, raw: MatRef<'_, f64>, scale: &[f64]) -> Mat<f64> {
        let extra = usize::from(self.needs.form == Form::General);
        let z = Mat::from_fn(raw.nrows(), raw.ncols() + extra, |i, j| match j {
            0 if extra == 1 => 1.0,
            j => raw[(i, j - extra)] * scale[j - extra],
        });
        z * &self.basis
    }
}

/// The readings by their drops. With the constant in their span, outputs have a reading in one variable more that fits as well:
/// homogeneous, the constant as one of its latents. Outputs of a homogeneous map do not span the constant, which then adds a
/// dimension and leaves a general reading of as many monomials no drop; so where there is one, it goes first.
fn ordered(mut found: Vec<(f64, Reduction)>) -> Vec<Reduction> {
    let homogeneous = found
        .iter()
        .filter(|c| c.1.needs.form == Form::Homogeneous)
        .map(|c| (c.1.needs.monomials, c.0))
        .collect::<Vec<_>>();
    for (drop, reading) in &mut found {
        let twin =
            |(m, other): &&(usize, f64)| *m == reading.needs.monomials && *drop >= 0.5 * other;
        if reading.needs.form == Form::General
            && let Some((_, other)) = homogeneous.iter().find(twin)
        {
            *drop = drop.max(*other);
        }
    }
    let general = |r: &Reduction| r.needs.form == Form::General;
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(general(&b.1).cmp(&general(&a.1))));
    found.into_iter().map(|c| c.1).collect()
}

fn rank(values: &[f64]) -> usize {
    let top = values.first().copied().unwrap_or(0.0);
    values.iter().filter(|v| **v > ROUNDING * top).count()
}

fn no_span(found: usize, columns: usize, degree: usize, latent: Option<usize>) -> Error {
    if let Some(r) = latent {
        let lines: Vec<String> = [Form::Homogeneous, Form::General]
            .into_iter()
            .filter_map(|f| Requirements::of(r, degree, f).ok())
            .map(|c| c.line())
            .collect();
        let text = format!(
            "{}; found {columns} outputs that span {found} dimensions",
            lines.join("; ")
        );
        return Error::invalid(OP, text);
    }
    let hypothesis = "outputs that span all monomials of that degree, C(r+w-1, w) or with lower degrees C(r+w, w) dimensions: more outputs, less noise, fewer outliers, another --degree, or --latent R (dimensions found)";
    Error::degenerate(OP, hypothesis, found as f64)
}
