//! Groebner bases: computed by the crate `groebner` (MIT), checked here.
//!
//! What is checked exactly, with this crate's own division and nothing of the other one: every generator
//! reduces to zero, and every S-polynomial does (Buchberger's criterion), so the answer is a Groebner basis
//! of an ideal that contains the generators. That its elements lie in the ideal of the generators is shown by
//! cofactors `g_j = sum_k h_jk f_k`, expanded here.

use super::coefficients::rational::Rational;
use super::monomials::order::Order;
use super::polynomial::value::Poly;
use super::product::budget::Budget;
use crate::Error;
use groebner::{LiftBasis, Monomial, MonomialOrder, Polynomial, groebner_basis_f4_rational};
use num_rational::BigRational;
use std::sync::mpsc;
use std::time::Duration;

const OP: &str = "groebner_basis";
type Theirs = Polynomial<BigRational>;

/// A reduced Groebner basis over the rationals, with what was checked about it.
#[derive(Clone, Debug, PartialEq)]
pub struct GroebnerBasis {
    /// The basis, leading terms ascending.
    pub basis: Vec<Poly<Rational>>,
    /// The order that it is a basis for.
    pub order: Order,
    /// `basis[j] = sum_k cofactors[j][k] * generators[k]`, checked; `None` when they were not asked for.
    pub cofactors: Option<Vec<Vec<Poly<Rational>>>>,
    nvars: usize,
}

/// The reduced Groebner basis of the ideal of `generators` in the first `nvars` variables.
///
/// With `certify`, cofactors over the generators are found (by a slower algorithm) and checked, which makes
/// the answer certain; without, that the basis lies in the ideal rests on the agreement of many primes.
///
/// # Errors
/// `InvalidInput` when all generators are zero, use more variables, or the order is a weight or block order;
/// `Backend` when the other crate's answer fails a check; `Stopped` when the budget's clock or caller says
/// so. The computation runs on a thread of its own, which cannot be interrupted: after `Stopped` it goes
/// on in the background until it is done or the program ends.
///
/// # Complexity
/// Doubly exponential in the number of variables in the worst case.
pub fn groebner_basis(
    generators: &[Poly<Rational>],
    nvars: usize,
    order: &Order,
    certify: bool,
    budget: &Budget<'_>,
) -> Result<GroebnerBasis, Error> {
    let theirs_order = match order {
        Order::Lex => MonomialOrder::Lex,
        Order::DegLex => MonomialOrder::GrLex,
        Order::DegRevLex => MonomialOrder::GRevLex,
        _ => {
            return Err(Error::invalid(
                OP,
                "one of the orders lex, deglex, degrevlex",
            ));
        }
    };
    if generators.iter().any(|g| g.nvars() > nvars) {
        return Err(Error::invalid(
            OP,
            format!("generators in {nvars} variables"),
        ));
    }
    let used: Vec<&Poly<Rational>> = generators.iter().filter(|g| !g.is_zero()).collect();
    if used.is_empty() {
        return Err(Error::invalid(OP, "a generator that is not zero"));
    }
    // Degrees add up in S-pairs: keep far from the edge of 32 bits.
    if used.iter().any(|g| g.total_degree() > 1 << 20) {
        return Err(Error::limit(OP, "degree", 1 << 20));
    }
    let inputs: Vec<Theirs> = used
        .iter()
        .map(|g| theirs(g, nvars, &theirs_order))
        .collect();
    let copy = inputs.clone();
    let found = detached(budget, move || groebner_basis_f4_rational(copy, false))?;
    let mut basis: Vec<Poly<Rational>> = found.iter().map(ours).collect();
    let mut cofactors = None;
    if certify {
        let lifted = detached(budget, move || LiftBasis::new(&inputs))?;
        basis = lifted.basis.iter().map(ours).collect();
        let rows = lifted.cofactors.iter();
        let rows: Vec<Vec<_>> = rows.map(|r| r.iter().map(ours).collect()).collect();
        check_cofactors(&basis, &rows, &used, budget)?;
        cofactors = Some(spread(rows, generators));
    }
    let result = GroebnerBasis {
        basis,
        order: order.clone(),
        cofactors,
        nvars,
    };
    result.check(&used, budget)?;
    Ok(result)
}

/// Runs work that cannot be interrupted on a thread of its own and waits as long as the budget allows.
fn detached<T: Send + 'static, E: Send + 'static>(
    budget: &Budget<'_>,
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Error> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody listens any more after a stop.
        let _ = send.send(work());
    });
    loop {
        match receive.recv_timeout(Duration::from_millis(5)) {
            Ok(Ok(found)) => return Ok(found),
            Err(mpsc::RecvTimeoutError::Timeout) => budget.check_time(OP)?,
            // An error of theirs, or a panic of theirs that dropped the channel.
            Ok(Err(_)) | Err(mpsc::RecvTimeoutError::Disconnected) => {
                let routine = "groebner";
                return Err(Error::Backend { op: OP, routine });
            }
        }
    }
}

/// Rows over the nonzero generators as rows over all of them.
fn spread(
    rows: Vec<Vec<Poly<Rational>>>,
    generators: &[Poly<Rational>],
) -> Vec<Vec<Poly<Rational>>> {
    let widen = |row: Vec<Poly<Rational>>| {
        let mut row = row.into_iter();
        let each = generators.iter().map(|g| match g.is_zero() {
            true => Poly::zero(),
            false => row.next().unwrap_or_else(Poly::zero),
        });
        each.collect()
    };
    rows.into_iter().map(widen).collect()
}

fn check_cofactors(
    basis: &[Poly<Rational>],
    rows: &[Vec<Poly<Rational>>],
    generators: &[&Poly<Rational>],
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

impl GroebnerBasis {
    /// Buchberger's criterion and the reduction of the generators, by this crate's division.
    fn check(&self, generators: &[&Poly<Rational>], budget: &Budget<'_>) -> Result<(), Error> {
        let failed = || {
            let routine = "groebner basis";
            Error::Backend { op: OP, routine }
        };
        for g in generators {
            if !g.div_rem(&self.basis, &self.order, budget)?.1.is_zero() {
                return Err(failed());
            }
        }
        let leads: Option<Vec<_>> = self
            .basis
            .iter()
            .map(|g| g.leading_term_in(&self.order))
            .collect();
        let leads = leads.ok_or_else(failed)?;
        let at = |e: &[u32], v: usize| e.get(v).copied().unwrap_or(0);
        for j in 0..leads.len() {
            for i in 0..j {
                let ((a, x), (b, y)) = (&leads[i], &leads[j]);
                let n = a.len().max(b.len());
                // Coprime leading monomials: Buchberger's first criterion.
                if (0..n).all(|v| at(a, v) == 0 || at(b, v) == 0) {
                    continue;
                }
                let up = |e: &[u32]| -> Vec<u32> {
                    (0..n).map(|v| at(a, v).max(at(b, v)) - at(e, v)).collect()
                };
                let left = self.basis[i].mul_within(&Poly::monomial(&up(a), y.clone()), budget)?;
                let right = self.basis[j].mul_within(&Poly::monomial(&up(b), x.clone()), budget)?;
                let rest = (&left - &right)
                    .div_rem(&self.basis, &self.order, budget)?
                    .1;
                if !rest.is_zero() {
                    return Err(failed());
                }
            }
        }
        Ok(())
    }

    /// The remainder of `p`: zero exactly for members of the ideal, equal exactly for equal classes.
    ///
    /// # Errors
    /// As [`Poly::div_rem`].
    pub fn normal_form(
        &self,
        p: &Poly<Rational>,
        budget: &Budget<'_>,
    ) -> Result<Poly<Rational>, Error> {
        Ok(p.div_rem(&self.basis, &self.order, budget)?.1)
    }

    /// Cofactors over the generators when `p` lies in the ideal, checked by expansion; `None` when it does
    /// not.
    ///
    /// # Errors
    /// `InvalidInput` when the basis was computed without cofactors; else as [`Poly::div_rem`].
    pub fn membership(
        &self,
        p: &Poly<Rational>,
        budget: &Budget<'_>,
    ) -> Result<Option<Vec<Poly<Rational>>>, Error> {
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

fn theirs(p: &Poly<Rational>, nvars: usize, order: &MonomialOrder) -> Theirs {
    let terms = p.iter().map(|(mut e, c)| {
        e.resize(nvars, 0);
        (Monomial::new(e), BigRational::from(c))
    });
    Polynomial::new(terms.collect(), nvars, order.clone())
}

fn ours(p: &Theirs) -> Poly<Rational> {
    let terms = p.terms.iter();
    Poly::from_terms(terms.map(|(m, c)| (m.exps().to_vec(), Rational::from(c))))
}
