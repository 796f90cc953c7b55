//! Isolated real zeros of square systems of polynomials, each in a ball that is proved to hold exactly one.

use super::entries::fixed;
use super::near::{SCALE, digits, largest, matrix, radius};
use super::{Proof, numbers};
use crate::Error;
use crate::certify::certificate::Claim;
use crate::certify::expression::Expression;
use crate::certify::format::Limits;
use crate::certify::numbers::OP;
use crate::linalg::solve;
use crate::poly::{Integer, Poly, Rational, Vars};
use faer::Mat;
use serde_json::json;

const MAX_VARIABLES: usize = 600;
const MAX_STEPS: usize = 200;
/// The degree that claims of zeros may have.
const MAX_DEGREE: u64 = 64;

/// A point in the ball of whose radius, in the maximum norm, there is exactly one common zero.
///
/// See [`prove_zeros`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct CertifiedZero {
    /// The centre, to the nearest floats.
    pub point: Vec<f64>,
    /// The radius, a power of two; the centre is rounded by up to `2^-60`, which the radius does not cover.
    pub radius: f64,
}

/// Newton's method from each start, and a proof for each point reached: exactly one common zero within a radius,
/// a simple one. Starts that reach the ball of an earlier zero add nothing; those that reach none are named.
///
/// That there are no zeros elsewhere is not said.
///
/// # Shapes
/// As many polynomials as variables of `vars`, and as many coordinates in each start.
///
/// # Errors
/// `Shape`, `NonFinite`, `LimitExceeded` beyond degree 64; `Stopped` at the deadline.
///
/// # Complexity
/// `O(n^3)` for a step and for the proof, plus the terms.
/// Here `n` is the number of variables.
///
/// # Example
/// ```
/// use wickring::certify::{Limits, prove_zeros};
/// use wickring::poly::{Poly, Rational, Vars};
/// let mut vars = Vars::new();
/// let system: Vec<Poly<Rational>> = vec![Poly::parse("x^2 + y^2 - 4", &mut vars)?, Poly::parse("x*y - 1", &mut vars)?];
/// let (zeros, proof) = prove_zeros(&system, &vars, &[vec![2.0, 0.4]], Limits::default())?;
/// assert!((zeros[0].point[0] - 1.9318516525781366).abs() < 1e-15 && proof.claims.len() == 1);
/// # Ok::<(), wickring::Error>(())
/// ```
///
/// # Source
/// Krawczyk 1969; Rump, Verification methods, Acta Numerica 2010.
pub fn prove_zeros(
    system: &[Poly<Rational>],
    vars: &Vars,
    starts: &[Vec<f64>],
    limits: Limits,
) -> Result<(Vec<CertifiedZero>, Proof), Error> {
    if system.iter().any(|p| p.total_degree() > MAX_DEGREE) {
        return Err(Error::limit(OP, "degree", MAX_DEGREE));
    }
    let (problem, points) = reached(system, vars, starts, limits)?;
    let (mut zeros, mut proof): (Vec<CertifiedZero>, _) = (Vec::new(), Proof::default());
    for (k, point) in points.into_iter().enumerate() {
        in_time(limits)?;
        let Some(point) = point else {
            let why = format!("start {}: Newton's method reaches no regular zero", k + 1);
            proof = proof.and(Proof::refusal(why));
            continue;
        };
        if zeros.iter().any(|z| close(&z.point, &point)) {
            continue;
        }
        let (zero, found) = problem.claim(&point, system, vars, limits)?;
        zeros.extend(zero.filter(|_| !found.claims.is_empty()));
        proof = proof.and(found);
    }
    Ok((zeros, proof))
}

/// The points that Newton's method reaches from the starts, each once, without a proof.
///
/// # Errors
/// `Shape`, `NonFinite`; `Stopped` at the deadline.
///
/// # Complexity
/// `O(n^3)` for each of at most 200 steps, plus the terms.
/// Here `n` is the number of variables.
pub fn find_zeros(
    system: &[Poly<Rational>],
    vars: &Vars,
    starts: &[Vec<f64>],
    limits: Limits,
) -> Result<Vec<Vec<f64>>, Error> {
    let mut found: Vec<Vec<f64>> = Vec::new();
    for point in reached(system, vars, starts, limits)?
        .1
        .into_iter()
        .flatten()
    {
        if !found.iter().any(|z| close(z, &point)) {
            found.push(point);
        }
    }
    Ok(found)
}

/// Whether two limits of Newton's method are one to rounding.
fn close(a: &[f64], b: &[f64]) -> bool {
    let gaps: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    largest(&gaps) <= 1e-9 * (1.0 + largest(b))
}

fn in_time(limits: Limits) -> Result<(), Error> {
    match limits.deadline {
        Some(end) if std::time::Instant::now() >= end => Err(Error::Stopped { op: OP }),
        _ => Ok(()),
    }
}

/// The system in floats, and the limit of each start, if there is one.
fn reached(
    system: &[Poly<Rational>],
    vars: &Vars,
    starts: &[Vec<f64>],
    limits: Limits,
) -> Result<(Problem, Vec<Option<Vec<f64>>>), Error> {
    let n = vars.names().len();
    let square = system.len() == n && starts.iter().all(|s| s.len() == n);
    if !square || !(1..=MAX_VARIABLES).contains(&n) {
        let found = format!("{} polynomials in {n} variables", system.len());
        let wanted = format!(
            "1 to {MAX_VARIABLES} variables, as many polynomials, and starts of that length"
        );
        return Err(Error::shape(OP, wanted, found));
    }
    if let Some(index) = starts.iter().flatten().position(|x| !x.is_finite()) {
        return Err(Error::NonFinite { op: OP, index });
    }
    let problem = Problem::new(system, n);
    let mut points = Vec::with_capacity(starts.len());
    for start in starts {
        points.push(problem.newton(start, limits)?);
    }
    Ok((problem, points))
}

/// Polynomials as lists of terms: coefficient and exponents.
struct Problem {
    terms: Vec<Vec<(Rational, Vec<u32>)>>,
    /// Coefficients to the nearest floats.
    floats: Vec<Vec<f64>>,
    n: usize,
}

impl Problem {
    fn new(system: &[Poly<Rational>], n: usize) -> Self {
        let padded = |(mut e, c): (Vec<u32>, Rational)| {
            e.resize(n, 0);
            (c, e)
        };
        let terms: Vec<Vec<_>> = system
            .iter()
            .map(|p| p.terms().map(padded).collect())
            .collect();
        let float = |t: &Vec<(Rational, Vec<u32>)>| t.iter().map(|(c, _)| c.to_f64()).collect();
        let floats = terms.iter().map(float).collect();
        Self { terms, floats, n }
    }

    fn jacobian(&self, x: &[f64]) -> Mat<f64> {
        let mut j = Mat::zeros(self.n, self.n);
        for (i, (terms, floats)) in self.terms.iter().zip(&self.floats).enumerate() {
            for ((_, e), c) in terms.iter().zip(floats) {
                for k in (0..self.n).filter(|&k| e[k] > 0) {
                    let power = |(l, (x, e)): (usize, (&f64, &u32))| match l == k {
                        true => f64::from(*e) * x.powi(*e as i32 - 1),
                        false => x.powi(*e as i32),
                    };
                    let value: f64 = x.iter().zip(e).enumerate().map(power).product();
                    j[(i, k)] += c * value;
                }
            }
        }
        j
    }

    fn values(&self, x: &[f64]) -> Vec<f64> {
        let power = |(x, e): (&f64, &u32)| x.powi(*e as i32);
        let term = |((_, e), c): (&(Rational, Vec<u32>), &f64)| {
            c * x.iter().zip(e).map(power).product::<f64>()
        };
        let both = self.terms.iter().zip(&self.floats);
        both.map(|(t, c)| t.iter().zip(c).map(term).sum()).collect()
    }

    /// Values at a point in units of `2^-SCALE`, exact up to the last rounding.
    fn exact(&self, x: &[Integer]) -> Vec<f64> {
        let unit = Integer::from(1) << SCALE;
        let point =
            |x: &Integer| Rational::from_integers(x.clone(), unit.clone()).unwrap_or_default();
        let x: Vec<Rational> = x.iter().map(point).collect();
        let term = |(c, e): &(Rational, Vec<u32>)| {
            x.iter().zip(e).fold(c.clone(), |p, (x, e)| &p * &x.pow(*e))
        };
        let sum = |t: &Vec<(Rational, Vec<u32>)>| {
            t.iter()
                .map(term)
                .fold(Rational::default(), |a, b| &a + &b)
                .to_f64()
        };
        self.terms.iter().map(sum).collect()
    }

    /// Damped Newton steps until they no longer change the point.
    fn newton(&self, start: &[f64], limits: Limits) -> Result<Option<Vec<f64>>, Error> {
        let mut x = start.to_vec();
        let size = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>();
        for _ in 0..MAX_STEPS {
            in_time(limits)?;
            let values = self.values(&x);
            let column = Mat::from_fn(self.n, 1, |i, _| values[i]);
            let Ok(step) = solve(OP, self.jacobian(&x).as_ref(), column.as_ref()) else {
                return Ok(None);
            };
            let step: Vec<f64> = (0..self.n).map(|i| step[(i, 0)]).collect();
            let small = largest(&step) <= 1e-14 * (1.0 + largest(&x));
            let mut length = 1.0;
            loop {
                let next: Vec<f64> = x.iter().zip(&step).map(|(x, d)| x - length * d).collect();
                if size(&self.values(&next)) < size(&values) || length < 1e-6 || small {
                    x = next;
                    break;
                }
                length /= 2.0;
            }
            if small {
                return Ok((largest(&x) < 2f64.powi(40)).then_some(x));
            }
        }
        let values = self.values(&x);
        let column = Mat::from_fn(self.n, 1, |i, _| values[i]);
        let Ok(step) = solve(OP, self.jacobian(&x).as_ref(), column.as_ref()) else {
            return Ok(None);
        };
        let length = (0..self.n).fold(0.0f64, |m, i| m.max(step[(i, 0)].abs()));
        let there = length < 1e-6 * (1.0 + largest(&x)) && largest(&x) < 2f64.powi(40);
        Ok(there.then_some(x))
    }

    fn claim(
        &self,
        point: &[f64],
        system: &[Poly<Rational>],
        vars: &Vars,
        limits: Limits,
    ) -> Result<(Option<CertifiedZero>, Proof), Error> {
        let n = self.n;
        let jacobian = self.jacobian(point);
        let unit = Mat::<f64>::identity(n, n);
        let Ok(inverse) = solve(OP, jacobian.as_ref(), unit.as_ref()) else {
            return Ok((
                None,
                Proof::refusal("a zero: the Jacobian is singular there to working precision"),
            ));
        };
        let mut x: Vec<Integer> = point.iter().map(|x| fixed(*x, SCALE)).collect();
        let newton = |x: &[Integer]| -> Vec<f64> {
            let f = self.exact(x);
            (0..n)
                .map(|k| (0..n).map(|i| inverse[(k, i)] * f[i]).sum())
                .collect()
        };
        let mut step = newton(&x);
        for _ in 0..8 {
            if !(largest(&step) < 1.0) || largest(&step) < 2f64.powi(2 - SCALE as i32) {
                break;
            }
            x.iter_mut()
                .zip(&step)
                .for_each(|(x, d)| *x -= fixed(*d, SCALE));
            step = newton(&x);
        }
        let precision = digits(&inverse, &jacobian, n);
        let radius = radius(4.0 * largest(&step));
        let equations: Vec<_> = system
            .iter()
            .map(|p| Expression::from_poly(p, vars).tree().clone())
            .collect();
        let data = json!({
            "variables": vars.names(), "equations": equations, "scale": SCALE, "point": numbers(&x),
            "scaleC": precision, "C": matrix(&inverse, precision), "radius": radius,
        });
        let scale = Integer::from(1) << SCALE;
        let float = |x: &Integer| {
            Rational::from_integers(x.clone(), scale.clone()).map_or(f64::NAN, |x| x.to_f64())
        };
        let centre: Vec<f64> = x.iter().map(float).collect();
        let words = format!(
            "exactly one common zero, a simple one, lies within 2^{} of {centre:?}",
            radius[1]
        );
        let zero = CertifiedZero {
            point: centre,
            radius: 2f64.powi(radius[1] as i32),
        };
        let proof = Proof::replayed(vec![Claim::new("poly-zero", data)], words, limits)?;
        Ok((Some(zero), proof))
    }
}
