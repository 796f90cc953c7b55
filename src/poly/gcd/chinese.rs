//! Integers from their remainders modulo primes of 62 bits.

use crate::poly::coefficients::rational::Integer;
use crate::poly::polynomial::univariate::Field;

/// Some primes, with what joins remainders (Garner).
#[derive(Default)]
pub(crate) struct Chinese {
    fields: Vec<Field>,
    /// For each prime the products of the first 0, 1, .. primes modulo it.
    products: Vec<Vec<u64>>,
    /// The inverse of the product of all primes before.
    inverses: Vec<u64>,
    product: Option<Integer>,
}

impl Chinese {
    /// One more prime.
    pub(crate) fn push(&mut self, field: Field) {
        let mut products = vec![1];
        for (k, other) in self.fields.iter().enumerate() {
            products.push(field.mul(products[k], other.p % field.p));
        }
        self.inverses.push(field.inv(products[self.fields.len()]));
        self.products.push(products);
        self.fields.push(field);
        let product = self.product.take().unwrap_or(Integer::ONE);
        self.product = Some(product * Integer::from(field.p));
    }

    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// The product of all primes.
    pub(crate) fn modulus(&self) -> Integer {
        self.product.clone().unwrap_or(Integer::ONE)
    }

    /// The integer of least size with these remainders, one for each prime.
    pub(crate) fn integer(&self, remainders: impl Iterator<Item = u64>) -> Integer {
        let mut digits: Vec<u64> = Vec::with_capacity(self.fields.len());
        let each = self.fields.iter().zip(&self.products).zip(&self.inverses);
        for (r, ((field, products), &inverse)) in remainders.zip(each) {
            let known = digits.iter().zip(products);
            let sum = known.fold(0, |s, (&d, &m)| {
                let d = if d >= field.p { d % field.p } else { d };
                field.add(s, field.mul(d, m))
            });
            digits.push(field.mul(field.sub(r, sum), inverse));
        }
        // Small numbers have no high digits, small negative ones only the greatest.
        let top = |d: (&u64, &Field)| *d.0 == d.1.p - 1;
        let negative = digits.iter().zip(&self.fields).next_back().is_some_and(top);
        let fill = |(d, f): (&u64, &Field)| if negative { *d == f.p - 1 } else { *d == 0 };
        let kept = digits
            .iter()
            .zip(&self.fields)
            .rposition(|d| !fill(d))
            .map_or(0, |k| k + 1);
        let (mut x, mut m) = (Integer::ZERO, Integer::ONE);
        for (&d, field) in digits[..kept].iter().zip(&self.fields).rev() {
            x = x * Integer::from(field.p) + Integer::from(d);
        }
        for field in &self.fields[..kept] {
            m *= Integer::from(field.p);
        }
        match (negative, kept < digits.len()) {
            (true, true) => x - m,
            (false, true) => x,
            // All digits count: the nearer of the two.
            (_, false) if &x + &x > m => x - m,
            (_, false) => x,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Chinese;
    use crate::poly::coefficients::rational::Integer;
    use crate::poly::factor::reduced;
    use crate::poly::polynomial::univariate::{Field, primes_below};

    #[test]
    fn integers_come_back() {
        let fields: Vec<Field> = primes_below(1 << 62).take(5).map(|p| Field { p }).collect();
        let mut all = Chinese::default();
        fields.iter().for_each(|f| all.push(*f));
        let half = all.modulus() / Integer::from(2);
        for power in 0..300 {
            for near in [-1, 0, 1] {
                let x = (Integer::ONE << power) + Integer::from(near);
                for x in [
                    x.clone(),
                    -x,
                    &half - Integer::from(power),
                    -&half + Integer::from(power),
                ] {
                    let found = all.integer(fields.iter().map(|f| reduced(&x, f.p)));
                    assert_eq!(found, x, "{power} {near}");
                }
            }
        }
    }
}
