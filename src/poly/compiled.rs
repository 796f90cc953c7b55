//! Polynomials compiled for evaluation at many points.
//!
//! A polynomial becomes a program of nested Horner steps over tables of powers that all steps share. Points
//! are taken in blocks of columns, one vector lane a point, so the processor multiplies many points at
//! once and nothing is looked up twice. Every step is one fused multiply-add, rounded once, in the vector
//! path and in the portable one alike: the results are the same bits on every processor.

use super::simd::{LANES, run_block};
use super::{Poly, Rational};
use crate::Error;
use rayon::prelude::*;

const OP: &str = "Compiled::eval_batch";

/// One step of a program; `t` is the running sum of the last variable, `s[v]` those of the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// `t = c`.
    Start(f64),
    /// `t = t * x_last^power + c`.
    Next(u32, f64),
    /// `s[v] += t * x_last^power` (`from` is the last variable) or `s[v] += s[from] * x_from^power`, and
    /// `s[from] = 0`.
    Fold { from: u32, power: u32 },
    /// `s[v] *= x_v^power`.
    Raise { v: u32, power: u32 },
    /// Output number `k` is finished: `s[0]`, or `t` when there is one variable; all sums start again.
    Output(u32),
}

/// Several polynomials as one program.
///
/// # Example
/// ```
/// use wickring::poly::{Compiled, Poly, Rational, Vars};
/// let mut vars = Vars::new();
/// let p = Poly::<Rational>::parse("x^2*y - 3*y + 1/2", &mut vars)?;
/// let program = Compiled::new(&[p.map(Rational::to_f64)])?;
/// let (x, y) = ([1.0, 2.0], [1.0, -1.0]);
/// assert_eq!(program.eval_batch(&[&x, &y])?, vec![vec![-1.5, -0.5]]);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    nvars: usize,
    outputs: usize,
    steps: Vec<Step>,
    /// Greatest power of each variable.
    degrees: Vec<u32>,
}

/// Powers beyond this would make the tables larger than the work.
const MAX_POWERS: u64 = 1 << 16;

impl Compiled {
    /// Compiles polynomials; they share the tables of powers.
    ///
    /// # Errors
    /// `NonFinite` for a coefficient that is, `LimitExceeded` when the degrees in all variables add up to
    /// more than 2^16.
    pub fn new(polynomials: &[Poly<f64>]) -> Result<Self, Error> {
        let op = "Compiled::new";
        let nvars = polynomials
            .iter()
            .map(Poly::nvars)
            .max()
            .unwrap_or(0)
            .max(1);
        let degree = |v| polynomials.iter().map(|p| p.degree(v)).max().unwrap_or(0);
        let degrees: Vec<u32> = (0..nvars).map(degree).collect();
        if degrees.iter().map(|&d| u64::from(d)).sum::<u64>() > MAX_POWERS {
            return Err(Error::limit(op, "degree", MAX_POWERS));
        }
        let mut steps = Vec::new();
        for (k, p) in polynomials.iter().enumerate() {
            if let Some(index) = p.iter().position(|(_, c)| !c.is_finite()) {
                return Err(Error::NonFinite { op, index });
            }
            program(p, nvars, &mut steps);
            steps.push(Step::Output(k as u32));
        }
        let outputs = polynomials.len();
        Ok(Self {
            nvars,
            outputs,
            steps,
            degrees,
        })
    }

    /// The value, the gradient and the Hessian of one polynomial: outputs 0, then `1..=n` the partial
    /// derivatives, then the second ones `d_i d_j` for `i <= j`, row by row.
    ///
    /// # Errors
    /// As [`Compiled::new`].
    pub fn with_derivatives(p: &Poly<f64>) -> Result<Self, Error> {
        let n = p.nvars();
        let mut all = vec![p.clone()];
        all.extend((0..n).map(|i| p.derivative(i)));
        for i in 0..n {
            all.extend((i..n).map(|j| p.derivative(i).derivative(j)));
        }
        Self::new(&all)
    }

    /// Number of variables: the columns of points.
    pub fn nvars(&self) -> usize {
        self.nvars
    }

    /// Number of polynomials.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The values at the points `(columns[0][i], columns[1][i], ..)`: one list for each polynomial.
    ///
    /// # Shapes
    /// `nvars` columns of equal length.
    ///
    /// # Errors
    /// `Shape` for columns that are missing or of unequal length, `NonFinite` for a coordinate that is.
    /// Values may overflow to infinity.
    ///
    /// # Complexity
    /// One fused multiply-add for each term and point, about; points are shared out among threads.
    ///
    /// # Accuracy
    /// For each value `|error| <= 2 (degree + terms) eps sum |c| |x^e|`, eps = 2^-53.
    pub fn eval_batch(&self, columns: &[&[f64]]) -> Result<Vec<Vec<f64>>, Error> {
        let points = columns.first().map_or(0, |c| c.len());
        if columns.len() < self.nvars || columns.iter().any(|c| c.len() != points) {
            let expected = format!("{} columns of one length", self.nvars);
            let lengths: Vec<usize> = columns.iter().map(|c| c.len()).collect();
            return Err(Error::shape(OP, expected, format!("lengths {lengths:?}")));
        }
        for c in columns {
            if let Some(index) = c.iter().position(|x| !x.is_finite()) {
                return Err(Error::NonFinite { op: OP, index });
            }
        }
        let mut out = vec![vec![0.0; points]; self.outputs];
        let mut slices: Vec<_> = out.iter_mut().map(|o| o.chunks_mut(CHUNK)).collect();
        let mut jobs = Vec::new();
        for first in (0..points).step_by(CHUNK) {
            let parts: Vec<&mut [f64]> = slices.iter_mut().filter_map(Iterator::next).collect();
            jobs.push((first, parts));
        }
        let work = |(first, mut parts): (usize, Vec<&mut [f64]>)| {
            let mut machine = Machine::new(self);
            let mut from = 0;
            let count = parts.first().map_or(0, |p| p.len());
            while from < count {
                let n = LANES.min(count - from);
                machine.load(columns, first + from, n);
                run_block(&self.steps, &mut machine);
                for (k, part) in parts.iter_mut().enumerate() {
                    part[from..from + n].copy_from_slice(&machine.out[k][..n]);
                }
                from += n;
            }
        };
        // A few hundred points are done before a thread has woken up.
        match points * self.steps.len() > 1 << 18 && rayon::current_num_threads() > 1 {
            true => jobs.into_par_iter().for_each(work),
            false => jobs.into_iter().for_each(work),
        }
        Ok(out)
    }
}

/// Points of one task.
const CHUNK: usize = 64 * LANES;

/// The registers of a program.
pub(crate) struct Machine {
    /// Powers of each variable, from the zeroth.
    pub(crate) powers: Vec<Vec<[f64; LANES]>>,
    pub(crate) sums: Vec<[f64; LANES]>,
    pub(crate) out: Vec<[f64; LANES]>,
}

impl Machine {
    fn new(program: &Compiled) -> Self {
        let table = |&d: &u32| vec![[1.0; LANES]; d.max(1) as usize + 1];
        Self {
            powers: program.degrees.iter().map(table).collect(),
            sums: vec![[0.0; LANES]; program.nvars],
            out: vec![[0.0; LANES]; program.outputs],
        }
    }

    fn load(&mut self, columns: &[&[f64]], first: usize, n: usize) {
        for (table, column) in self.powers.iter_mut().zip(columns) {
            let mut x = [0.0; LANES];
            x[..n].copy_from_slice(&column[first..first + n]);
            for k in 1..table.len() {
                let below = table[k - 1];
                for (l, p) in table[k].iter_mut().enumerate() {
                    *p = below[l] * x[l];
                }
            }
        }
    }
}

/// The nested Horner program of one polynomial, terms in descending lexicographic order.
fn program(p: &Poly<f64>, nvars: usize, steps: &mut Vec<Step>) {
    let last = nvars - 1;
    let fold = |v: usize, e: &[u32]| Step::Fold {
        from: v as u32,
        power: e[v],
    };
    let mut previous: Option<Vec<u32>> = None;
    for (mut e, c) in p.iter() {
        e.resize(nvars, 0);
        match &previous {
            None => steps.push(Step::Start(c)),
            Some(f) => {
                // The first variable that differs has fallen.
                let v = (0..nvars).find(|&v| e[v] != f[v]).unwrap_or(last);
                let drop = f[v] - e[v];
                if v == last {
                    steps.push(Step::Next(drop, c));
                } else {
                    steps.extend((v + 1..nvars).rev().map(|u| fold(u, f)));
                    let v = v as u32;
                    steps.push(Step::Raise { v, power: drop });
                    steps.push(Step::Start(c));
                }
            }
        }
        previous = Some(e);
    }
    let Some(f) = previous else {
        steps.push(Step::Start(0.0));
        return;
    };
    steps.extend((1..nvars).rev().map(|u| fold(u, &f)));
    if nvars > 1 {
        let power = f[0];
        steps.push(Step::Raise { v: 0, power });
    } else {
        steps.push(Step::Next(f[0], 0.0));
    }
}

impl Poly<Rational> {
    /// Compiles the polynomial with its coefficients rounded to the nearest floats.
    ///
    /// # Errors
    /// As [`Compiled::new`].
    pub fn compile(&self) -> Result<Compiled, Error> {
        Compiled::new(&[self.map(Rational::to_f64)])
    }
}
