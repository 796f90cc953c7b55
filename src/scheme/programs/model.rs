//! A scheme as a straight-line program: sums of the inputs, products, sums of products.

use crate::Error;
use crate::poly::Rational;
use crate::scheme::model::{Adjoined, Scheme, Target};
use crate::scheme::reduce::forms::{Form, Forms, Tries};
use crate::scheme::whole::{rational_scheme, require_three};

const OP: &str = "SchemeProgram::plain";

/// A straight-line program for a bilinear map. Common sums are computed once.
///
/// See [`SchemeProgram::print`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemeProgram {
    pub(crate) target: Target,
    /// Forms of the first input, of the second, and of the outputs over the products.
    pub(crate) forms: [Forms; 3],
    /// Whether it is meant modulo 2.
    pub(crate) modulo_two: bool,
}

impl SchemeProgram {
    /// The scheme as it is written, without common sums; it must be in the convention of its target.
    ///
    /// # Errors
    /// `Shape` for other than three factors, `InvalidInput` for entries that are not rational or a scheme without target.
    pub fn plain(scheme: &Scheme) -> Result<Self, Error> {
        let scheme = &without_zeros(scheme);
        let rows = rows(scheme)?;
        let (sizes, rank) = (sizes(scheme), scheme.rank());
        let inputs = [sizes[0], sizes[1], rank];
        let mut rows = rows.into_iter();
        let mut next = |k: usize| Forms::plain(rows.next().unwrap_or_default(), inputs[k]);
        Ok(Self {
            target: target(scheme)?,
            forms: [next(0), next(1), next(2)],
            modulo_two: scheme.modulo_two,
        })
    }

    /// The best of `tries` eliminations of common sums with random choice among equals.
    ///
    /// # Errors
    /// As [`SchemeProgram::plain`].
    ///
    /// # Complexity
    /// For each sum that is taken out, the square of the number of variables.
    pub fn eliminated(scheme: &Scheme, tries: u64, seed: u64) -> Result<Self, Error> {
        Self::eliminated_while(scheme, tries, seed, &mut || true)
    }

    /// The same as long as `go_on` says so; one elimination is made in any case.
    ///
    /// # Errors
    /// As [`SchemeProgram::plain`].
    pub fn eliminated_while(
        scheme: &Scheme,
        tries: u64,
        seed: u64,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Self, Error> {
        let mut best = Self::plain(scheme)?;
        let rows = rows(&without_zeros(scheme))?;
        for (k, rows) in rows.iter().enumerate() {
            let inputs = best.forms[k].inputs;
            for (ahead, count) in [(1, tries.div_ceil(2)), (6, tries / 2)] {
                if ahead > 1 && !go_on() {
                    break;
                }
                let plan = Tries {
                    count,
                    ahead,
                    seed: seed ^ ((k as u64) << 32),
                };
                let found = Forms::eliminated(rows, inputs, plan, go_on);
                if found.additions() < best.forms[k].additions() {
                    best.forms[k] = found;
                }
            }
        }
        Ok(best)
    }

    /// Additions and subtractions of the first input, the second, and the outputs.
    pub fn additions(&self) -> [usize; 3] {
        self.forms.each_ref().map(Forms::additions)
    }

    /// Products by constants other than 1 and -1.
    pub fn scalings(&self) -> usize {
        self.forms.iter().map(Forms::scalings).sum()
    }

    /// Products of two forms.
    pub fn products(&self) -> usize {
        self.forms[0].rows.len()
    }

    /// The tensor that the program computes.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The scheme that the program computes, fresh variables put in.
    ///
    /// # Errors
    /// `Shape` when forms are missing.
    pub fn scheme(&self) -> Result<Scheme, Error> {
        let [u, v, w] = self.forms.each_ref().map(Forms::expanded);
        let mut terms: Vec<[Form; 3]> = u
            .into_iter()
            .zip(v)
            .map(|(u, v)| [u.into_iter().collect(), v.into_iter().collect(), Vec::new()])
            .collect();
        for (at, form) in w.into_iter().enumerate() {
            for (r, c) in form {
                let outside = || Error::shape(OP, "products inside the program", r.to_string());
                terms.get_mut(r).ok_or_else(outside)?[2].push((at, c));
            }
        }
        rational_scheme(&terms, &self.target)
    }
}

/// The scheme without the terms of which a factor is zero: no product is to be computed for them.
fn without_zeros(scheme: &Scheme) -> Scheme {
    let zero = |r: usize| {
        let mut columns = scheme.factors.iter().map(|f| f.columns.get(r));
        columns.any(|c| c.is_none_or(|c| c.is_empty()))
    };
    let kept: Vec<usize> = (0..scheme.rank()).filter(|&r| !zero(r)).collect();
    let mut out = scheme.clone();
    for factor in &mut out.factors {
        factor.columns = kept.iter().map(|&r| factor.columns[r].clone()).collect();
    }
    out
}

fn sizes(scheme: &Scheme) -> Vec<usize> {
    scheme.factors.iter().map(|f| f.size()).collect()
}

fn target(scheme: &Scheme) -> Result<Target, Error> {
    let missing = || Error::invalid(OP, "the scheme names no tensor: say --tensor");
    scheme.target.clone().ok_or_else(missing)
}

/// The forms of the two inputs for each product, and of the outputs over the products.
fn rows(scheme: &Scheme) -> Result<[Vec<Form>; 3], Error> {
    require_three(scheme, OP)?;
    if scheme.adjoined != Adjoined::None {
        return Err(Error::invalid(OP, "needs rational entries"));
    }
    let value =
        |v: &std::collections::BTreeMap<i64, Rational>| v.get(&0).cloned().unwrap_or_default();
    let input = |k: usize| -> Vec<Form> {
        let columns = scheme.factors[k].columns.iter();
        columns
            .map(|c| c.iter().map(|(at, v)| (*at, value(v))).collect())
            .collect()
    };
    let mut outputs = vec![Form::new(); scheme.factors[2].size()];
    for (r, column) in scheme.factors[2].columns.iter().enumerate() {
        column
            .iter()
            .for_each(|(at, v)| outputs[*at].push((r, value(v))));
    }
    Ok([input(0), input(1), outputs])
}
