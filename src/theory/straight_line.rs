//! Polynomials compiled to straight-line code: additions and multiplications without branches, evaluated on
//! eight points at a time.
//!
//! The code is found by greedy multivariate Horner: the variable that occurs in most terms is factored out,
//! and equal subexpressions are computed once. Constants stay rational, so the same code is checked over
//! the rationals and run in floats.

use crate::Error;
use crate::poly::{Poly, Rational, Ring};
use std::collections::HashMap;

/// Points evaluated together; eight doubles fill the registers of every common machine.
pub const LANES: usize = 8;

/// One value in each lane.
pub type Lanes = [f64; LANES];

/// A polynomial as a list of additions and multiplications.
///
/// Registers are numbered: first the variables, then the constants, then one per operation.
/// Invariant: an operation reads only registers before its own.
#[derive(Clone, Debug, PartialEq)]
pub struct HornerProgram {
    inputs: usize,
    constants: Vec<Rational>,
    floats: Vec<f64>,
    code: Vec<Operation>,
    result: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Operation {
    Add(usize, usize),
    Mul(usize, usize),
}

impl HornerProgram {
    /// Compiles `p` as a function of variables `0..inputs`.
    ///
    /// # Errors
    /// `InvalidInput` when `p` has more variables; `LimitExceeded` beyond 200 000 terms.
    ///
    /// # Complexity
    /// `O(terms^2)` in the worst case, `O(terms * degree)` as met in practice.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::{Poly, Vars};
    /// use wickring::theory::HornerProgram;
    /// let p = Poly::parse("x^2*y + 2*x*y + y/2", &mut Vars::new())?;
    /// let code = HornerProgram::compile(&p, 2)?;
    /// assert_eq!(code.eval(&[3.0, 2.0]), 31.0);
    /// assert_eq!(code.operations(), 4); // ((x + 2) x + 1/2) y
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn compile(p: &Poly<Rational>, inputs: usize) -> Result<Self, Error> {
        let op = "StraightLine::compile";
        if p.nvars() > inputs {
            let requirement = format!("{} variables in a function of {inputs}", p.nvars());
            return Err(Error::invalid(op, requirement));
        }
        if p.len() > 200_000 {
            return Err(Error::limit(op, "terms", 200_000));
        }
        let mut builder = Builder::new(inputs);
        let terms = p.terms().map(|(mut e, c)| {
            e.resize(inputs, 0);
            (e, c.clone())
        });
        let root = builder.horner(terms.collect());
        Ok(builder.finish(root))
    }

    /// Number of variables.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of additions and multiplications of one evaluation.
    pub fn operations(&self) -> usize {
        self.code.len()
    }

    /// The value at one point; missing coordinates count as zero.
    pub fn eval(&self, point: &[f64]) -> f64 {
        let mut lanes = vec![[0.0; LANES]; self.inputs];
        lanes.iter_mut().zip(point).for_each(|(l, x)| l[0] = *x);
        self.eval_lanes(&lanes, &mut Vec::new())[0]
    }

    /// The values at [`LANES`] points; `registers` is scratch that may be reused between calls.
    ///
    /// # Shapes
    /// `point[v]` holds variable `v` at the eight points; missing variables count as zero.
    pub fn eval_lanes(&self, point: &[Lanes], registers: &mut Vec<Lanes>) -> Lanes {
        let (first, constants) = (self.inputs, self.floats.len());
        registers.resize(first + constants + self.code.len(), [0.0; LANES]);
        for (v, register) in registers[..first].iter_mut().enumerate() {
            *register = point.get(v).copied().unwrap_or([0.0; LANES]);
        }
        let fixed = registers[first..][..constants].iter_mut();
        fixed.zip(&self.floats).for_each(|(r, c)| *r = [*c; LANES]);
        for (at, operation) in (first + constants..).zip(&self.code) {
            // Operands lie before their result: the split lets the compiler drop the checks for aliasing.
            let (known, rest) = registers.split_at_mut(at);
            let (&(Operation::Add(a, b) | Operation::Mul(a, b)), out) = (operation, &mut rest[0]);
            let (a, b) = (&known[a], &known[b]);
            match operation {
                Operation::Add(..) => (0..LANES).for_each(|i| out[i] = a[i] + b[i]),
                Operation::Mul(..) => (0..LANES).for_each(|i| out[i] = a[i] * b[i]),
            }
        }
        registers[self.result]
    }

    /// The value at one rational point, exactly; missing coordinates count as zero.
    pub fn eval_exact(&self, point: &[Rational]) -> Rational {
        let zero = || <Rational as num_traits::Zero>::zero();
        let mut registers: Vec<Rational> = point.iter().take(self.inputs).cloned().collect();
        registers.resize_with(self.inputs, zero);
        registers.extend(self.constants.iter().cloned());
        for operation in &self.code {
            let (Operation::Add(a, b) | Operation::Mul(a, b)) = *operation;
            let mut out = registers[a].clone();
            match operation {
                Operation::Add(..) => out += &registers[b],
                Operation::Mul(..) => out *= &registers[b],
            }
            registers.push(out);
        }
        registers[self.result].clone()
    }
}

type Terms = Vec<(Vec<u32>, Rational)>;

/// A register while the number of constants is not yet known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Register {
    Input(usize),
    Constant(usize),
    Result(usize),
}

struct Builder {
    inputs: usize,
    constants: Vec<Rational>,
    code: Vec<(bool, Register, Register)>,
    known: HashMap<(bool, Register, Register), Register>,
    numbers: HashMap<String, Register>,
}

impl Builder {
    fn new(inputs: usize) -> Self {
        Self {
            inputs,
            constants: Vec::new(),
            code: Vec::new(),
            known: HashMap::new(),
            numbers: HashMap::new(),
        }
    }

    fn constant(&mut self, value: Rational) -> Register {
        // Keyed by text: exact, and independent of how a rational is stored.
        let fresh = Register::Constant(self.constants.len());
        let slot = *self.numbers.entry(value.to_string()).or_insert(fresh);
        if slot == fresh {
            self.constants.push(value);
        }
        slot
    }

    fn operation(&mut self, is_add: bool, a: Register, b: Register) -> Register {
        let key = (is_add, a.min(b), a.max(b));
        let code = &mut self.code;
        *self.known.entry(key).or_insert_with(|| {
            code.push(key);
            Register::Result(code.len() - 1)
        })
    }

    /// `p = x q + r` with the variable `x` of most terms; recursion depth is at most the total degree of
    /// `p` plus the number of its variables.
    fn horner(&mut self, terms: Terms) -> Register {
        let uses = |v: usize| terms.iter().filter(|(e, _)| e[v] > 0).count();
        let best = (0..self.inputs).max_by_key(|&v| (uses(v), usize::MAX - v));
        let Some(v) = best.filter(|&v| uses(v) > 0) else {
            // Only a constant is left: terms have distinct exponents.
            let zero = <Rational as num_traits::Zero>::zero();
            let value = terms.into_iter().next().map_or(zero, |(_, c)| c);
            return self.constant(value);
        };
        let (mut with, without): (Terms, Terms) = terms.into_iter().partition(|(e, _)| e[v] > 0);
        with.iter_mut().for_each(|(e, _)| e[v] -= 1);
        let unit = with.len() == 1 && with[0].0.iter().all(|e| *e == 0);
        let product = if unit && with[0].1 == Rational::from_i64(1) {
            Register::Input(v)
        } else {
            let quotient = self.horner(with);
            self.operation(false, Register::Input(v), quotient)
        };
        if without.is_empty() {
            return product;
        }
        let rest = self.horner(without);
        self.operation(true, product, rest)
    }

    fn finish(self, root: Register) -> HornerProgram {
        let (inputs, constants) = (self.inputs, self.constants.len());
        let place = |r: Register| match r {
            Register::Input(i) => i,
            Register::Constant(i) => inputs + i,
            Register::Result(i) => inputs + constants + i,
        };
        let operation = |&(is_add, a, b): &(bool, Register, Register)| match is_add {
            true => Operation::Add(place(a), place(b)),
            false => Operation::Mul(place(a), place(b)),
        };
        HornerProgram {
            inputs,
            floats: self.constants.iter().map(Rational::to_f64).collect(),
            constants: self.constants,
            code: self.code.iter().map(operation).collect(),
            result: place(root),
        }
    }
}
