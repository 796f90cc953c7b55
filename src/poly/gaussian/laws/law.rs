//! Expectations of polynomials under Gaussian laws with parameters in any ring.

use super::covariance::Covariance;
use crate::Error;
use crate::poly::coefficients::ring::Ring;
use crate::poly::polynomial::value::Poly;
use std::collections::HashMap;

const OP: &str = "GaussianLaw::expectation";
/// Most entries of a table of mixed moments.
const MAX_TABLE: usize = 1 << 18;
/// Largest total degree for which a table of mixed moments is built level by level.
const MAX_DEGREE: u64 = 20_000;

/// What a law of the variables must answer: the expectation of a polynomial. Everything else follows.
///
/// See [`GaussianLaw`] for an example.
pub trait Law<C: Ring> {
    /// `E p(x)`.
    ///
    /// # Errors
    /// `Shape` when `p` has more variables than the law, `LimitExceeded`, and what the law says.
    fn expectation(&self, p: &Poly<C>) -> Result<C, Error>;

    /// `E p^k` for `k = 1..=highest`.
    ///
    /// # Errors
    /// As [`Law::expectation`]; `LimitExceeded` when a power has more than 2^22 terms.
    fn moments(&self, p: &Poly<C>, highest: u32) -> Result<Vec<C>, Error> {
        let mut power = Poly::constant(C::one());
        let mut moments = Vec::new();
        for _ in 0..highest {
            power = power.mul_within(p, &crate::poly::gaussian::hermite::operators::budget())?;
            moments.push(self.expectation(&power)?);
        }
        Ok(moments)
    }

    /// `E prod_i p_i^{k_i}`.
    ///
    /// # Errors
    /// As [`Law::moments`].
    fn joint_moment(&self, factors: &[(&Poly<C>, u32)]) -> Result<C, Error> {
        let mut product = Poly::constant(C::one());
        for (p, k) in factors {
            product = product.mul_within(
                &p.pow_within(*k, &crate::poly::gaussian::hermite::operators::budget())?,
                &crate::poly::gaussian::hermite::operators::budget(),
            )?;
        }
        self.expectation(&product)
    }

    /// The cumulants `kappa_1 .. kappa_highest` of `p(x)`.
    ///
    /// # Errors
    /// As [`Law::moments`].
    fn cumulants(&self, p: &Poly<C>, highest: u32) -> Result<Vec<C>, Error> {
        Ok(
            crate::poly::gaussian::moments::cumulant::moments_to_cumulants(
                &self.moments(p, highest)?,
            ),
        )
    }
}

/// `x ~ N(mean, covariance)`; entries may be numbers or symbols. Whether the covariance is positive semidefinite is not
/// asked (Wick's formula does not need it); [`Covariance::factor`] decides it.
///
/// # Example
/// ```
/// use wickring::poly::gaussian::{GaussianLaw, Law};
/// use wickring::poly::{Poly, Rational, Vars};
/// let square = Poly::<Rational>::parse("x^2", &mut Vars::new())?;
/// // Chi squared with one degree of freedom: 2^(k-1) (k-1)!.
/// let cumulants = GaussianLaw::standard(1).cumulants(&square, 3)?;
/// assert_eq!(cumulants, [1, 2, 8].map(Rational::from));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianLaw<C: Ring> {
    mean: Vec<C>,
    covariance: Covariance<C>,
}

impl<C: Ring> GaussianLaw<C> {
    /// A law from its parameters.
    ///
    /// # Errors
    /// `Shape` when the sizes differ.
    pub fn new(mean: Vec<C>, covariance: Covariance<C>) -> Result<Self, Error> {
        if mean.len() != covariance.dim() {
            let found = format!("{} entries", mean.len());
            return Err(Error::shape(
                "GaussianLaw::new",
                format!("a mean of {} entries", covariance.dim()),
                found,
            ));
        }
        Ok(Self { mean, covariance })
    }

    /// `N(0, covariance)`.
    pub fn centred(covariance: Covariance<C>) -> Self {
        Self {
            mean: vec![C::zero(); covariance.dim()],
            covariance,
        }
    }

    /// `N(0, I)`.
    pub fn standard(dim: usize) -> Self {
        Self::centred(Covariance::identity(dim))
    }

    /// The mean.
    pub fn mean(&self) -> &[C] {
        &self.mean
    }

    /// The covariance.
    pub fn covariance(&self) -> &Covariance<C> {
        &self.covariance
    }

    pub(in crate::poly::gaussian) fn check(
        &self,
        op: &'static str,
        p: &Poly<C>,
    ) -> Result<(), Error> {
        if p.nvars() <= self.mean.len() {
            return Ok(());
        }
        let found = format!("a polynomial in {}", p.nvars());
        Err(Error::shape(
            op,
            format!("at most {} variables", self.mean.len()),
            found,
        ))
    }

    /// Independent coordinates: products of one-dimensional moments.
    fn independent(&self, p: &Poly<C>) -> Result<C, Error> {
        let mut tables: Vec<Vec<C>> = vec![vec![C::one()]; self.mean.len()];
        let mut sum = C::zero();
        for (e, mut term) in p.iter() {
            for (i, &k) in e.iter().enumerate().filter(|&(_, &k)| k > 0) {
                term *= line_moment(
                    &mut tables[i],
                    &self.mean[i],
                    &self.covariance.entry(i, i),
                    k,
                )?;
                if term.is_zero() {
                    break;
                }
            }
            sum += &term;
        }
        Ok(sum)
    }
}

/// `E x^k` of `N(m, s)` from a table that grows on demand: `M_n = m M_{n-1} + (n-1) s M_{n-2}`.
fn line_moment<'a, C: Ring>(table: &'a mut Vec<C>, m: &C, s: &C, k: u32) -> Result<&'a C, Error> {
    if u64::from(k) > MAX_DEGREE {
        return Err(Error::limit(OP, "degree", MAX_DEGREE));
    }
    while table.len() <= k as usize {
        let n = table.len();
        let mut next = table[n - 1].clone();
        next *= m;
        if n >= 2 {
            let mut step = table[n - 2].clone();
            step *= s;
            step *= &C::from_i64(n as i64 - 1);
            next += &step;
        }
        table.push(next);
    }
    Ok(&table[k as usize])
}

impl<C: Ring> Law<C> for GaussianLaw<C> {
    /// `E p(x)` by a table of mixed moments, `M[a + e_i] = mu_i M[a] + sum_j S_ij a_j M[a - e_j]`, restricted to the entries
    /// that `p` reaches; products of one-dimensional tables when the covariance is diagonal.
    fn expectation(&self, p: &Poly<C>) -> Result<C, Error> {
        self.check(OP, p)?;
        if self.covariance.is_diagonal() {
            return self.independent(p);
        }
        if p.total_degree() > MAX_DEGREE {
            return Err(Error::limit(OP, "degree", MAX_DEGREE));
        }
        let table = MomentTable::build(self, p)?;
        let mut sum = C::zero();
        for (mut e, mut term) in p.iter() {
            e.resize(self.mean.len(), 0);
            term *= table.at(&e)?;
            sum += &term;
        }
        Ok(sum)
    }

    fn moments(&self, p: &Poly<C>, highest: u32) -> Result<Vec<C>, Error> {
        crate::poly::gaussian::moments::expectation::moments(self, p, highest)
    }

    fn joint_moment(&self, factors: &[(&Poly<C>, u32)]) -> Result<C, Error> {
        crate::poly::gaussian::moments::expectation::joint_moment(self, factors)
    }

    fn cumulants(&self, p: &Poly<C>, highest: u32) -> Result<Vec<C>, Error> {
        if let Some(form) =
            crate::poly::gaussian::moments::quadratic_form::QuadraticPolynomial::of(p)
            && let Ok(cumulants) = form.cumulants(self, highest)
        {
            return Ok(cumulants);
        }
        Ok(
            crate::poly::gaussian::moments::cumulant::moments_to_cumulants(
                &self.moments(p, highest)?,
            ),
        )
    }
}

/// The mixed moments that a polynomial needs, by total degree.
struct MomentTable<C> {
    levels: Vec<HashMap<Vec<u32>, C>>,
}

impl<C: Ring> MomentTable<C> {
    fn build(law: &GaussianLaw<C>, p: &Poly<C>) -> Result<Self, Error> {
        let dim = law.mean.len();
        let top = p.total_degree() as usize;
        let mut levels: Vec<HashMap<Vec<u32>, C>> = vec![HashMap::new(); top + 1];
        for (mut e, _) in p.iter() {
            e.resize(dim, 0);
            let degree = e.iter().map(|&k| k as usize).sum::<usize>();
            levels[degree].insert(e, C::zero());
        }
        // Downwards: which entries are reached.
        let mut total = levels.iter().map(HashMap::len).sum::<usize>();
        for degree in (1..=top).rev() {
            let keys: Vec<Vec<u32>> = levels[degree].keys().cloned().collect();
            for key in keys {
                for (below, _) in law.children(&key) {
                    let level = below.iter().map(|&k| k as usize).sum::<usize>();
                    total += usize::from(levels[level].insert(below, C::zero()).is_none());
                }
                if total > MAX_TABLE {
                    return Err(Error::limit(OP, "moments", MAX_TABLE as u64));
                }
            }
        }
        // Upwards: their values.
        levels[0].insert(vec![0; dim], C::one());
        let mut table = Self { levels };
        for degree in 1..=top {
            let keys: Vec<Vec<u32>> = table.levels[degree].keys().cloned().collect();
            for key in keys {
                let mut sum = C::zero();
                for (below, weight) in law.children(&key) {
                    let mut term = table.at(&below)?.clone();
                    term *= &weight;
                    sum += &term;
                }
                table.levels[degree].insert(key, sum);
            }
        }
        Ok(table)
    }

    fn at(&self, e: &[u32]) -> Result<&C, Error> {
        let degree = e.iter().map(|&k| k as usize).sum::<usize>();
        let found = self.levels.get(degree).and_then(|level| level.get(e));
        // Every entry asked for was reached on the way down.
        found.ok_or(Error::Backend {
            op: OP,
            routine: "moment table",
        })
    }
}

impl<C: Ring> GaussianLaw<C> {
    /// The terms of the recursion for one mixed moment: split off the variable of least positive exponent.
    fn children(&self, key: &[u32]) -> Vec<(Vec<u32>, C)> {
        let occurring = key.iter().enumerate().filter(|&(_, &k)| k > 0);
        let Some((i, _)) = occurring.min_by_key(|&(_, &k)| k) else {
            return Vec::new();
        };
        let mut base = key.to_vec();
        base[i] -= 1;
        let mut children = Vec::new();
        for j in 0..base.len() {
            let s = &self.covariance.row(i)[j];
            if base[j] == 0 || s.is_zero() {
                continue;
            }
            let weight = s.clone() * C::from_i64(base[j].into());
            let mut below = base.clone();
            below[j] -= 1;
            children.push((below, weight));
        }
        if !self.mean[i].is_zero() {
            children.push((base, self.mean[i].clone()));
        }
        children
    }
}
