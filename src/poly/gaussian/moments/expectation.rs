//! Moments of polynomials of Gaussians without expanding powers: traces for quadratics, Parseval for the rest.

use super::cumulant::cumulants_to_moments;
use super::quadratic_form::QuadraticPolynomial;
use crate::Error;
use crate::poly::coefficients::ring::Ring;
use crate::poly::gaussian::hermite::expansion::fischer;
use crate::poly::gaussian::hermite::heat_operator::exp_second_order;
use crate::poly::gaussian::hermite::operators::{budget, linear_form, substitute};
use crate::poly::gaussian::laws::law::{GaussianLaw, Law};
use crate::poly::polynomial::value::Poly;

/// `E p^k` for `k = 1..=highest`.
///
/// Degree at most two: cumulants by traces. Otherwise `E p^k = <p^h, p^(k-h)>` with `h = floor(k/2)`, by Parseval in the
/// Wick basis of the covariance: only powers up to half of the highest are ever formed.
pub(in crate::poly::gaussian) fn moments<C: Ring>(
    law: &GaussianLaw<C>,
    p: &Poly<C>,
    highest: u32,
) -> Result<Vec<C>, Error> {
    law.check("GaussianLaw::moments", p)?;
    if let Some(form) = QuadraticPolynomial::of(p)
        && let Ok(cumulants) = form.cumulants(law, highest)
    {
        return Ok(cumulants_to_moments(&cumulants));
    }
    if highest == 0 {
        return Ok(Vec::new());
    }
    if highest == 1 {
        return Ok(vec![law.expectation(p)?]);
    }
    let basis = WickBasis::new(law, p.nvars());
    let centred = basis.centre(p)?;
    let mut halves = vec![basis.symbol(&centred)?];
    let mut power = centred.clone();
    for _ in 2..=highest.div_ceil(2) {
        power = power.mul_within(&centred, &budget())?;
        halves.push(basis.symbol(&power)?);
    }
    let duals = halves
        .iter()
        .map(|h| basis.dual(h))
        .collect::<Result<Vec<_>, _>>()?;
    let mut moments = vec![halves[0].coefficient(&[])];
    for k in 2..=highest as usize {
        moments.push(basis.pair(&halves[k - k / 2 - 1], &duals[k / 2 - 1]));
    }
    Ok(moments)
}

/// `E prod p_i^{k_i}`: the factors are split into two halves of nearly equal degree, and paired by Parseval.
pub(in crate::poly::gaussian) fn joint_moment<C: Ring>(
    law: &GaussianLaw<C>,
    factors: &[(&Poly<C>, u32)],
) -> Result<C, Error> {
    let mut list: Vec<&Poly<C>> = Vec::new();
    for &(p, k) in factors {
        law.check("GaussianLaw::joint_moment", p)?;
        if k as usize > 4096 {
            return Err(Error::limit("GaussianLaw::joint_moment", "power", 4096));
        }
        list.extend(std::iter::repeat_n(p, k as usize));
    }
    list.sort_by_key(|p| std::cmp::Reverse(p.total_degree()));
    let one = Poly::constant(C::one());
    let (mut left, mut right) = (one.clone(), one);
    for p in list {
        let side = if left.total_degree() <= right.total_degree() {
            &mut left
        } else {
            &mut right
        };
        *side = side.mul_within(p, &budget())?;
    }
    let basis = WickBasis::new(law, left.nvars().max(right.nvars()));
    let left = basis.symbol(&basis.centre(&left)?)?;
    let right = basis.symbol(&basis.centre(&right)?)?;
    Ok(basis.pair(&left, &basis.dual(&right)?))
}

/// The basis of Wick polynomials of a law: `p` centred has the symbol `exp(1/2 d'Sd) p`, and
/// `E[p q] = <symbol p, (symbol q)(S x)>` in the Fischer product. Symbols and covariance may come from any ring.
pub(in crate::poly::gaussian) struct WickBasis<'a, C: Ring> {
    law: &'a GaussianLaw<C>,
    operators: Vec<(usize, usize, C)>,
    diagonal: bool,
    nvars: usize,
}

impl<'a, C: Ring> WickBasis<'a, C> {
    pub(in crate::poly::gaussian) fn new(law: &'a GaussianLaw<C>, nvars: usize) -> Self {
        let s = law.covariance();
        let pairs = (0..nvars).flat_map(|i| (i..nvars).map(move |j| (i, j)));
        let operators = pairs
            .map(|(i, j)| (i, j, s.entry(i, j)))
            .filter(|(_, _, s)| !s.is_zero())
            .collect();
        Self {
            law,
            operators,
            diagonal: s.is_diagonal(),
            nvars,
        }
    }

    /// `p(x + mu)`.
    pub(in crate::poly::gaussian) fn centre(&self, p: &Poly<C>) -> Result<Poly<C>, Error> {
        let mu = self.law.mean();
        if mu.iter().all(C::is_zero) {
            return Ok(p.clone());
        }
        let shifted = mu.iter().take(self.nvars).enumerate();
        let images: Vec<_> = shifted
            .map(|(i, m)| &Poly::variable(i) + &Poly::constant(m.clone()))
            .collect();
        substitute(p, &images)
    }

    pub(in crate::poly::gaussian) fn symbol(&self, centred: &Poly<C>) -> Result<Poly<C>, Error> {
        exp_second_order(centred, &self.operators)
    }

    /// The symbol seen through the covariance, `F(S x)`; itself when the covariance is diagonal, where the pairing
    /// carries the variances.
    pub(in crate::poly::gaussian) fn dual(&self, symbol: &Poly<C>) -> Result<Poly<C>, Error> {
        if self.diagonal {
            return Ok(symbol.clone());
        }
        let s = self.law.covariance();
        let images: Vec<_> = (0..self.nvars)
            .map(|i| linear_form(&s.row(i)[..self.nvars], &C::zero()))
            .collect();
        substitute(symbol, &images)
    }

    pub(in crate::poly::gaussian) fn pair(&self, symbol: &Poly<C>, dual: &Poly<C>) -> C {
        let weight = |i| {
            if self.diagonal {
                self.law.covariance().entry(i, i)
            } else {
                C::one()
            }
        };
        let weights: Vec<C> = (0..self.nvars).map(weight).collect();
        fischer(symbol, dual, &weights)
    }
}
