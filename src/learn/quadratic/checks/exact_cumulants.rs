//! The cumulants of a quadratic map, exactly: by the trace formulas, and independently by Wick's.
//!
//! Every float of the model is a rational number, so `k_1 = Tr Q_a + c_a`,
//! `k_2 = 2 Tr(Q_a Q_b) + b_a.b_b` and
//! `k_3 = 8 Tr(Q_a Q_b Q_c) + 2 (b_a'Q_b b_c + b_a'Q_c b_b + b_b'Q_a b_c)` are identities between rationals,
//! and expanding the polynomials and taking expectations must give the same numbers to the last digit.

use crate::Error;
use crate::poly::{Poly, Rational, wick};
use crate::tensor::QuadraticMap;
use num_traits::Zero;

/// Exact cumulants of some outputs of a map, and whether two derivations agree.
///
/// # Example
/// ```
/// use wickring::learn::ExactCumulants;
/// use wickring::tensor::{QuadraticMap, SymmetricRing};
/// // x_0^2 + x_1^2: chi squared with two degrees of freedom.
/// let ring = SymmetricRing::new(2, vec![1.0, 0.0, 0.0, 1.0])?;
/// let found = ExactCumulants::of(&QuadraticMap::new(ring, vec![0.0; 2], vec![0.0])?, &[0])?;
/// let values: Vec<f64> = found.values.iter().map(|(_, k)| k.to_f64()).collect();
/// assert_eq!((values, found.disagreements), (vec![2.0, 4.0, 16.0], 0));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ExactCumulants {
    /// Index tuples of outputs (of length 1, 2 or 3) and the exact joint cumulants by the trace formulas.
    pub values: Vec<(Vec<usize>, Rational)>,
    /// Those for which Wick's formula, applied to the expanded polynomials, gives another number: none, unless
    /// the code is wrong.
    pub disagreements: usize,
}

/// Beyond this latent dimension third cumulants are left out: the expanded products have
/// `C(r+4, 4) C(r+2, 2)` terms.
const MAX_THIRD: usize = 8;

impl ExactCumulants {
    /// The cumulants of orders one to three of the given outputs, all index tuples with repetition.
    ///
    /// # Errors
    /// `InvalidInput` when an index is out of range.
    ///
    /// # Complexity
    /// For `k` outputs `O(k^3 r^6 / 48)` rational products.
    /// Here `r` is the latent dimension.
    pub fn of(map: &QuadraticMap, outputs: &[usize]) -> Result<Self, Error> {
        let d = map.output_dim();
        if let Some(a) = outputs.iter().find(|a| **a >= d) {
            let text = format!("outputs below {d}, got {a}");
            return Err(Error::invalid("ExactCumulants::of", text));
        }
        let forms: Vec<Form> = outputs.iter().map(|&a| Form::of(map, a)).collect();
        let mut values = Vec::new();
        let mut disagreements = 0;
        let mut put = |index: Vec<usize>, formula: Rational, expanded: Rational| {
            disagreements += usize::from(formula != expanded);
            values.push((index, formula));
        };
        for (i, x) in forms.iter().enumerate() {
            put(
                vec![outputs[i]],
                x.first(),
                wick::expectation_standard(&x.expanded),
            );
            for (j, y) in forms.iter().enumerate().take(i + 1) {
                let xy = x.centred.checked_mul(&y.centred)?;
                put(
                    vec![outputs[j], outputs[i]],
                    x.second(y),
                    wick::expectation_standard(&xy),
                );
                if map.latent_dim() > MAX_THIRD {
                    continue;
                }
                for (k, z) in forms.iter().enumerate().take(j + 1) {
                    let xyz = xy.checked_mul(&z.centred)?;
                    let index = vec![outputs[k], outputs[j], outputs[i]];
                    put(index, x.third(y, z), wick::expectation_standard(&xyz));
                }
            }
        }
        Ok(Self {
            values,
            disagreements,
        })
    }
}

/// One output with exact entries.
struct Form {
    q: Vec<Vec<Rational>>,
    b: Vec<Rational>,
    c: Rational,
    expanded: Poly<Rational>,
    /// The output minus its mean as its own polynomial says.
    centred: Poly<Rational>,
}

type Matrix = [Vec<Rational>];

fn product(a: &Matrix, b: &Matrix) -> Vec<Vec<Rational>> {
    let r = a.len();
    let entry =
        |i: usize, j: usize| (0..r).fold(Rational::zero(), |s, k| &s + &(&a[i][k] * &b[k][j]));
    (0..r)
        .map(|i| (0..r).map(|j| entry(i, j)).collect())
        .collect()
}

fn trace_of_product(a: &Matrix, b: &Matrix) -> Rational {
    let r = a.len();
    let pairs = (0..r).flat_map(|i| (0..r).map(move |j| (i, j)));
    pairs.fold(Rational::zero(), |s, (i, j)| &s + &(&a[i][j] * &b[j][i]))
}

fn between(x: &[Rational], m: &Matrix, y: &[Rational]) -> Rational {
    let r = x.len();
    let pairs = (0..r).flat_map(|i| (0..r).map(move |j| (i, j)));
    pairs.fold(Rational::zero(), |s, (i, j)| {
        &s + &(&(&x[i] * &m[i][j]) * &y[j])
    })
}

impl Form {
    fn of(map: &QuadraticMap, a: usize) -> Self {
        let r = map.latent_dim();
        let exact = |x: f64| Rational::from_f64(x).unwrap_or_default();
        let ring = map.quadratic();
        let q: Vec<Vec<Rational>> = (0..r)
            .map(|i| (0..r).map(|j| exact(ring.entry(a, i, j))).collect())
            .collect();
        let b: Vec<Rational> = map.linear(a).iter().map(|x| exact(*x)).collect();
        let c = exact(map.constant()[a]);
        let unit = |i: usize, j: Option<usize>| {
            let mut e = vec![0; r];
            e[i] += 1;
            if let Some(j) = j {
                e[j] += 1;
            }
            e
        };
        let mut terms = vec![(vec![0; r], c.clone())];
        for i in 0..r {
            terms.push((unit(i, None), b[i].clone()));
            terms.extend((0..r).map(|j| (unit(i, Some(j)), q[i][j].clone())));
        }
        let expanded = Poly::from_terms(terms);
        let mean = Poly::constant(wick::expectation_standard(&expanded));
        let centred = &expanded - &mean;
        Self {
            q,
            b,
            c,
            expanded,
            centred,
        }
    }

    fn first(&self) -> Rational {
        (0..self.b.len()).fold(self.c.clone(), |s, i| &s + &self.q[i][i])
    }

    fn second(&self, other: &Self) -> Rational {
        let mut sum = &Rational::from(2) * &trace_of_product(&self.q, &other.q);
        for (x, y) in self.b.iter().zip(&other.b) {
            sum += &(x * y);
        }
        sum
    }

    fn third(&self, y: &Self, z: &Self) -> Rational {
        let cubic = trace_of_product(&product(&self.q, &y.q), &z.q);
        let mut mixed = between(&self.b, &y.q, &z.b);
        mixed += &between(&self.b, &z.q, &y.b);
        mixed += &between(&y.b, &self.q, &z.b);
        &(&Rational::from(8) * &cubic) + &(&Rational::from(2) * &mixed)
    }
}
