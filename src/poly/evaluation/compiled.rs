//! The program of polynomials: nested Horner steps over rows of coefficients.

use super::coordinate::Coordinate;
use super::powers::{Power, Powers};
use crate::poly::polynomial::value::Poly;
use std::collections::HashMap;

/// Instead of a power: the sum begins with this value.
pub(crate) const SET: u32 = u32::MAX;

/// One step. `x` is the last variable, `t` the sum of a row, a polynomial in `x` alone; `s` is the sum that is formed now;
/// sums outside it are kept in places. Powers are places in the list of the program. A power of a closing step is `SET` when
/// the sum begins.
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
    /// `kept[to] = s`.
    Keep { to: u32 },
    /// `s = kept[from] power + s`.
    Join { from: u32, power: u32 },
    /// `s = s power + c`.
    Plus { power: u32, first: u32 },
    /// `s = c power + s`.
    Term { power: u32, first: u32 },
    /// Output number `k` is `s`.
    Output { k: u32 },
}

/// Polynomials as one program. There are always two variables or more: with one, it is the last, and the other
/// never occurs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    /// Where the steps are cut, each part with outputs of its own; one part for a short program.
    pub(crate) parts: Vec<(usize, usize)>,
    /// The parts of each coefficient.
    pub(crate) coefficients: Vec<f64>,
    pub(crate) powers: Vec<Power>,
    /// Whether the powers come with the points.
    pub(crate) powers_given: bool,
    /// The place of `x` itself.
    pub(crate) inner: u32,
    /// Sums that are kept at a time.
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
    levels: usize,
}

/// What is still to be written, the last one first.
enum Open {
    /// The value of so many terms, without the powers of variables before `v`.
    Value {
        from: usize,
        to: usize,
        v: usize,
    },
    Step(Step, (usize, u32)),
    Keep,
    /// Joins what was kept last, times a power.
    Join(usize, u32),
}

impl Program {
    /// The program of polynomials in `nvars` variables.
    pub(crate) fn new<C: Coordinate>(polynomials: &[Poly<C>], nvars: usize) -> Self {
        let mut writer = Writer::<C> {
            steps: Vec::new(),
            coefficients: Vec::new(),
            wanted: Vec::new(),
            nvars: nvars.max(2),
            levels: 0,
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
                true => writer.polynomial(&[(vec![0; nvars + shift], C::zero())]),
                false => writer.polynomial(&p.iter().map(term).collect::<Vec<_>>()),
            }
            writer.push(Step::Output { k: k as u32 }, (0, 0));
        }
        writer.finish(shift)
    }
}

/// Terms in descending lexicographic order.
type Terms<C> = [(Vec<u32>, C)];

impl<C: Coordinate> Writer<C> {
    fn push(&mut self, step: Step, power: (usize, u32)) {
        self.steps.push(step);
        self.wanted.push((power.0 as u32, power.1));
    }

    /// The steps of one polynomial.
    ///
    /// Terms are nested by the first variable that occurs: Horner's rule in it, whose coefficients are polynomials in the later
    /// variables. A coefficient that is a constant needs no sum of its own, so linear and quadratic forms are one
    /// multiply-add a term.
    fn polynomial(&mut self, terms: &Terms<C>) {
        let (mut kept, last) = (0, self.nvars - 1);
        let to = terms.len();
        let mut open = vec![Open::Value { from: 0, to, v: 0 }];
        while let Some(next) = open.pop() {
            match next {
                Open::Step(step, power) => self.push(step, power),
                Open::Keep => {
                    self.push(Step::Keep { to: kept }, (0, 0));
                    kept += 1;
                    self.levels = self.levels.max(kept as usize);
                }
                Open::Join(v, e) => {
                    kept -= 1;
                    let (from, power) = (kept, 0);
                    self.push(Step::Join { from, power }, (v, e));
                }
                Open::Value { from, to, v } => {
                    let first = &terms[from].0;
                    match (v..last - 1).find(|&u| first[u] > 0) {
                        None => self.rows(&terms[from..to]),
                        Some(u) => {
                            let steps = self.nested(terms, (from, to), u);
                            open.extend(steps.into_iter().rev());
                        }
                    }
                }
            }
        }
    }

    /// Horner's rule in variable `u` for the terms `from..to`, the first of which has it.
    fn nested(&mut self, terms: &Terms<C>, (from, to): (usize, usize), u: usize) -> Vec<Open> {
        let mut groups = Vec::new();
        let mut at = from;
        while at < to {
            let k = terms[at].0[u];
            let end = at + terms[at..to].partition_point(|t| t.0[u] == k);
            groups.push((k, at, end));
            at = end;
        }
        let number = |&(_, at, end): &(u32, usize, usize)| {
            end - at == 1 && terms[at].0[u + 1..].iter().all(|&e| e == 0)
        };
        let value = |&(_, from, to): &(u32, usize, usize)| Open::Value { from, to, v: u + 1 };
        let mut steps = Vec::new();
        let mut done = 1;
        match groups.as_slice() {
            [one, two, ..] if number(one) && !number(two) => {
                // The only kind of term that is added afterwards.
                let (first, power) = (self.coefficients.len() as u32, 0);
                self.coefficients.push(terms[one.1].1);
                steps.push(value(two));
                steps.push(Open::Step(Step::Term { power, first }, (u, one.0 - two.0)));
                done = 2;
            }
            [one, ..] => steps.push(value(one)),
            [] => {}
        }
        for pair in groups[done - 1..].windows(2) {
            let drop = pair[0].0 - pair[1].0;
            if number(&pair[1]) {
                let (first, power) = (self.coefficients.len() as u32, 0);
                self.coefficients.push(terms[pair[1].1].1);
                steps.push(Open::Step(Step::Plus { power, first }, (u, drop)));
            } else {
                steps.extend([Open::Keep, value(&pair[1]), Open::Join(u, drop)]);
            }
        }
        match groups.last() {
            Some(&(rest, ..)) if rest > 0 => {
                steps.push(Open::Step(Step::ScaleSum { power: 0 }, (u, rest)));
            }
            _ => {}
        }
        steps
    }

    /// The value of terms in the last two variables.
    fn rows(&mut self, terms: &Terms<C>) {
        let last = self.nvars - 1;
        let mut above: Option<u32> = None;
        for part in terms.chunk_by(|a, b| a.0[last - 1] == b.0[last - 1]) {
            let e = part[0].0[last - 1];
            let mut row = part.iter().map(|(f, c)| (f[last], *c)).collect();
            self.row(above.map_or(0, |f| f - e), &mut row);
            above = Some(e);
        }
        match above {
            Some(e) if e > 0 => self.push(Step::ScaleSum { power: 0 }, (last - 1, e)),
            _ => {}
        }
    }

    /// The terms that differ only in the last variable, after `drop` powers of the one before.
    fn row(&mut self, drop: u32, row: &mut Vec<(u32, C)>) {
        let last = self.nvars - 1;
        let level = last - 1;
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
            parts: parts(&self.steps),
            steps: self.steps,
            coefficients: (self.coefficients.iter())
                .flat_map(|c| c.parts().into_iter().take(C::PARTS))
                .collect(),
            inner: (places.get(&(self.nvars as u32 - 1, 1))).map_or(0, |&p| p),
            powers,
            powers_given: C::POWERS_GIVEN,
            levels: self.levels,
        }
    }
}

/// Steps of one part at least.
const PART: usize = 256;

/// Long programs are cut after outputs: a processor foresees the steps of a part that it has seen, but not thousands.
fn parts(steps: &[Step]) -> Vec<(usize, usize)> {
    let (mut parts, mut from) = (Vec::new(), 0);
    for (i, step) in steps.iter().enumerate() {
        let end = matches!(step, Step::Output { .. }) && i + 1 - from >= PART;
        if end || i + 1 == steps.len() {
            parts.push((from, i + 1));
            from = i + 1;
        }
    }
    parts
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
            | Self::Join { power, .. }
            | Self::Plus { power, .. }
            | Self::Term { power, .. } => *power = place,
            Self::Start { .. } | Self::Keep { .. } | Self::Output { .. } => {}
        }
    }
}
