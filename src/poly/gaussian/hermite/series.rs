//! Hermite series of a function of one Gaussian variable, in floats.

use crate::Error;
use crate::poly::gaussian::quadrature::NormalPanels;

const OP: &str = "HermiteSeries::from_fn";
/// Degrees beyond this are refused: the panels resolve the oscillation of `h_k` up to here.
const MAX_DEGREE: usize = 1000;
/// Most panels over `[-14, 14]`; beyond it the quadrature error is reported, not chased.
const MAX_PANELS: usize = 2048;

/// The orthonormal Hermite coefficients `a_k = E[f(s z) h_k(z)]`, `h_k = He_k / sqrt(k!)`, `z ~ N(0, 1)`,
/// for `k = 0..=degree`, with the second moment that bounds what was cut off.
#[derive(Clone, Debug, PartialEq)]
pub struct HermiteSeries {
    /// `a_0, .., a_degree`.
    pub coefficients: Vec<f64>,
    /// `E f(s z)^2`; infinite when `f` is not square integrable.
    pub second_moment: f64,
    /// Estimated absolute error of the coefficients: 0 for closed forms, measured for quadrature.
    pub error: f64,
}

impl HermiteSeries {
    /// Coefficients of any function by panels of Gauss-Legendre that end at the declared kinks (points
    /// where `f` or a derivative jumps), refined until two refinements agree.
    ///
    /// `error` is the difference of the last two refinements: an undeclared kink shows up there.
    ///
    /// # Errors
    /// `InvalidInput` for a degree above 1000 or a scale that is not positive; `NonFinite` when a kink or
    /// a value of `f` is not finite (index: the quadrature node).
    ///
    /// # Complexity
    /// At most 2^17 evaluations of `f` and as many times `degree` operations; 400 evaluations for a
    /// smooth `f` and a low degree.
    ///
    /// # Accuracy
    /// 1e-14 of `sqrt(second_moment)` for piecewise analytic `f` with all kinks declared.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::gaussian::HermiteSeries;
    /// let s = HermiteSeries::from_fn(|x: f64| x.max(0.0), &[0.0], 4, 1.0)?;
    /// assert!((s.coefficients[1] - 0.5).abs() < 1e-15); // E[max(z, 0) z] = 1/2
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn from_fn(
        f: impl Fn(f64) -> f64,
        kinks: &[f64],
        degree: usize,
        scale: f64,
    ) -> Result<Self, Error> {
        if degree > MAX_DEGREE {
            return Err(Error::invalid(
                OP,
                format!("the degree must be at most {MAX_DEGREE}, got {degree}"),
            ));
        }
        if !(scale > 0.0 && scale.is_finite()) {
            return Err(Error::invalid(
                OP,
                format!("the scale must be positive, got {scale}"),
            ));
        }
        let kinks: Vec<f64> = kinks.iter().map(|k| k / scale).collect();
        // h_k oscillates with frequency sqrt(k): six points per oscillation and room to spare.
        let mut panels = 8 + 2 * ((degree + 1) as f64).sqrt() as usize;
        let mut best = one_pass(&f, &kinks, degree, scale, panels)?;
        loop {
            panels *= 2;
            let finer = one_pass(&f, &kinks, degree, scale, panels)?;
            let pairs = finer.coefficients.iter().zip(&best.coefficients);
            let error = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            best = Self { error, ..finer };
            if error <= 4e-15 * best.second_moment.sqrt() || panels > MAX_PANELS {
                return Ok(best);
            }
        }
    }

    /// The value of the truncated series at `z` (so an approximation of `f(s z)`), by Clenshaw's backward
    /// recurrence in the orthonormal basis: no conversion to monomials, stable at any degree.
    pub fn eval(&self, z: f64) -> f64 {
        let (mut next, mut after) = (0.0, 0.0);
        for (k, a) in self.coefficients.iter().enumerate().rev() {
            let k = k as f64;
            // h_{k+1} = (z h_k - sqrt(k) h_{k-1}) / sqrt(k+1).
            let here = a + z / (k + 1.0).sqrt() * next - ((k + 1.0) / (k + 2.0)).sqrt() * after;
            (next, after) = (here, next);
        }
        next
    }

    /// `E[(f - f_K)^2]` for the series cut after degree `cut`: the second moment minus the coefficients
    /// kept (Parseval), never below 0.
    pub fn tail(&self, cut: usize) -> f64 {
        let kept = self
            .coefficients
            .iter()
            .take(cut + 1)
            .map(|a| a * a)
            .sum::<f64>();
        (self.second_moment - kept).max(0.0)
    }

    /// The Mehler series `E[f(u) g(v)] = sum_k a_k b_k rho^k` for standard normals of correlation `rho`,
    /// and a bound on what was cut off, `|rho|^(K+1) sqrt(tail_f tail_g)` (Cauchy-Schwarz).
    pub fn mehler(&self, other: &Self, rho: f64) -> (f64, f64) {
        let degree = self.coefficients.len().min(other.coefficients.len());
        let pairs = self.coefficients.iter().zip(&other.coefficients);
        let value = pairs.rev_horner(rho);
        let cut = degree.saturating_sub(1);
        let bound = rho.abs().powi(degree as i32) * (self.tail(cut) * other.tail(cut)).sqrt();
        (value, bound)
    }

    /// The coefficients of `f'(s z)`: `b_k = sqrt(k+1) a_{k+1} / s` (one degree fewer). For a function
    /// with jumps this is the derivative as a distribution.
    #[must_use]
    pub fn derivative(&self, scale: f64) -> Vec<f64> {
        let tail = self.coefficients.iter().enumerate().skip(1);
        tail.map(|(k, a)| (k as f64).sqrt() * a / scale).collect()
    }
}

/// `sum_k a_k b_k rho^k` from the back.
trait PairHorner {
    fn rev_horner(self, rho: f64) -> f64;
}

impl<'a, I: DoubleEndedIterator<Item = (&'a f64, &'a f64)>> PairHorner for I {
    fn rev_horner(self, rho: f64) -> f64 {
        self.rev().fold(0.0, |sum, (a, b)| sum * rho + a * b)
    }
}

fn one_pass(
    f: &impl Fn(f64) -> f64,
    kinks: &[f64],
    degree: usize,
    scale: f64,
    panels: usize,
) -> Result<HermiteSeries, Error> {
    let rule = NormalPanels::new(kinks, panels)?;
    let mut coefficients = vec![0.0; degree + 1];
    let mut second_moment = 0.0;
    for (index, (&z, &w)) in rule.nodes.iter().zip(&rule.weights).enumerate() {
        let value = f(scale * z);
        if !value.is_finite() {
            return Err(Error::NonFinite { op: OP, index });
        }
        let wf = w * value;
        second_moment += wf * value;
        let (mut before, mut h) = (0.0, 1.0);
        for (k, a) in coefficients.iter_mut().enumerate() {
            *a += wf * h;
            let k = k as f64;
            (before, h) = (h, (z * h - k.sqrt() * before) / (k + 1.0).sqrt());
        }
    }
    Ok(HermiteSeries {
        coefficients,
        second_moment,
        error: f64::INFINITY,
    })
}

#[cfg(test)]
mod tests {
    use super::HermiteSeries;

    #[test]
    fn an_undeclared_jump_shows_in_the_error() -> Result<(), crate::Error> {
        let declared = HermiteSeries::from_fn(|x| (x - 0.37).signum(), &[0.37], 6, 1.0)?;
        assert!(declared.error < 1e-14, "{}", declared.error);
        let hidden = HermiteSeries::from_fn(|x| (x - 0.37).signum(), &[], 6, 1.0)?;
        assert!(hidden.error > 1e-7, "{}", hidden.error);
        assert!(HermiteSeries::from_fn(|x| 1.0 / x, &[], 3, f64::NAN).is_err());
        assert!(HermiteSeries::from_fn(|_| f64::NAN, &[], 3, 1.0).is_err());
        Ok(())
    }

    #[test]
    fn clenshaw_is_stable_where_monomials_fail() -> Result<(), crate::Error> {
        // exp(z/2) has a_k = exp(1/8) 2^-k / sqrt(k!); 80 degrees of it at a far point.
        let s = HermiteSeries::from_fn(|x| (0.5 * x).exp(), &[], 80, 1.0)?;
        for z in [-6.0, -1.0, 0.0, 2.5, 6.0f64] {
            let scale = (0.25 * z * z).exp();
            assert!((s.eval(z) - (0.5 * z).exp()).abs() < 1e-13 * scale, "{z}");
        }
        assert!(s.tail(80) <= 1e-14 && s.tail(2) > 1e-4);
        Ok(())
    }
}
