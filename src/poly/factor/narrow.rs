//! Products modulo a polynomial over a field so small that residues take 16 bits and sums of their products 31: every sum is an
//! inner product of consecutive numbers, for which processors have an instruction.

use crate::poly::polynomial::univariate::{Dense, Field};

/// A monic polynomial of degree `n` over a small field, ready to divide by.
pub(crate) struct Narrow {
    p: i32,
    n: usize,
    /// The coefficients below the leading one, the highest first.
    low: Vec<i16>,
    /// The inverse of the reversed polynomial as a power series up to degree `n - 2`, the highest coefficient first.
    inverse: Vec<i16>,
}

/// The sum of the products of pairs.
fn dot(a: &[i16], b: &[i16]) -> i32 {
    let each = a.iter().zip(b);
    each.map(|(&x, &y)| i32::from(x) * i32::from(y)).sum()
}

impl Narrow {
    /// `None` when sums of `n` products could overflow, the degree is below two or the polynomial is not monic.
    pub(crate) fn new(field: Field, f: &[u64]) -> Option<Self> {
        let n = f.len().checked_sub(1).filter(|&n| n >= 2 && f[n] == 1)?;
        if field.p > 1 << 14 || n as u64 * field.p * field.p >= 1 << 31 {
            return None;
        }
        let mut series: Vec<u64> = vec![1];
        for t in 1..n - 1 {
            let each = (1..=t).map(|s| field.mul(f[n - s], series[t - s]));
            let sum = each.fold(0, |a, b| field.add(a, b));
            series.push(field.sub(0, sum));
        }
        Some(Self {
            p: field.p as i32,
            n,
            low: f[..n].iter().rev().map(|&c| c as i16).collect(),
            inverse: series.iter().rev().map(|&c| c as i16).collect(),
        })
    }

    /// Residues as numbers of full length.
    pub(crate) fn of(&self, f: &[u64]) -> Vec<i16> {
        let mut list: Vec<i16> = f.iter().map(|&c| c as i16).collect();
        list.resize(self.n, 0);
        list
    }

    /// The product with the polynomial whose coefficients are given the highest first, modulo that of `self`.
    ///
    /// # Complexity
    /// `O(n^2)`.
    pub(crate) fn product(&self, a: &[i16], reversed: &[i16]) -> Vec<i16> {
        let n = self.n;
        let whole = |x: i32| (x % self.p) as i16;
        // Coefficients 2n-2 down to n of the product, and the quotient by the inverse of the reversed divisor.
        let high: Vec<i16> = (n..2 * n - 1)
            .rev()
            .map(|k| whole(dot(&a[k + 1 - n..], &reversed[..2 * n - 1 - k])))
            .collect();
        let mut quotient: Vec<i16> = (0..n - 1)
            .map(|t| whole(dot(&high[..=t], &self.inverse[n - 2 - t..])))
            .collect();
        quotient.reverse();
        (0..n)
            .map(|k| {
                let product = dot(&a[..=k], &reversed[n - 1 - k..]);
                let multiple = dot(&quotient[..n - 1], &self.low[n - 1 - k..]);
                let c = whole(product) - whole(multiple);
                if c < 0 { c + self.p as i16 } else { c }
            })
            .collect()
    }
}

/// The matrix of Frobenius' map modulo a polynomial: for each coefficient of the image the numbers that those of the argument are
/// multiplied by.
pub(crate) struct Columns {
    p: i32,
    n: usize,
    all: Vec<i16>,
}

impl Columns {
    /// From `x^p`, with a check between rows.
    pub(crate) fn new<E>(
        narrow: &Narrow,
        power: &[u64],
        check: &dyn Fn() -> Result<(), E>,
    ) -> Result<Self, E> {
        let n = narrow.n;
        let step: Vec<i16> = narrow.of(power).into_iter().rev().collect();
        let mut all = vec![0; n * n];
        let mut row = narrow.of(&[1]);
        for i in 0..n {
            check()?;
            for (j, &c) in row.iter().enumerate() {
                all[j * n + i] = c;
            }
            row = narrow.product(&row, &step);
        }
        let p = narrow.p;
        Ok(Self { p, n, all })
    }

    /// The image, without trailing zeros.
    pub(crate) fn image(&self, g: &[u64]) -> Dense {
        let g: Vec<i16> = g.iter().map(|&c| c as i16).collect();
        let mut f: Dense = (self.all.chunks(self.n))
            .map(|column| (dot(&g, column) % self.p) as u64)
            .collect();
        while f.last() == Some(&0) {
            f.pop();
        }
        f
    }
}

#[cfg(test)]
mod tests {
    use super::{Columns, Narrow};
    use crate::poly::polynomial::univariate::{Dense, Field};

    #[test]
    fn products_and_powers_are_those_of_the_field() {
        let mut state = 3u64;
        for p in [2, 3, 11, 101, 1009] {
            let field = Field { p };
            for n in [2, 3, 4, 17, 60] {
                let mut next = || {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    (state >> 20) % p
                };
                let mut f: Dense = (0..n).map(|_| next()).collect();
                f.push(1);
                let [a, b] = [0, 1].map(|_| (0..n).map(|_| next()).collect::<Dense>());
                let Some(narrow) = Narrow::new(field, &f) else {
                    unreachable!("small enough");
                };
                let reversed: Vec<i16> = narrow.of(&b).into_iter().rev().collect();
                let found = narrow.product(&narrow.of(&a), &reversed);
                let wanted =
                    field.remainder(&field.product(&field.trim(a.clone()), &field.trim(b)), &f);
                assert_eq!(found, narrow.of(&wanted), "{p} {n}");
                let check = || Ok::<(), crate::Error>(());
                let power = field.power_mod(&[0, 1], &[p], &f, &check);
                let Ok(columns) = power.and_then(|h| Columns::new(&narrow, &h, &check)) else {
                    unreachable!();
                };
                let a = field.trim(a);
                let wanted = field.power_mod(&a, &[p], &f, &check);
                assert_eq!(Ok(columns.image(&a)), wanted, "{p} {n}");
            }
        }
        assert!(Narrow::new(Field { p: 10007 }, &[1; 100]).is_none());
    }
}
