//! Values of compiled polynomials at columns of points.

use super::compiled::Program;
use super::coordinate::Coordinate;
use crate::Error;
use crate::poly::coefficients::rational::Rational;
use crate::poly::parallel;
use crate::poly::polynomial::value::Poly;
use crate::poly::simd::blocks::{Block, POINTS, run_block};

const OP: &str = "Compiled::eval_batch";

/// Several polynomials as one program.
///
/// # Example
/// ```
/// use wickring::poly::{Compiled, Interval, Poly, Rational, Vars};
/// let mut vars = Vars::new();
/// let p = Poly::<Rational>::parse("x^2*y - 3*y + 1/2", &mut vars)?;
/// let program = Compiled::new(&[p.map(Rational::to_f64)])?;
/// let (x, y) = ([1.0, 2.0], [1.0, -1.0]);
/// assert_eq!(program.eval_batch(&[&x, &y])?, vec![vec![-1.5, -0.5]]);
/// // The same over boxes: every value of the polynomial on the box lies in the interval.
/// let program = Compiled::new(&[p.map(Interval::of)])?;
/// let range = program.eval_batch(&[&[Interval::new(-1.0, 1.0)?], &[Interval::new(0.0, 1.0)?]])?[0][0];
/// assert!(range.contains(-2.5) && range.contains(0.5) && range.low() > -2.6);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled<C: Coordinate = f64> {
    nvars: usize,
    outputs: usize,
    program: Program,
    scalar: std::marker::PhantomData<C>,
}

/// Steps and coefficients are counted in 32 bits.
const MAX_TERMS: u64 = 1 << 28;

impl<C: Coordinate> Compiled<C> {
    /// Compiles polynomials; they share the points and the powers of variables.
    ///
    /// # Errors
    /// `NonFinite` for a coefficient that is, `LimitExceeded` beyond 2^28 terms.
    ///
    /// # Complexity
    /// `O(n t)` for `t` terms in `n` variables; at most `64 t` powers are kept, however large exponents are.
    pub fn new(polynomials: &[Poly<C>]) -> Result<Self, Error> {
        let op = "Compiled::new";
        let nvars = polynomials.iter().map(Poly::nvars).max();
        let nvars = nvars.unwrap_or(0).max(1);
        let terms: u64 = polynomials.iter().map(|p| p.len() as u64 + 1).sum();
        if terms > MAX_TERMS {
            return Err(Error::limit(op, "terms", MAX_TERMS));
        }
        for p in polynomials {
            let finite = |c: C| c.parts().iter().all(|x| x.is_finite());
            if let Some(index) = p.iter().position(|(_, c)| !finite(c)) {
                return Err(Error::NonFinite { op, index });
            }
        }
        Ok(Self {
            nvars,
            outputs: polynomials.len(),
            program: Program::new(polynomials, nvars),
            scalar: std::marker::PhantomData,
        })
    }

    /// The value, the gradient and the Hessian of one polynomial: outputs 0, then `1..=n` the partial
    /// derivatives, then the second ones `d_i d_j` for `i <= j`, row by row.
    ///
    /// # Errors
    /// As [`Compiled::new`].
    pub fn with_derivatives(p: &Poly<C>) -> Result<Self, Error> {
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
    /// One fused multiply-add for each term and point, about (four for complex numbers, twenty operations for
    /// intervals); points are shared out among threads, which does not change the values.
    ///
    /// # Accuracy
    /// For each value over `f64` `|error| <= 2 (degree + terms) eps sum |c| |x^e|`, eps = 2^-53; over the complex numbers
    /// four times that for the real and for the imaginary part. Intervals contain the
    /// exact range of values over the box; they are wider where a variable occurs several times, and
    /// [`Interval::WHOLE`](crate::poly::coefficients::interval::Interval::WHOLE) where an end overflows.
    pub fn eval_batch(&self, columns: &[&[C]]) -> Result<Vec<Vec<C>>, Error> {
        let points = columns.first().map_or(0, |c| c.len());
        if columns.len() < self.nvars || columns.iter().any(|c| c.len() != points) {
            let expected = format!("{} columns of one length", self.nvars);
            let lengths: Vec<usize> = columns.iter().map(|c| c.len()).collect();
            return Err(Error::shape(OP, expected, format!("lengths {lengths:?}")));
        }
        all_finite(&columns[self.nvars..])?;
        let mut out = vec![vec![C::zero(); points]; self.outputs];
        let mut slices: Vec<_> = out.iter_mut().map(|o| o.chunks_mut(CHUNK)).collect();
        let mut jobs = Vec::new();
        for first in (0..points).step_by(CHUNK) {
            let parts: Vec<&mut [C]> = slices.iter_mut().filter_map(Iterator::next).collect();
            jobs.push((first, parts));
        }
        let work = |(first, mut parts): (usize, Vec<&mut [C]>)| {
            let program = &self.program;
            // Each part of a long program is run on several blocks of points before the next one.
            let together = if program.parts.len() > 1 { 8 } else { 1 };
            let mut machines = vec![Machine::new::<C>(self); together];
            let mut finite = true;
            let end = points.min(first + CHUNK);
            for from in (first..end).step_by(together * POINTS) {
                let own = || (from..end).step_by(POINTS).take(together);
                for (machine, at) in machines.iter_mut().zip(own()) {
                    machine.load(program, columns, at, POINTS.min(end - at));
                }
                let count = own().count();
                for &steps in &program.parts {
                    for machine in &mut machines[..count] {
                        finite &= run_block(C::KIND, program, steps, machine);
                    }
                }
                for (machine, at) in machines.iter().zip(own()) {
                    for (k, part) in parts.iter_mut().enumerate() {
                        machine.unload(k, &mut part[at - first..][..POINTS.min(end - at)]);
                    }
                }
            }
            finite
        };
        // A few hundred points are done before a thread has woken up.
        let long = points * self.program.coefficients.len() > 1 << 18;
        let finite = match long && parallel::threads() > 1 {
            true => parallel::map(jobs, work).into_iter().all(|finite| finite),
            false => jobs.into_iter().map(work).fold(true, |a, b| a & b),
        };
        if !finite {
            all_finite(columns)?;
        }
        Ok(out)
    }
}

/// Points of one task.
const CHUNK: usize = 64 * POINTS;

/// `NonFinite` with the first place of the first column that has one.
fn all_finite<C: Coordinate>(columns: &[&[C]]) -> Result<(), Error> {
    let bad = |x: &C| !x.parts().iter().all(|p| p.is_finite());
    match columns.iter().find_map(|c| c.iter().position(bad)) {
        Some(index) => Err(Error::NonFinite { op: OP, index }),
        None => Ok(()),
    }
}

/// The memory of a program: parts of numbers, one block each.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) powers: Vec<Block>,
    pub(crate) sums: Vec<Block>,
    pub(crate) out: Vec<Block>,
}

impl Machine {
    fn new<C: Coordinate>(compiled: &Compiled<C>) -> Self {
        let program = &compiled.program;
        let blocks = |n: usize| vec![Block::ZERO; n * C::PARTS];
        Self {
            powers: blocks(program.powers.len()),
            sums: blocks(program.levels),
            out: blocks(compiled.outputs),
        }
    }

    /// Takes `n` points; beyond them, zeros.
    fn load<C: Coordinate>(&mut self, program: &Program, columns: &[&[C]], first: usize, n: usize) {
        for (power, parts) in program.powers.iter().zip(self.powers.chunks_mut(C::PARTS)) {
            if power.exponent > 1 && !C::POWERS_GIVEN {
                continue;
            }
            let column = &columns[power.variable as usize][first..first + n];
            if power.exponent == 1 {
                C::spread(column, parts);
            } else {
                let mut powers = [C::zero(); POINTS];
                for (p, x) in powers.iter_mut().zip(column) {
                    *p = x.power(power.exponent);
                }
                C::spread(&powers[..n], parts);
            }
            for part in parts {
                part.0[n..].fill(0.0);
            }
        }
    }

    /// Values of output number `k`, from the first point on.
    fn unload<C: Coordinate>(&self, k: usize, values: &mut [C]) {
        C::gather(&self.out[k * C::PARTS..(k + 1) * C::PARTS], values);
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

/// Programs with every step, and machines with points: for the test of the instructions.
#[cfg(test)]
pub(crate) fn programs_of_every_kind() -> Vec<(crate::poly::simd::blocks::Kind, Program, Machine)> {
    use crate::poly::coefficients::interval::Interval;
    use num_complex::Complex;
    fn one<C: Coordinate>(
        coefficient: impl Fn(f64) -> C,
    ) -> (crate::poly::simd::blocks::Kind, Program, Machine) {
        let rows = [
            [9, 3, 1, 9],
            [9, 3, 1, 5],
            [9, 3, 0, 4],
            [9, 1, 7, 2],
            [7, 2, 2, 1],
            [7, 2, 2, 0],
            [2, 9, 1, 1],
        ];
        let term = |(i, e): (usize, &[u32; 4])| (e.to_vec(), coefficient(0.3 + (i as f64).sin()));
        let p = Poly::from_terms(rows.iter().enumerate().map(term));
        let square = Poly::from_terms([
            (vec![3, 4], coefficient(0.1)),
            (vec![3, 2], coefficient(-0.7)),
        ]);
        let line = Compiled::new(&[p, square, Poly::zero()]);
        let compiled = line.unwrap_or_else(|_| unreachable!());
        let mut machine = Machine::new(&compiled);
        let column = |s: f64| {
            (0..POINTS)
                .map(|l| coefficient(s * (l as f64 + 0.3).sin()))
                .collect()
        };
        let columns: [Vec<C>; 4] = [1.1, -0.9, 0.8, 1.3].map(column);
        machine.load(
            &compiled.program,
            &columns.each_ref().map(Vec::as_slice),
            0,
            POINTS,
        );
        (C::KIND, compiled.program, machine)
    }
    vec![
        one(|x| x),
        one(|x| Complex::new(x, 0.5 - x)),
        one(|x| Interval::new(x, x + 0.125).unwrap_or(Interval::WHOLE)),
    ]
}
