//! Division with remainder by several divisors.

use crate::Error;
use crate::poly::coefficients::ring::Ring;
use crate::poly::monomials::order::Order;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

const OP: &str = "Poly::div_rem";

/// An exponent vector that compares in a chosen order.
#[derive(Clone)]
struct Key {
    e: Vec<u32>,
    order: Rc<Order>,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Key {}
impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.compare(&self.e, &other.e)
    }
}

/// `a` divided by `b` when it is a multiple.
fn quotient(a: &[u32], b: &[u32]) -> Option<Vec<u32>> {
    let n = a.len().max(b.len());
    let at = |e: &[u32], v: usize| e.get(v).copied().unwrap_or(0);
    (0..n).map(|v| at(a, v).checked_sub(at(b, v))).collect()
}

/// Quotients, one a divisor, and a remainder.
pub type Division<C> = (Vec<Poly<C>>, Poly<C>);

impl<C: Ring> Poly<C> {
    /// Quotients `q_i` and a remainder `r` with `self = sum q_i divisors_i + r`, where no term of `r` is
    /// divisible by the leading term of a divisor (over a field) and no `q_i divisors_i` has a greater
    /// leading monomial than `self`. The first divisor that fits is used.
    ///
    /// Over a ring that is no field a term stays in the remainder when no leading coefficient divides it.
    ///
    /// # Errors
    /// `InvalidInput` for a zero divisor; `LimitExceeded` or `Stopped` when the budget ends; `Overflow`
    /// when an exponent leaves 32 bits.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::{Budget, Order, Poly, Rational, Vars};
    /// let mut vars = Vars::fixed(["x", "y"]);
    /// let mut read = |s| Poly::<Rational>::parse(s, &mut vars);
    /// let (f, g, h) = (read("x^2*y + x*y^2 + y^2")?, read("x*y - 1")?, read("y^2 - 1")?);
    /// let (q, r) = f.div_rem(&[g.clone(), h.clone()], &Order::Lex, &Budget::default())?;
    /// assert_eq!(r, read("x + y + 1")?);
    /// assert_eq!(&(&(&q[0] * &g) + &(&q[1] * &h)) + &r, f);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    /// # Source
    /// Cox, Little, O'Shea, section 2.3.
    pub fn div_rem(
        &self,
        divisors: &[Self],
        order: &Order,
        budget: &Budget<'_>,
    ) -> Result<Division<C>, Error> {
        let order = Rc::new(order.clone());
        let mut sorted = Vec::with_capacity(divisors.len());
        for d in divisors {
            let mut terms = d.terms_in(&order);
            if terms.is_empty() {
                return Err(Error::invalid(OP, "nonzero divisors"));
            }
            let lead = terms.remove(0);
            sorted.push((lead, terms));
        }
        let key = |e: Vec<u32>| Key {
            e,
            order: order.clone(),
        };
        let mut left: BTreeMap<Key, C> = self.iter().map(|(e, c)| (key(e), c)).collect();
        let mut quotients = vec![Vec::new(); divisors.len()];
        let (mut remainder, mut work) = (Vec::new(), 0u64);
        while let Some((top, c)) = left.pop_last() {
            if c.is_zero() {
                continue;
            }
            let fits = sorted.iter().enumerate().find_map(|(i, ((e, lead), _))| {
                Some((i, quotient(&top.e, e)?, c.checked_div(lead)?))
            });
            let Some((i, q, factor)) = fits else {
                remainder.push((top.e, c));
                continue;
            };
            for (e, d) in &sorted[i].1 {
                let sum = add(&q, e).ok_or(Error::Overflow {
                    op: OP,
                    what: "exponent",
                })?;
                let mut product = factor.clone();
                product *= d;
                *left.entry(key(sum)).or_insert_with(C::zero) -= &product;
            }
            work += sorted[i].1.len() as u64 + 1;
            if work > budget.work {
                return Err(Error::limit(OP, "coefficient products", budget.work));
            }
            quotients[i].push((q, factor));
            budget.check_terms(OP, quotients[i].len().max(left.len()))?;
            if quotients[i].len() % 64 == 0 {
                budget.check_time(OP)?;
            }
        }
        let quotients = quotients.into_iter().map(Self::from_terms).collect();
        Ok((quotients, Self::from_terms(remainder)))
    }
}

fn add(a: &[u32], b: &[u32]) -> Option<Vec<u32>> {
    let n = a.len().max(b.len());
    let at = |e: &[u32], v: usize| e.get(v).copied().unwrap_or(0);
    (0..n).map(|v| at(a, v).checked_add(at(b, v))).collect()
}
