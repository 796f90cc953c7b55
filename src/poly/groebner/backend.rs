//! Conversions to and from the crate `groebner`, and the thread that it runs on.

use crate::Error;
use crate::poly::coefficients::rational::Rational;
use crate::poly::coefficients::residue::Residue;
use crate::poly::coefficients::ring::Ring;
use crate::poly::monomials::order::Order;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use groebner::{LiftBasis, Monomial, MonomialOrder, Polynomial, Zp, groebner_basis_f4};
use num_rational::BigRational;
use std::sync::mpsc;
use std::time::Duration;

/// What every function of this folder is called in errors.
pub(crate) const OP: &str = "groebner_basis";

/// Coefficients that both sides have.
pub(crate) trait Shared: Ring {
    type Theirs: groebner::F4Field;
    fn theirs(&self, modulus: u64) -> Self::Theirs;
    /// `modulus` is 0 over the rationals.
    fn ours(c: &Self::Theirs, modulus: u64) -> Self;
}

impl Shared for Rational {
    type Theirs = BigRational;
    fn theirs(&self, _: u64) -> BigRational {
        BigRational::from(self)
    }
    fn ours(c: &BigRational, _: u64) -> Self {
        Self::from(c)
    }
}

impl Shared for Residue {
    type Theirs = Zp;
    fn theirs(&self, modulus: u64) -> Zp {
        Zp::new(self.value(modulus), modulus)
    }
    fn ours(c: &Zp, modulus: u64) -> Self {
        Residue::known(c.bind(modulus).value(), modulus)
    }
}

/// The other crate's name for an order of `n` variables.
pub(crate) fn order(order: &Order, n: usize) -> MonomialOrder {
    match order {
        Order::Lex => MonomialOrder::Lex,
        Order::DegLex => MonomialOrder::GrLex,
        Order::DegRevLex => MonomialOrder::GRevLex,
        Order::Block(k) => MonomialOrder::elimination((*k).min(n), n - (*k).min(n)),
        Order::Weight(w) => {
            let weights: Vec<u32> = (0..n).map(|v| w.get(v).copied().unwrap_or(1)).collect();
            MonomialOrder::weighted(weights, MonomialOrder::Lex)
        }
    }
}

fn theirs<C: Shared>(
    p: &Poly<C>,
    n: usize,
    order: &MonomialOrder,
    modulus: u64,
) -> Polynomial<C::Theirs> {
    let terms = p.iter().map(|(mut e, c)| {
        e.resize(n, 0);
        (Monomial::new(e), c.theirs(modulus))
    });
    Polynomial::new(terms.collect(), n, order.clone())
}

fn ours<C: Shared>(p: &Polynomial<C::Theirs>, modulus: u64) -> Poly<C> {
    let terms = p.terms.iter();
    Poly::from_terms(terms.map(|(m, c)| (m.exps().to_vec(), C::ours(c, modulus))))
}

/// The reduced basis, unchecked.
pub(crate) fn basis<C: Shared>(
    generators: &[&Poly<C>],
    n: usize,
    order: &Order,
    modulus: u64,
    budget: &Budget<'_>,
) -> Result<Vec<Poly<C>>, Error>
where
    C::Theirs: Send + 'static,
{
    let order = self::order(order, n);
    let each = generators.iter();
    let inputs: Vec<_> = each.map(|g| theirs(g, n, &order, modulus)).collect();
    let found = detached(budget, move || groebner_basis_f4(inputs, true))?;
    Ok(found.iter().map(|p| ours(p, modulus)).collect())
}

/// A basis, and for each of its elements the cofactors over the generators.
pub(crate) type Lifted<C> = (Vec<Poly<C>>, Vec<Vec<Poly<C>>>);

/// The reduced basis with cofactors over the generators, unchecked.
pub(crate) fn lifted<C: Shared>(
    generators: &[&Poly<C>],
    n: usize,
    order: &Order,
    modulus: u64,
    budget: &Budget<'_>,
) -> Result<Lifted<C>, Error>
where
    C::Theirs: Send + 'static,
{
    let order = self::order(order, n);
    let each = generators.iter();
    let inputs: Vec<_> = each.map(|g| theirs(g, n, &order, modulus)).collect();
    let found = detached(budget, move || LiftBasis::new(&inputs))?;
    let list = |row: &Vec<_>| row.iter().map(|p| ours(p, modulus)).collect();
    Ok((
        list(&found.basis),
        found.cofactors.iter().map(list).collect(),
    ))
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
