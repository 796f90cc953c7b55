//! A bilinear scheme: a tensor as a sum of rank-one terms, with exact entries.

use super::formats::entry::{Scalar, constant};
use crate::Error;
use crate::certify::{Claim, ClaimedTensor, Entry};
use crate::poly::Rational;
use crate::tensor::TensorView;
use num_traits::Zero;
use std::collections::BTreeMap;

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

/// The tensor that a scheme should be.
///
/// # Example
/// ```
/// use wickring::scheme::Target;
/// let target = Target::parse("polymul:2,2")?; // (a + b x)(c + d x)
/// assert_eq!(target.shape(), [2, 2, 3]);
/// assert_eq!(target.spelled().as_deref(), Some("polymul:2,2"));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// `<n,m,p>`: `T[i*m+j, j*p+k, i*p+k] = 1`.
    Matmul([usize; 3]),
    /// `T[i, j, i+j] = 1`.
    Polymul([usize; 2]),
    /// Any other: shape, and entries by index (first index slowest).
    Dense(Vec<usize>, BTreeMap<usize, Rational>),
    /// One of the tensors by name, as [`Target::parse`] reads it, with its shape and entries.
    Named(String, Vec<usize>, BTreeMap<usize, Rational>),
}

impl Target {
    /// `matmul:N,M,P`, `polymul:A,B`, `structured:XY,N` (letters g, u, l, s, k, w), `xxt:N,M`, `short:N`, `cyclic:N`,
    /// `modulo:C0,C1,..`, `complex` or `quaternions`.
    ///
    /// # Errors
    /// `InvalidInput` for anything else, and for sizes beyond 4096 (64 for structured matrices, 256 for polynomials).
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::invalid(
                "--tensor",
                format!(
                    "must be matmul:N,M,P, polymul:A,B, structured:XY,N, xxt:N,M, short:N, cyclic:N, modulo:C0,C1,.., complex, \
                     quaternions or a .npy file, not {text}"
                ),
            )
        };
        if let Some(found) = super::targets::named(text) {
            return found;
        }
        let (kind, sizes) = text.split_once(':').ok_or_else(wrong)?;
        let sizes: Option<Vec<usize>> = sizes
            .split(',')
            .map(|n| n.trim().parse().ok().filter(|n| (1..=4096).contains(n)))
            .collect();
        match (kind, sizes.as_deref()) {
            ("matmul", Some(&[n, m, p])) => Ok(Self::Matmul([n, m, p])),
            ("polymul", Some(&[a, b])) => Ok(Self::Polymul([a, b])),
            _ => Err(wrong()),
        }
    }

    /// The exact values of the floats of a tensor.
    ///
    /// # Errors
    /// `NonFinite`.
    pub fn dense(t: TensorView<'_>) -> Result<Self, Error> {
        let (op, shape) = ("Target::dense", t.dims().to_vec());
        t.require_finite(op)?;
        let mut entries = BTreeMap::new();
        let mut index = vec![0; shape.len()];
        for flat in 0..t.as_slice().len() {
            let value = t.get(&index).copied().unwrap_or(0.0);
            if value != 0.0 {
                entries.insert(flat, Rational::from_f64(value).unwrap_or_default());
            }
            for (i, &n) in index.iter_mut().zip(&shape).rev() {
                *i += 1;
                if *i < n {
                    break;
                }
                *i = 0;
            }
        }
        Ok(Self::Dense(shape, entries))
    }

    /// The sizes of the modes.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Self::Matmul([n, m, p]) => vec![n * m, m * p, n * p],
            Self::Polymul([a, b]) => vec![*a, *b, a + b - 1],
            Self::Dense(shape, _) | Self::Named(_, shape, _) => shape.clone(),
        }
    }

    /// How many entries are not zero.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Matmul([n, m, p]) => n.saturating_mul(*m).saturating_mul(*p),
            Self::Polymul([a, b]) => a.saturating_mul(*b),
            Self::Dense(_, entries) | Self::Named(_, _, entries) => entries.len(),
        }
    }

    /// The nonzero entries by position, first index slowest.
    pub(crate) fn entries(&self) -> BTreeMap<usize, Rational> {
        let shape = self.shape();
        let at = |i, j, k| ((i * shape[1] + j) * shape[2] + k, Rational::from(1));
        match self {
            Self::Matmul([n, m, p]) => {
                let ij = (0..*n).flat_map(|i| (0..*m).map(move |j| (i, j)));
                let ijk = ij.flat_map(|(i, j)| (0..*p).map(move |k| (i, j, k)));
                ijk.map(|(i, j, k)| at(i * m + j, j * p + k, i * p + k))
                    .collect()
            }
            Self::Polymul([a, b]) => {
                let ij = (0..*a).flat_map(|i| (0..*b).map(move |j| (i, j)));
                ij.map(|(i, j)| at(i, j, i + j)).collect()
            }
            Self::Dense(_, entries) | Self::Named(_, _, entries) => entries.clone(),
        }
    }

    /// How `--tensor` and files write it, where it has a name: [`Target::parse`] reads it back.
    pub fn spelled(&self) -> Option<String> {
        match self {
            Self::Matmul([n, m, p]) => Some(format!("matmul:{n},{m},{p}")),
            Self::Polymul([a, b]) => Some(format!("polymul:{a},{b}")),
            Self::Named(name, ..) => Some(name.clone()),
            _ => None,
        }
    }

    /// How people write it.
    pub fn name(&self) -> String {
        match self {
            Self::Matmul([n, m, p]) => format!("<{n},{m},{p}>"),
            Self::Polymul([a, b]) => format!("polynomial product {a} x {b}"),
            Self::Dense(shape, _) => format!("tensor {shape:?}"),
            Self::Named(name, ..) => name.clone(),
        }
    }

    /// As certificates hold it.
    pub fn claimed(&self) -> ClaimedTensor {
        if let Self::Matmul(dims) = self
            && let [Ok(n), Ok(m), Ok(p)] = dims.map(u16::try_from)
        {
            return ClaimedTensor::Matmul([n, m, p]);
        }
        let shape = self.shape();
        let volume = shape.iter().product();
        let mut flat = vec![Entry::from(Rational::zero()); volume];
        for (at, value) in self.entries() {
            flat[at] = value.into();
        }
        ClaimedTensor::Exact(shape, flat)
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
