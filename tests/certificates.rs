//! The independent checker: true claims pass, false ones are refuted, damaged files are refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use wickring::Error;
use wickring::certify::{Certificate, Claim, ClaimedTensor, Entry, Expression, Limits, check};
use wickring::poly::Rational;

fn e(text: &str) -> Expression {
    Expression::parse(text).unwrap()
}

fn q(text: &str) -> Rational {
    text.parse().unwrap()
}

fn holds(claim: Claim) -> bool {
    let text = Certificate::new().claim(claim).to_json();
    let report = check(&text, Limits::default()).unwrap();
    assert_eq!(report.findings.len(), 1);
    report.holds()
}

/// `-1/2x^-1`: a rational times a power of the adjoined element.
fn entry(text: &str) -> Entry {
    let Some((c, power)) = text.split_once('x') else {
        return q(text).into();
    };
    let c = match c {
        "" => "1",
        "-" => "-1",
        c => c,
    };
    let power = power.strip_prefix('^').unwrap_or("1").parse().unwrap();
    Entry::powers([(power, q(c))])
}

fn rows(text: &str) -> Vec<Vec<Entry>> {
    let row = |line: &str| line.split_whitespace().map(entry).collect();
    text.split(';').map(row).collect()
}

/// Strassen's algorithm, as printed in every textbook.
fn strassen() -> Vec<Vec<Vec<Entry>>> {
    vec![
        rows("1 0 1 0 1 -1 0; 0 0 0 0 1 0 1; 0 1 0 0 0 1 0; 1 1 0 1 0 0 -1"),
        rows("1 1 0 -1 0 1 0; 0 0 1 0 0 1 0; 0 0 0 1 0 0 1; 1 0 -1 0 1 0 1"),
        rows("1 0 0 1 -1 0 1; 0 0 1 0 1 0 0; 0 1 0 1 0 0 0; 1 -1 1 0 0 1 0"),
    ]
}

#[test]
fn identities_are_decided_over_the_rationals() {
    assert!(holds(
        Claim::identity("(x + y)^3", "x^3 + 3*x^2*y + 3*x*y^2 + y^3").unwrap()
    ));
    assert!(!holds(
        Claim::identity("(x + y)^3", "x^3 + 3*x^2*y + 3*x*y^2").unwrap()
    ));
    // A difference that floats cannot see.
    assert!(!holds(
        Claim::identity("x", "x + 1/1000000000000000000000000000").unwrap()
    ));
    assert!(matches!(
        Claim::identity("1/x", "x"),
        Err(Error::Parse { .. })
    ));
    // He_2 He_2 = He_4 + 4 He_2 + 2 He_0.
    let linearised = "(x^4 - 6*x^2 + 3) + 4*(x^2 - 1) + 2";
    assert!(holds(Claim::identity("(x^2 - 1)^2", linearised).unwrap()));
}

#[test]
fn ideals_and_squares() {
    let member = [(e("x - y"), e("x + y")), (e("y - 1"), e("y + 1"))];
    assert!(holds(Claim::ideal_membership(&e("x^2 - 1"), &member)));
    assert!(!holds(Claim::ideal_membership(&e("x^2 + 1"), &member)));
    let squares = [(q("1/2"), e("x + y")), (q("1/2"), e("x - y"))];
    assert!(holds(Claim::sum_of_squares(&e("x^2 + y^2"), &squares)));
    let negative = [(q("-1"), e("x"))];
    assert!(!holds(Claim::sum_of_squares(&e("-x^2"), &negative)));
    assert!(!holds(Claim::ideal_membership(&e("1"), &[])));
}

#[test]
fn moments_follow_wick() {
    let z = [e("x^2 - 1"), e("x*y + 3")];
    let zero = q("0");
    let moments = [
        (vec![0, 0], q("2")),
        (vec![0, 1, 1], q("2")),
        (vec![1], q("3")),
    ];
    let cumulants = [
        (vec![0, 0, 0], q("8")),
        (vec![1, 0, 1], q("2")),
        (vec![1], q("3")),
    ];
    assert!(holds(Claim::gaussian_moments(
        &z, &moments, &cumulants, &zero
    )));
    let wrong = [(vec![0, 0, 0], q("8.0000001"))];
    assert!(!holds(Claim::gaussian_moments(&z, &[], &wrong, &zero)));
    assert!(holds(Claim::gaussian_moments(&z, &[], &wrong, &q("1e-6"))));
    // kappa_k of x^2 is 2^(k-1) (k-1)!.
    let chi = [e("x^2")];
    let sixth = [(vec![0; 6], q("3840"))];
    assert!(holds(Claim::gaussian_moments(&chi, &[], &sixth, &zero)));
    let quadratic = Expression::quadratic_form(&[1.0, 0.25, 0.25, -0.5], &[0.0, 1.5], 2.0).unwrap();
    let mean_and_variance = ([(vec![0], q("5/2"))], [(vec![0, 0], q("5"))]);
    assert!(holds(Claim::gaussian_moments(
        &[quadratic],
        &mean_and_variance.0,
        &mean_and_variance.1,
        &zero
    )));
}

#[test]
fn factorisations_are_multiplied_out() {
    let matmul = ClaimedTensor::Matmul([2, 2, 2]);
    for field in [
        "ZT", "Z", "Z[1/2]", "Q", "Q(i)", "Q[x,1/x]", "mod 2", "mod 7",
    ] {
        assert!(
            holds(Claim::cp_exact(field, &strassen(), &matmul)),
            "{field}"
        );
    }
    let mut flipped = strassen();
    flipped[1][3][2] = entry("1");
    assert!(!holds(Claim::cp_exact("Z", &flipped, &matmul)));
    assert!(holds(Claim::cp_exact("mod 2", &flipped, &matmul)));
    // Complex multiplication has rank two over Q(i): eigenvalues of multiplication by i are i and -i.
    let complex = ClaimedTensor::Exact(
        vec![2, 2, 2],
        ["1", "0", "0", "1", "0", "1", "-1", "0"]
            .map(entry)
            .to_vec(),
    );
    let factors = [
        rows("1 1; x -x"),
        rows("1 1; x -x"),
        rows("1/2 1/2; -1/2x 1/2x"),
    ];
    assert!(holds(Claim::cp_exact("Q(i)", &factors, &complex)));
    // W = x^2 y has border rank two: ((e0 + x e1)^3 - e0^3) / x.
    let w = ClaimedTensor::Exact(
        vec![2, 2, 2],
        ["0", "1", "1", "0", "1", "0", "0", "0"].map(entry).to_vec(),
    );
    let border = [rows("1 1; x 0"), rows("1 1; x 0"), rows("x^-1 -1x^-1; 1 0")];
    assert!(!holds(Claim::cp_exact("Q[x,1/x]", &border, &w)));
    assert!(holds(
        Claim::cp_exact("Q[x,1/x]", &border, &w).up_to_order(1)
    ));
    assert!(!holds(
        Claim::cp_exact("Q[x,1/x]", &border, &w).up_to_order(2)
    ));
    // The trace of a product of Pauli-like matrices as a ring of rank two.
    let core = [rows("1 0; 0 1"), rows("0 1; 1 0")];
    let swap = |i: usize, j: usize| if i == j { "2" } else { "0" };
    let trace: Vec<_> = (0..4).map(|k| entry(swap(k / 2, k % 2))).collect();
    // Core entry (a, i, b): identity for i = 0, exchange for i = 1.
    let core: Vec<_> = (0..2)
        .map(|a| core.iter().map(|m| m[a].clone()).collect())
        .collect();
    let target = ClaimedTensor::Exact(vec![2, 2], trace);
    assert!(holds(Claim::ring_exact(
        "Z",
        &[core.clone(), core],
        &target
    )));
}

#[test]
fn float_models_are_held_against_their_bound() {
    let factors = [vec![vec![0.1], vec![0.2]], vec![vec![1.0], vec![3.0]]];
    let exact = ClaimedTensor::Floats(vec![2, 2], vec![0.1, 0.1 * 3.0, 0.2, 0.2 * 3.0]);
    // Products of floats are rounded once: half a unit in the last place each.
    assert!(holds(Claim::cp_residual(&factors, &exact, 1.2e-16)));
    assert!(!holds(Claim::cp_residual(&factors, &exact, 1e-18)));
    let off = ClaimedTensor::Floats(vec![2, 2], vec![0.1, 0.3, 0.2, 0.6 + 1e-9]);
    assert!(!holds(Claim::cp_residual(&factors, &off, 1e-10)));
    assert!(holds(Claim::cp_residual(&factors, &off, 1e-8)));
}

/// Small enough to be read in one sitting, by someone who trusts nothing else here.
#[test]
fn the_checker_stays_small_and_alone() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/certify/checker");
    let mut lines = 0;
    for file in std::fs::read_dir(dir).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        lines += text.lines().count();
        for foreign in ["faer", "rand", "crate::poly", "crate::tensor", "f32"] {
            assert!(!text.contains(&format!("use {foreign}")), "{foreign}");
        }
    }
    assert!(lines < 500, "{lines} lines");
}
