//! Derivatives, integrals, substitution.

use super::value::Poly;
use crate::Error;
use crate::poly::coefficients::rational::Rational;
use crate::poly::coefficients::ring::Ring;

impl<C: Ring> Poly<C> {
    /// The partial derivative in variable `index`.
    #[must_use]
    pub fn derivative(&self, index: usize) -> Self {
        Self::from_terms(self.iter().filter_map(|(mut e, mut c)| {
            let k = *e.get(index)?;
            *e.get_mut(index)? = k.checked_sub(1)?;
            c *= &C::from_i64(k.into());
            Some((e, c))
        }))
    }
}

impl Poly<Rational> {
    /// The integral in variable `index` without a constant: `integral(i).derivative(i)` gives `self` back.
    ///
    /// # Errors
    /// `Overflow` when an exponent leaves 32 bits.
    pub fn integral(&self, index: usize) -> Result<Self, Error> {
        let (op, what) = ("Poly::integral", "exponent");
        let mut terms = Vec::with_capacity(self.len());
        for (mut e, c) in self.iter() {
            e.resize(e.len().max(index + 1), 0);
            let k = e[index].checked_add(1);
            e[index] = k.ok_or(Error::Overflow { op, what })?;
            let part = Rational::new(1, e[index].into()).unwrap_or_default();
            terms.push((e, &c * &part));
        }
        Ok(Self::from_terms(terms))
    }
}

impl<C: Ring> Poly<C> {
    /// `self` with the value `point[i]` put for variable `i` where there is one; the variables keep their
    /// numbers.
    #[must_use]
    pub fn eval_partial(&self, point: &[Option<C>]) -> Self {
        Self::from_terms(self.iter().map(|(mut e, mut c)| {
            for (k, x) in e.iter_mut().zip(point) {
                if let (Some(x), true) = (x, *k > 0) {
                    c *= &num_traits::pow(x.clone(), *k as usize);
                    *k = 0;
                }
            }
            (e, c)
        }))
    }

    /// `self` with variable `i` called `names[i]`: `renamed(&[1, 0])` swaps the first two. Variables
    /// beyond the list stay; two variables sent to one are identified.
    ///
    /// # Errors
    /// `Overflow` when exponents added up leave 32 bits.
    pub fn renamed(&self, names: &[usize]) -> Result<Self, Error> {
        let (op, what) = ("Poly::renamed", "exponent");
        let mut terms = Vec::with_capacity(self.len());
        for (e, c) in self.iter() {
            let mut f: Vec<u32> = Vec::new();
            for (v, &k) in e.iter().enumerate().filter(|&(_, &k)| k > 0) {
                let to = names.get(v).copied().unwrap_or(v);
                f.resize(f.len().max(to + 1), 0);
                f[to] = f[to].checked_add(k).ok_or(Error::Overflow { op, what })?;
            }
            terms.push((f, c));
        }
        Ok(Self::from_terms(terms))
    }

    /// Every term filled up with variable `index` to the total degree of `self`.
    ///
    /// # Errors
    /// `Overflow` when an exponent leaves 32 bits.
    pub fn homogenised(&self, index: usize) -> Result<Self, Error> {
        let (op, what) = ("Poly::homogenised", "exponent");
        let degree = self.total_degree();
        let mut terms = Vec::with_capacity(self.len());
        for (mut e, c) in self.iter() {
            let own: u64 = e.iter().map(|&k| u64::from(k)).sum();
            e.resize(e.len().max(index + 1), 0);
            let filled = u64::from(e[index]) + degree - own;
            e[index] = u32::try_from(filled).map_err(|_| Error::Overflow { op, what })?;
            terms.push((e, c));
        }
        Ok(Self::from_terms(terms))
    }

    /// The homogeneous part of total degree `degree`.
    #[must_use]
    pub fn part_of_degree(&self, degree: u64) -> Self {
        let own = |e: &[u32]| e.iter().map(|&k| u64::from(k)).sum::<u64>();
        Self::from_terms(self.iter().filter(|(e, _)| own(e) == degree))
    }
}
