//! The activation of student and teacher, and the Gaussian averages that the equations of motion need.

use crate::Error;
use crate::poly::{Poly, Rational};
use crate::theory::online::moments::{Average, derivative};
use crate::theory::straight_line::HornerProgram;
use crate::theory::straight_line::{LANES, Lanes};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI};

/// The activation `g` of a two-layer network whose averages under Gaussian fields are known.
#[derive(Clone, Debug, PartialEq)]
pub struct StudentActivation {
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// `g(z) = erf(z / sqrt 2)`.
    Erf,
    /// `g(z) = z`.
    Linear,
    Polynomial(Box<Compiled>),
}

#[derive(Clone, Debug, PartialEq)]
struct Compiled {
    exact: Vec<Rational>,
    value: Vec<f64>,
    slope: Vec<f64>,
    /// `E g g`, `E g' g'`, `E g'' g`, `E g' g' g g`.
    averages: [Average; 4],
}

/// Which average of a polynomial activation; see [`StudentActivation::code`].
///
/// # Example
/// ```
/// use wickring::poly::{Poly, Vars};
/// use wickring::theory::{AverageKind, StudentActivation};
/// let square = StudentActivation::polynomial(&Poly::parse("x^2", &mut Vars::new())?)?;
/// assert!(square.code(AverageKind::I2).is_some());
/// assert!(StudentActivation::erf().code(AverageKind::I2).is_none()); // known in closed form
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AverageKind {
    /// `E g(z_0) g(z_1)`.
    I2,
    /// `E g'(z_0) g'(z_1)`.
    J2,
    /// `E g''(z_0) g(z_1)`.
    K2,
    /// `E g'(z_0) g'(z_1) g(z_2) g(z_3)`.
    I4,
}

impl StudentActivation {
    /// `g(z) = erf(z / sqrt 2)`.
    pub fn erf() -> Self {
        Self { kind: Kind::Erf }
    }

    /// `g(z) = z`.
    pub fn linear() -> Self {
        Self { kind: Kind::Linear }
    }

    /// A polynomial in one variable; its averages are derived exactly and compiled here.
    ///
    /// # Errors
    /// `InvalidInput`: more than one variable, or a constant. `LimitExceeded`: a degree so high that an
    /// average has more than 100 000 terms.
    ///
    /// # Complexity
    /// Grows with the tenth power of the degree; degree 3 takes under a millisecond, degree 6 seconds.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::{Poly, Vars};
    /// use wickring::theory::StudentActivation;
    /// let g = StudentActivation::polynomial(&Poly::parse("x^3 - 3*x", &mut Vars::new())?)?;
    /// assert_eq!((g.value(2.0), g.slope(2.0)), (2.0, 9.0));
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn polynomial(g: &Poly<Rational>) -> Result<Self, Error> {
        let op = "StudentActivation::polynomial";
        if g.nvars() > 1 || g.total_degree() == 0 {
            return Err(Error::invalid(
                op,
                "an activation is a polynomial of degree at least 1 in one variable",
            ));
        }
        let degree = g.total_degree();
        if degree > 12 {
            return Err(Error::limit(op, "degree", 12));
        }
        let exact: Vec<Rational> = (0..=degree as u32).map(|k| g.coefficient(&[k])).collect();
        let first = derivative(&exact);
        let second = derivative(&first);
        let average = |factors: &[&[Rational]]| {
            Average::of(&factors.iter().map(|f| f.to_vec()).collect::<Vec<_>>())
        };
        let averages = [
            average(&[&exact, &exact])?,
            average(&[&first, &first])?,
            average(&[&second, &exact])?,
            average(&[&first, &first, &exact, &exact])?,
        ];
        let float = |p: &[Rational]| p.iter().map(Rational::to_f64).collect();
        let compiled = Compiled {
            value: float(&exact),
            slope: float(&first),
            exact,
            averages,
        };
        Ok(Self {
            kind: Kind::Polynomial(Box::new(compiled)),
        })
    }

    /// A short name.
    pub fn name(&self) -> String {
        match &self.kind {
            Kind::Erf => "erf".into(),
            Kind::Linear => "linear".into(),
            Kind::Polynomial(p) => format!("polynomial of degree {}", p.exact.len() - 1),
        }
    }

    /// Whether `g(-z) = -g(z)`.
    pub fn is_odd(&self) -> bool {
        match &self.kind {
            Kind::Erf | Kind::Linear => true,
            Kind::Polynomial(p) => p.value.iter().step_by(2).all(|c| *c == 0.0),
        }
    }

    /// `g(z)`.
    pub fn value(&self, z: f64) -> f64 {
        match &self.kind {
            Kind::Erf => crate::poly::gaussian::erf(z * FRAC_1_SQRT_2),
            Kind::Linear => z,
            Kind::Polynomial(p) => p.value.iter().rev().fold(0.0, |sum, c| sum * z + c),
        }
    }

    /// `g'(z)`.
    pub fn slope(&self, z: f64) -> f64 {
        match &self.kind {
            Kind::Erf => FRAC_2_PI.sqrt() * (-0.5 * z * z).exp(),
            Kind::Linear => 1.0,
            Kind::Polynomial(p) => p.slope.iter().rev().fold(0.0, |sum, c| sum * z + c),
        }
    }

    /// The compiled average of a polynomial activation, and what its diagonal inputs are reduced by;
    /// `None` for the activations with closed forms.
    pub fn code(&self, which: AverageKind) -> Option<(&HornerProgram, f64)> {
        let Kind::Polynomial(p) = &self.kind else {
            return None;
        };
        let average = &p.averages[which as usize];
        Some((average.code(), average.shift))
    }

    /// `E g(z_a) g(z_b)` from the covariance entries `aa`, `ab`, `bb`.
    pub fn i2(&self, aa: f64, ab: f64, bb: f64) -> f64 {
        match &self.kind {
            Kind::Erf => FRAC_2_PI * safe_asin(ab / ((1.0 + aa) * (1.0 + bb)).sqrt()),
            Kind::Linear => ab,
            Kind::Polynomial(p) => p.averages[0].at(&[aa, ab, bb], 2),
        }
    }

    /// `E g'(z_a) g'(z_b)`.
    pub fn j2(&self, aa: f64, ab: f64, bb: f64) -> f64 {
        match &self.kind {
            Kind::Erf => FRAC_2_PI / ((1.0 + aa) * (1.0 + bb) - ab * ab).sqrt(),
            Kind::Linear => 1.0,
            Kind::Polynomial(p) => p.averages[1].at(&[aa, ab, bb], 2),
        }
    }

    /// `E g''(z_a) g(z_b)`.
    pub fn k2(&self, aa: f64, ab: f64, bb: f64) -> f64 {
        match &self.kind {
            Kind::Erf => {
                -FRAC_2_PI * ab / ((1.0 + aa) * ((1.0 + aa) * (1.0 + bb) - ab * ab).sqrt())
            }
            Kind::Linear => 0.0,
            Kind::Polynomial(p) => p.averages[2].at(&[aa, ab, bb], 2),
        }
    }

    /// `E g'(z_0) g'(z_1) g(z_2) g(z_3)` from the ten entries in the order of [`crate::theory::online::moments::entry`].
    pub fn i4(&self, c: &[f64; 10]) -> f64 {
        match &self.kind {
            Kind::Erf => erf_i4(c),
            Kind::Linear => c[8],
            Kind::Polynomial(p) => p.averages[3].at(c, 4),
        }
    }

    /// The quadruple averages at `LANES` covariances.
    pub(in crate::theory) fn i4_lanes(
        &self,
        c: &mut [Lanes; 10],
        registers: &mut Vec<Lanes>,
    ) -> Lanes {
        match &self.kind {
            Kind::Polynomial(p) => p.averages[3].at_lanes(c, 4, registers),
            _ => std::array::from_fn(|lane| self.i4(&std::array::from_fn(|e| c[e][lane]))),
        }
    }

    /// The averages `I2`, `J2` and `K2` at `LANES` pairs `(aa, ab, bb)`.
    pub(in crate::theory) fn pair_lanes(
        &self,
        which: AverageKind,
        c: &[Lanes; 3],
        registers: &mut Vec<Lanes>,
    ) -> Lanes {
        match (&self.kind, which) {
            (Kind::Polynomial(p), _) => {
                p.averages[which as usize].at_lanes(&mut c.clone(), 2, registers)
            }
            (_, AverageKind::I2) => each_pair(c, |aa, ab, bb| self.i2(aa, ab, bb)),
            (_, AverageKind::J2) => each_pair(c, |aa, ab, bb| self.j2(aa, ab, bb)),
            // A pair has no quadruple average: the caller asks for the other three only.
            _ => each_pair(c, |aa, ab, bb| self.k2(aa, ab, bb)),
        }
    }
}

fn each_pair(c: &[Lanes; 3], f: impl Fn(f64, f64, f64) -> f64) -> Lanes {
    std::array::from_fn(|lane| f(c[0][lane], c[1][lane], c[2][lane]))
}

impl Average {
    /// The value at one covariance of `size` variables.
    fn at(&self, entries: &[f64], size: usize) -> f64 {
        let mut shifted = [0.0; 10];
        shifted.iter_mut().zip(entries).for_each(|(s, e)| *s = *e);
        (0..size).for_each(|i| shifted[crate::theory::online::moments::entry(i, i)] -= self.shift);
        self.code().eval(&shifted[..entries.len()])
    }

    fn at_lanes(&self, c: &mut [Lanes], size: usize, registers: &mut Vec<Lanes>) -> Lanes {
        for i in 0..size {
            let diagonal = &mut c[crate::theory::online::moments::entry(i, i)];
            (0..LANES).for_each(|lane| diagonal[lane] -= self.shift);
        }
        self.code().eval_lanes(c, registers)
    }
}

/// Arguments may pass one by rounding when two fields coincide.
fn safe_asin(x: f64) -> f64 {
    x.clamp(-1.0, 1.0).asin()
}

/// Saad and Solla 1995, with entries in the order 00, 01, 11, 02, 12, 22, 03, 13, 23, 33.
fn erf_i4(c: &[f64; 10]) -> f64 {
    let [aa, ab, bb, ac, bc, cc, ad, bd, cd, dd] = *c;
    let base = (1.0 + aa) * (1.0 + bb) - ab * ab;
    let mixed = base * cd - bc * bd * (1.0 + aa) - ac * ad * (1.0 + bb) + ab * (ac * bd + ad * bc);
    let own = |s: f64, sa: f64, sb: f64| {
        base * (1.0 + s) - sb * sb * (1.0 + aa) - sa * sa * (1.0 + bb) + 2.0 * ab * sa * sb
    };
    let size = (own(cc, ac, bc) * own(dd, ad, bd)).sqrt();
    FRAC_2_PI * FRAC_2_PI / base.sqrt() * safe_asin(mixed / size)
}
