//! Laws of Wick polynomials, of separating polynomials, and Parseval for the half-line.

use crate::Error;
use crate::laws::broken::{Broken, check, within};
use crate::poly::gaussian::{Covariance, GaussianLaw, HermiteExpansion, Law, WickPolynomial};
use crate::poly::{Poly, Rational};

type P = Poly<Rational>;

fn broken(law: &'static str) -> impl Fn(Error) -> Broken {
    move |e| Broken {
        law,
        measured: f64::NAN,
        allowed: 0.0,
        case: e.to_string(),
    }
}

/// `:p:` has mean `p(0)`, its derivative is `:d p:`, and products, inner products and chaos agree with expectations
/// of expanded polynomials.
///
/// # Errors
/// [`Broken`].
pub fn wick_polynomials(p: &P, q: &P, cov: &Covariance<Rational>) -> Result<(), Broken> {
    let name = "gaussian_wick::wick_polynomials";
    let fail = broken(name);
    let same = |what: &str, left: &P, right: &P| {
        check(name, left == right, || {
            format!("{what}: {left:?} is not {right:?}")
        })
    };
    let number = |what: &str, left: &Rational, right: &Rational| {
        check(name, left == right, || {
            format!("{what}: {left} is not {right}")
        })
    };
    let law = GaussianLaw::centred(cov.clone());
    let (v, w) = (
        WickPolynomial::from_symbol(p.clone(), cov.clone()),
        WickPolynomial::from_symbol(q.clone(), cov.clone()),
    );
    let (plain_v, plain_w) = (v.to_poly().map_err(&fail)?, w.to_poly().map_err(&fail)?);
    let back = WickPolynomial::from_poly(&plain_v, cov.clone()).map_err(&fail)?;
    same("there and back", back.symbol(), p)?;
    let mean = law.expectation(&plain_v).map_err(&fail)?;
    number("mean", &v.expectation(), &mean)?;
    let slope = v.derivative(0).to_poly().map_err(&fail)?;
    same("derivative", &slope, &plain_v.derivative(0))?;
    let product = plain_v.checked_mul(&plain_w).map_err(&fail)?;
    let ordered = v.checked_mul(&w).map_err(&fail)?;
    same("product", &ordered.to_poly().map_err(&fail)?, &product)?;
    let inner = v.inner(&w).map_err(&fail)?;
    number(
        "inner product",
        &inner,
        &law.expectation(&product).map_err(&fail)?,
    )?;
    number("symmetry", &inner, &w.inner(&v).map_err(&fail)?)?;
    // Degrees are orthogonal, so the parts of one degree carry everything.
    let mut sum = Rational::default();
    for k in 0..=p.total_degree() {
        sum += &v.chaos(k).inner(&w.chaos(k)).map_err(&fail)?;
    }
    number("chaos by chaos", &sum, &inner)?;
    // :p: <> :q: = :p q:.
    let wick = v.wick_product(&w).map_err(&fail)?;
    same(
        "Wick product",
        wick.symbol(),
        &p.checked_mul(q).map_err(&fail)?,
    )
}

/// With covariance `s I` Wick polynomials are Hermite expansions.
///
/// # Errors
/// [`Broken`].
pub fn wick_is_hermite(p: &P, s: &Rational, dim: usize) -> Result<(), Broken> {
    let name = "gaussian_wick::wick_is_hermite";
    let fail = broken(name);
    let cov = Covariance::diagonal(&vec![s.clone(); dim]);
    let wick = WickPolynomial::from_poly(p, cov).map_err(&fail)?;
    let hermite = HermiteExpansion::from_poly_with_variance(p, s.clone()).map_err(&fail)?;
    check(name, wick.symbol() == hermite.symbol(), || {
        format!("{:?} is not {:?}", wick.symbol(), hermite.symbol())
    })
}

/// A polynomial that vanishes at all points but the first separates the first atom from moments alone:
/// with `p(x) = prod_{j > 0} (x - x_j) = sum_a e_a x^a` and `M_a = sum_j w_j x_j^a`, `sum_a e_a M_a = w_0 p(x_0)`.
///
/// # Errors
/// [`Broken`].
pub fn separating_polynomial(points: &[Rational], weights: &[Rational]) -> Result<(), Broken> {
    let Some((first, others)) = points.split_first() else {
        return Ok(());
    };
    let one = P::constant(Rational::from(1));
    let p = others.iter().fold(one, |p, x| {
        &p * &(&P::variable(0) - &P::constant(x.clone()))
    });
    let moment = |a: u32| {
        let atoms = points.iter().zip(weights);
        atoms.fold(Rational::default(), |sum, (x, w)| &sum + &(w * &x.pow(a)))
    };
    let by_moments = (0..points.len() as u32).fold(Rational::default(), |sum, a| {
        &sum + &(&p.coefficient(&[a]) * &moment(a))
    });
    let value = p.eval(std::slice::from_ref(first));
    let weight = weights.first().cloned().unwrap_or_default();
    check(
        "gaussian_wick::separating_polynomial",
        by_moments == &weight * &value,
        || format!("{by_moments} is not {weight} * {value}"),
    )
}

/// Parseval for the rectified line: `sum_{m >= 0} He_{2m}(0)^2 / (2m+2)! = pi/2 - 1`, enclosed by `terms` exact terms and
/// bounds of the tail. With `C(2m, m) / 4^m` between `1/sqrt(pi (m + 1/2))` and `1/sqrt(pi m)`, term `m` lies between
/// `(m+1)^{-5/2} / (4 sqrt(pi))` and `m^{-5/2} / (4 sqrt(pi))`.
///
/// # Errors
/// [`Broken`].
pub fn relu_parseval(terms: u32) -> Result<(), Broken> {
    let name = "gaussian_wick::relu_parseval";
    let (mut sum, mut central) = (Rational::default(), Rational::from(1));
    for m in 0..i64::from(terms) {
        // He_{2m}(0)^2 / (2m)! = C(2m, m) / 4^m, by its recurrence.
        let divisor = Rational::from((2 * m + 1) * (2 * m + 2));
        sum += &(&central * &divisor.recip().unwrap_or_default());
        let step = Rational::new(2 * m + 1, 2 * m + 2).unwrap_or_default();
        central = &central * &step;
    }
    let scale = 1.0 / (4.0 * std::f64::consts::PI.sqrt());
    let tail = |from: f64| scale * 2.0 / 3.0 * from.powf(-1.5);
    let rest = std::f64::consts::FRAC_PI_2 - 1.0 - sum.to_f64();
    // Sums against integrals: int_{M+1}^inf (x)^{-5/2} <= tail <= int_{M-1}^inf.
    let (low, high) = (
        tail(f64::from(terms) + 1.0),
        tail(f64::from(terms.max(2)) - 1.0),
    );
    within(name, rest, high)?;
    within(name, low, rest)
}
