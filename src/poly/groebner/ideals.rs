//! Elimination, saturation, membership in radicals, and dimensions.

use super::basis::{Checked, GroebnerBasis, computed};
use crate::Error;
use crate::poly::coefficients::rational::Rational;
use crate::poly::coefficients::residue::Residue;
use crate::poly::coefficients::ring::Ring;
use crate::poly::monomials::order::Order;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;

/// A field of coefficients that ideals are computed over: the rationals, or residues modulo a prime.
///
/// See [`eliminate`] for an example.
#[allow(private_bounds)]
pub trait IdealField: Checked {
    /// The prime of the coefficients, 0 over the rationals; `None` when they name none or several.
    fn modulus(generators: &[Poly<Self>]) -> Option<u64>;
}

impl IdealField for Rational {
    fn modulus(_: &[Poly<Self>]) -> Option<u64> {
        Some(0)
    }
}

impl IdealField for Residue {
    fn modulus(generators: &[Poly<Self>]) -> Option<u64> {
        let all = generators.iter().flat_map(Poly::iter);
        let mut primes = all.filter_map(|(_, c)| c.prime());
        let first = primes.next()?;
        primes.all(|p| p == first).then_some(first)
    }
}

fn modulus<C: IdealField>(op: &'static str, generators: &[Poly<C>]) -> Result<u64, Error> {
    C::modulus(generators).ok_or_else(|| Error::invalid(op, "residues modulo one prime"))
}

/// The polynomial with variable `v` in place `to(v)`.
fn moved<C: Ring>(p: &Poly<C>, to: &[usize]) -> Poly<C> {
    Poly::from_terms(p.iter().map(|(e, c)| {
        let mut row = vec![0; to.len()];
        for (v, &k) in e.iter().enumerate() {
            row[to[v]] = k;
        }
        (row, c)
    }))
}

/// The elimination ideal: the reduced basis, in the order `DegRevLex`, of all members that contain none of the variables `gone`.
/// It is empty when only zero is such a member.
///
/// # Errors
/// As [`groebner_basis`](super::groebner_basis); `InvalidInput` for a variable that is not among the first `nvars`.
///
/// # Example
/// ```
/// use wickring::poly::{Budget, Poly, Rational, Vars, eliminate};
/// let mut vars = Vars::fixed(["t", "x", "y"]);
/// let curve = ["x - t^2", "y - t^3"].map(|p| Poly::<Rational>::parse(p, &mut vars));
/// let [f, g] = curve;
/// let found = eliminate(&[f?, g?], 3, &[0], &Budget::default())?;
/// assert_eq!(found.basis, [Poly::parse("x^3 - y^2", &mut vars)?]);
/// # Ok::<(), wickring::Error>(())
/// ```
/// # Source
/// Cox, Little, O'Shea, section 3.1.
pub fn eliminate<C: IdealField>(
    generators: &[Poly<C>],
    nvars: usize,
    gone: &[usize],
    budget: &Budget<'_>,
) -> Result<GroebnerBasis<C>, Error> {
    let op = "eliminate";
    if gone.iter().any(|&v| v >= nvars) {
        return Err(Error::invalid(op, format!("variables below {nvars}")));
    }
    let modulus = modulus(op, generators)?;
    if generators.iter().any(|g| g.nvars() > nvars) {
        return Err(Error::invalid(
            op,
            format!("generators in {nvars} variables"),
        ));
    }
    // The variables that go come first; the others keep their order.
    let (mut order, kept): (Vec<usize>, Vec<usize>) = (0..nvars).partition(|v| gone.contains(v));
    let count = order.len();
    order.extend(kept);
    let mut places = vec![0; nvars];
    for (place, &v) in order.iter().enumerate() {
        places[v] = place;
    }
    let inside: Vec<_> = generators.iter().map(|g| moved(g, &places)).collect();
    let found = computed(&inside, nvars, &Order::Block(count), false, modulus, budget);
    let found = found.map_err(|e| e.said_by(op))?;
    let free = |p: &&Poly<C>| (0..count).all(|v| p.degree(v) == 0);
    let basis = found.basis.iter().filter(free).map(|p| moved(p, &order));
    Ok(GroebnerBasis {
        basis: basis.collect(),
        order: Order::DegRevLex,
        cofactors: None,
        nvars,
    })
}

/// The saturation `I : p^oo`: the reduced basis, in the order `DegRevLex`, of all polynomials of which some power of `p` times
/// them lies in the ideal.
///
/// # Errors
/// As [`groebner_basis`](super::groebner_basis).
///
/// # Source
/// Cox, Little, O'Shea, section 4.4.
pub fn saturate<C: IdealField>(
    generators: &[Poly<C>],
    nvars: usize,
    p: &Poly<C>,
    budget: &Budget<'_>,
) -> Result<GroebnerBasis<C>, Error> {
    let op = "saturate";
    if generators.iter().chain([p]).any(|g| g.nvars() > nvars) {
        return Err(Error::invalid(
            op,
            format!("polynomials in {nvars} variables"),
        ));
    }
    let mut found = eliminate(
        &with_inverse(generators, p, nvars),
        nvars + 1,
        &[nvars],
        budget,
    )
    .map_err(|e| e.said_by(op))?;
    found.nvars = nvars;
    Ok(found)
}

/// The generators and `1 - t p` for a new variable `t`, the last one.
fn with_inverse<C: Ring>(generators: &[Poly<C>], p: &Poly<C>, nvars: usize) -> Vec<Poly<C>> {
    let t = Poly::variable(nvars);
    let mut all = generators.to_vec();
    all.push(&Poly::constant(C::one()) - &(&t * p));
    all
}

/// Whether some power of `p` lies in the ideal: whether `p` vanishes wherever all generators do, over the algebraic closure.
///
/// # Errors
/// As [`groebner_basis`](super::groebner_basis).
///
/// # Example
/// ```
/// use wickring::poly::{Budget, Poly, Rational, Vars, in_radical};
/// let mut vars = Vars::fixed(["x", "y"]);
/// let f = Poly::<Rational>::parse("(x - y)^3", &mut vars)?;
/// let p = Poly::parse("x^2 - y^2", &mut vars)?;
/// assert!(in_radical(&[f.clone()], 2, &p, &Budget::default())?);
/// assert!(!in_radical(&[f], 2, &Poly::variable(0), &Budget::default())?);
/// # Ok::<(), wickring::Error>(())
/// ```
/// # Source
/// Rabinowitsch 1929.
pub fn in_radical<C: IdealField>(
    generators: &[Poly<C>],
    nvars: usize,
    p: &Poly<C>,
    budget: &Budget<'_>,
) -> Result<bool, Error> {
    let op = "in_radical";
    if generators.iter().chain([p]).any(|g| g.nvars() > nvars) {
        return Err(Error::invalid(
            op,
            format!("polynomials in {nvars} variables"),
        ));
    }
    let all = with_inverse(generators, p, nvars);
    let modulus = modulus(op, &all)?;
    let found = computed(&all, nvars + 1, &Order::DegRevLex, false, modulus, budget);
    let found = found.map_err(|e| e.said_by(op))?;
    Ok(found.basis.iter().any(|g| g.is_constant()))
}

impl<C: Ring + std::fmt::Display> GroebnerBasis<C> {
    /// The dimension of the set of solutions over the algebraic closure, `None` when there are none.
    ///
    /// # Errors
    /// `LimitExceeded` beyond 64 variables, or when the search through sets of variables is too long.
    ///
    /// # Complexity
    /// Exponential in the number of variables.
    ///
    /// # Source
    /// Cox, Little, O'Shea, section 9.1.
    pub fn dimension(&self) -> Result<Option<usize>, Error> {
        let op = "GroebnerBasis::dimension";
        if self.nvars > 64 {
            return Err(Error::limit(op, "variables", 64));
        }
        let leads = self
            .basis
            .iter()
            .filter_map(|g| g.leading_term_in(&self.order));
        let support = |e: &[u32]| {
            let used = e.iter().enumerate().filter(|&(_, &k)| k > 0);
            used.fold(0u64, |m, (v, _)| m | 1 << v)
        };
        let mut sets: Vec<u64> = leads.map(|(e, _)| support(&e)).collect();
        if sets.contains(&0) {
            return Ok(None);
        }
        sets.sort_by_key(|s| (s.count_ones(), *s));
        sets.dedup();
        // The fewest variables that meet every support.
        let (mut best, mut steps) = (self.nvars, 0u64);
        let mut open = vec![(0u64, 0u64)];
        while let Some((taken, left_out)) = open.pop() {
            steps += 1;
            if steps > 10_000_000 {
                return Err(Error::limit(op, "sets of variables", 10_000_000));
            }
            let size = taken.count_ones() as usize;
            let Some(set) = sets.iter().find(|&&s| s & taken == 0) else {
                best = best.min(size);
                continue;
            };
            if size + 1 >= best {
                continue;
            }
            // One variable of the set is taken; those tried before it are left out.
            let (mut choices, mut out) = (set & !left_out, left_out);
            while choices != 0 {
                let v = choices & choices.wrapping_neg();
                open.push((taken | v, out));
                out |= v;
                choices ^= v;
            }
        }
        Ok(Some(self.nvars - best))
    }
}
