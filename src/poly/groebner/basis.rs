//! The public type and functions.
//!
//! What is checked exactly, with nothing of the other crate: every generator reduces to zero, and every S-polynomial does
//! (Buchberger's criterion), so the answer is a Groebner basis of an ideal that contains the generators. That its elements lie in
//! the ideal of the generators is shown by cofactors `g_j = sum_k h_jk f_k`, expanded here.

use super::backend::{self, OP, Shared};
use super::proof;
use crate::Error;
use crate::poly::coefficients::rational::Rational;
use crate::poly::coefficients::residue::Residue;
use crate::poly::coefficients::ring::Ring;
use crate::poly::monomials::order::Order;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;

/// Degrees add up in S-pairs: they are kept far from the edge of 32 bits.
const MAX_DEGREE: u64 = 1 << 20;

/// A reduced Groebner basis over the rationals, or modulo a prime with residues as coefficients, with what was checked about it.
///
/// See [`groebner_basis`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct GroebnerBasis<C: Ring + std::fmt::Display = Rational> {
    /// The basis, monic, leading terms descending.
    pub basis: Vec<Poly<C>>,
    /// The order that it is a basis for.
    pub order: Order,
    /// `basis[j] = sum_k cofactors[j][k] * generators[k]`, checked; `None` when they were not asked for.
    pub cofactors: Option<Vec<Vec<Poly<C>>>>,
    pub(super) nvars: usize,
}

/// The reduced Groebner basis of the ideal of `generators` in the first `nvars` variables, in any order.
///
/// With `certify`, cofactors over the generators are found (by a slower algorithm) and checked, which makes
/// the answer certain; without, that the basis lies in the ideal rests on the agreement of many primes. Buchberger's criterion is
/// checked exactly in any case.
///
/// # Errors
/// `InvalidInput` when there are no generators or they use more variables;
/// `Backend` when the other crate's answer fails a check; `Stopped` when the budget's clock or caller says
/// so. The computation runs on a thread of its own, which cannot be interrupted: after `Stopped` it goes
/// on in the background until it is done or the program ends.
///
/// # Complexity
/// Doubly exponential in the number of variables in the worst case. The check costs as much as the reduction of the S-pairs that
/// Gebauer's and Moeller's criteria leave, modulo a few primes.
///
/// # Example
/// ```
/// use wickring::poly::{Budget, Order, Poly, Vars, groebner_basis};
/// let mut vars = Vars::new();
/// let system = [Poly::parse("x^2 + y^2 - 1", &mut vars)?, Poly::parse("x - y^3", &mut vars)?];
/// let found = groebner_basis(&system, 2, &Order::DegRevLex, false, &Budget::default())?;
/// assert_eq!(found.quotient_dimension()?, Some(6));
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn groebner_basis(
    generators: &[Poly<Rational>],
    nvars: usize,
    order: &Order,
    certify: bool,
    budget: &Budget<'_>,
) -> Result<GroebnerBasis, Error> {
    computed(generators, nvars, order, certify, 0, budget)
}

/// [`groebner_basis`] modulo the prime `p`.
///
/// # Errors
/// Also `InvalidInput` when `p` is no prime below 2^62 or divides a denominator.
///
/// # Example
/// ```
/// use wickring::poly::{Budget, Order, Poly, Vars, groebner_basis_mod};
/// let mut vars = Vars::new();
/// let system = [Poly::parse("x^2 + 1", &mut vars)?, Poly::parse("x*y - 2", &mut vars)?];
/// let found = groebner_basis_mod(&system, 2, 7, &Order::Lex, false, &Budget::default())?;
/// let last = found.basis[1].to_integers();
/// assert_eq!(last, Poly::parse("y^2 + 4", &mut vars)?.map(|c| c.numerator()));
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn groebner_basis_mod(
    generators: &[Poly<Rational>],
    nvars: usize,
    p: u64,
    order: &Order,
    certify: bool,
    budget: &Budget<'_>,
) -> Result<GroebnerBasis<Residue>, Error> {
    let images = generators.iter().map(|g| g.modulo(p));
    let images = images.collect::<Result<Vec<_>, Error>>()?;
    computed(&images, nvars, order, certify, p, budget)
}

/// Coefficients with a check of Buchberger's criterion.
pub(super) trait Checked: Shared<Theirs: Send + 'static> + std::fmt::Display {
    fn check(
        basis: &GroebnerBasis<Self>,
        generators: &[&Poly<Self>],
        modulus: u64,
        budget: &Budget<'_>,
    ) -> Result<(), Error>;
}

impl Checked for Rational {
    fn check(
        g: &GroebnerBasis,
        generators: &[&Poly<Self>],
        _: u64,
        budget: &Budget<'_>,
    ) -> Result<(), Error> {
        proof::rational(&g.basis, generators, g.nvars, &g.order, budget)
    }
}

impl Checked for Residue {
    fn check(
        g: &GroebnerBasis<Self>,
        generators: &[&Poly<Self>],
        p: u64,
        budget: &Budget<'_>,
    ) -> Result<(), Error> {
        proof::modulo(&g.basis, generators, p, g.nvars, &g.order, budget)
    }
}

/// The basis, modulo a prime unless `modulus` is zero.
pub(super) fn computed<C: Checked>(
    generators: &[Poly<C>],
    nvars: usize,
    order: &Order,
    certify: bool,
    modulus: u64,
    budget: &Budget<'_>,
) -> Result<GroebnerBasis<C>, Error> {
    if generators.iter().any(|g| g.nvars() > nvars) {
        return Err(Error::invalid(
            OP,
            format!("generators in {nvars} variables"),
        ));
    }
    if generators.is_empty() {
        return Err(Error::invalid(OP, "at least one generator"));
    }
    let used: Vec<&Poly<C>> = generators.iter().filter(|g| !g.is_zero()).collect();
    if used.is_empty() {
        // The zero ideal: its basis is empty.
        return Ok(GroebnerBasis {
            basis: Vec::new(),
            order: order.clone(),
            cofactors: certify.then(Vec::new),
            nvars,
        });
    }
    let weight = match order {
        Order::Weight(w) => w.iter().copied().max().unwrap_or(1).max(1).into(),
        _ => 1u64,
    };
    let high = |g: &&&Poly<C>| g.total_degree().saturating_mul(weight) > MAX_DEGREE;
    if used.iter().find(high).is_some() {
        return Err(Error::limit(OP, "degree", MAX_DEGREE));
    }
    let mut result = GroebnerBasis {
        basis: Vec::new(),
        order: order.clone(),
        cofactors: None,
        nvars,
    };
    if used.iter().any(|g| g.is_constant()) && !certify {
        result.basis.push(Poly::constant(C::one()));
        return Ok(result);
    }
    if certify {
        let (basis, rows) = backend::lifted(&used, nvars, order, modulus, budget)?;
        check_cofactors(&basis, &rows, &used, budget)?;
        result.basis = basis;
        result.cofactors = Some(spread(rows, generators));
    } else {
        result.basis = backend::basis(&used, nvars, order, modulus, budget)?;
        let lead = |g: &Poly<C>| g.leading_term_in(order).map(|t| t.0).unwrap_or_default();
        result
            .basis
            .sort_by(|f, g| order.compare(&lead(g), &lead(f)));
    }
    C::check(&result, &used, modulus, budget)?;
    Ok(result)
}

/// Rows over the nonzero generators as rows over all of them.
fn spread<C: Ring>(rows: Vec<Vec<Poly<C>>>, generators: &[Poly<C>]) -> Vec<Vec<Poly<C>>> {
    let widen = |row: Vec<Poly<C>>| {
        let mut row = row.into_iter();
        let each = generators.iter().map(|g| match g.is_zero() {
            true => Poly::zero(),
            false => row.next().unwrap_or_else(Poly::zero),
        });
        each.collect()
    };
    rows.into_iter().map(widen).collect()
}

fn check_cofactors<C: Ring>(
    basis: &[Poly<C>],
    rows: &[Vec<Poly<C>>],
    generators: &[&Poly<C>],
    budget: &Budget<'_>,
) -> Result<(), Error> {
    for (g, row) in basis.iter().zip(rows) {
        let mut sum = Poly::zero();
        for (h, f) in row.iter().zip(generators) {
            sum += &h.mul_within(f, budget)?;
        }
        if sum != *g || row.len() != generators.len() {
            let routine = "groebner cofactors";
            return Err(Error::Backend { op: OP, routine });
        }
    }
    Ok(())
}

impl<C: Ring + std::fmt::Display> GroebnerBasis<C> {
    /// The remainder of `p`: zero exactly for members of the ideal, equal exactly for equal classes.
    ///
    /// # Errors
    /// As [`Poly::div_rem`].
    pub fn normal_form(&self, p: &Poly<C>, budget: &Budget<'_>) -> Result<Poly<C>, Error> {
        Ok(p.div_rem(&self.basis, &self.order, budget)?.1)
    }

    /// Cofactors over the generators when `p` lies in the ideal, checked by expansion; `None` when it does
    /// not.
    ///
    /// # Errors
    /// `InvalidInput` when the basis was computed without cofactors; else as [`Poly::div_rem`].
    pub fn membership(
        &self,
        p: &Poly<C>,
        budget: &Budget<'_>,
    ) -> Result<Option<Vec<Poly<C>>>, Error> {
        let op = "GroebnerBasis::membership";
        let Some(rows) = &self.cofactors else {
            return Err(Error::invalid(op, "a basis computed with certify = true"));
        };
        let (quotients, rest) = p.div_rem(&self.basis, &self.order, budget)?;
        if !rest.is_zero() {
            return Ok(None);
        }
        let width = rows.first().map_or(0, Vec::len);
        let mut found = vec![Poly::zero(); width];
        for (q, row) in quotients.iter().zip(rows) {
            for (sum, h) in found.iter_mut().zip(row) {
                *sum += &q.mul_within(h, budget)?;
            }
        }
        Ok(Some(found))
    }

    /// The dimension of the quotient ring as a vector space: the number of monomials that no leading
    /// monomial divides, which is the number of solutions with multiplicity; `None` when it is infinite.
    ///
    /// # Errors
    /// `LimitExceeded` beyond 10^7 monomials.
    pub fn quotient_dimension(&self) -> Result<Option<u64>, Error> {
        let leads = self
            .basis
            .iter()
            .filter_map(|g| g.leading_term_in(&self.order));
        let leads: Vec<Vec<u32>> = leads.map(|(e, _)| e).collect();
        let at = |e: &[u32], v: usize| e.get(v).copied().unwrap_or(0);
        let pure = |v: usize| {
            leads.iter().any(|e| {
                (0..e.len()).all(|w| w == v || e[w] == 0) && (at(e, v) > 0 || e.is_empty())
            })
        };
        if !(0..self.nvars).all(pure) {
            return Ok(None);
        }
        // The staircase, one variable after the other: a monomial below it extends only to monomials whose
        // divisors are below it too.
        let below = |e: &[u32]| {
            !leads
                .iter()
                .any(|l| (0..self.nvars).all(|v| at(l, v) <= e[v]))
        };
        let mut open = vec![(vec![0; self.nvars], 0)];
        let mut count = 0u64;
        while let Some((e, from)) = open.pop() {
            if !below(&e) {
                continue;
            }
            count += 1;
            if count > 10_000_000 {
                return Err(Error::limit(
                    "GroebnerBasis::quotient_dimension",
                    "monomials",
                    10_000_000,
                ));
            }
            for v in from..self.nvars {
                let mut next = e.clone();
                next[v] += 1;
                open.push((next, v));
            }
        }
        Ok(Some(count))
    }
}
