//! Laws of two-layer networks and of overcomplete and robust decompositions.

use crate::Error;
use crate::Status;
use crate::decomp::{Overcomplete, PackedForm, Robust};
use crate::io::model::{Header, ModelFile};
use crate::laws::broken::{Broken, check, within};
use crate::laws::bytes::Bytes;
use crate::learn::Predictor;
use crate::learn::two_layer::{PolynomialActivation, TwoLayerNetwork};
use crate::poly::gaussian::HermiteExpansion;
use crate::poly::{Poly, Rational};
use crate::run::unobserved;
use crate::tensor::Tensor;
use faer::{Mat, MatRef};
use num_traits::Zero;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

fn failed(law: &'static str, e: &Error) -> Broken {
    Broken {
        law,
        measured: f64::NAN,
        allowed: 0.0,
        case: e.to_string(),
    }
}

/// `sum_i sigma(<w_i, x>)` as an exact polynomial.
fn network_polynomial(
    sigma: &[Rational],
    weights: &[Vec<Rational>],
) -> Result<Poly<Rational>, Error> {
    let mut sum = Poly::<Rational>::zero();
    for w in weights {
        let parts = w.iter().enumerate().map(|(j, c)| {
            let mut exponents = vec![0; j + 1];
            exponents[j] = 1;
            (exponents, c.clone())
        });
        let form = Poly::from_terms(parts);
        // Horner.
        let mut value = Poly::<Rational>::zero();
        for a in sigma.iter().rev() {
            value = &value.checked_mul(&form)? + &Poly::constant(a.clone());
        }
        sum = &sum + &value;
    }
    Ok(sum)
}

/// The identity behind the certificate, exactly over the rationals: for unit or other weights
///
/// ```text
/// E (f - g)^2 = sum_k k! || sum_i b_k(|w_i|) w_i^k - sum_j b_k(|v_j|) v_j^k ||_F^2
/// ```
///
/// The left side is the Gaussian expectation of a polynomial, the right one is made of inner products; both are
/// computed exactly, `b_k(rho)` being a polynomial in `rho^2`.
///
/// # Errors
/// [`Broken`] when they differ.
pub fn test_error_is_tensor_error(
    sigma: &[Rational],
    f: &[Vec<Rational>],
    g: &[Vec<Rational>],
) -> Result<(), Broken> {
    let law = "two_layer::test_error_is_tensor_error";
    let wrong = |e: Error| failed(law, &e);
    let (p, q) = (network_polynomial(sigma, f), network_polynomial(sigma, g));
    let gap = &p.map_err(wrong)? - &q.map_err(wrong)?;
    let square = gap.checked_mul(&gap).map_err(wrong)?;
    let left = HermiteExpansion::from_poly(&square)
        .map_err(wrong)?
        .expectation();
    let all: Vec<(i64, &Vec<Rational>)> = f
        .iter()
        .map(|w| (1, w))
        .chain(g.iter().map(|v| (-1, v)))
        .collect();
    let inner = |a: &[Rational], b: &[Rational]| {
        let terms = a.iter().zip(b).map(|(x, y)| x * y);
        terms.fold(Rational::zero(), |s, t| &s + &t)
    };
    let parts: Vec<Vec<Rational>> = all
        .iter()
        .map(|(_, w)| hermite_parts(sigma, &inner(w, w)))
        .collect();
    let mut right = Rational::zero();
    let mut factorial = Rational::from(1);
    for k in 0..sigma.len() {
        if k > 0 {
            factorial = &factorial * &Rational::from(k as i64);
        }
        for (i, (si, wi)) in all.iter().enumerate() {
            for (j, (sj, wj)) in all.iter().enumerate() {
                let g = inner(wi, wj);
                let power = (0..k).fold(Rational::from(1), |p, _| &p * &g);
                let both = &(&parts[i][k] * &parts[j][k]) * &power;
                let signed = &(&both * &factorial) * &Rational::from(si * sj);
                right = &right + &signed;
            }
        }
    }
    check(law, left == right, || format!("{left} against {right}"))
}

/// `b_k` at a squared length, exactly: `sum_j a_{k+2j} (k+2j)! / (k! j! 2^j) s^j`.
fn hermite_parts(sigma: &[Rational], square: &Rational) -> Vec<Rational> {
    (0..sigma.len())
        .map(|k| {
            let mut sum = Rational::zero();
            for j in 0..=(sigma.len() - 1 - k) / 2 {
                // (k+2j)! / (k! j! 2^j) is the integer prod of the upper range over j! 2^j.
                let top: i64 = (k as i64 + 1..=(k + 2 * j) as i64).product();
                let low: i64 = (1..=j as i64).map(|i| 2 * i).product();
                let power = (0..j).fold(Rational::from(1), |p, _| &p * square);
                let share = &sigma[k + 2 * j] * &Rational::from(top / low);
                sum = &sum + &(&share * &power);
            }
            sum
        })
        .collect()
}

/// A network written to a model file and read back predicts the same values.
///
/// # Errors
/// [`Broken`] with what came back.
pub fn model_file_predicts(network: &TwoLayerNetwork, x: MatRef<'_, f64>) -> Result<(), Broken> {
    let law = "two_layer::model_file_predicts";
    let header = Header {
        schema: String::new(),
        seed: 0,
        status: Status::Converged,
        inputs: Vec::new(),
        report: serde_json::Value::Null,
    };
    let wrong = |e: Error| failed(law, &e);
    let text = network.to_model(header).to_json();
    let file = ModelFile::from_json(&text).map_err(wrong)?;
    let values = Predictor::from_model(&file)
        .and_then(|p| p.evaluate(x))
        .map_err(wrong)?;
    let own = network.evaluate(x).map_err(wrong)?;
    check(law, values == own, || "other values".into())
}

/// Bytes as a small symmetric tensor, nice or nasty: a decomposition is an error or honest, `Converged` only where
/// the recomputed residual is small or two starts agree, and the certificate is what the model says.
///
/// # Errors
/// [`Broken`] with the numbers.
pub fn fuzz_overcomplete(data: &[u8]) -> Result<(), Broken> {
    let mut bytes = Bytes::new(data);
    let (n, order, rank) = (1 + bytes.below(3), 3 + bytes.below(2), 1 + bytes.below(5));
    let nasty = bytes.below(2) == 1;
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let form = if nasty {
        PackedForm::from_entries(order, n, |_| bytes.any_float())
    } else {
        let x = Mat::from_fn(rank, n, |_, _| bytes.below(9) as f64 - 4.0);
        let weights: Vec<f64> = (0..rank).map(|_| bytes.below(5) as f64 - 2.0).collect();
        PackedForm::of_powers(order, &weights, x.as_ref())
    };
    let Ok(form) = form else { return Ok(()) };
    let engine = Overcomplete::new(rank).starts(2).max_iterations(200);
    if let Ok(fit) = engine.decompose_packed(&form, rng, &mut unobserved) {
        let model = &fit.model;
        let x = model.vectors().as_mat().transpose();
        let left = form.minus_powers(model.weights(), x).norm();
        let stated = fit.evidence.rel_residual * form.norm();
        // Rounding of residuals and of the change of scale.
        let slack = 1e-9 * (form.norm() + stated);
        if form.norm() > 0.0 && form.norm().is_finite() {
            within(
                "overcomplete::certificate_is_recomputed",
                (left - stated).abs(),
                slack,
            )?;
        }
        if fit.status == Status::Converged {
            check(
                "overcomplete::converged_is_certified",
                fit.evidence.holds(),
                || format!("{:?}", fit.evidence),
            )?;
        }
    }
    let t = Tensor::from_fn(&[n; 4], |_| bytes.any_float());
    if let Ok(t) = t
        && let Ok(fit) = Robust::new(1).decompose(t.view(), rng)
        && fit.status == Status::Converged
    {
        check(
            "robust::converged_is_certified",
            fit.evidence.holds(),
            || format!("{:?}", fit.evidence),
        )?;
    }
    let text = String::from_utf8_lossy(&data[..data.len().min(60)]).into_owned();
    if let Ok(sigma) = PolynomialActivation::parse(&text) {
        let (value, _) = sigma.at(0.5);
        let sum = sigma
            .coefficients()
            .iter()
            .rev()
            .fold(0.0, |s, a| s * 0.5 + a);
        let same = value == sum || (value.is_nan() && sum.is_nan());
        check("two_layer::activation_value", same, || text)?;
    }
    Ok(())
}
