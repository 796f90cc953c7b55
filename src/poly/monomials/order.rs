//! Monomial orders.

use crate::Error;
use crate::poly::coefficients::ring::Ring;
use crate::poly::polynomial::value::Poly;
use std::cmp::Ordering;

/// A total order of monomials that multiplication respects and in which 1 is the least.
///
/// Polynomials are stored in lexicographic order; other orders are asked for where they matter: in
/// division with remainder, in leading terms and in Groebner bases.
///
/// # Example
/// ```
/// use std::cmp::Ordering;
/// use wickring::poly::Order;
/// // x and y^2
/// assert_eq!(Order::Lex.compare(&[1, 0], &[0, 2]), Ordering::Greater);
/// assert_eq!(Order::DegLex.compare(&[1, 0], &[0, 2]), Ordering::Less);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Lexicographic: the first variable decides.
    Lex,
    /// By total degree, then lexicographic.
    DegLex,
    /// By total degree, then the smaller exponent of the last variable wins.
    DegRevLex,
    /// Degree reverse lexicographic in the first so many variables, then in the others: eliminates the
    /// first block.
    Block(usize),
    /// By the weighted degree, then lexicographic. Missing weights are one.
    Weight(Vec<u32>),
}

fn at(e: &[u32], v: usize) -> u32 {
    e.get(v).copied().unwrap_or(0)
}

fn degree(e: &[u32]) -> u64 {
    e.iter().map(|&k| u64::from(k)).sum()
}

fn lex(a: &[u32], b: &[u32]) -> Ordering {
    let n = a.len().max(b.len());
    (0..n).map(|v| at(a, v)).cmp((0..n).map(|v| at(b, v)))
}

fn deg_rev_lex(a: &[u32], b: &[u32]) -> Ordering {
    let n = a.len().max(b.len());
    let last = || (0..n).rev().map(|v| at(b, v).cmp(&at(a, v)));
    let tie = || last().find(|o| o.is_ne()).unwrap_or(Ordering::Equal);
    degree(a).cmp(&degree(b)).then_with(tie)
}

impl Order {
    /// The order with the name `lex`, `deglex`, `degrevlex`, `block:K` or `weight:W1,W2,..`.
    ///
    /// # Errors
    /// `InvalidInput` for any other name.
    pub fn from_name(name: &str) -> Result<Self, Error> {
        match name {
            "lex" => Ok(Self::Lex),
            "deglex" | "grlex" => Ok(Self::DegLex),
            "degrevlex" | "grevlex" => Ok(Self::DegRevLex),
            _ => Self::with_numbers(name).ok_or_else(|| {
                let found = crate::error::quoted(name);
                let names = "lex, deglex, degrevlex, block:K, weight:W1,W2,..";
                let what = format!("one of {names}, got {found}");
                Error::invalid("Order::from_name", what)
            }),
        }
    }

    fn with_numbers(name: &str) -> Option<Self> {
        let (kind, numbers) = name.split_once(':')?;
        let numbers = numbers.split(',').map(|n| n.trim().parse::<u32>().ok());
        let numbers = numbers.collect::<Option<Vec<u32>>>()?;
        match (kind, numbers.as_slice()) {
            ("block", [k]) => Some(Self::Block(*k as usize)),
            ("weight", [_, ..]) => Some(Self::Weight(numbers)),
            _ => None,
        }
    }

    /// Compares two exponent vectors; missing trailing exponents are zero.
    pub fn compare(&self, a: &[u32], b: &[u32]) -> Ordering {
        match self {
            Self::Lex => lex(a, b),
            Self::DegLex => degree(a).cmp(&degree(b)).then_with(|| lex(a, b)),
            Self::DegRevLex => deg_rev_lex(a, b),
            Self::Block(n) => {
                let cut = |e: &'_ [u32]| {
                    let (x, y) = e.split_at(e.len().min(*n));
                    (x.to_vec(), y.to_vec())
                };
                let ((a1, a2), (b1, b2)) = (cut(a), cut(b));
                deg_rev_lex(&a1, &b1).then_with(|| deg_rev_lex(&a2, &b2))
            }
            Self::Weight(w) => {
                let weight = |v: usize| u128::from(w.get(v).copied().unwrap_or(1));
                let of = |e: &[u32]| -> u128 {
                    e.iter()
                        .enumerate()
                        .map(|(v, &k)| weight(v) * u128::from(k))
                        .sum()
                };
                of(a).cmp(&of(b)).then_with(|| lex(a, b))
            }
        }
    }
}

impl<C: Ring> Poly<C> {
    /// The terms in an order, greatest first.
    pub fn terms_in(&self, order: &Order) -> Vec<(Vec<u32>, C)> {
        let mut terms: Vec<_> = self.iter().collect();
        terms.sort_by(|a, b| order.compare(&b.0, &a.0));
        terms
    }

    /// The greatest term in an order; `None` for the zero polynomial.
    pub fn leading_term_in(&self, order: &Order) -> Option<(Vec<u32>, C)> {
        self.iter().max_by(|a, b| order.compare(&a.0, &b.0))
    }
}
