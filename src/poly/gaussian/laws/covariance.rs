//! Covariance matrices with entries in any ring, and the exact decision whether one is positive semidefinite.

use crate::Error;
use crate::poly::coefficients::rational::Rational;
use crate::poly::coefficients::ring::Ring;
use crate::poly::polynomial::value::Poly;
use crate::poly::text::vars::Vars;

/// A symmetric matrix; whether it is positive semidefinite is a question of its own, because over most rings
/// (symbols, residues) it has no answer and the moment formulas do not ask.
///
/// # Example
/// ```
/// use wickring::poly::Rational;
/// use wickring::poly::gaussian::Covariance;
/// let (_, s) = Covariance::parse("2, 1\n1, 2")?;
/// assert_eq!(s.factor()?.pivots[1], Rational::new(3, 2).unwrap_or_default()); // S = L D L'
/// let (_, indefinite) = Covariance::parse("1, 2\n2, 1")?;
/// assert!(indefinite.factor().is_err());
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Covariance<C: Ring> {
    dim: usize,
    /// Row by row, symmetric.
    entries: Vec<C>,
}

impl<C: Ring> Covariance<C> {
    /// A matrix from its rows.
    ///
    /// # Errors
    /// `Shape` when the rows do not form a square, `InvalidInput` naming the first pair of entries that differ.
    pub fn new(rows: Vec<Vec<C>>) -> Result<Self, Error> {
        let op = "Covariance::new";
        let dim = rows.len();
        if let Some((i, row)) = rows.iter().enumerate().find(|(_, r)| r.len() != dim) {
            let found = format!("{} in row {}", row.len(), i + 1);
            return Err(Error::shape(
                op,
                format!("a square matrix, {dim} entries in each of {dim} rows"),
                found,
            ));
        }
        for i in 0..dim {
            for j in 0..i {
                if rows[i][j] != rows[j][i] {
                    let what = format!(
                        "needs a symmetric matrix, but entry ({}, {}) is {:?} and entry ({}, {}) is {:?}",
                        i + 1,
                        j + 1,
                        rows[i][j],
                        j + 1,
                        i + 1,
                        rows[j][i]
                    );
                    return Err(Error::invalid(op, what));
                }
            }
        }
        let entries = rows.into_iter().flatten().collect();
        Ok(Self { dim, entries })
    }

    /// A diagonal matrix.
    pub fn diagonal(variances: &[C]) -> Self {
        let dim = variances.len();
        let mut entries = vec![C::zero(); dim * dim];
        for (i, v) in variances.iter().enumerate() {
            entries[i * dim + i] = v.clone();
        }
        Self { dim, entries }
    }

    /// The identity.
    pub fn identity(dim: usize) -> Self {
        Self::diagonal(&vec![C::one(); dim])
    }

    /// Number of rows.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Entry `(i, j)`; zero outside.
    pub fn entry(&self, i: usize, j: usize) -> C {
        if i < self.dim && j < self.dim {
            self.entries[i * self.dim + j].clone()
        } else {
            C::zero()
        }
    }

    /// Row `i`.
    ///
    /// # Panics
    /// If `i` is out of range.
    pub fn row(&self, i: usize) -> &[C] {
        &self.entries[i * self.dim..(i + 1) * self.dim]
    }

    /// Whether all entries off the diagonal are zero.
    pub fn is_diagonal(&self) -> bool {
        (0..self.dim).all(|i| {
            self.row(i)
                .iter()
                .enumerate()
                .all(|(j, x)| i == j || x.is_zero())
        })
    }

    /// The entries sent through a homomorphism of rings.
    pub fn map<D: Ring>(&self, f: impl Fn(&C) -> D) -> Covariance<D> {
        Covariance {
            dim: self.dim,
            entries: self.entries.iter().map(f).collect(),
        }
    }
}

/// The exact factorisation `S = L D L'` with unit lower triangular `L` and diagonal `D >= 0`; columns of `L` below a
/// zero pivot are zero.
///
/// See [`Covariance`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct ExactFactor {
    /// Rows of `L`.
    pub lower: Vec<Vec<Rational>>,
    /// Diagonal of `D`.
    pub pivots: Vec<Rational>,
}

impl Covariance<Rational> {
    /// `S = L D L'` over the rationals: exists for exactly the positive semidefinite matrices, singular ones included.
    ///
    /// # Errors
    /// `InvalidInput` when the matrix is not positive semidefinite, naming the row where a pivot is negative, or
    /// zero above a nonzero rest.
    ///
    /// # Complexity
    /// `O(n^3)` rational operations.
    /// Here `n` is the number of variables.
    pub fn factor(&self) -> Result<ExactFactor, Error> {
        let op = "Covariance::factor";
        let n = self.dim;
        let mut rest: Vec<Vec<Rational>> = (0..n).map(|i| self.row(i).to_vec()).collect();
        let zero = Rational::default();
        let mut lower = vec![vec![zero.clone(); n]; n];
        let mut pivots = Vec::with_capacity(n);
        for k in 0..n {
            let pivot = rest[k][k].clone();
            lower[k][k] = Rational::from(1);
            if pivot.signum() < 0 {
                let what = format!(
                    "needs a positive semidefinite covariance, but row {} leaves the negative pivot {pivot}",
                    k + 1
                );
                return Err(Error::invalid(op, what));
            }
            match pivot.recip() {
                None => {
                    if let Some(i) = (k + 1..n).find(|&i| rest[i][k] != zero) {
                        let what = format!(
                            "needs a positive semidefinite covariance, but row {} leaves variance 0 and covariance {} with row {}",
                            k + 1,
                            rest[i][k],
                            i + 1
                        );
                        return Err(Error::invalid(op, what));
                    }
                }
                Some(inverse) => {
                    for i in k + 1..n {
                        if rest[i][k] == zero {
                            continue;
                        }
                        let factor = &rest[i][k] * &inverse;
                        for j in k + 1..=i {
                            let step = &factor * &rest[j][k];
                            rest[i][j] -= &step;
                        }
                        lower[i][k] = factor;
                    }
                }
            }
            pivots.push(pivot);
        }
        Ok(ExactFactor { lower, pivots })
    }

    /// Reads a matrix of rationals or decimals, one row a line, entries separated by commas (or semicolons, tabs,
    /// blanks); every number is read exactly. A first line that holds names is returned beside the matrix; where its first cell
    /// is empty (as pandas and R write a covariance) each row begins with its own name, in the same order.
    ///
    /// # Errors
    /// `InvalidInput` naming row and column of what is not a number, or a row whose name is another; `Shape`; not symmetric.
    pub fn parse(text: &str) -> Result<(Vec<String>, Self), Error> {
        let op = "covariance";
        let mut rows: Vec<Vec<Rational>> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        let mut labelled = false;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (number, line) in text.lines().enumerate() {
            let Some(mut cells) = cells(line) else {
                continue;
            };
            if rows.is_empty() && names.is_empty() {
                labelled = cells.len() > 1 && cells[0].is_empty();
                if labelled || cells.iter().all(is_name) {
                    names = cells.drain(usize::from(labelled)..).collect();
                    continue;
                }
            }
            if labelled {
                let label = cells.remove(0);
                // A number is only a count of the rows.
                let other = names.get(rows.len()).is_some_and(|name| *name != label);
                if other && is_name(&label) {
                    let (name, label) = (names[rows.len()], crate::error::quoted(label));
                    let what = format!(
                        "row {}: expected the row of {name}, in the order of the columns, found {label}",
                        number + 1
                    );
                    return Err(Error::invalid(op, what));
                }
            }
            let mut row = Vec::with_capacity(cells.len());
            for (column, cell) in cells.iter().enumerate() {
                let value = cell.parse().map_err(|_| {
                    let found = crate::error::quoted(cell);
                    let column = column + 1 + usize::from(labelled);
                    Error::invalid(op, format!("row {}, column {column}: expected a rational or decimal number, found {found}", number + 1))
                })?;
                row.push(value);
            }
            rows.push(row);
        }
        if rows.is_empty() {
            return Err(Error::invalid(op, "holds no numbers"));
        }
        if !names.is_empty() && names.len() != rows.len() {
            let expected = format!("{} rows, one for each name", names.len());
            return Err(Error::shape(op, expected, rows.len().to_string()));
        }
        // Numbers over the columns of an array without names (pandas) name no variables.
        names.retain(is_name);
        let names = names.into_iter().map(str::to_owned).collect();
        Ok((names, Self::new(rows)?))
    }
}

/// The cells of a line, without the quotes around names; `None` for an empty line or a comment.
fn cells(line: &str) -> Option<Vec<&str>> {
    let line = line.trim_matches(|c: char| c.is_whitespace() && c != '\t');
    if line.trim().is_empty() || line.starts_with('#') {
        return None;
    }
    Some(match line {
        _ if line.contains([',', ';']) => line.split([',', ';']).map(plain).collect(),
        _ if line.starts_with('\t') => line.split('\t').map(plain).collect(),
        _ => line.split_whitespace().map(plain).collect(),
    })
}

/// A cell without blanks and quotes around it.
fn plain(cell: &str) -> &str {
    let cell = cell.trim();
    let inside = cell.strip_prefix('"').and_then(|c| c.strip_suffix('"'));
    inside.unwrap_or(cell)
}

/// Whether a cell of the first line is a name and not a number.
fn is_name(cell: &&str) -> bool {
    cell.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !is_not_finite(cell)
}

/// Words for values that are not numbers: they must be refused as entries, not taken for names.
fn is_not_finite(cell: &&str) -> bool {
    ["nan", "inf", "infinity"]
        .iter()
        .any(|w| cell.eq_ignore_ascii_case(w))
}

/// The covariance matrix of symbols `s_i_j` (`i <= j`, from 1) as polynomials, with the names of the symbols: moments under it
/// are polynomials in the entries of the covariance.
pub fn symbolic_covariance(dim: usize) -> (Vec<Vec<Poly<Rational>>>, Vars) {
    let mut names = Vec::new();
    let mut rows = vec![vec![Poly::zero(); dim]; dim];
    for i in 0..dim {
        for j in i..dim {
            rows[i][j] = Poly::variable(names.len());
            rows[j][i] = rows[i][j].clone();
            names.push(format!("s_{}_{}", i + 1, j + 1));
        }
    }
    (rows, Vars::fixed(names))
}

#[cfg(test)]
mod tests {
    use super::Covariance;
    use crate::Error;

    #[test]
    fn names_of_rows_and_columns_are_read_as_pandas_and_r_write_them() -> Result<(), Error> {
        let plain = Covariance::parse("2,1/2\n1/2,1")?.1;
        for (text, names) in [
            (",x,y\nx,2.0,0.5\ny,0.5,1.0\n", &["x", "y"][..]),
            ("\"\",\"x\",\"y\"\n\"x\",2,0.5\n\"y\",0.5,1\n", &["x", "y"]),
            ("\tx\ty\nx\t2\t0.5\ny\t0.5\t1\n", &["x", "y"]),
            (
                "\"\",\"V1\",\"V2\"\n\"1\",2,0.5\n\"2\",0.5,1\n",
                &["V1", "V2"],
            ),
            (",0,1\n0,2.0,0.5\n1,0.5,1.0\n", &[]),
            ("x,y\n2,1/2\n1/2,1\n", &["x", "y"]),
        ] {
            let (found, covariance) = Covariance::parse(text)?;
            assert_eq!(found, names, "{text:?}");
            assert_eq!(covariance, plain, "{text:?}");
        }
        let turned = Covariance::parse(",x,y\ny,0.5,1.0\nx,2.0,0.5\n");
        assert!(turned.is_err_and(|e| e.to_string().contains("expected the row of x")));
        Ok(())
    }

    #[test]
    fn the_three_ways_to_be_no_covariance() -> Result<(), Error> {
        let read = |text: &str| Covariance::parse(text).and_then(|(_, c)| c.factor());
        assert!(read("1,1/2\n0.5,1").is_ok());
        assert!(read("1 1\n1 1").is_ok_and(|f| f.pivots[1].signum() == 0));
        assert!(read("0,0\n0,2").is_ok());
        for bad in [
            "1,2\n2,1",
            "0,1\n1,5",
            "1,0\n1/3,1",
            "-1",
            "1,2",
            "1,x\nx,1",
            "",
            "nan",
            "1,nan\nnan,1",
            "0,0,1\n0,1,0\n1,0,1",
        ] {
            assert!(
                matches!(
                    read(bad),
                    Err(Error::InvalidInput { .. } | Error::Shape { .. })
                ),
                "{bad}"
            );
        }
        let (names, _) = Covariance::parse("x,y\n1,0\n0,1\n")?;
        assert_eq!(names, ["x", "y"]);
        Ok(())
    }

    #[test]
    fn the_factor_multiplies_back() -> Result<(), Error> {
        let (_, s) = Covariance::parse("4,2,6\n2,1,3\n6,3,34/3")?;
        let f = s.factor()?;
        for i in 0..3 {
            for j in 0..3 {
                let mut sum = crate::poly::coefficients::rational::Rational::default();
                for k in 0..3 {
                    sum += &(&(&f.lower[i][k] * &f.pivots[k]) * &f.lower[j][k]);
                }
                assert_eq!(sum, s.entry(i, j));
            }
        }
        Ok(())
    }
}
