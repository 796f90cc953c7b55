//! Hermite tensors of polynomials, as forms, and Stein's identities.
//!
//! The symmetric tensor `E[f H_l] = E[grad^l f]` of order `l` is kept as the form `T(x, .., x)`:
//! `l! sum_{|a| = l} c_a x^a` where `c_a` are the Hermite coefficients of `f`.

use crate::Error;
use crate::poly::coefficients::ring::Ring;
use crate::poly::gaussian::hermite::expansion::HermiteExpansion;
use crate::poly::gaussian::laws::law::{GaussianLaw, Law};
use crate::poly::polynomial::value::Poly;

impl<C: Ring> HermiteExpansion<C> {
    /// The form `T(x, .., x)` of the Hermite tensor `T = E[f H_l] = E[grad^l f]`, `x ~ N(0, s I)`.
    pub fn hermite_form(&self, order: u32) -> Poly<C> {
        let part = self.chaos(order.into());
        let factorial = (1..=i64::from(order)).fold(C::one(), |f, k| f * C::from_i64(k));
        part.symbol().scale(&factorial)
    }
}

/// `grad_v p = sum_i v_i d_i p`.
pub fn directional_derivative<C: Ring>(p: &Poly<C>, v: &[C]) -> Poly<C> {
    let mut sum = Poly::zero();
    for (i, c) in v
        .iter()
        .enumerate()
        .take(p.nvars())
        .filter(|(_, c)| !c.is_zero())
    {
        sum += &p.derivative(i).scale(c);
    }
    sum
}

/// The contraction `T[v_1, .., v_k, ., ..]` of the symmetric tensor of a form of the given order, as a form of order
/// `order - k`: `(order - k)! / order! grad_{v_1} .. grad_{v_k}`.
///
/// # Errors
/// `InvalidInput` when there are more vectors than the order, or the ring cannot divide.
pub fn contract_form<C: Ring>(
    form: &Poly<C>,
    order: u32,
    vectors: &[&[C]],
) -> Result<Poly<C>, Error> {
    let op = "contract_form";
    if vectors.len() > order as usize {
        return Err(Error::invalid(
            op,
            format!("at most {order} vectors, got {}", vectors.len()),
        ));
    }
    let mut rest = form.clone();
    for (k, v) in vectors.iter().enumerate() {
        let left = C::from_i64(i64::from(order) - k as i64);
        let mut terms = Vec::new();
        for (e, c) in directional_derivative(&rest, v).iter() {
            let no = || {
                Error::invalid(
                    op,
                    format!("the ring cannot divide {c:?} by {left:?}; use rationals"),
                )
            };
            terms.push((e, c.checked_div(&left).ok_or_else(no)?));
        }
        rest = Poly::from_terms(terms);
    }
    Ok(rest)
}

/// Both sides of Stein's identity `E[(x_i - mu_i) p] = sum_j S_ij E[d_j p]`: equal for every polynomial, so a test of any
/// claim about moments and the seed of every recursion here.
///
/// # Errors
/// `Shape` when `p` or `i` lies outside the law, `LimitExceeded`.
pub fn stein_sides<C: Ring>(law: &GaussianLaw<C>, p: &Poly<C>, i: usize) -> Result<(C, C), Error> {
    let dim = law.mean().len();
    if i >= dim {
        return Err(Error::shape(
            "stein_sides",
            format!("a variable below {dim}"),
            i.to_string(),
        ));
    }
    let factor = &Poly::variable(i) - &Poly::constant(law.mean()[i].clone());
    let left = law.expectation(&factor.checked_mul(p)?)?;
    let mut right = C::zero();
    for j in 0..p.nvars() {
        right += &(law.covariance().entry(i, j) * law.expectation(&p.derivative(j))?);
    }
    Ok((left, right))
}
