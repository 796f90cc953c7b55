//! Cumulants of quadratic polynomials of Gaussians by traces: nothing is expanded.
//!
//! `p(x) = c + b'x + 1/2 x'Hx` under `N(mu, S)`: with the linear part moved to the mean, `b + H mu`,
//! `kappa_m = ((m-1)! Tr (HS)^m + m! b' S (HS)^{m-2} b) / 2` for `m >= 2`.

use crate::Error;
use crate::poly::coefficients::ring::Ring;
use crate::poly::gaussian::laws::law::{GaussianLaw, Law};
use crate::poly::polynomial::value::Poly;

const OP: &str = "QuadraticPolynomial::cumulants";
/// More distinct factors are left to the moment route: the number of orders is a factorial.
const MAX_FACTORS: usize = 8;

/// `c + b'x + 1/2 x'Hx`, kept with its Hessian `H` so that no ring needs a half.
///
/// # Example
/// ```
/// use wickring::poly::gaussian::{GaussianLaw, QuadraticPolynomial};
/// use wickring::poly::{Poly, Rational, Vars};
/// let p = Poly::<Rational>::parse("3 + x + x*y", &mut Vars::new())?;
/// let q = QuadraticPolynomial::of(&p).unwrap_or_else(|| unreachable!());
/// // The mean, and Var x + Var xy.
/// assert_eq!(q.cumulants(&GaussianLaw::standard(2), 2)?, [3, 2].map(Rational::from));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct QuadraticPolynomial<C: Ring> {
    /// The constant `c`.
    pub constant: C,
    /// The linear part `b`.
    pub linear: Vec<C>,
    /// The Hessian `H`, row by row, symmetric.
    pub hessian: Vec<Vec<C>>,
}

impl<C: Ring> QuadraticPolynomial<C> {
    /// The parts of a polynomial of degree at most two, `None` for a higher degree.
    pub fn of(p: &Poly<C>) -> Option<Self> {
        if p.total_degree() > 2 {
            return None;
        }
        let n = p.nvars();
        let mut form = Self {
            constant: C::zero(),
            linear: vec![C::zero(); n],
            hessian: vec![vec![C::zero(); n]; n],
        };
        for (e, c) in p.iter() {
            let mut occurring = e.iter().enumerate().filter(|&(_, &k)| k > 0);
            match (occurring.next(), occurring.next()) {
                (None, _) => form.constant = c,
                (Some((i, 1)), None) => form.linear[i] = c,
                (Some((i, _)), None) => form.hessian[i][i] = c * C::from_i64(2),
                (Some((i, _)), Some((j, _))) => {
                    form.hessian[i][j] = c.clone();
                    form.hessian[j][i] = c;
                }
            }
        }
        Some(form)
    }

    /// `H S`, and the gradient at the mean `b + H mu`.
    fn prepared(&self, law: &GaussianLaw<C>) -> (Vec<Vec<C>>, Vec<C>) {
        let (n, s) = (self.linear.len(), law.covariance());
        let columns: Vec<Vec<C>> = (0..n)
            .map(|j| (0..n).map(|k| s.entry(k, j)).collect())
            .collect();
        let product = self
            .hessian
            .iter()
            .map(|row| columns.iter().map(|c| dot(row, c)).collect())
            .collect();
        let mean = law.mean();
        let gradient = self.hessian.iter().zip(&self.linear);
        let gradient = gradient
            .map(|(row, b)| b.clone() + dot(row, &mean[..n]))
            .collect();
        (product, gradient)
    }

    /// The cumulants `kappa_1 .. kappa_highest` of `p(x)`, `x ~ law`.
    ///
    /// # Errors
    /// `Shape` when the form has more variables than the law; `InvalidInput` when the ring cannot halve
    /// what must be halved.
    ///
    /// # Complexity
    /// `O(highest * n^3)` ring operations.
    /// Here `n` is the number of variables.
    ///
    /// # Source
    /// Expansion of the log-characteristic function `-1/2 log det(1 - t H S) + ..`.
    pub fn cumulants(&self, law: &GaussianLaw<C>, highest: u32) -> Result<Vec<C>, Error> {
        let n = self.linear.len();
        if n > law.mean().len() {
            return Err(Error::shape(
                OP,
                format!("at most {} variables", law.mean().len()),
                n.to_string(),
            ));
        }
        let (hs, b) = self.prepared(law);
        let mut cumulants = Vec::with_capacity(highest as usize);
        // `power` is (HS)^m, `along` is S (HS)^{m-2} b, computed as (S H)^{m-2} S b.
        let mut power = hs.clone();
        let mut along: Vec<C> = (0..n)
            .map(|i| dot(&law.covariance().row(i)[..n], &b))
            .collect();
        let mut factorial = C::one();
        for m in 1..=i64::from(highest) {
            if m == 1 {
                cumulants.push(self.mean(law, &power)?);
                continue;
            }
            power = multiply(&power, &hs);
            // factorial is (m-1)!, the second term has m!.
            factorial *= &C::from_i64(m - 1);
            let mut sum = trace(&power);
            sum += &(C::from_i64(m) * dot(&b, &along));
            cumulants.push(halved(sum * factorial.clone())?);
            along = (0..n)
                .map(|i| (0..n).fold(C::zero(), |s, j| s + hs[j][i].clone() * along[j].clone()))
                .collect();
        }
        Ok(cumulants)
    }

    /// `p(mu) + Tr(HS)/2`.
    fn mean(&self, law: &GaussianLaw<C>, hs: &[Vec<C>]) -> Result<C, Error> {
        let mu = &law.mean()[..self.linear.len()];
        let rows = self
            .hessian
            .iter()
            .map(|row| dot(row, mu))
            .collect::<Vec<_>>();
        let double = dot(mu, &rows) + trace(hs);
        Ok(self.constant.clone() + dot(&self.linear, mu) + halved(double)?)
    }
}

/// The joint cumulant `kappa(p_1, .., p_m)`: by traces over cyclic orders when all are quadratic and few, else through
/// joint moments.
///
/// `kappa = 1/2 sum over (m-1)! cyclic orders of Tr(H_1 S H_2 S ..) + 1/2 sum over m! orders of b' S H S .. S b`.
///
/// # Errors
/// `Shape`, `LimitExceeded`, `InvalidInput` for an empty list.
pub fn joint_cumulant<C: Ring>(law: &GaussianLaw<C>, polynomials: &[&Poly<C>]) -> Result<C, Error> {
    let m = polynomials.len();
    if m == 0 {
        return Err(Error::invalid(
            "joint_cumulant",
            "needs at least one polynomial",
        ));
    }
    for p in polynomials {
        law.check("joint_cumulant", p)?;
    }
    if m == 1 {
        return law.expectation(polynomials[0]);
    }
    let forms: Option<Vec<_>> = polynomials
        .iter()
        .map(|p| QuadraticPolynomial::of(p))
        .collect();
    if let Some(forms) = forms.filter(|_| m <= MAX_FACTORS)
        && let Ok(value) = by_traces(law, &forms)
    {
        return Ok(value);
    }
    let top = vec![1; m];
    let table = super::cumulant::joint_cumulants(&top, |a| {
        let chosen: Vec<_> = a
            .iter()
            .zip(polynomials)
            .filter(|(k, _)| **k > 0)
            .map(|(k, p)| (*p, *k))
            .collect();
        law.joint_moment(&chosen)
    })?;
    Ok(table[&top].clone())
}

fn by_traces<C: Ring>(law: &GaussianLaw<C>, forms: &[QuadraticPolynomial<C>]) -> Result<C, Error> {
    let n = forms.iter().map(|f| f.linear.len()).max().unwrap_or(0);
    let padded: Vec<_> = forms.iter().map(|f| f.padded(n)).collect();
    let parts: Vec<_> = padded.iter().map(|f| f.prepared(law)).collect();
    let s = law.covariance();
    let mut sum = C::zero();
    for order in orders(forms.len()) {
        let (first, last) = (order[0], order[order.len() - 1]);
        // b_first' S H_2 S .. H_{m-1} S b_last, over all orders.
        let b = &parts[last].1;
        let mut v: Vec<C> = (0..n).map(|i| dot(&s.row(i)[..n], b)).collect();
        for &k in order[1..order.len() - 1].iter().rev() {
            // S H = (H S)'.
            v = (0..n)
                .map(|i| {
                    (0..n).fold(C::zero(), |t, j| {
                        t + parts[k].0[j][i].clone() * v[j].clone()
                    })
                })
                .collect();
        }
        sum += &dot(&parts[first].1, &v);
        // Cyclic orders: those that start with 0.
        if first == 0 {
            let product = order[1..]
                .iter()
                .fold(parts[0].0.clone(), |p, &k| multiply(&p, &parts[k].0));
            sum += &trace(&product);
        }
    }
    halved(sum)
}

impl<C: Ring> QuadraticPolynomial<C> {
    fn padded(&self, n: usize) -> Self {
        let mut form = self.clone();
        form.linear.resize(n, C::zero());
        form.hessian
            .iter_mut()
            .for_each(|row| row.resize(n, C::zero()));
        form.hessian.resize(n, vec![C::zero(); n]);
        form
    }
}

/// All orders of `0..m`.
fn orders(m: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for k in 0..m {
        let grow = |o: Vec<usize>| (0..=o.len()).map(move |at| [&o[..at], &[k], &o[at..]].concat());
        all = all.into_iter().flat_map(grow).collect();
    }
    all
}

fn dot<C: Ring>(x: &[C], y: &[C]) -> C {
    let mut sum = C::zero();
    for (a, b) in x
        .iter()
        .zip(y)
        .filter(|(a, b)| !a.is_zero() && !b.is_zero())
    {
        let mut t = a.clone();
        t *= b;
        sum += &t;
    }
    sum
}

fn multiply<C: Ring>(a: &[Vec<C>], b: &[Vec<C>]) -> Vec<Vec<C>> {
    let n = b.len();
    let columns: Vec<Vec<C>> = (0..n)
        .map(|j| b.iter().map(|row| row[j].clone()).collect())
        .collect();
    a.iter()
        .map(|row| columns.iter().map(|c| dot(row, c)).collect())
        .collect()
}

fn trace<C: Ring>(a: &[Vec<C>]) -> C {
    a.iter()
        .enumerate()
        .fold(C::zero(), |t, (i, row)| t + row[i].clone())
}

fn halved<C: Ring>(value: C) -> Result<C, Error> {
    value
        .checked_div(&C::from_i64(2))
        .ok_or_else(|| Error::invalid(OP, "the ring has no half of a value that must be halved"))
}
