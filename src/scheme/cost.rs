//! What a scheme costs, and how its rank compares with the best known.

use super::model::{Scheme, Target};
use crate::Error;

/// Operations of one application of a scheme, as it is written, without common subexpressions.
///
/// # Example
/// ```
/// use wickring::scheme::{Cost, SchemeFormat, Target, read_schemes};
/// // A row of two entries times a column.
/// let scheme = read_schemes("a11*b11*c11\na12*b21*c11", SchemeFormat::Products, "")?.remove(0);
/// let cost = Cost::of(&scheme, &Target::Matmul([1, 2, 1]));
/// assert_eq!((cost.multiplications, cost.additions), (2, 1));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Multiplications of the two inputs: the rank.
    pub multiplications: usize,
    /// Additions on the inputs and on the products.
    pub additions: usize,
    /// Multiplications by constants other than 1 and -1.
    pub scalings: usize,
    /// Nonzero entries.
    pub nonzeros: usize,
    /// `3 log(rank) / log(n m p)`: the exponent of recursion, for matrix products.
    pub exponent: Option<f64>,
}

impl Cost {
    /// Counts the operations of `scheme`.
    pub fn of(scheme: &Scheme, target: &Target) -> Self {
        let (mut additions, mut scalings, mut nonzeros) = (0, 0, 0);
        let last = scheme.factors.len().saturating_sub(1);
        for (k, f) in scheme.factors.iter().enumerate() {
            let count: usize = f.columns.iter().map(Vec::len).sum();
            nonzeros += count;
            scalings += f
                .columns
                .iter()
                .flatten()
                .filter(|(_, v)| {
                    !v.get(&0)
                        .is_some_and(|c| v.len() == 1 && c.abs() == 1.into())
                })
                .count();
            // Sums over positions for the inputs, over terms for the output.
            let mut rows: Vec<usize> = f.entries().map(|(row, _)| row).collect();
            rows.sort_unstable();
            rows.dedup();
            let sums = if k == last {
                rows.len()
            } else {
                f.columns.iter().filter(|c| !c.is_empty()).count()
            };
            additions += count - sums;
        }
        let exponent = match target {
            Target::Matmul([n, m, p]) if n * m * p > 1 => {
                Some(3.0 * (scheme.rank() as f64).ln() / ((n * m * p) as f64).ln())
            }
            _ => None,
        };
        Self {
            multiplications: scheme.rank(),
            additions,
            scalings,
            nonzeros,
            exponent,
        }
    }
}

/// A table of best known ranks: lines `2x2x2,7,7,7` under the header `format,ZT,Z,Q`.
///
/// # Example
/// ```
/// use wickring::scheme::KnownRanks;
/// let table = KnownRanks::parse("format,ZT,Z,Q\n2x2x2,7,7,7\n3x3x3,23,23,23")?;
/// assert_eq!(table.best([3, 3, 3], "ZT"), Some(23));
/// assert_eq!(table.best([3, 3, 3], "F2"), None);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownRanks {
    fields: Vec<String>,
    rows: Vec<([usize; 3], Vec<Option<usize>>)>,
}

impl KnownRanks {
    /// Reads the table from CSV text.
    ///
    /// # Errors
    /// `InvalidInput` naming the line.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let op = "KnownRanks::parse";
        let mut lines = text.lines().enumerate();
        let header = lines.next().map_or("", |(_, line)| line);
        let fields: Vec<String> = header
            .split(',')
            .skip(1)
            .map(|s| s.trim().to_owned())
            .collect();
        if fields.is_empty() {
            return Err(Error::invalid(
                op,
                "line 1: expected a header such as format,ZT,Z,Q",
            ));
        }
        let mut rows = Vec::new();
        for (n, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let mut words = line.split(',');
            let wrong = || {
                Error::invalid(
                    op,
                    format!("line {}: expected a format such as 2x3x4 and ranks", n + 1),
                )
            };
            let dims: Option<Vec<usize>> = words
                .next()
                .unwrap_or("")
                .split('x')
                .map(|d| d.trim().parse().ok())
                .collect();
            let mut dims = <[usize; 3]>::try_from(dims.ok_or_else(wrong)?).map_err(|_| wrong())?;
            dims.sort_unstable();
            rows.push((dims, words.map(|w| w.trim().parse().ok()).collect()));
        }
        Ok(Self { fields, rows })
    }

    /// The best known rank of `<n,m,p>` (in any order) over `field`, one of `ZT`, `Z`, `Q`; `Z[1/2]` counts as `Q`.
    /// A scheme modulo p proves nothing over the integers, so other fields have a column of their own or none.
    pub fn best(&self, mut dims: [usize; 3], field: &str) -> Option<usize> {
        dims.sort_unstable();
        let field = if field == "Z[1/2]" { "Q" } else { field };
        let column = self.fields.iter().position(|f| f == field)?;
        let (_, ranks) = self.rows.iter().find(|(d, _)| *d == dims)?;
        ranks.get(column).copied().flatten()
    }
}
