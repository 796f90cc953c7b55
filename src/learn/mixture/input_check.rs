//! What samples must satisfy before anything is fitted, and what is set aside.

use crate::Error;
use faer::MatRef;

/// A row farther than this many median distances from the median is set aside ...
const FAR: f64 = 1000.0;
/// ... if no more than this share of the rows is that far.
const FAR_SHARE: f64 = 0.01;
/// Columns at most: covariances have their square as entries, spectra take their cube.
const MOST_COLUMNS: usize = 2000;
/// Rows that the robust centre and scale are taken from.
const LOOK: usize = 20_000;

/// Where the bulk of the sample lies, robustly.
#[derive(Clone, Debug)]
pub(super) struct Bulk {
    /// Coordinate-wise median.
    pub(super) centre: Vec<f64>,
    /// Median distance from `centre`; when half of the rows coincide, the root mean square distance.
    pub(super) scale: f64,
    /// Whether the far rows are few enough to be set aside.
    pub(super) drops: bool,
}

impl Bulk {
    /// Centre and scale of at most 20000 evenly spaced rows.
    pub(super) fn of(rows: &[f64], dim: usize) -> Self {
        let n = rows.len() / dim;
        let step = n.div_ceil(LOOK).max(1);
        let looked = || rows.chunks_exact(dim).step_by(step);
        let centre: Vec<f64> = (0..dim)
            .map(|a| median(looked().map(|r| r[a]).collect()))
            .collect();
        let gap = |r: &[f64]| crate::linalg::norm2(&difference(r, &centre));
        let gaps: Vec<f64> = looked().map(gap).collect();
        let mut scale = median(gaps.clone());
        if scale == 0.0 {
            scale = crate::linalg::norm2(&gaps) / (gaps.len().max(1) as f64).sqrt();
        }
        let far = gaps.iter().filter(|&&g| g > FAR * scale).count();
        let drops = scale > 0.0 && far as f64 <= FAR_SHARE * gaps.len() as f64;
        Self {
            centre,
            scale,
            drops,
        }
    }

    /// Whether the row is used.
    pub(super) fn keeps(&self, row: &[f64]) -> bool {
        !self.drops || crate::linalg::norm2(&difference(row, &self.centre)) <= FAR * self.scale
    }
}

/// Samples as row-major data without the far rows.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) rows: Vec<f64>,
    pub(super) dim: usize,
    pub(super) bulk: Bulk,
    pub(super) set_aside: usize,
}

/// Refuses samples of too many columns before anything is allocated for their pairs.
///
/// # Errors
/// `LimitExceeded` naming the columns.
pub(super) fn few_columns(op: &'static str, dim: usize) -> Result<(), Error> {
    if dim > MOST_COLUMNS {
        return Err(Error::limit(op, "columns", MOST_COLUMNS as u64));
    }
    Ok(())
}

/// The entries row by row.
///
/// # Errors
/// `InvalidInput` for fewer than two rows or no column; `NonFinite`, also for numbers whose squares would overflow.
pub(super) fn finite_rows(op: &'static str, samples: MatRef<'_, f64>) -> Result<Vec<f64>, Error> {
    let (n, dim) = (samples.nrows(), samples.ncols());
    if n < 2 || dim == 0 {
        let requirement = format!("at least two samples (rows) and one column, got {n} x {dim}");
        return Err(Error::invalid(op, requirement));
    }
    let mut rows = Vec::with_capacity(n * dim);
    for i in 0..n {
        for a in 0..dim {
            let x = samples[(i, a)];
            if !x.is_finite() || x.abs() > 1e150 {
                let index = i * dim + a;
                return Err(Error::NonFinite { op, index });
            }
            rows.push(x);
        }
    }
    Ok(rows)
}

impl Door {
    /// # Errors
    /// As [`finite_rows`]; `InvalidInput` for a constant column.
    pub(super) fn open(op: &'static str, samples: MatRef<'_, f64>) -> Result<Self, Error> {
        let (n, dim) = (samples.nrows(), samples.ncols());
        let rows = finite_rows(op, samples)?;
        let bulk = Bulk::of(&rows, dim);
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows.chunks_exact(dim).filter(|r| bulk.keeps(r)) {
            kept.extend_from_slice(row);
        }
        let set_aside = n - kept.len() / dim;
        constant_column(op, &kept, dim)?;
        Ok(Self {
            rows: kept,
            dim,
            bulk,
            set_aside,
        })
    }
}

impl Door {
    /// Share of the rows that repeat another one.
    pub(super) fn repeated(&self) -> f64 {
        1.0 - distinct(&first_of_equals(&self.rows, self.dim))
    }
}

/// Share of rows that differ from all before them, by the index of the first of their equals.
pub(super) fn distinct(first: &[u32]) -> f64 {
    let own = first.iter().enumerate();
    let distinct = own.filter(|(i, f)| *i == **f as usize).count();
    distinct as f64 / first.len().max(1) as f64
}

/// For each row the index of the first row with the same entries.
pub(super) fn first_of_equals(rows: &[f64], dim: usize) -> Vec<u32> {
    let row = |i: u32| &rows[i as usize * dim..(i as usize + 1) * dim];
    let mut order: Vec<u32> = (0..(rows.len() / dim) as u32).collect();
    let compare = |i: &u32, j: &u32| {
        let entries = row(*i).iter().zip(row(*j));
        let unequal = entries.map(|(a, b)| a.total_cmp(b)).find(|o| o.is_ne());
        unequal.unwrap_or(i.cmp(j))
    };
    order.sort_unstable_by(compare);
    let mut first = vec![0; order.len()];
    let mut leader = order.first().copied().unwrap_or(0);
    for &i in &order {
        if row(i) != row(leader) {
            leader = i;
        }
        first[i as usize] = leader;
    }
    first
}

/// Refuses a column without variation: no law with a density has one.
pub(super) fn constant_column(op: &'static str, rows: &[f64], dim: usize) -> Result<(), Error> {
    for a in 0..dim {
        let mut column = rows.chunks_exact(dim).map(|r| r[a]);
        let first = column.next().unwrap_or(0.0);
        if column.all(|x| x == first) {
            let requirement =
                format!("columns that vary: column {a} is {first} in every row, leave it out");
            return Err(Error::invalid(op, requirement));
        }
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let mid = values.len() / 2;
    *values.select_nth_unstable_by(mid, f64::total_cmp).1
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| x - y).collect()
}
