//! Straight-line programs: expressions with shared parts, never multiplied out.

use super::black_box::{BlackBox, Height};
use super::values::{Arithmetic, Expanding, InRing, Modular};
use crate::Error;
use crate::poly::coefficients::rational::Rational;
use crate::poly::coefficients::ring::Ring;
use crate::poly::polynomial::univariate::Field;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use num_traits::Zero;

pub(super) const OP: &str = "Program";
/// Most steps: each costs a few words.
const MAX_STEPS: usize = 1 << 24;
/// Most variables.
const MAX_VARIABLES: usize = 1 << 16;
/// Numbers are put together as they come while they have no more bits than this.
const MAX_NUMBER_BITS: u128 = 1 << 20;
/// Steps between two looks at the clock.
const BLOCK: usize = 4096;

/// A step of a [`Program`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node(pub(super) usize);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Constant(Rational),
    Variable(usize),
    Add(usize, usize),
    Sub(usize, usize),
    Mul(usize, usize),
    Pow(usize, u32),
}

/// A straight-line program over `Q[x_0, x_1, ..]`: constants, variables, sums, differences, products and powers of earlier
/// steps. Its value is the step that [`Program::finish`] named, or the last one.
///
/// Degree and coefficients may be far beyond what could be written down: a program of a hundred squarings has degree 2^100.
///
/// # Example
/// ```
/// use wickring::poly::identity::Program;
/// use wickring::poly::{Rational, Vars};
/// let mut p = Program::new();
/// let (x, y) = (p.variable(0)?, p.variable(1)?);
/// let sum = p.add(x, y)?;
/// p.power(sum, 3)?;
/// assert_eq!(p.eval(&[Rational::from(1), Rational::from(2)])?, Rational::from(27));
/// let same = Program::parse("(x + y)^3", &mut Vars::new())?;
/// assert_eq!(same.expand(&Default::default())?.len(), 4);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    steps: Vec<Step>,
    nvars: usize,
    value: Option<usize>,
}

impl Program {
    /// The program without steps, whose value is zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of steps.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is no step.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    fn push(&mut self, step: Step) -> Result<Node, Error> {
        if self.steps.len() >= MAX_STEPS {
            return Err(Error::limit(OP, "steps", MAX_STEPS as u64));
        }
        let step = self.folded(step);
        self.steps.push(step);
        Ok(Node(self.steps.len() - 1))
    }

    /// The number that a step is, if it is one.
    pub(super) fn number_at(&self, node: Node) -> Option<&Rational> {
        match self.steps.get(node.0) {
            Some(Step::Constant(c)) => Some(c),
            _ => None,
        }
    }

    /// The step itself, or the number that it makes of numbers.
    fn folded(&self, step: Step) -> Step {
        let number = |i: &usize| self.number_at(Node(*i));
        let short = |h: Height| h.numerator.max(h.denominator) <= MAX_NUMBER_BITS;
        let value = match &step {
            Step::Add(a, b) | Step::Sub(a, b) | Step::Mul(a, b) => match (number(a), number(b)) {
                (Some(x), Some(y)) => {
                    let (h, g) = (Height::of(x), Height::of(y));
                    let (x, y) = (x.clone(), y.clone());
                    match step {
                        Step::Add(..) if short(h.sum(g)) => Some(x + y),
                        Step::Sub(..) if short(h.sum(g)) => Some(x - y),
                        Step::Mul(..) if short(h.product(g)) => Some(x * y),
                        _ => None,
                    }
                }
                _ => None,
            },
            Step::Pow(a, k) => number(a)
                .filter(|x| short(Height::of(x).power(*k)))
                .map(|x| x.pow(*k)),
            Step::Constant(_) | Step::Variable(_) => None,
        };
        value.map_or(step, Step::Constant)
    }

    fn known(&self, node: Node) -> Result<usize, Error> {
        match node.0 < self.steps.len() {
            true => Ok(node.0),
            false => Err(Error::invalid(
                OP,
                format!(
                    "a step of this program ({}), got step {}",
                    self.steps.len(),
                    node.0
                ),
            )),
        }
    }

    /// A number.
    ///
    /// # Errors
    /// `LimitExceeded` beyond 2^24 steps.
    pub fn constant(&mut self, value: Rational) -> Result<Node, Error> {
        self.push(Step::Constant(value))
    }

    /// The variable `x_index`.
    ///
    /// # Errors
    /// `LimitExceeded` beyond 2^24 steps or 2^16 variables.
    pub fn variable(&mut self, index: usize) -> Result<Node, Error> {
        if index >= MAX_VARIABLES {
            return Err(Error::limit(OP, "variables", MAX_VARIABLES as u64));
        }
        self.nvars = self.nvars.max(index + 1);
        self.push(Step::Variable(index))
    }

    /// `a + b`.
    ///
    /// # Errors
    /// `InvalidInput` for a step of another program; `LimitExceeded` beyond 2^24 steps.
    pub fn add(&mut self, a: Node, b: Node) -> Result<Node, Error> {
        let (a, b) = (self.known(a)?, self.known(b)?);
        self.push(Step::Add(a, b))
    }

    /// `a - b`.
    ///
    /// # Errors
    /// As [`Program::add`].
    pub fn sub(&mut self, a: Node, b: Node) -> Result<Node, Error> {
        let (a, b) = (self.known(a)?, self.known(b)?);
        self.push(Step::Sub(a, b))
    }

    /// `a b`.
    ///
    /// # Errors
    /// As [`Program::add`].
    pub fn mul(&mut self, a: Node, b: Node) -> Result<Node, Error> {
        let (a, b) = (self.known(a)?, self.known(b)?);
        self.push(Step::Mul(a, b))
    }

    /// `a^k`, with `0^0 = 1`.
    ///
    /// # Errors
    /// As [`Program::add`].
    pub fn power(&mut self, a: Node, k: u32) -> Result<Node, Error> {
        let a = self.known(a)?;
        self.push(Step::Pow(a, k))
    }

    /// Makes `node` the value of the program.
    ///
    /// # Errors
    /// `InvalidInput` for a step of another program.
    pub fn finish(&mut self, node: Node) -> Result<(), Error> {
        self.value = Some(self.known(node)?);
        Ok(())
    }

    /// The program of a polynomial that is multiplied out.
    ///
    /// # Errors
    /// `LimitExceeded` beyond 2^24 steps.
    pub fn from_poly(p: &Poly<Rational>) -> Result<Self, Error> {
        let mut program = Self::new();
        let mut sum = program.constant(Rational::from(0))?;
        for (exponents, c) in p.iter() {
            let mut term = program.constant(c)?;
            for (index, e) in exponents.iter().enumerate().filter(|(_, e)| **e > 0) {
                let x = program.variable(index)?;
                let power = program.power(x, *e)?;
                term = program.mul(term, power)?;
            }
            sum = program.add(sum, term)?;
        }
        program.nvars = program.nvars.max(p.nvars());
        Ok(program)
    }

    /// The value at a point of the rationals.
    ///
    /// # Errors
    /// `Shape` for a point with fewer coordinates than variables; `LimitExceeded` when a value might have more than
    /// 2^28 bits.
    ///
    /// # Complexity
    /// One operation on rationals for each step, powers by repeated squaring.
    pub fn eval(&self, point: &[Rational]) -> Result<Rational, Error> {
        self.check_point(point.len())?;
        let heights: Vec<Height> = point.iter().map(Height::of).collect();
        let size = self.bound(Height::of, |i| heights[i]);
        if size.numerator.max(size.denominator) > 1 << 28 {
            return Err(Error::limit("Program::eval", "bits", 1 << 28));
        }
        let value = self.eval_in(point, |c| Some(c.clone()))?;
        Ok(value.unwrap_or_else(Rational::zero))
    }

    /// The value in any ring, constants being mapped by `constant`; `None` where that gives `None`.
    ///
    /// # Errors
    /// `Shape` for a point with fewer coordinates than variables.
    ///
    /// # Complexity
    /// One operation for each step, `2 log2 k` for a power.
    pub fn eval_in<C: Ring>(
        &self,
        point: &[C],
        constant: impl Fn(&Rational) -> Option<C>,
    ) -> Result<Option<C>, Error> {
        self.check_point(point.len())?;
        let values = InRing { point, constant };
        self.run(&Budget::default(), &values)
    }

    /// The program multiplied out. Long sums take linear time.
    ///
    /// # Errors
    /// `LimitExceeded` or `Overflow` when the budget does not suffice; `Stopped`.
    pub fn expand(&self, budget: &Budget<'_>) -> Result<Poly<Rational>, Error> {
        match self.run(budget, &Expanding { budget })? {
            Some(parts) => parts.together(budget),
            None => Ok(Poly::zero()),
        }
    }

    fn check_point(&self, coordinates: usize) -> Result<(), Error> {
        match coordinates < self.nvars {
            true => Err(Error::shape(
                "Program::eval",
                format!("{} coordinates", self.nvars),
                format!("{coordinates}"),
            )),
            false => Ok(()),
        }
    }

    /// Runs the steps over values of any kind; a value is handed on at its last use. `None` where a constant is none;
    /// the empty program is zero.
    fn run<A: Arithmetic>(&self, budget: &Budget<'_>, over: &A) -> Result<Option<A::Value>, Error> {
        let Some(last) = self.steps.len().checked_sub(1) else {
            return Ok(over.constant(&Rational::zero()));
        };
        let goal = self.value.unwrap_or(last);
        let used_last = self.last_uses(goal);
        let mut values: Vec<Option<A::Value>> = Vec::with_capacity(goal + 1);
        for (k, step) in self.steps[..=goal].iter().enumerate() {
            if k % BLOCK == 0 {
                budget.check_time(OP)?;
            }
            if used_last[k] == 0 {
                values.push(None);
                continue;
            }
            let mut take = |i: usize, again: bool| {
                let value = match used_last[i] == k && !again {
                    true => values[i].take(),
                    false => values[i].clone(),
                };
                let routine = "straight-line program";
                value.ok_or(Error::Backend { op: OP, routine })
            };
            let value = match *step {
                Step::Constant(ref c) => match over.constant(c) {
                    Some(value) => value,
                    None => return Ok(None),
                },
                Step::Variable(i) => over.variable(i),
                Step::Add(a, b) => over.add(take(a, a == b)?, take(b, false)?)?,
                Step::Sub(a, b) => over.sub(take(a, a == b)?, take(b, false)?)?,
                Step::Mul(a, b) => over.mul(take(a, a == b)?, take(b, false)?)?,
                Step::Pow(a, e) => over.pow(take(a, false)?, e)?,
            };
            values.push(Some(value));
        }
        Ok(values.pop().flatten())
    }

    /// For each step the last one that uses it; 0 for those that the value does not depend on.
    fn last_uses(&self, goal: usize) -> Vec<usize> {
        let mut last = vec![0; goal + 1];
        last[goal] = usize::MAX;
        for k in (0..=goal).rev() {
            if last[k] == 0 {
                continue;
            }
            for argument in self.steps[k].arguments().into_iter().flatten() {
                last[argument] = last[argument].max(k);
            }
        }
        last
    }

    /// A bound of the size of the value, from those of constants and variables.
    fn bound(
        &self,
        constant: impl Fn(&Rational) -> Height,
        variable: impl Fn(usize) -> Height,
    ) -> Height {
        let mut bounds: Vec<Height> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            bounds.push(match step {
                Step::Constant(c) => constant(c),
                Step::Variable(i) => variable(*i),
                Step::Add(a, b) | Step::Sub(a, b) => bounds[*a].sum(bounds[*b]),
                Step::Mul(a, b) => bounds[*a].product(bounds[*b]),
                Step::Pow(a, k) => bounds[*a].power(*k),
            });
        }
        let goal = self
            .value
            .unwrap_or_else(|| self.steps.len().saturating_sub(1));
        bounds.get(goal).copied().unwrap_or_default()
    }
}

impl Step {
    fn arguments(&self) -> [Option<usize>; 2] {
        match self {
            Self::Constant(_) | Self::Variable(_) => [None, None],
            Self::Add(a, b) | Self::Sub(a, b) | Self::Mul(a, b) => [Some(*a), Some(*b)],
            Self::Pow(a, _) => [Some(*a), None],
        }
    }
}

impl BlackBox for Program {
    fn nvars(&self) -> usize {
        self.nvars
    }

    fn degree_bound(&self) -> u128 {
        // Degrees add up as the bits of numerators do, but for the carry of a sum.
        let mut degrees: Vec<u128> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            degrees.push(match step {
                Step::Constant(_) => 0,
                Step::Variable(_) => 1,
                Step::Add(a, b) | Step::Sub(a, b) => degrees[*a].max(degrees[*b]),
                Step::Mul(a, b) => degrees[*a].saturating_add(degrees[*b]),
                Step::Pow(a, k) => degrees[*a].saturating_mul((*k).into()),
            });
        }
        let goal = self
            .value
            .unwrap_or_else(|| self.steps.len().saturating_sub(1));
        degrees.get(goal).copied().unwrap_or(0)
    }

    fn height(&self) -> Height {
        // The sum of absolute values of the coefficients of x is one: one bit.
        self.bound(Height::of, |_| Height {
            numerator: 1,
            denominator: 0,
        })
    }

    fn value_mod(&self, point: &[u64], p: u64, budget: &Budget<'_>) -> Result<Option<u64>, Error> {
        self.check_point(point.len())?;
        let field = Field { p };
        self.run(budget, &Modular { point, field })
    }

    fn expanded(&self, budget: &Budget<'_>) -> Result<Option<Poly<Rational>>, Error> {
        self.expand(budget).map(Some)
    }
}
