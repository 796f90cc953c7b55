//! Passes as text, to be sent to wherever rows lie.

use super::all_rows::{Job, Pass};
use super::latent_rank::span;
use super::whitened::map::WhiteMap;
use super::whitened::third_cumulants::WhiteRows;
use crate::Error;
use crate::stats::split::Split;
use faer::Mat;
use serde::{Deserialize, Serialize};

/// Far more latents than any white coordinates that are sent.
const MOST_LATENT: usize = 1000;

impl Pass {
    /// The pass as text (JSON); [`Pass::from_text`] gives it back.
    pub fn to_text(&self) -> String {
        let wire = match &self.0 {
            Job::Panel { columns, most } => Wire::Panel {
                columns: *columns,
                most: *most,
            },
            Job::Outputs { columns, rows } => Wire::Outputs(WireRows::of(*columns, rows)),
            Job::Third { columns, rows } => Wire::Third(WireRows::of(*columns, rows)),
            Job::Variety {
                columns,
                rows,
                map,
                up,
            } => Wire::Variety {
                rows: WireRows::of(*columns, rows),
                rank: map.rank,
                linear: map.linear,
                map: row_major(&map.coefficients),
                up: row_major(up),
            },
        };
        serde_json::json!(wire).to_string()
    }

    /// The pass that a text stands for.
    ///
    /// # Errors
    /// `Parse` when it stands for none.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        let bad = |what: String| Error::parse("Pass::from_text", 0, what);
        let wire: Wire = serde_json::from_str(text).map_err(|e| bad(e.to_string()))?;
        let job = match wire {
            Wire::Panel { columns, most } => Some(Job::Panel { columns, most }),
            Wire::Outputs(w) => w
                .rows()
                .map(|(columns, rows)| Job::Outputs { columns, rows }),
            Wire::Third(w) => w.rows().map(|(columns, rows)| Job::Third { columns, rows }),
            Wire::Variety {
                rows,
                rank,
                linear,
                map,
                up,
            } => rows.rows().and_then(|(columns, rows)| {
                let (m, n) = (rows.down.nrows(), rows.down.ncols());
                // The linear inverse of the map is read with: as many coordinates as features.
                let features = span(rank.min(MOST_LATENT), linear);
                if !(1..=MOST_LATENT).contains(&rank) || features != n {
                    return None;
                }
                Some(Job::Variety {
                    columns,
                    map: WhiteMap {
                        rank,
                        linear,
                        coefficients: matrix(n, features + 1, &map)?,
                    },
                    up: matrix(m, n, &up)?,
                    rows,
                })
            }),
        };
        let job = job.filter(|job| Self(job.clone()).columns() > 0);
        job.map(Self)
            .ok_or_else(|| bad("sizes that agree, and finite numbers".into()))
    }
}

/// A pass as it travels.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Wire {
    Panel {
        columns: usize,
        most: usize,
    },
    Outputs(WireRows),
    Third(WireRows),
    Variety {
        rows: WireRows,
        rank: usize,
        linear: bool,
        map: Vec<f64>,
        up: Vec<f64>,
    },
}

/// White coordinates as they travel; matrices row after row.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRows {
    columns: usize,
    active: Vec<usize>,
    scale: Vec<f64>,
    mean: Vec<f64>,
    down: Vec<f64>,
    held_out_below: u64,
    exact: f64,
}

impl WireRows {
    fn of(columns: usize, rows: &WhiteRows) -> Self {
        Self {
            columns,
            active: rows.active.clone(),
            scale: rows.scale.clone(),
            mean: rows.mean.clone(),
            down: row_major(&rows.down),
            held_out_below: rows.split.threshold(),
            exact: rows.exact,
        }
    }

    /// The number of columns and the coordinates; nothing where sizes do not agree.
    fn rows(self) -> Option<(usize, WhiteRows)> {
        let m = self.active.len();
        let fine = m > 0
            && (self.scale.len(), self.mean.len()) == (m, m)
            && self.active.is_sorted_by(|a, b| a < b)
            && self.active.iter().all(|a| *a < self.columns)
            && self.down.len().is_multiple_of(m)
            && [&self.scale, &self.mean]
                .into_iter()
                .flatten()
                .all(|x| x.is_finite())
            && self.exact.is_finite();
        let down = matrix(m, self.down.len() / m.max(1), &self.down).filter(|_| fine)?;
        let rows = WhiteRows {
            active: self.active,
            scale: self.scale,
            mean: self.mean,
            down,
            split: Split::with_threshold(self.held_out_below),
            exact: self.exact,
        };
        Some((self.columns, rows))
    }
}

fn row_major(m: &Mat<f64>) -> Vec<f64> {
    let rows = 0..m.nrows();
    rows.flat_map(|i| (0..m.ncols()).map(move |j| m[(i, j)]))
        .collect()
}

fn matrix(rows: usize, columns: usize, data: &[f64]) -> Option<Mat<f64>> {
    let fine = rows.checked_mul(columns) == Some(data.len()) && data.iter().all(|x| x.is_finite());
    fine.then(|| Mat::from_fn(rows, columns, |i, j| data[i * columns + j]))
}
