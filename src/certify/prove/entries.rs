//! Entries of a model as sums of monomials of its parameters, in floats and, for the last digits, in integers.

use crate::Error;
use crate::certify::certificate::{ClaimedTensor, Entry};
use crate::certify::numbers::OP;
use crate::poly::{Integer, Rational, integer_gcd};
use crate::tensor::TensorView;

/// Entries of a tensor up to which a theorem about it is tried: the claim holds them all.
const MAX_ENTRIES: usize = 1 << 16;
/// Monomials of all entries together.
const MAX_MONOMIALS: usize = 1 << 21;

/// Cores `R x n x R'` laid out as in claims, the tensor, and the monomials of each entry.
pub(super) struct Entries {
    /// `cp`, `symmetric` or `ring`: what claims are called by.
    pub(super) model: &'static str,
    pub(super) cores: Vec<[usize; 3]>,
    pub(super) parameters: Vec<f64>,
    pub(super) rank: usize,
    /// Factors of each monomial.
    pub(super) degree: usize,
    pub(super) monomials: Vec<Vec<Vec<usize>>>,
    /// The entries, last index fastest, and whether each is the first of those that symmetry makes equal.
    pub(super) target: Vec<Rational>,
    pub(super) first: Vec<bool>,
    pub(super) shape: Vec<usize>,
    common: Integer,
}

/// Refuses tensors that are too large for a theorem.
fn require_size(volume: usize, terms: usize) -> Result<(), Error> {
    if volume > MAX_ENTRIES || volume.saturating_mul(terms) > MAX_MONOMIALS {
        return Err(Error::limit(
            OP,
            "entries of a tensor in a theorem",
            MAX_ENTRIES as u64,
        ));
    }
    Ok(())
}

/// Where the entries of cores stand among the parameters.
struct Places<'a> {
    cores: &'a [[usize; 3]],
    starts: Vec<usize>,
}

impl Places<'_> {
    fn of(&self, k: usize, a: usize, i: usize, b: usize) -> usize {
        self.starts[k] + (a * self.cores[k][1] + i) * self.cores[k][2] + b
    }

    /// The parameters in each of the terms of an entry of the tensor.
    fn entry(&self, model: &str, terms: usize, index: &[usize]) -> Vec<Vec<usize>> {
        let place = |k: usize, a: usize, i: usize, b: usize| self.of(k, a, i, b);
        let along = |r: usize| index.iter().enumerate().map(move |(k, i)| (k, *i, r));
        (0..terms)
            .map(|path| match model {
                "cp" => along(path).map(|(k, i, r)| place(k, 0, i, r)).collect(),
                "symmetric" => {
                    let vectors = along(path).map(|(_, i, r)| place(1, 0, i, r));
                    std::iter::once(place(0, 0, 0, path))
                        .chain(vectors)
                        .collect()
                }
                _ => {
                    // The bonds of a path, the digits of its number.
                    let mut rest = path;
                    let digits = self.cores.iter().map(|c| {
                        let digit = rest % c[0];
                        rest /= c[0];
                        digit
                    });
                    let bonds: Vec<usize> = digits.collect();
                    let next = |k: usize| bonds[(k + 1) % bonds.len()];
                    along(0)
                        .map(|(k, i, _)| place(k, bonds[k], i, next(k)))
                        .collect()
                }
            })
            .collect()
    }
}

impl Entries {
    pub(super) fn new(
        model: &'static str,
        cores: Vec<[usize; 3]>,
        parameters: Vec<f64>,
        t: TensorView<'_>,
    ) -> Result<Self, Error> {
        let shape = t.dims().to_vec();
        let volume = t.as_slice().len();
        let terms: usize = match model {
            "ring" => cores.iter().fold(1usize, |n, c| n.saturating_mul(c[0])),
            _ => cores.last().map_or(0, |c| c[2]),
        };
        require_size(volume, terms)?;
        let starts = cores.iter().scan(0, |at, c| {
            let start = *at;
            *at += c.iter().product::<usize>();
            Some(start)
        });
        let starts: Vec<usize> = starts.collect();
        let places = Places {
            cores: &cores,
            starts,
        };
        let (mut monomials, mut target, mut first) = (Vec::new(), Vec::new(), Vec::new());
        let mut index = vec![0; shape.len()];
        for _ in 0..volume {
            let value = t.get(&index).and_then(|x| Rational::from_f64(*x));
            target.push(value.ok_or(Error::NonFinite {
                op: OP,
                index: target.len(),
            })?);
            monomials.push(places.entry(model, terms, &index));
            first.push(model != "symmetric" || index.is_sorted());
            for (i, n) in index.iter_mut().zip(&shape).rev() {
                *i = (*i + 1) % n;
                if *i > 0 {
                    break;
                }
            }
        }
        let lcm = |l: Integer, x: &Rational| {
            let d = x.denominator();
            &l / integer_gcd(&l, &d) * d
        };
        Ok(Self {
            model,
            rank: cores.iter().map(|c| c[2]).max().unwrap_or(0),
            degree: shape.len() + usize::from(model == "symmetric"),
            common: target.iter().fold(Integer::from(1), lcm),
            cores,
            parameters,
            monomials,
            target,
            first,
            shape,
        })
    }

    /// The tensor as claims hold it.
    pub(super) fn claimed(&self) -> ClaimedTensor {
        let entries = self.target.iter().cloned().map(Entry::from);
        ClaimedTensor::Exact(self.shape.clone(), entries.collect())
    }

    /// The Frobenius norms of `model - target` and of the target.
    pub(super) fn residual(&self) -> (f64, f64) {
        let x = &self.parameters;
        let value = |m: &Vec<Vec<usize>>| m.iter().map(|f| product(f, x, &[])).sum::<f64>();
        let pairs = self.monomials.iter().zip(&self.target);
        pairs.fold((0.0f64, 0.0f64), |(gap, all), (m, t)| {
            let t = t.to_f64();
            (gap.hypot(value(m) - t), all.hypot(t))
        })
    }

    /// `model - target` of an entry for parameters in units of `2^-scale`, times the common denominator of the
    /// target and `2^(degree scale)`.
    pub(super) fn gap(&self, e: usize, x: &[Integer], scale: usize) -> Integer {
        let mut sum = Integer::from(0);
        for factors in &self.monomials[e] {
            sum += exact_product(factors, x, usize::MAX);
        }
        let t = &self.target[e];
        sum * &self.common
            - ((t.numerator() * (&self.common / t.denominator())) << (self.degree * scale))
    }

    /// `n / (common denominator 2^bits)`.
    pub(super) fn float(&self, n: Integer, bits: usize) -> f64 {
        Rational::from_integers(n, &self.common << bits).map_or(f64::NAN, |x| x.to_f64())
    }
}

/// The product of the factors but those at some positions.
pub(super) fn product(factors: &[usize], x: &[f64], skip: &[usize]) -> f64 {
    let kept = factors
        .iter()
        .enumerate()
        .filter(|(k, _)| !skip.contains(k));
    kept.map(|(_, &v)| x[v]).product()
}

/// The product of the factors but the one at a position.
pub(super) fn exact_product(factors: &[usize], x: &[Integer], skip: usize) -> Integer {
    let kept = factors.iter().enumerate().filter(|(k, _)| *k != skip);
    kept.fold(Integer::from(1), |p, (_, &v)| p * &x[v])
}

/// `x` in units of `2^-scale`, to the nearest one that 128 bits hold.
pub(super) fn fixed(x: f64, scale: usize) -> Integer {
    Integer::from((x * 2f64.powi(scale as i32)).round() as i128)
}
