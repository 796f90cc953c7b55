//! Quotients of power series modulo a word prime, by Newton's iteration on transforms.

use super::primes::{Prime, once};
use super::roots::{Patience, Transform, length, roots_for};
use crate::Error;

/// Arithmetic of lists modulo one prime, with a look at the clock before each transform.
pub(crate) struct Series<'a> {
    pub(crate) prime: &'a Prime,
    pub(crate) patience: &'a Patience<'a>,
    /// The operation that errors name.
    pub(crate) op: &'static str,
}

/// Entries that are multiplied one by one.
const FEW: usize = 16;

impl Series<'_> {
    /// `f g` by transforms of `size` points, cut to `keep` entries.
    fn product(&self, f: &[u64], g: &[u64], size: usize, keep: usize) -> Result<Vec<u64>, Error> {
        let mut x = self.forward(f, size)?;
        let y = self.forward(g, size)?;
        self.multiply(&mut x, &y);
        self.backward(&mut x)?;
        x.truncate(keep);
        Ok(x)
    }

    fn transform<T>(&self, size: usize, f: impl FnOnce(&Transform<'_>) -> T) -> Result<T, Error> {
        self.patience.kept(self.op)?;
        let table = self.prime.table(roots_for(size));
        let done = f(&Transform {
            prime: self.prime,
            table: &table,
            patience: self.patience,
        });
        self.patience.kept(self.op)?;
        Ok(done)
    }

    fn forward(&self, f: &[u64], size: usize) -> Result<Vec<u64>, Error> {
        let mut x = f.to_vec();
        x.resize(size, 0);
        self.transform(size, |t| t.forward(&mut x))?;
        Ok(x)
    }

    fn backward(&self, x: &mut [u64]) -> Result<(), Error> {
        self.transform(x.len(), |t| t.backward(x))
    }

    fn multiply(&self, x: &mut [u64], y: &[u64]) {
        let p = self.prime.p;
        for (x, &y) in x.iter_mut().zip(y) {
            *x = self.prime.montgomery(*x, once(once(y, 2 * p), p));
        }
    }

    /// The product of two polynomials.
    pub(crate) fn whole(&self, f: &[u64], g: &[u64]) -> Result<Vec<u64>, Error> {
        let total = f.len() + g.len() - 1;
        self.product(f, g, length(total), total)
    }

    /// `1 / f` modulo `x^n` for `f_0` not zero: `g <- g (2 - f g)` doubles the entries that are right.
    fn inverse(&self, f: &[u64], n: usize) -> Result<Vec<u64>, Error> {
        let prime = self.prime;
        let p = prime.p;
        let mut g = vec![prime.inv(f[0])];
        // Powers of two on the way would overshoot: halve from the end.
        let mut steps = vec![n];
        while let Some(&last) = steps.last().filter(|&&s| s > FEW) {
            steps.push(last.div_ceil(2));
        }
        let few = steps.pop().unwrap_or(1);
        while g.len() < few {
            let k = g.len();
            let sum =
                (1..=k.min(f.len() - 1)).fold(0, |s, i| once(s + prime.mul(f[i], g[k - i]), p));
            g.push(once(p - prime.mul(sum, g[0]), p));
        }
        for &wanted in steps.iter().rev() {
            let size = length(wanted + g.len());
            let cut = &f[..f.len().min(wanted)];
            let values = self.forward(&g, size)?;
            let mut rest = self.forward(cut, size)?;
            self.multiply(&mut rest, &values);
            self.backward(&mut rest)?;
            rest.truncate(wanted);
            rest.resize(wanted, 0);
            // Entries before half are those of 1.
            rest[..g.len()].fill(0);
            let mut more = self.forward(&rest, size)?;
            self.multiply(&mut more, &values);
            self.backward(&mut more)?;
            let from = g.len();
            g.extend(more[from..wanted].iter().map(|&x| once(p - x, p)));
        }
        Ok(g)
    }

    /// The quotient of `a` by `b` as polynomials, constants first, without its remainder; the last entries are not zero.
    pub(crate) fn quotient(&self, a: &[u64], b: &[u64]) -> Result<Vec<u64>, Error> {
        let n = a.len() - b.len() + 1;
        let cut = |f: &[u64]| f.iter().rev().take(n).copied().collect::<Vec<_>>();
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
    use super::super::primes::primes;
    use super::{Patience, Series};

    #[test]
    fn quotients_times_divisors_give_products_back() {
        let all = primes(1);
        let check = || Ok(());
        let series = Series {
            prime: &all[0],
            patience: &Patience::new(&check),
            op: "test",
        };
        let mut seed = 7u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed % all[0].p
        };
        for n in [1, 2, 3, 15, 16, 17, 33, 50, 64, 65, 100, 257] {
            for m in [1, 2, 17, 40, 300] {
                let q: Vec<u64> = (0..n).map(|_| next()).collect();
                let b: Vec<u64> = (0..m).map(|_| next()).collect();
                let mut a = vec![0; n + m - 1];
                for (i, &x) in q.iter().enumerate() {
                    for (j, &y) in b.iter().enumerate() {
                        a[i + j] = (a[i + j] + all[0].mul(x, y)) % all[0].p;
                    }
                }
                assert_eq!(series.whole(&q, &b), Ok(a.clone()));
                assert_eq!(series.quotient(&a, &b), Ok(q), "{n} {m}");
            }
        }
    }
}
