//! A bilinear scheme: a tensor as a sum of rank-one terms, with exact entries.

use super::formats::entry::{Scalar, constant};
pub(crate) use super::target::Target;
use crate::Error;
use crate::certify::{Claim, Entry};
use crate::poly::Rational;
use num_traits::Zero;

pub(crate) const MAX_RANK: usize = 1 << 16;
pub(crate) const MAX_SIZE: usize = 1 << 16;

/// What the entries adjoin to the rationals.
///
/// See [`Scheme`] for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adjoined {
    /// Nothing.
    #[default]
    None,
    /// `i` with `i^2 = -1`.
    I,
    /// A variable `x` and its inverse: border schemes.
    X,
}

/// One factor, `size x rank`, sparse: for each column the positions of its nonzero entries and their values.
///
/// See [`Scheme`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemeFactor {
    size: usize,
    pub(crate) columns: Vec<Vec<(usize, Scalar)>>,
}

impl SchemeFactor {
    pub(crate) fn new(size: usize, rank: usize) -> Result<Self, Error> {
        let op = "scheme";
        if size == 0 || rank == 0 || size > MAX_SIZE || rank > MAX_RANK {
            let expected = format!("a factor of 1..{MAX_SIZE} rows and 1..{MAX_RANK} columns");
            return Err(Error::shape(op, expected, format!("{size} x {rank}")));
        }
        let columns = vec![Vec::new(); rank];
        Ok(Self { size, columns })
    }

    /// Sets an entry that has not been set before.
    pub(crate) fn set(&mut self, row: usize, column: usize, value: Scalar) -> Result<(), Error> {
        let outside = || {
            Error::shape(
                "scheme",
                "an entry inside its factor",
                format!("({row}, {column})"),
            )
        };
        let column = self
            .columns
            .get_mut(column)
            .filter(|_| row < self.size)
            .ok_or_else(outside)?;
        if !value.is_empty() {
            column.push((row, value));
        }
        Ok(())
    }

    /// Columns in order of rows; two values for one entry are refused.
    pub(crate) fn finish(mut self) -> Result<Self, Error> {
        for column in &mut self.columns {
            column.sort_by_key(|(row, _)| *row);
            if column.windows(2).any(|w| w[0].0 == w[1].0) {
                return Err(Error::invalid("scheme", "an entry must not be given twice"));
            }
        }
        Ok(self)
    }

    /// Number of rows.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The nonzero entries of column `r` as `(row, value)` with the value in words.
    pub fn entries(&self) -> impl Iterator<Item = (usize, usize)> {
        let columns = self.columns.iter().enumerate();
        columns.flat_map(|(r, c)| c.iter().map(move |(i, _)| (*i, r)))
    }
}

/// A scheme as it was read.
///
/// # Example
/// ```
/// use wickring::scheme::{Adjoined, SchemeFormat, read_schemes};
/// // A row of two entries times a column.
/// let scheme = read_schemes("a11*b11*c11\na12*b21*c11", SchemeFormat::Products, "")?.remove(0);
/// assert_eq!((scheme.rank(), scheme.field(), scheme.adjoined), (2, "ZT", Adjoined::None));
/// let sizes: Vec<usize> = scheme.factors.iter().map(|f| f.size()).collect();
/// assert_eq!(sizes, [2, 2, 1]);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scheme {
    /// Its name within its file; empty if the file holds one.
    pub name: String,
    /// The factors, one for each mode.
    pub factors: Vec<SchemeFactor>,
    /// What the entries adjoin.
    pub adjoined: Adjoined,
    /// The tensor that the file says it is, if it says so.
    pub target: Option<Target>,
    /// Whether nobody says what tensor it is: the target was guessed from the sizes.
    pub target_guessed: bool,
    /// Whether the file, or its name, says that it is meant modulo 2.
    pub modulo_two: bool,
}

impl Scheme {
    /// Number of rank-one terms.
    pub fn rank(&self) -> usize {
        self.factors.first().map_or(0, |f| f.columns.len())
    }

    /// A scheme from rational factors, each `size x rank` row by row.
    ///
    /// # Errors
    /// `Shape` when the factors do not have the same number of columns.
    pub fn from_rationals(factors: &[Vec<Vec<Rational>>], target: Target) -> Result<Self, Error> {
        let mut built = Vec::new();
        for rows in factors {
            let mut factor = SchemeFactor::new(rows.len(), rows.first().map_or(0, Vec::len))?;
            for (i, row) in rows.iter().enumerate() {
                for (r, value) in row.iter().enumerate() {
                    factor.set(i, r, constant(value.clone()))?;
                }
            }
            built.push(factor.finish()?);
        }
        let scheme = Self {
            name: String::new(),
            factors: built,
            adjoined: Adjoined::None,
            target: Some(target),
            target_guessed: false,
            modulo_two: false,
        };
        scheme.check_invariants()?;
        Ok(scheme)
    }

    /// A copy with `delta` added to one entry; what mutation tests are made of.
    ///
    /// # Panics
    /// If factor, row or term are out of range.
    #[must_use]
    pub fn changed(&self, factor: usize, row: usize, term: usize, delta: &Rational) -> Self {
        let mut copy = self.clone();
        let column = &mut copy.factors[factor].columns[term];
        let found = column.iter().position(|(at, _)| *at == row);
        let mut value = found.map(|i| column.remove(i).1).unwrap_or_default();
        let constant = value.remove(&0).unwrap_or_default() + delta.clone();
        if !constant.is_zero() {
            value.insert(0, constant);
        }
        if !value.is_empty() {
            column.push((row, value));
            column.sort_by_key(|(at, _)| *at);
        }
        copy
    }

    /// The factors have the same number of columns, and there are at least two of them.
    pub(crate) fn check_invariants(&self) -> Result<(), Error> {
        let rank = self.rank();
        if self.factors.len() < 2 || self.factors.iter().any(|f| f.columns.len() != rank) {
            let found: Vec<_> = self
                .factors
                .iter()
                .map(|f| (f.size, f.columns.len()))
                .collect();
            let expected = "at least two factors with the same number of columns";
            return Err(Error::shape("scheme", expected, format!("{found:?}")));
        }
        Ok(())
    }

    /// Whether no denominator of an entry is divisible by `p`.
    pub(crate) fn has_values_modulo(&self, p: u32) -> bool {
        let (p, zero) = (crate::poly::Integer::from(p), crate::poly::Integer::zero());
        let columns = self.factors.iter().flat_map(|f| f.columns.iter().flatten());
        columns
            .flat_map(|(_, v)| v.values())
            .all(|c| &c.denominator() % &p != zero)
    }

    /// The smallest of `ZT` (-1, 0, 1), `Z`, `Z[1/2]`, `Q`, `Q(i)`, `Q[x,1/x]` that holds the entries.
    pub fn field(&self) -> &'static str {
        match self.adjoined {
            Adjoined::I => return "Q(i)",
            Adjoined::X => return "Q[x,1/x]",
            Adjoined::None => (),
        }
        let one = crate::poly::Integer::from(1);
        let values = || {
            self.factors
                .iter()
                .flat_map(|f| f.columns.iter().flatten())
                .flat_map(|(_, v)| v.values())
        };
        if values().all(|v| v.is_integer()) {
            let small = values().all(|v| v.abs().numerator() == one);
            return if small { "ZT" } else { "Z" };
        }
        let two_power = |v: &Rational| {
            let d = v.denominator();
            (&d & (&d - &one)) == crate::poly::Integer::from(0)
        };
        if values().all(two_power) {
            "Z[1/2]"
        } else {
            "Q"
        }
    }

    /// How many numbers a claim about this scheme lists.
    pub fn claim_size(&self, target: &Target) -> usize {
        let shape = target.shape();
        let dense = shape.iter().fold(1, |v: usize, &n| v.saturating_mul(n));
        let listed = match target {
            Target::Matmul(dims) if dims.iter().all(|n| u16::try_from(*n).is_ok()) => 3,
            _ => dense,
        };
        let factors = self
            .factors
            .iter()
            .map(|f| f.size.saturating_mul(self.rank()));
        factors.fold(listed, usize::saturating_add)
    }

    /// The claim that this scheme, as it stands, is `target` over `field` (`mod p` or as [`Scheme::field`]).
    pub fn claim(&self, field: &str, target: &Target) -> Claim {
        let about = format!("{} with {} multiplications", target.name(), self.rank());
        Claim::cp_exact(field, &self.entries(), &target.claimed()).about(about)
    }

    /// The claim that this scheme is `target` up to a relative residual (Frobenius) of at most `bound`.
    pub fn residual_claim(&self, target: &Target, bound: f64) -> Claim {
        let about = format!("{} in {} terms", target.name(), self.rank());
        Claim::cp_residual(&self.entries(), &target.claimed(), bound).about(about)
    }

    fn entries(&self) -> Vec<Vec<Vec<Entry>>> {
        self.factors
            .iter()
            .map(|f| {
                let mut rows = vec![vec![Entry::from(Rational::zero()); f.columns.len()]; f.size];
                for (r, column) in f.columns.iter().enumerate() {
                    for (i, value) in column {
                        rows[*i][r] = Entry::powers(value.iter().map(|(e, c)| (*e, c.clone())));
                    }
                }
                rows
            })
            .collect()
    }
}
