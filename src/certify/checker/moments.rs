//! Moments and cumulants of polynomials of independent standard Gaussians.

use super::terms::{Checked, Machine, Terms, one};
use crate::Error;
use crate::certify::format::Verdict;
use crate::certify::json::{Json, malformed};
use crate::certify::numbers::{OP, whole};
use dashu_ratio::RBig;
use std::collections::BTreeMap;

pub(super) fn replay(data: &Json, m: &mut Machine) -> Checked<Verdict> {
    let [polynomials, values, stated] = data.fields(["polynomials", "values", "tolerance"])?;
    let z: Checked<Vec<_>> = polynomials.list()?.iter().map(|z| m.read(z)).collect();
    let z = z?;
    let (values, tolerance) = (values.list()?, m.budget.rational(stated, false)?);
    let known = BTreeMap::from([(Vec::new(), (one(), RBig::ONE))]);
    let (mut wick, mut zeros_pass) = (Wick { z, known, m }, tolerance > RBig::ZERO);
    for item in values {
        let [what, index, value] = item.list()? else {
            return malformed("a value is stated as [\"moment\", [indices], number]");
        };
        let most = wick.z.len() as i64 - 1;
        let index = index.list()?.iter();
        let index = index.map(|a| Ok(whole(a, 0, most)? as usize));
        let mut index = index.collect::<Checked<Vec<_>>>()?;
        index.sort_unstable();
        let found = match (what.text()?, index.len()) {
            ("moment", 1..=64) => wick.moment(&index)?,
            ("cumulant", 1..=10) => wick.cumulant(&index)?,
            ("moment" | "cumulant", n @ 1..) => return Err(Error::limit(OP, "indices", n as u64)),
            (what, n) => return malformed(format!("{what:.20?} of {n} indices is not known here")),
        };
        let value = wick.m.budget.rational(value, false)?;
        let gap = wick.m.budget.sum(&found, &-value)?;
        if gap > tolerance || -gap > tolerance {
            return Ok(Verdict::False(format!("that of {index:?} is {found}")));
        }
        zeros_pass &= found <= tolerance && -found <= tolerance;
    }
    let (n, off) = (values.len(), stated.short());
    Ok(match zeros_pass || n == 0 {
        true => Verdict::Vacuous(format!("{n} values, zeros to within {off}")),
        false => Verdict::True(format!("{n} values, none off by more than {off}")),
    })
}

struct Wick<'a> {
    z: Vec<Terms>,
    /// Products of outputs by index, and their means.
    known: BTreeMap<Vec<usize>, (Terms, RBig)>,
    m: &'a mut Machine,
}

impl Wick<'_> {
    fn moment(&mut self, index: &[usize]) -> Checked<RBig> {
        self.m.budget.spend(16 + index.len())?;
        let (Some((&last, rest)), None) = (index.split_last(), self.known.get(index)) else {
            return Ok(self.known.get(index).map_or(RBig::ONE, |k| k.1.clone()));
        };
        self.moment(rest)?;
        let product = self.m.mul(&self.known[rest].0, &self.z[last])?;
        // Wick: E[x^(2k)] = 1 * 3 * .. * (2k-1), odd powers vanish, and the variables are independent.
        let mut sum = RBig::ZERO;
        for (exponents, c) in product.iter().filter(|(e, _)| e.iter().all(|k| k % 2 == 0)) {
            let mut c = c.clone();
            for odd in exponents.iter().flat_map(|&k| (1..k).step_by(2)) {
                c = self.m.budget.product(&c, &odd.into())?;
            }
            sum = self.m.budget.sum(&sum, &c)?;
        }
        self.known.insert(index.to_vec(), (product, sum.clone()));
        Ok(sum)
    }

    /// Solves `E[z_S] = sum over the parts B of S that hold its first element of kappa(B) E[z_(S without B)]`.
    fn cumulant(&mut self, index: &[usize]) -> Checked<RBig> {
        let mut e = Vec::with_capacity(1 << index.len());
        let mut kappa: Vec<RBig> = Vec::with_capacity(1 << index.len());
        for set in 0..1usize << index.len() {
            let inside = (0..index.len()).filter(|i| set >> i & 1 == 1);
            e.push(self.moment(&inside.map(|i| index[i]).collect::<Vec<_>>())?);
            let (first, mut value) = (set & set.wrapping_neg(), e[set].clone());
            for part in (1..set).filter(|part| part & set == *part && part & first != 0) {
                self.m.budget.spend(32)?;
                let product = self.m.budget.product(&kappa[part], &e[set & !part])?;
                value = self.m.budget.sum(&value, &-product)?;
            }
            self.m.budget.spend(1 + set / 8)?;
            kappa.push(value);
        }
        Ok(kappa.pop().unwrap_or(RBig::ZERO))
    }
}
