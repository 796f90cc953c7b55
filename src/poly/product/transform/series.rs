//! Quotients of power series modulo a word prime, by Newton's iteration on transforms.

use super::points::Points;
use super::roots::length;
use crate::Error;

/// Arithmetic of lists modulo one prime.
pub(crate) struct Series<P>(pub(crate) P);

/// Entries that are multiplied one by one.
const FEW: usize = 16;

impl<P: Points> Series<P> {
    /// The product of two polynomials.
    pub(crate) fn whole(&self, f: &[P::Number], g: &[P::Number]) -> Result<Vec<P::Number>, Error> {
        let total = f.len() + g.len() - 1;
        let size = length(total);
        let mut x = self.0.forward(f, size)?;
        let y = self.0.forward(g, size)?;
        self.0.multiply(&mut x, &y);
        self.0.backward(&mut x)?;
        x.truncate(total);
        Ok(x)
    }

    /// `1 / f` modulo `x^n` for `f_0` not zero: `g <- g (2 - f g)` doubles the entries that are right.
    fn inverse(&self, f: &[P::Number], n: usize) -> Result<Vec<P::Number>, Error> {
        let points = &self.0;
        let mut g = vec![points.inverse(f[0])];
        // Powers of two on the way would overshoot: halve from the end.
        let mut steps = vec![n];
        while let Some(&last) = steps.last().filter(|&&s| s > FEW) {
            steps.push(last.div_ceil(2));
        }
        let few = steps.pop().unwrap_or(1);
        while g.len() < few {
            let k = g.len();
            let zero = P::Number::default();
            let sum = (1..=k.min(f.len() - 1))
                .fold(zero, |s, i| points.add(s, points.mul(f[i], g[k - i])));
            g.push(points.negative(points.mul(sum, g[0])));
        }
        for &wanted in steps.iter().rev() {
            let size = length(wanted + g.len());
            let cut = &f[..f.len().min(wanted)];
            let values = points.forward(&g, size)?;
            let mut rest = points.forward(cut, size)?;
            points.multiply(&mut rest, &values);
            points.backward(&mut rest)?;
            rest.truncate(wanted);
            rest.resize(wanted, P::Number::default());
            // Entries before half are those of 1.
            rest[..g.len()].fill(P::Number::default());
            let mut more = points.forward(&rest, size)?;
            points.multiply(&mut more, &values);
            points.backward(&mut more)?;
            let from = g.len();
            g.extend(more[from..wanted].iter().map(|&x| points.negative(x)));
        }
        Ok(g)
    }

    /// The quotient of `a` by `b` as polynomials, constants first; `None` if there is a remainder. The last entries are not zero.
    pub(crate) fn exact(
        &self,
        a: &[P::Number],
        b: &[P::Number],
    ) -> Result<Option<Vec<P::Number>>, Error> {
        let quotient = self.quotient(a, b)?;
        let back = self.whole(&quotient, b)?;
        let same = |(&x, &y)| self.0.is_zero(self.0.add(x, self.0.negative(y)));
        Ok(back.iter().zip(a).all(same).then_some(quotient))
    }

    fn quotient(&self, a: &[P::Number], b: &[P::Number]) -> Result<Vec<P::Number>, Error> {
        let n = a.len() - b.len() + 1;
        let cut = |f: &[P::Number]| f.iter().rev().take(n).copied().collect::<Vec<_>>();
        let (a, b) = (cut(a), cut(b));
        let inverse = self.inverse(&b, n)?;
        let mut quotient = self.whole(&a, &inverse)?;
        quotient.truncate(n);
        quotient.reverse();
        Ok(quotient)
    }
}

#[cfg(test)]
mod tests {
    use super::super::float_primes::float_primes;
    use super::super::points::{Floats, Points, Words};
    use super::super::primes::primes;
    use super::super::roots::Patience;
    use super::Series;
    use crate::poly::polynomial::univariate::Field;

    fn there_and_back<P: Points>(series: &Series<P>, words: Field, up: impl Fn(u64) -> P::Number) {
        let mut seed = 7u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 2) % words.p
        };
        for n in [1, 2, 3, 15, 16, 17, 33, 50, 64, 65, 100, 257] {
            for m in [1, 2, 17, 40, 300] {
                let q: Vec<u64> = (0..n).map(|_| next()).collect();
                let b: Vec<u64> = (0..m).map(|_| next()).collect();
                let a = words.product(&q, &b);
                let list = |v: &[u64]| v.iter().map(|&x| up(x)).collect::<Vec<_>>();
                let same = |x: &[P::Number], y: &[u64]| {
                    let zero =
                        |(&x, &y)| series.0.is_zero(series.0.add(x, series.0.negative(up(y))));
                    x.len() == y.len() && x.iter().zip(y).all(zero)
                };
                let (list_a, list_b) = (list(&a), list(&b));
                assert!(series.whole(&list(&q), &list_b).is_ok_and(|x| same(&x, &a)));
                let found = series.exact(&list_a, &list_b);
                assert!(matches!(found, Ok(Some(x)) if same(&x, &q)), "{n} {m}");
                if m > 1 {
                    let mut other = a.clone();
                    other[0] = words.add(other[0], 1);
                    assert!(matches!(series.exact(&list(&other), &list_b), Ok(None)));
                }
            }
        }
    }

    #[test]
    fn quotients_times_divisors_give_products_back() {
        let check = || Ok(());
        let (patience, op) = (&Patience::new(&check), "test");
        let (words, floats) = (&primes(1)[0], &float_primes(1)[0]);
        let prime = words;
        let field = Field { p: prime.p };
        there_and_back(
            &Series(Words {
                prime,
                patience,
                op,
            }),
            field,
            |x| x,
        );
        let prime = floats;
        let field = Field { p: prime.p };
        let series = Series(Floats {
            prime,
            patience,
            op,
        });
        there_and_back(&series, field, |x| prime.number(x));
    }
}
