//! The exact claims of the demo page: identities and bilinear schemes of the textbooks.

use wickring::Error;
use wickring::certify::{Claim, ClaimedTensor, Entry, Expression};
use wickring::poly::Rational;

/// A factorisation with its claim.
pub struct Scheme {
    /// What the page calls it.
    pub text: &'static str,
    /// What the checker is asked.
    pub claim: Claim,
}

/// Moments of Gaussians, cumulants of a quadratic, and a product of Hermite polynomials.
pub fn exact_identities(broken: bool) -> Result<Vec<(&'static str, Claim)>, Error> {
    let q = |n: i64| Rational::from(n);
    let forms = [
        Expression::parse("x^2 + 2*x*y - y^2 + 3*x")?,
        Expression::parse("x*y + y")?,
    ];
    // k_2 = 2 Tr Q_a Q_b + b_a.b_b and k_3 = 8 Tr Q_a Q_b Q_c + mixed terms, by hand.
    let cumulants = [
        (vec![0], q(0)),
        (vec![0, 0], q(17)),
        (vec![0, 1], q(if broken { 3 } else { 2 })),
        (vec![1, 1], q(2)),
        (vec![0, 0, 0], q(54)),
    ];
    let moments = Claim::gaussian_moments(&forms, &[], &cumulants, &Rational::default())
        .about("cumulants of two quadratics of a standard Gaussian");
    let hermite = Claim::identity(
        "(x^2 - 1)*(x^3 - 3*x)",
        "(x^5 - 10*x^3 + 15*x) + 6*(x^3 - 3*x) + 6*x",
    )?
    .about("He_2 He_3 = He_5 + 6 He_3 + 6 He_1");
    Ok(vec![
        (
            "cumulants of quadratics of Gaussians, by Wick's formula",
            moments,
        ),
        (
            "Hermite linearisation He_2 He_3 = He_5 + 6 He_3 + 6 He_1",
            hermite,
        ),
    ])
}

fn entry(text: &str) -> Entry {
    let one = |n: i64| Rational::from(n);
    match text {
        "x" => Entry::powers([(1, one(1))]),
        "1/x" => Entry::powers([(-1, one(1))]),
        "-1/x" => Entry::powers([(-1, one(-1))]),
        number => number.parse::<Rational>().unwrap_or_default().into(),
    }
}

fn rows(text: &str) -> Vec<Vec<Entry>> {
    text.split(';')
        .map(|line| line.split_whitespace().map(entry).collect())
        .collect()
}

/// Strassen's scheme for 2x2 matrices, with one sign flipped if asked.
pub fn strassen(flipped: bool) -> Scheme {
    let first = if flipped {
        "1 0 1 0 1 1 0"
    } else {
        "1 0 1 0 1 -1 0"
    };
    let factors = [
        rows(&format!(
            "{first}; 0 0 0 0 1 0 1; 0 1 0 0 0 1 0; 1 1 0 1 0 0 -1"
        )),
        rows("1 1 0 -1 0 1 0; 0 0 1 0 0 1 0; 0 0 0 1 0 0 1; 1 0 -1 0 1 0 1"),
        rows("1 0 0 1 -1 0 1; 0 0 1 0 1 0 0; 0 1 0 1 0 0 0; 1 -1 1 0 0 1 0"),
    ];
    let claim = Claim::cp_exact("Z", &factors, &ClaimedTensor::Matmul([2, 2, 2]));
    Scheme {
        text: "Strassen's scheme <2,2,2:7>",
        claim: claim.about("Strassen's scheme <2,2,2:7>"),
    }
}

/// The tensor of `x^2 y`, which has border rank two and rank three.
fn w() -> ClaimedTensor {
    let entries = ["0", "1", "1", "0", "1", "0", "0", "0"].map(entry);
    ClaimedTensor::Exact(vec![2, 2, 2], entries.to_vec())
}

/// `((e_0 + x e_1)^(3) - e_0^(3)) / x`, claimed exactly (`order` 0) or up to `O(x^order)`.
pub fn w_border(order: u32) -> Scheme {
    let factors = [rows("1 1; x 0"), rows("1 1; x 0"), rows("1/x -1/x; 1 0")];
    let claim = Claim::cp_exact("Q[x,1/x]", &factors, &w());
    match order {
        0 => Scheme {
            text: "border scheme of rank 2 for the W tensor, as if exact",
            claim,
        },
        _ => Scheme {
            text: "the same as a border scheme",
            claim: claim
                .up_to_order(order)
                .about("W is a limit of tensors of rank 2"),
        },
    }
}

/// The border scheme at `x = 2^-27`: every entry is within `7.5e-9` of the target, so a comparison of floats
/// with the usual tolerance passes it.
pub fn near_miss() -> Scheme {
    let small = format!("1/{}", 1u64 << 27);
    let large = 1u64 << 27;
    let side = format!("1 1; {small} 0");
    let factors = [
        rows(&side),
        rows(&side),
        rows(&format!("{large} -{large}; 1 0")),
    ];
    let claim = Claim::cp_exact("Q", &factors, &w());
    Scheme {
        text: "a near miss (off by 7e-9) that a comparison of floats passes",
        claim,
    }
}
