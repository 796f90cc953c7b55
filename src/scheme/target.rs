//! The tensors that schemes should be.

use crate::Error;
use crate::certify::{ClaimedTensor, Entry};
use crate::poly::Rational;
use crate::tensor::{Tensor, TensorView};
use num_complex::Complex;
use num_traits::Zero;
use std::collections::BTreeMap;

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
    /// A complex one: shape, real parts and imaginary parts by index (first index slowest). Only
    /// [`examine`](super::examine) takes it.
    Complex(
        Vec<usize>,
        BTreeMap<usize, Rational>,
        BTreeMap<usize, Rational>,
    ),
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

    /// The exact values of the parts of a complex tensor; a real one where no part is imaginary.
    ///
    /// # Errors
    /// `NonFinite`.
    pub fn complex(t: TensorView<'_, Complex<f64>>) -> Result<Self, Error> {
        let part = |f: fn(&Complex<f64>) -> f64| -> Result<Self, Error> {
            let data = t.as_slice().iter().map(f).collect();
            Self::dense(Tensor::from_vec(t.dims(), data)?.view())
        };
        let (real, imaginary) = (part(|z| z.re)?, part(|z| z.im)?.entries());
        Ok(match imaginary.is_empty() {
            true => real,
            false => Self::Complex(real.shape(), real.entries(), imaginary),
        })
    }

    /// The sizes of the modes.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Self::Matmul([n, m, p]) => vec![n * m, m * p, n * p],
            Self::Polymul([a, b]) => vec![*a, *b, a + b - 1],
            Self::Dense(shape, _) | Self::Named(_, shape, _) | Self::Complex(shape, ..) => {
                shape.clone()
            }
        }
    }

    /// How many entries are not zero.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Matmul([n, m, p]) => n.saturating_mul(*m).saturating_mul(*p),
            Self::Polymul([a, b]) => a.saturating_mul(*b),
            Self::Dense(_, entries) | Self::Named(_, _, entries) => entries.len(),
            Self::Complex(_, real, imaginary) => real.len().saturating_add(imaginary.len()),
        }
    }

    /// The imaginary parts that are not zero, by position, first index slowest.
    pub(crate) fn imaginary(&self) -> BTreeMap<usize, Rational> {
        match self {
            Self::Complex(_, _, imaginary) => imaginary.clone(),
            _ => BTreeMap::new(),
        }
    }

    /// Refuses what has imaginary parts.
    pub(crate) fn require_real(&self, op: &'static str) -> Result<(), Error> {
        match self {
            Self::Complex(..) => Err(Error::invalid(op, "needs a real tensor, not a complex one")),
            _ => Ok(()),
        }
    }

    /// The nonzero entries by position, first index slowest; the real parts of a complex tensor.
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
            Self::Dense(_, entries) | Self::Named(_, _, entries) | Self::Complex(_, entries, _) => {
                entries.clone()
            }
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
            Self::Complex(shape, ..) => format!("complex tensor {shape:?}"),
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
        if let Self::Complex(_, real, imaginary) = self {
            for (at, value) in imaginary {
                let real = real.get(at).cloned().unwrap_or_default();
                flat[*at] = Entry::powers([(0, real), (1, value.clone())]);
            }
        }
        ClaimedTensor::Exact(shape, flat)
    }
}
