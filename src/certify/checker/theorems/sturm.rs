//! Integer polynomials of one variable, coefficients from the constant on: squarefree or not, and real roots.

use super::super::terms::Checked;
use super::integers::{Exact, Matrix};
use dashu_int::{IBig, Sign};

pub(in crate::certify) type Univariate = Vec<IBig>;

impl Exact<'_> {
    /// The polynomial over the greatest common divisor of its coefficients, without leading zeros.
    fn primitive(&mut self, mut p: Univariate) -> Checked<Univariate> {
        while p.last().is_some_and(IBig::is_zero) {
            p.pop();
        }
        let mut content = IBig::ZERO;
        for c in &p {
            content = self.gcd(&content, c)?;
        }
        if content > IBig::ONE {
            for c in &mut p {
                self.mul(c, &content)?;
                *c /= &content;
            }
        }
        Ok(p)
    }

    /// A positive multiple of the quotient and of the remainder of `a` by `b`, both primitive.
    fn divide(&mut self, mut a: Univariate, b: &Univariate) -> Checked<(Univariate, Univariate)> {
        let lead = b.last().cloned().unwrap_or(IBig::ONE);
        let size = if lead < IBig::ZERO {
            -&lead
        } else {
            lead.clone()
        };
        let mut quotient = vec![IBig::ZERO; (a.len() + 1).saturating_sub(b.len())];
        for shift in (0..quotient.len()).rev() {
            let top = match a.pop() {
                Some(top) if lead < IBig::ZERO => -top,
                Some(top) => top,
                None => IBig::ZERO,
            };
            for c in a.iter_mut().chain(&mut quotient) {
                *c = self.mul(c, &size)?;
            }
            for (c, d) in a[shift..].iter_mut().zip(b) {
                self.fma(c, &-&top, d)?;
            }
            quotient[shift] = top;
        }
        Ok((self.primitive(quotient)?, self.primitive(a)?))
    }

    /// Sturm's sequence of `p`: each remainder with its sign changed, up to positive factors.
    fn sturm(&mut self, p: &Univariate) -> Checked<Vec<Univariate>> {
        let p = self.primitive(p.clone())?;
        let slope = |(k, c): (usize, &IBig)| c * IBig::from(k);
        let derivative: Univariate = p.iter().enumerate().skip(1).map(slope).collect();
        let mut sequence = vec![p, self.primitive(derivative)?];
        while let [.., a, b] = &sequence[..]
            && !b.is_empty()
        {
            let (_, rest) = self.divide(a.clone(), b)?;
            sequence.push(rest.into_iter().map(|c| -c).collect());
        }
        sequence.pop();
        Ok(sequence)
    }

    /// The number of distinct real roots, and the squarefree part where that is not `p` itself.
    pub(super) fn roots(&mut self, p: &Univariate) -> Checked<(usize, Option<Univariate>)> {
        let sequence = self.sturm(p)?;
        let changes = |at_minus: bool| {
            let sign = |q: &Univariate| {
                let negative = q.last().is_some_and(|c| c.sign() == Sign::Negative);
                negative ^ (at_minus && q.len().is_multiple_of(2))
            };
            let signs: Vec<bool> = sequence.iter().map(sign).collect();
            signs.windows(2).filter(|w| w[0] != w[1]).count()
        };
        let real = changes(true).saturating_sub(changes(false));
        let part = match sequence.last() {
            Some(common) if common.len() > 1 => Some(self.divide(p.clone(), common)?.0),
            _ => None,
        };
        Ok((real, part))
    }

    /// A multiple of `det(x A - B)`, from its values at `0, .., n` by Newton's forward differences.
    pub(super) fn pencil(&mut self, a: &Matrix, b: &Matrix) -> Checked<Univariate> {
        let n = a.len();
        let mut values = Vec::with_capacity(n + 1);
        for x in 0..=n {
            let entry = |(p, q): (&IBig, &IBig)| p * IBig::from(x) - q;
            let row = |(p, q): (&Vec<IBig>, &Vec<IBig>)| p.iter().zip(q).map(entry).collect();
            values.push(self.determinant(a.iter().zip(b).map(row).collect())?);
        }
        // n! p(x) is the sum of the k-th difference times n! / k! times x (x - 1) .. (x - k + 1).
        let (mut sum, mut falling, mut weight) =
            (vec![IBig::ZERO; n + 1], vec![IBig::ONE], IBig::ONE);
        (1..=n).for_each(|k| weight *= k);
        for k in 0..=n {
            let scaled = self.mul(&values[0], &weight)?;
            for (s, c) in sum.iter_mut().zip(&falling) {
                self.fma(s, &scaled, c)?;
            }
            values = values.windows(2).map(|w| &w[1] - &w[0]).collect();
            weight /= IBig::from(k + 1);
            let shifted = std::iter::once(IBig::ZERO).chain(falling.clone());
            let lower = falling
                .iter()
                .map(|c| c * IBig::from(k))
                .chain([IBig::ZERO]);
            falling = shifted.zip(lower).map(|(a, b)| a - b).collect();
        }
        self.primitive(sum)
    }

    /// `d^m p(N / d)` for a polynomial of degree `m`.
    pub(super) fn at_matrix(&mut self, p: &Univariate, n: &Matrix, d: &IBig) -> Checked<Matrix> {
        let mut value = vec![vec![IBig::ZERO; n.len()]; n.len()];
        let mut power = IBig::ONE;
        for c in p.iter().rev() {
            value = self.product(&value, n)?;
            let shift = self.mul(c, &power)?;
            for (i, row) in value.iter_mut().enumerate() {
                row[i] += &shift;
            }
            power = self.mul(&power, d)?;
        }
        Ok(value)
    }
}
