//! Lists of monomials: evaluation at points, derivatives, linear substitution.

use crate::Error;
use faer::{Mat, MatRef};
use std::collections::BTreeMap;

/// Monomials `x^a` in a fixed number of variables, in a fixed order.
///
/// Invariant: every exponent list has one entry per variable, no list stands twice, and degrees are at most 64.
///
/// # Example
/// ```
/// use wickring::tensor::MonomialBasis;
/// let basis = MonomialBasis::homogeneous(2, 2)?; // x^2, x y, y^2
/// assert_eq!(basis.exponents(), [vec![2, 0], vec![1, 1], vec![0, 2]]);
/// assert_eq!(basis.position(&[1, 1]), Some(1));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonomialBasis {
    variables: usize,
    exponents: Vec<Vec<u32>>,
}

/// The greatest degree of a monomial.
const MAX_DEGREE: u32 = 64;
/// The longest list that is enumerated.
const MAX_MONOMIALS: usize = 1 << 20;

/// The binomial coefficient `C(n, k)`, or `None` when it does not fit.
pub fn binomial(n: usize, k: usize) -> Option<usize> {
    let k = k.min(n.checked_sub(k)?);
    let mut value = 1usize;
    for i in 0..k {
        value = value.checked_mul(n - i)? / (i + 1);
    }
    Some(value)
}

impl MonomialBasis {
    /// The monomials with the given exponents.
    ///
    /// # Errors
    /// `InvalidInput` when a list is repeated, has another length than `variables` or a degree above 64.
    pub fn new(variables: usize, exponents: Vec<Vec<u32>>) -> Result<Self, Error> {
        let op = "MonomialBasis::new";
        let degree = |e: &[u32]| e.iter().fold(0u32, |s, &k| s.saturating_add(k));
        if let Some(t) = exponents
            .iter()
            .position(|e| e.len() != variables || degree(e) > MAX_DEGREE)
        {
            let text = format!("monomial {t}: {variables} exponents of sum at most {MAX_DEGREE}");
            return Err(Error::invalid(op, text));
        }
        let mut seen = std::collections::BTreeSet::new();
        match exponents.iter().position(|e| !seen.insert(e)) {
            Some(t) => Err(Error::invalid(op, format!("monomial {t} stands twice"))),
            None => Ok(Self {
                variables,
                exponents,
            }),
        }
    }

    /// All monomials of degree exactly `degree`, in falling lexicographic order: `C(v + w - 1, w)` of them.
    ///
    /// # Errors
    /// `LimitExceeded` beyond 2^20 monomials, `InvalidInput` for degrees above 64 or no variables.
    pub fn homogeneous(variables: usize, degree: usize) -> Result<Self, Error> {
        let op = "MonomialBasis::homogeneous";
        if variables == 0 || degree > MAX_DEGREE as usize {
            let text = format!("at least one variable and a degree of at most {MAX_DEGREE}");
            return Err(Error::invalid(op, text));
        }
        let count = binomial(variables + degree - 1, degree);
        if count.is_none_or(|c| c > MAX_MONOMIALS) {
            return Err(Error::limit(op, "monomials", MAX_MONOMIALS as u64));
        }
        let mut exponents = Vec::new();
        enumerate(variables, degree as u32, &mut Vec::new(), &mut exponents);
        Ok(Self {
            variables,
            exponents,
        })
    }

    /// All monomials of degree at most `degree`: those of [`MonomialBasis::homogeneous`] in one variable more,
    /// whose first exponent is dropped; `C(v + w, w)` of them, the constant first.
    ///
    /// # Errors
    /// As [`MonomialBasis::homogeneous`].
    pub fn up_to(variables: usize, degree: usize) -> Result<Self, Error> {
        let mut wide = Self::homogeneous(variables + 1, degree)?;
        for e in &mut wide.exponents {
            e.remove(0);
        }
        wide.variables = variables;
        Ok(wide)
    }

    /// Number of variables.
    pub fn variables(&self) -> usize {
        self.variables
    }

    /// Number of monomials.
    pub fn len(&self) -> usize {
        self.exponents.len()
    }

    /// Whether there is no monomial.
    pub fn is_empty(&self) -> bool {
        self.exponents.is_empty()
    }

    /// The exponents, monomial by monomial.
    pub fn exponents(&self) -> &[Vec<u32>] {
        &self.exponents
    }

    /// The greatest degree.
    pub fn degree(&self) -> u32 {
        let sums = self.exponents.iter().map(|e| e.iter().sum());
        sums.max().unwrap_or(0)
    }

    /// The place of a monomial in the list.
    pub fn position(&self, exponents: &[u32]) -> Option<usize> {
        self.exponents.iter().position(|e| e == exponents)
    }

    /// The values at one point.
    ///
    /// # Panics
    /// If `x` or `out` is too short.
    pub fn eval(&self, x: &[f64], out: &mut [f64]) {
        for (slot, e) in out.iter_mut().zip(&self.exponents) {
            *slot = e.iter().zip(x).map(|(&k, x)| x.powi(k as i32)).product();
        }
    }

    /// The values at the rows of `x`, `n x len`.
    ///
    /// # Panics
    /// If `x` has fewer columns than there are variables.
    pub fn design(&self, x: MatRef<'_, f64>) -> Mat<f64> {
        let mut out = Mat::zeros(x.nrows(), self.len());
        let (mut row, mut values) = (vec![0.0; self.variables], vec![0.0; self.len()]);
        for i in 0..x.nrows() {
            (0..self.variables).for_each(|j| row[j] = x[(i, j)]);
            self.eval(&row, &mut values);
            (0..self.len()).for_each(|k| out[(i, k)] = values[k]);
        }
        out
    }

    /// The derivatives at one point: entry `k * variables + j` is the derivative of monomial `k` by `x_j`.
    ///
    /// # Panics
    /// If `x` or `out` is too short.
    pub fn jacobian(&self, x: &[f64], out: &mut [f64]) {
        let v = self.variables;
        for (k, e) in self.exponents.iter().enumerate() {
            for j in 0..v {
                let power = |(i, (&p, x)): (usize, (&u32, &f64))| match (i == j, p) {
                    (false, p) => x.powi(p as i32),
                    (true, 0) => 0.0,
                    (true, p) => f64::from(p) * x.powi(p as i32 - 1),
                };
                out[k * v + j] = e.iter().zip(x).enumerate().map(power).product();
            }
        }
    }

    /// The matrix `T` with `phi(B x) = T phi(x)`, for a list closed under linear substitution (all monomials of
    /// one degree); `B` is square.
    ///
    /// # Errors
    /// `Shape` when `B` is not `variables x variables`; `InvalidInput` when a product leaves the list.
    ///
    /// # Complexity
    /// `O(len^2 * degree * variables * log len)`.
    pub fn substitution(&self, b: MatRef<'_, f64>) -> Result<Mat<f64>, Error> {
        let op = "MonomialBasis::substitution";
        let v = self.variables;
        if (b.nrows(), b.ncols()) != (v, v) {
            let found = format!("{} x {}", b.nrows(), b.ncols());
            return Err(Error::shape(op, format!("{v} x {v}"), found));
        }
        let places: BTreeMap<&[u32], usize> = self
            .exponents
            .iter()
            .enumerate()
            .map(|(k, e)| (e.as_slice(), k))
            .collect();
        let mut out = Mat::zeros(self.len(), self.len());
        for (k, e) in self.exponents.iter().enumerate() {
            let mut form: BTreeMap<Vec<u32>, f64> = BTreeMap::from([(vec![0; v], 1.0)]);
            for i in (0..v).flat_map(|i| std::iter::repeat_n(i, e[i] as usize)) {
                let mut next = BTreeMap::new();
                for (f, c) in &form {
                    for j in 0..v {
                        let mut g = f.clone();
                        g[j] += 1;
                        *next.entry(g).or_insert(0.0) += c * b[(i, j)];
                    }
                }
                form = next;
            }
            for (f, c) in form {
                let outside = || Error::invalid(op, "needs all monomials of one degree");
                out[(k, *places.get(f.as_slice()).ok_or_else(outside)?)] = c;
            }
        }
        Ok(out)
    }
}

fn enumerate(variables: usize, degree: u32, head: &mut Vec<u32>, out: &mut Vec<Vec<u32>>) {
    if variables == 1 {
        let mut e = head.clone();
        e.push(degree);
        out.push(e);
        return;
    }
    for first in (0..=degree).rev() {
        head.push(first);
        enumerate(variables - 1, degree - first, head, out);
        head.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_the_length_of_the_binomials() {
        for (v, w) in [(1, 3), (2, 5), (3, 4), (4, 3)] {
            let all = MonomialBasis::homogeneous(v, w).unwrap();
            assert_eq!(Some(all.len()), binomial(v + w - 1, w));
            let low = MonomialBasis::up_to(v, w).unwrap();
            assert_eq!(Some(low.len()), binomial(v + w, w));
            assert_eq!(low.position(&vec![0; v]), Some(0));
        }
        assert_eq!(binomial(3, 5), None);
        assert!(MonomialBasis::homogeneous(40, 40).is_err());
        assert!(MonomialBasis::new(2, vec![vec![1, 1], vec![1, 1]]).is_err());
    }

    #[test]
    fn substitution_and_derivatives_are_those_of_the_functions() {
        let basis = MonomialBasis::homogeneous(3, 4).unwrap();
        let b = Mat::from_fn(3, 3, |i, j| 0.3 * (i as f64) - 0.7 * (j as f64) + 0.5);
        let x = [0.4, -1.3, 0.9];
        let bx: Vec<f64> = (0..3)
            .map(|i| (0..3).map(|j| b[(i, j)] * x[j]).sum())
            .collect();
        let (mut left, mut right) = (vec![0.0; basis.len()], vec![0.0; basis.len()]);
        basis.eval(&bx, &mut left);
        basis.eval(&x, &mut right);
        let t = basis.substitution(b.as_ref()).unwrap();
        for k in 0..basis.len() {
            let sum: f64 = (0..basis.len()).map(|l| t[(k, l)] * right[l]).sum();
            // Fifteen terms of size at most 100.
            assert!((sum - left[k]).abs() < 1e-12);
        }
        // Euler: sum_j x_j df/dx_j = 4 f.
        let mut jacobian = vec![0.0; 3 * basis.len()];
        basis.jacobian(&x, &mut jacobian);
        for k in 0..basis.len() {
            let euler: f64 = (0..3).map(|j| x[j] * jacobian[3 * k + j]).sum();
            assert!((euler - 4.0 * right[k]).abs() < 1e-12);
        }
    }
}
