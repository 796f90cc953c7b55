//! The program of polynomials: nested Horner steps over rows of coefficients.

use super::coordinate::Coordinate;
use super::powers::{Power, Powers};
use crate::poly::polynomial::value::Poly;
use std::collections::HashMap;

/// Instead of a power: the sum begins with this value.
pub(crate) const SET: u32 = u32::MAX;

/// One step. `x` is the last variable, `t` the sum of a row, a polynomial in `x` alone; `s` is the sum over
/// rows, a polynomial in the last two variables; `s[v]` are those that begin with variable `v`. Powers are
/// places in the list of the program. A power of a closing step is `SET` when the sum begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// `t = c_0`, then `t = t x + c` for the other coefficients, then `s = s power + t`.
    Row { first: u32, len: u32, power: u32 },
    /// The same without the end.
    Start { first: u32, len: u32 },
    /// `t = t power + c_0`, then `t = t x + c` for the others.
    Jump { power: u32, first: u32, len: u32 },
    /// `t = t power`.
    Scale { power: u32 },
    /// `s = s power + t`.
    Close { power: u32 },
    /// `s = s power`.
    ScaleSum { power: u32 },
    /// `s[to] = s[to] power + s`.
    Lift { to: u32, power: u32 },
    /// `s[to] = s[to] power + s[to + 1]`.
    LiftSum { to: u32, power: u32 },
    /// `s[level] = s[level] power`.
    ScaleOuter { level: u32, power: u32 },
    /// Output number `k` is `s[0]`, or `s` when there are two variables.
    Output { k: u32 },
}

/// Polynomials as one program. There are always two variables or more: with one, it is the last, and the other
/// never occurs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    /// The parts of each coefficient.
    pub(crate) coefficients: Vec<f64>,
    pub(crate) powers: Vec<Power>,
    /// Whether the powers come with the points.
    pub(crate) powers_given: bool,
    /// The place of `x` itself.
    pub(crate) inner: u32,
    /// Number of sums `s[v]`.
    pub(crate) levels: usize,
}

/// A program while it is written: powers are pairs of a variable and an exponent, 0 for `SET`.
struct Writer<C> {
    steps: Vec<Step>,
    coefficients: Vec<C>,
    /// For each step, its power.
    wanted: Vec<(u32, u32)>,
    /// Number of variables, at least two.
    nvars: usize,
}

impl Program {
    /// The program of polynomials in `nvars` variables.
    pub(crate) fn new<C: Coordinate>(polynomials: &[Poly<C>], nvars: usize) -> Self {
        let mut writer = Writer::<C> {
            steps: Vec::new(),
            coefficients: Vec::new(),
            wanted: Vec::new(),
            nvars: nvars.max(2),
        };
        let shift = writer.nvars - nvars;
        for (k, p) in polynomials.iter().enumerate() {
            let term = |(e, c): (Vec<u32>, C)| {
                let mut row = vec![0; shift];
                row.extend(e);
                row.resize(nvars + shift, 0);
                (row, c)
            };
            match p.is_zero() {
                true => writer.polynomial([(vec![0; nvars + shift], C::zero())].into_iter()),
                false => writer.polynomial(p.iter().map(term)),
            }
            writer.push(Step::Output { k: k as u32 }, (0, 0));
        }
        writer.finish(shift)
    }
}

/// The sums that are open: the exponent of what each took last.
type Open = Vec<Option<u32>>;

impl<C: Coordinate> Writer<C> {
    fn push(&mut self, step: Step, power: (usize, u32)) {
        self.steps.push(step);
        self.wanted.push((power.0 as u32, power.1));
    }

    /// The steps of one polynomial, terms in descending lexicographic order.
    fn polynomial(&mut self, terms: impl Iterator<Item = (Vec<u32>, C)>) {
        let last = self.nvars - 1;
        let mut open: Open = vec![None; last];
        let mut prefix: Option<Vec<u32>> = None;
        let mut row: Vec<(u32, C)> = Vec::new();
        for (mut e, c) in terms {
            let x = e.pop().unwrap_or(0);
            match &prefix {
                Some(f) if *f != e => {
                    self.row(f, &mut row, &mut open);
                    let v = (0..last).find(|&v| e[v] != f[v]).unwrap_or(last);
                    self.lift(f, v, &mut open);
                    prefix = Some(e);
                }
                Some(_) => {}
                None => prefix = Some(e),
            }
            row.push((x, c));
        }
        if let Some(f) = prefix {
            self.row(&f, &mut row, &mut open);
            self.lift(&f, 0, &mut open);
            self.scale(0, f[0]);
        }
    }

    /// The terms that differ only in the last variable.
    fn row(&mut self, prefix: &[u32], row: &mut Vec<(u32, C)>, open: &mut Open) {
        let last = self.nvars - 1;
        let (level, e) = (last - 1, prefix[last - 1]);
        let drop = open[level].map_or(0, |f| f - e);
        open[level] = Some(e);
        let begin = self.steps.len();
        let mut first = self.coefficients.len() as u32;
        let mut previous: Option<u32> = None;
        // The jump that a run of coefficients begins with.
        let mut jump = 0;
        let mut runs = Vec::new();
        for (e, c) in row.drain(..) {
            if let Some(f) = previous {
                let gap = f - e - 1;
                if gap <= C::FILL {
                    // Some zeros are cheaper than another step.
                    let zeros = std::iter::repeat_n(C::zero(), gap as usize);
                    self.coefficients.extend(zeros);
                } else {
                    runs.push((jump, first));
                    (jump, first) = (f - e, self.coefficients.len() as u32);
                }
            }
            self.coefficients.push(c);
            previous = Some(e);
        }
        let rest = previous.unwrap_or(0);
        if rest <= C::FILL {
            let zeros = std::iter::repeat_n(C::zero(), rest as usize);
            self.coefficients.extend(zeros);
        }
        runs.push((jump, first));
        let ends = runs.iter().skip(1).map(|r| r.1);
        let ends = ends.chain([self.coefficients.len() as u32]);
        for ((jump, first), end) in runs.clone().into_iter().zip(ends) {
            let (len, power) = (end - first, 0);
            match jump {
                0 => self.push(Step::Start { first, len }, (0, 0)),
                _ => self.push(Step::Jump { power, first, len }, (last, jump)),
            }
        }
        if rest > C::FILL {
            self.push(Step::Scale { power: 0 }, (last, rest));
        }
        match self.steps[begin..] {
            [Step::Start { first, len }] => {
                let power = 0;
                self.steps[begin] = Step::Row { first, len, power };
                self.wanted[begin] = (level as u32, drop);
            }
            _ => self.push(Step::Close { power: 0 }, (level, drop)),
        }
    }

    /// Closes the sums below level `v`.
    fn lift(&mut self, prefix: &[u32], v: usize, open: &mut Open) {
        let bottom = self.nvars - 2;
        for level in (v + 1..=bottom).rev() {
            self.scale(level, prefix[level]);
            open[level] = None;
            let e = prefix[level - 1];
            let drop = open[level - 1].map_or(0, |f| f - e);
            open[level - 1] = Some(e);
            let (to, power) = (level as u32 - 1, 0);
            let step = match level == bottom {
                true => Step::Lift { to, power },
                false => Step::LiftSum { to, power },
            };
            self.push(step, (level - 1, drop));
        }
    }

    /// The power that all terms of a sum share.
    fn scale(&mut self, level: usize, exponent: u32) {
        if exponent == 0 {
            return;
        }
        let step = match level == self.nvars - 2 {
            true => Step::ScaleSum { power: 0 },
            false => Step::ScaleOuter {
                level: level as u32,
                power: 0,
            },
        };
        self.push(step, (level, exponent));
    }

    /// Powers become places in a list; all variables are in it, but for the first `shift`.
    fn finish(mut self, shift: usize) -> Program {
        let mut powers = Powers::default();
        for v in shift..self.nvars {
            powers.ask(v as u32, 1);
        }
        for &(v, e) in self.wanted.iter().filter(|w| w.1 > 0) {
            powers.ask(v, e);
        }
        let (mut powers, places) = powers.list();
        for p in &mut powers {
            p.variable -= shift as u32;
        }
        for (step, wanted) in self.steps.iter_mut().zip(&self.wanted) {
            step.place(wanted, &places);
        }
        Program {
            steps: self.steps,
            coefficients: (self.coefficients.iter())
                .flat_map(|c| c.parts().into_iter().take(C::PARTS))
                .collect(),
            inner: (places.get(&(self.nvars as u32 - 1, 1))).map_or(0, |&p| p),
            powers,
            powers_given: C::POWERS_GIVEN,
            levels: self.nvars - 2,
        }
    }
}

impl Step {
    fn place(&mut self, wanted: &(u32, u32), places: &HashMap<(u32, u32), u32>) {
        let place = places.get(wanted).copied().unwrap_or(SET);
        match self {
            Self::Row { power, .. }
            | Self::Jump { power, .. }
            | Self::Scale { power }
            | Self::Close { power }
            | Self::ScaleSum { power }
            | Self::Lift { power, .. }
            | Self::LiftSum { power, .. }
            | Self::ScaleOuter { power, .. } => *power = place,
            Self::Start { .. } | Self::Output { .. } => {}
        }
    }
}
