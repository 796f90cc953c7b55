//! Wick polynomials `:p(x):` of Gaussian variables with any covariance.

use crate::Error;
use crate::poly::coefficients::ring::Ring;
use crate::poly::gaussian::hermite::expansion::fischer;
use crate::poly::gaussian::hermite::heat_operator::exp_second_order;
use crate::poly::gaussian::hermite::operators::budget;
use crate::poly::gaussian::laws::covariance::Covariance;
use crate::poly::polynomial::value::Poly;

/// `:p(x):`, the Wick (normally ordered) polynomial of a symbol `p` for `x ~ N(0, S)`:
/// `:p: = exp(-1/2 sum_ij S_ij d_i d_j) p`. For `S = s I` it is the Hermite expansion with the same symbol.
///
/// Wick polynomials of different degrees are orthogonal; `E :p: = p(0)`, `d_i :p: = :d_i p:` and
/// `E[:p: :q:] = sum_a p_a a! [x^a] q(S x)`. The entries of `S` may be symbols.
///
/// # Example
/// ```
/// use wickring::poly::gaussian::{Covariance, WickPolynomial};
/// use wickring::poly::{Poly, Rational, Vars};
/// let mut vars = Vars::new();
/// let p = Poly::<Rational>::parse("x*y", &mut vars)?;
/// let one = Rational::from(1);
/// let half = Rational::new(1, 2).unwrap_or_default();
/// let cov = Covariance::new(vec![vec![one.clone(), half.clone()], vec![half.clone(), one]])?;
/// let w = WickPolynomial::from_symbol(p.clone(), cov.clone());
/// assert_eq!(w.to_poly()?.display(&vars).to_string(), "x*y - 1/2"); // :xy: = xy - E xy
/// assert_eq!(WickPolynomial::from_poly(&p, cov)?.expectation(), half);
/// # Ok::<(), wickring::Error>(())
/// ```
/// # Source
/// S. Janson, Gaussian Hilbert Spaces (1997), chapter 3: Theorem 3.9 (inner products), Theorem 3.15 (products).
#[derive(Clone, PartialEq)]
pub struct WickPolynomial<C: Ring> {
    covariance: Covariance<C>,
    symbol: Poly<C>,
}

impl<C: Ring> WickPolynomial<C> {
    /// `:p:` of the symbol `p`. Variables beyond the covariance have variance zero: `:x_k: = x_k` exactly.
    pub fn from_symbol(symbol: Poly<C>, covariance: Covariance<C>) -> Self {
        Self { covariance, symbol }
    }

    /// The Wick polynomial that equals `p(x)`: its symbol is `exp(1/2 sum_ij S_ij d_i d_j) p`.
    ///
    /// # Errors
    /// `LimitExceeded` when the symbol would have more than 2^22 terms, `Overflow` of exponents.
    pub fn from_poly(p: &Poly<C>, covariance: Covariance<C>) -> Result<Self, Error> {
        let symbol = exp_second_order(p, &operators(&covariance, false))?;
        Ok(Self { covariance, symbol })
    }

    /// The polynomial in `x`.
    ///
    /// # Errors
    /// As [`WickPolynomial::from_poly`].
    pub fn to_poly(&self) -> Result<Poly<C>, Error> {
        exp_second_order(&self.symbol, &operators(&self.covariance, true))
    }

    /// The same polynomial, ordered for another covariance.
    ///
    /// # Errors
    /// As [`WickPolynomial::from_poly`].
    pub fn reordered(&self, covariance: Covariance<C>) -> Result<Self, Error> {
        Self::from_poly(&self.to_poly()?, covariance)
    }

    /// The symbol `p` of `:p:`.
    pub fn symbol(&self) -> &Poly<C> {
        &self.symbol
    }

    /// The covariance.
    pub fn covariance(&self) -> &Covariance<C> {
        &self.covariance
    }

    /// `E :p: = p(0)`.
    pub fn expectation(&self) -> C {
        self.symbol.coefficient(&[])
    }

    /// `d_i :p: = :d_i p:`.
    #[must_use]
    pub fn derivative(&self, index: usize) -> Self {
        Self {
            covariance: self.covariance.clone(),
            symbol: self.symbol.derivative(index),
        }
    }

    /// The projection on the chaos of degree `k`.
    #[must_use]
    pub fn chaos(&self, k: u64) -> Self {
        Self {
            covariance: self.covariance.clone(),
            symbol: self.symbol.part_of_degree(k),
        }
    }

    fn same_law(&self, other: &Self, op: &'static str) -> Result<(), Error> {
        if self.covariance == other.covariance {
            return Ok(());
        }
        Err(Error::invalid(
            op,
            "needs one covariance; convert with reordered",
        ))
    }

    /// The Wick product `:p: <> :q: = :p q:`.
    ///
    /// # Errors
    /// `InvalidInput` when the covariances differ, `LimitExceeded`, `Overflow`.
    pub fn wick_product(&self, other: &Self) -> Result<Self, Error> {
        self.same_law(other, "WickPolynomial::wick_product")?;
        Ok(Self {
            covariance: self.covariance.clone(),
            symbol: self.symbol.mul_within(&other.symbol, &budget())?,
        })
    }

    /// The ordinary product `:p: :q:`, ordered again.
    ///
    /// # Errors
    /// As [`WickPolynomial::wick_product`].
    pub fn checked_mul(&self, other: &Self) -> Result<Self, Error> {
        self.same_law(other, "WickPolynomial::checked_mul")?;
        let product = self.to_poly()?.mul_within(&other.to_poly()?, &budget())?;
        Self::from_poly(&product, self.covariance.clone())
    }

    /// `E[:p: :q:] = sum_a p_a a! [x^a] q(S x)`: no product of the two is formed.
    ///
    /// # Errors
    /// `InvalidInput` when the covariances differ, `LimitExceeded` when `q(S x)` has too many terms.
    pub fn inner(&self, other: &Self) -> Result<C, Error> {
        self.same_law(other, "WickPolynomial::inner")?;
        let (short, long) = if self.symbol.len() <= other.symbol.len() {
            (&self.symbol, &other.symbol)
        } else {
            (&other.symbol, &self.symbol)
        };
        // The shorter one is substituted into; a variable without variance meets nothing.
        let images: Vec<Poly<C>> = (0..short.nvars())
            .map(|i| {
                let row = 0..self.covariance.dim();
                Poly::sum(row.map(|j| Poly::variable(j).scale(&self.covariance.entry(i, j))))
            })
            .collect();
        let through = short.compose(&images, &budget())?;
        let nvars = through.nvars().min(long.nvars());
        Ok(fischer(&through, long, &vec![C::one(); nvars]))
    }
}

/// The operators of `exp(1/2 sum S_ij d_i d_j)`, or of its inverse.
fn operators<C: Ring>(covariance: &Covariance<C>, inverse: bool) -> Vec<(usize, usize, C)> {
    let n = covariance.dim();
    let sign = |c: C| if inverse { -c } else { c };
    (0..n)
        .flat_map(|i| (i..n).map(move |j| (i, j)))
        .map(|(i, j)| (i, j, sign(covariance.entry(i, j))))
        .collect()
}

impl<C: Ring + std::fmt::Display> std::fmt::Debug for WickPolynomial<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, ":{:?}: under {:?}", self.symbol, self.covariance)
    }
}
