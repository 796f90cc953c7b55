//! Tables of predictions and measurements, as CSV and as JSON.

use crate::context::Context;
use serde_json::{Map, Value, json};
use wickring::Error;
use wickring::io::write_whole;

/// Said when a prediction stands alone and its hypotheses fail.
pub const UNSOUND: &str = "verdict: NOT CERTIFIED (a hypothesis of the equivalence fails, see the warnings; \
                           --simulate N compares with samples)\n";

/// Columns of numbers; NaN is an empty cell in CSV and null in JSON.
#[derive(Default)]
pub struct Table {
    names: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(names: Vec<String>) -> Self {
        let rows = Vec::new();
        Self { names, rows }
    }

    /// Adds a row; missing cells stay empty.
    pub fn push(&mut self, mut row: Vec<f64>) {
        row.resize(self.names.len(), f64::NAN);
        self.rows.push(row);
    }

    /// Comma-separated, shortest decimals that read back to the same numbers.
    pub fn csv(&self) -> String {
        let mut text = self.names.join(",") + "\n";
        for row in &self.rows {
            let cells = row.iter().map(|x| {
                if x.is_finite() {
                    x.to_string()
                } else {
                    String::new()
                }
            });
            text += &(cells.collect::<Vec<_>>().join(",") + "\n");
        }
        text
    }

    /// A list of objects.
    pub fn json(&self) -> Value {
        let object = |row: &Vec<f64>| {
            let cells = self.names.iter().cloned().zip(row.iter().map(|x| json!(x)));
            Value::Object(cells.collect::<Map<_, _>>())
        };
        Value::Array(self.rows.iter().map(object).collect())
    }

    /// The first `columns` columns for people, at most `most` rows evenly chosen.
    pub fn text(&self, columns: usize, most: usize) -> String {
        let columns = columns.min(self.names.len());
        let head = self.names[..columns].iter().map(|n| format!("{n:>17}"));
        let mut text = head.collect::<String>() + "\n";
        let count = self.rows.len();
        let stride = count.div_ceil(most.max(1)).max(1);
        for (i, row) in self.rows.iter().enumerate() {
            if i % stride != 0 && i + 1 != count {
                continue;
            }
            for x in &row[..columns] {
                text += &if *x == 0.0 || (1e-4..1e7).contains(&x.abs()) {
                    format!("{x:>17.6}")
                } else if x.is_finite() {
                    format!("{x:>17.4e}")
                } else {
                    format!("{:>17}", "-")
                };
            }
            text += "\n";
        }
        text
    }

    /// Writes the CSV to `--out`, when given.
    pub fn save(&self, context: &Context) -> Result<(), Error> {
        match &context.common.out {
            Some(path) => write_whole(path, self.csv().as_bytes()),
            None => Ok(()),
        }
    }
}
