//! Laws that a rotation does not change, and laws of independent coordinates.

use super::law::Law;
use crate::Error;
use crate::poly::coefficients::ring::Ring;
use crate::poly::polynomial::value::Poly;

/// Largest exponent for which tables of factorials are built.
const MAX_DEGREE: u64 = 20_000;

/// `x = rho u` with `u` uniform on the unit sphere of `R^n` and an independent radius:
/// `E x^a = m_{|a|} prod (a_i - 1)!!` for even exponents, with the reduced radial moments
/// `m_2k = E rho^{2k} / (n (n+2) .. (n+2k-2))`, which may be symbols.
///
/// # Example
/// ```
/// use wickring::poly::gaussian::{Law, RadialLaw};
/// use wickring::poly::{Poly, Rational, Vars};
/// let square = Poly::<Rational>::parse("x^2", &mut Vars::new())?;
/// let third = RadialLaw::sphere(3)?.expectation(&square)?;
/// assert_eq!(Some(third), Rational::new(1, 3));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RadialLaw<C: Ring> {
    dim: usize,
    radial: Radial<C>,
}

#[derive(Clone, Debug, PartialEq)]
enum Radial<C> {
    Sphere,
    Ball,
    /// `m_0, m_2, m_4, ..`.
    Reduced(Vec<C>),
}

impl<C: Ring> RadialLaw<C> {
    /// Uniform on the unit sphere.
    ///
    /// # Errors
    /// `InvalidInput` in dimension 0.
    pub fn sphere(dim: usize) -> Result<Self, Error> {
        Self::with(dim, Radial::Sphere)
    }

    /// Uniform in the unit ball: `E rho^{2k} = n / (n + 2k)`.
    ///
    /// # Errors
    /// `InvalidInput` in dimension 0.
    pub fn ball(dim: usize) -> Result<Self, Error> {
        Self::with(dim, Radial::Ball)
    }

    /// Any radius, by its reduced moments `m_0 = 1, m_2, m_4, ..` (all 1 for the standard normal law).
    ///
    /// # Errors
    /// `InvalidInput` in dimension 0 or when `m_0` is missing.
    pub fn from_reduced_moments(dim: usize, reduced: Vec<C>) -> Result<Self, Error> {
        if reduced.is_empty() {
            return Err(Error::invalid("RadialLaw", "needs at least m_0"));
        }
        Self::with(dim, Radial::Reduced(reduced))
    }

    /// Any radius, by its moments `E rho^0 = 1, E rho^2, E rho^4, ..`.
    ///
    /// # Errors
    /// `InvalidInput` in dimension 0, for an empty list, or when the ring cannot divide by `n (n+2) ..`.
    pub fn from_radial_moments(dim: usize, moments: &[C]) -> Result<Self, Error> {
        let mut weight = C::one();
        let mut reduced = Vec::with_capacity(moments.len());
        for (k, m) in moments.iter().enumerate() {
            reduced.push(divided(m, &weight)?);
            weight *= &C::from_i64((dim + 2 * k) as i64);
        }
        Self::from_reduced_moments(dim, reduced)
    }

    fn with(dim: usize, radial: Radial<C>) -> Result<Self, Error> {
        if dim == 0 || dim > 1 << 30 {
            return Err(Error::invalid(
                "RadialLaw",
                format!("needs a dimension of at least 1, got {dim}"),
            ));
        }
        Ok(Self { dim, radial })
    }

    /// `m_0, m_2, .., m_2k`.
    fn reduced(&self, half: usize) -> Result<Vec<C>, Error> {
        let n = self.dim as i64;
        if let Radial::Reduced(list) = &self.radial {
            if list.len() <= half {
                let found = format!("moments up to order {}", 2 * (list.len() - 1));
                return Err(Error::shape(
                    "RadialLaw::expectation",
                    format!("radial moments up to order {}", 2 * half),
                    found,
                ));
            }
            return Ok(list.clone());
        }
        let mut below = C::one();
        let mut all = Vec::with_capacity(half + 1);
        for k in 0..=half as i64 {
            let mut m = divided(&C::one(), &below)?;
            if self.radial == Radial::Ball {
                m = divided(&(m * C::from_i64(n)), &C::from_i64(n + 2 * k))?;
            }
            all.push(m);
            below *= &C::from_i64(n + 2 * k);
        }
        Ok(all)
    }
}

fn divided<C: Ring>(value: &C, by: &C) -> Result<C, Error> {
    let no = || {
        Error::invalid(
            "RadialLaw",
            "the ring cannot divide by the dimension factors; use rationals",
        )
    };
    value.checked_div(by).ok_or_else(no)
}

impl<C: Ring> Law<C> for RadialLaw<C> {
    fn expectation(&self, p: &Poly<C>) -> Result<C, Error> {
        let op = "RadialLaw::expectation";
        if p.nvars() > self.dim {
            return Err(Error::shape(
                op,
                format!("at most {} variables", self.dim),
                format!("a polynomial in {}", p.nvars()),
            ));
        }
        if p.total_degree() > MAX_DEGREE {
            return Err(Error::limit(op, "degree", MAX_DEGREE));
        }
        let reduced = self.reduced(p.total_degree() as usize / 2)?;
        // (2k-1)!!
        let mut odd = vec![C::one()];
        for k in 1..=p.total_degree() as i64 / 2 {
            odd.push(odd[odd.len() - 1].clone() * C::from_i64(2 * k - 1));
        }
        let mut sum = C::zero();
        for (e, mut term) in p.iter().filter(|(e, _)| e.iter().all(|k| k % 2 == 0)) {
            let half = e.iter().map(|&k| k as usize).sum::<usize>() / 2;
            term *= &reduced[half];
            for &k in e.iter().filter(|&&k| k > 2) {
                term *= &odd[k as usize / 2];
            }
            sum += &term;
        }
        Ok(sum)
    }
}

/// Independent coordinates with given moments.
///
/// # Example
/// ```
/// use wickring::poly::gaussian::{Law, ProductLaw};
/// use wickring::poly::{Poly, Rational, Vars};
/// let square = ProductLaw::uniform(2, &Rational::from(0), &Rational::from(1), 2)?;
/// let p = Poly::<Rational>::parse("x*y^2", &mut Vars::new())?;
/// assert_eq!(Some(square.expectation(&p)?), Rational::new(1, 6));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ProductLaw<C: Ring> {
    /// For each coordinate `E x^0 = 1, E x^1, ..`.
    moments: Vec<Vec<C>>,
}

impl<C: Ring> ProductLaw<C> {
    /// A law from the moments of its coordinates, each list starting with order 0.
    ///
    /// # Errors
    /// `InvalidInput` when a list does not start with one.
    pub fn new(moments: Vec<Vec<C>>) -> Result<Self, Error> {
        if let Some(i) = moments.iter().position(|m| m.first() != Some(&C::one())) {
            return Err(Error::invalid(
                "ProductLaw::new",
                format!("moments of coordinate {i} must start with 1, the moment of order 0"),
            ));
        }
        Ok(Self { moments })
    }

    /// Independent coordinates, each uniform on `[low, high]`: `E x^k = (h^{k+1} - l^{k+1}) / ((k+1)(h - l))`, up to `degree`.
    ///
    /// # Errors
    /// `InvalidInput` when the ring cannot divide by `k + 1`; `LimitExceeded` above degree 20000.
    pub fn uniform(dim: usize, low: &C, high: &C, degree: u32) -> Result<Self, Error> {
        if u64::from(degree) > MAX_DEGREE {
            return Err(Error::limit("ProductLaw::uniform", "degree", MAX_DEGREE));
        }
        let mut moments = Vec::with_capacity(degree as usize + 1);
        // h_k = sum_j low^j high^(k-j), the complete homogeneous sum: no division by high - low.
        let (mut complete, mut power) = (C::one(), C::one());
        for k in 0..=i64::from(degree) {
            moments.push(divided(&complete, &C::from_i64(k + 1))?);
            power *= high;
            complete *= low;
            complete += &power;
        }
        Self::new(vec![moments; dim])
    }
}

impl<C: Ring> Law<C> for ProductLaw<C> {
    fn expectation(&self, p: &Poly<C>) -> Result<C, Error> {
        let op = "ProductLaw::expectation";
        let mut sum = C::zero();
        for (e, mut term) in p.iter() {
            for (i, &k) in e.iter().enumerate().filter(|&(_, &k)| k > 0) {
                let known = self.moments.get(i).and_then(|m| m.get(k as usize));
                let missing = || {
                    Error::shape(
                        op,
                        format!("the moment of order {k} of coordinate {i}"),
                        "none",
                    )
                };
                term *= known.ok_or_else(missing)?;
            }
            sum += &term;
        }
        Ok(sum)
    }
}
