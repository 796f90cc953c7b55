//! Transforms over residues as floating-point numbers: the tree of [`super::roots`], by vectors.

use super::float_primes::FloatModulus;
use super::roots::{Patience, main_part};
use crate::poly::parallel::join;
use crate::poly::simd::transforms::{self, FloatRoots};

/// Points that stay in cache together.
const CACHED: usize = 1 << 14;
/// Points from which halves are worth a thread of their own.
const SHARED: usize = 1 << 15;
/// Points between two looks at the clock.
const PATIENCE: usize = 1 << 17;

/// A prime with the roots for one length.
pub(crate) struct FloatTransform<'a> {
    pub(crate) prime: &'a FloatModulus,
    pub(crate) roots: &'a FloatRoots,
    /// When it is over, what is left behind is no transform.
    pub(crate) patience: &'a Patience<'a>,
}

impl FloatTransform<'_> {
    /// Residues of at most `1.4 p` in magnitude to values of at most `2.2 p`.
    pub(crate) fn forward(&self, x: &mut [f64]) {
        let (low, high) = x.split_at_mut(main_part(x.len()));
        if high.is_empty() {
            return self.down(low, 0);
        }
        transforms::part_three(self.prime.field, low, high, self.roots.nodes[1]);
        join(
            low.len() >= SHARED,
            || self.down(low, 0),
            || self.down(high, 2),
        );
    }

    /// Products of values to settled residues.
    pub(crate) fn backward(&self, x: &mut [f64]) {
        let field = self.prime.field;
        let (low, high) = x.split_at_mut(main_part(x.len()));
        let scale = |x: &mut [f64]| {
            let inverse = self.prime.inverse_of(x.len() as u64);
            crate::poly::simd::floats::scale(field, x, inverse);
        };
        if high.is_empty() {
            self.up(low, 0);
            return scale(low);
        }
        join(low.len() >= SHARED, || self.up(low, 0), || self.up(high, 2));
        scale(low);
        scale(high);
        let by = [self.roots.nodes[1], self.prime.inverse_of(2)];
        transforms::join_three(field, low, high, by);
    }

    fn down(&self, x: &mut [f64], b: usize) {
        if x.len() <= CACHED {
            return transforms::down(self.prime.field, x, b, self.roots);
        }
        if x.len() >= PATIENCE && self.patience.is_over() {
            return;
        }
        transforms::split(self.prime.field, x, b, self.roots);
        self.parts(x, b, Self::down);
    }

    fn up(&self, x: &mut [f64], b: usize) {
        if x.len() <= CACHED {
            return transforms::up(self.prime.field, x, b, self.roots);
        }
        if x.len() >= PATIENCE && self.patience.is_over() {
            return;
        }
        self.parts(x, b, Self::up);
        transforms::merge(self.prime.field, x, b, self.roots);
    }

    /// The four nodes below `b`.
    fn parts(&self, x: &mut [f64], b: usize, each: fn(&Self, &mut [f64], usize)) {
        let quarter = x.len() / 4;
        let (left, right) = x.split_at_mut(2 * quarter);
        let both = |x: &mut [f64], b: usize| {
            let (one, two) = x.split_at_mut(quarter);
            join(
                quarter >= SHARED,
                || each(self, one, b),
                || each(self, two, b + 1),
            );
        };
        join(
            quarter >= SHARED,
            || both(left, 4 * b),
            || both(right, 4 * b + 2),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::float_primes::float_primes;
    use super::super::roots::{Patience, length, roots_for};
    use super::FloatTransform;
    use crate::poly::polynomial::univariate::Field;
    use crate::poly::simd::transforms;

    /// Products are those of the definition, also of residues at the ends of their range, at every length.
    #[test]
    fn transforms_give_products() {
        let prime = &float_primes(3)[2];
        let words = Field { p: prime.p };
        let mut seed = 1u64;
        let check = || Ok(());
        let patience = Patience::new(&check);
        for n in [
            1, 2, 3, 5, 8, 12, 16, 48, 96, 128, 192, 256, 384, 500, 1000, 3000,
        ] {
            for extreme in [false, true] {
                let mut next = || {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    match extreme {
                        true => [prime.p / 2, prime.p / 2 + 1][(seed >> 60) as usize % 2],
                        false => (seed >> 10) % prime.p,
                    }
                };
                let size = length(n);
                let (la, lb) = (n.div_ceil(2), n + 1 - n.div_ceil(2));
                let a: Vec<u64> = (0..la).map(|_| next()).collect();
                let b: Vec<u64> = (0..lb).map(|_| next()).collect();
                let mut wanted = words.product(&a, &b);
                wanted.resize(size, 0);
                let roots = prime.roots(roots_for(size) / 2);
                let transform = FloatTransform {
                    prime,
                    roots: &roots,
                    patience: &patience,
                };
                let list = |v: &[u64]| {
                    let mut x: Vec<f64> = v.iter().map(|&c| prime.number(c)).collect();
                    x.resize(size, 0.0);
                    transform.forward(&mut x);
                    let most = x.iter().fold(0.0f64, |m, v| m.max(v.abs()));
                    assert!(most <= 2.2 * prime.p as f64);
                    x
                };
                let (mut x, y) = (list(&a), list(&b));
                transforms::multiply(prime.field, &mut x, &y);
                transform.backward(&mut x);
                let whole = |&x: &f64| (x as i64).rem_euclid(prime.p as i64) as u64;
                assert!(x.iter().all(|x| 2.0 * x.abs() <= prime.p as f64 + 2.0));
                assert_eq!(x.iter().map(whole).collect::<Vec<_>>(), wanted, "{n}");
            }
        }
    }
}
