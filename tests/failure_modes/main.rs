//! Every way to say no, with the smallest input that reaches it through the public interface: each variant of `Error`, each
//! `Status`. A variant without a row fails; those that no input is known to reach are named.

#![allow(clippy::unwrap_used)] // inputs are the test's own

use faer::Mat;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::ops::ControlFlow::Break;
use wickring::decomp::{Cp, CpMethod};
use wickring::io::npy;
use wickring::laws::planted::{gaussian, gaussian_cp};
use wickring::learn::mixture::MomentMethod;
use wickring::poly::{Budget, Poly, Rational, Vars};
use wickring::tensor::{Factor, Tensor, mttkrp_all};
use wickring::{Error, Status};

type Row<T> = (&'static str, fn() -> Result<T, Error>);

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn noise(dims: &[usize]) -> Tensor {
    let rng = &mut rng(5);
    Tensor::from_fn(dims, |_| gaussian(rng)).unwrap()
}

fn ones() -> Tensor {
    Tensor::from_fn(&[2, 2, 2], |_| 1.0).unwrap()
}

fn cp(method: Cp, t: &Tensor) -> Result<Status, Error> {
    Ok(method.decompose(t.view(), &mut rng(0))?.status)
}

fn power(exponent: u32, budget: &Budget<'_>) -> Result<Poly<Rational>, Error> {
    Poly::<Rational>::parse("x + y", &mut Vars::new())?.pow_within(exponent, budget)
}

const ERRORS: &[Row<()>] = &[
    ("InvalidInput", || cp(Cp::new(0), &ones()).map(drop)),
    ("Shape", || {
        let short = vec![
            Factor::zeros(2, 1),
            Factor::zeros(2, 1),
            Factor::zeros(1, 1),
        ];
        mttkrp_all(ones().view(), &short).map(drop)
    }),
    ("Parse", || {
        Poly::<Rational>::parse("1 +", &mut Vars::new()).map(drop)
    }),
    ("File", || npy::read("no such file.npy".as_ref()).map(drop)),
    ("NonFinite", || {
        cp(Cp::new(1), &Tensor::from_vec(&[1, 1], vec![f64::NAN])?).map(drop)
    }),
    ("Degenerate", || {
        cp(Cp::new(3).method(CpMethod::Algebraic), &ones()).map(drop)
    }),
    ("Overflow", || {
        Tensor::<f64>::from_fn(&[usize::MAX, 2], |_| 0.0).map(drop)
    }),
    ("LimitExceeded", || {
        power(9, &Budget::default().terms(3)).map(drop)
    }),
    ("Stopped", || {
        power(2000, &Budget::default().stop(&|| true)).map(drop)
    }),
    ("NotConverged", || {
        let t = noise(&[4, 4, 4]);
        let fit = Cp::new(1).decompose(t.view(), &mut rng(0))?;
        fit.converged().map(drop)
    }),
];

/// No input is known that reaches these: what would make every solver fail is refused or scaled before.
const UNREACHED: &[&str] = &["Backend"];

const STATUSES: &[Row<Status>] = &[
    ("Converged", || cp(Cp::new(1), &ones())),
    ("IterationLimit", || {
        let one = Cp::new(3).method(CpMethod::Als).starts(1).max_iterations(1);
        cp(one, &gaussian_cp(&[4, 4, 4], 3, &mut rng(1))?.to_dense()?)
    }),
    ("Stalled", || cp(Cp::new(1), &noise(&[4, 4, 4]))),
    // The derivative of a curve of rank one: rank two comes as near as one likes, by components that cancel.
    ("IllConditioned", || {
        let w = |i: &[usize]| f64::from(u8::from(i.iter().sum::<usize>() == 1));
        cp(Cp::new(2), &Tensor::from_fn(&[2, 2, 2], w)?)
    }),
    ("Undecided", || {
        let rng = &mut rng(3);
        let rows = Mat::from_fn(40, 2, |i, _| gaussian(rng) + if i < 20 { 9.0 } else { 0.0 });
        Ok(MomentMethod::new(2).learn(rows.as_ref(), rng)?.status)
    }),
    ("Stopped", || {
        let t = noise(&[6, 6, 6]);
        let mut seen = 0;
        let mut watch = |_: &_| {
            seen += 1;
            Break(())
        };
        Ok(Cp::new(2)
            .decompose_observed(t.view(), &mut rng(0), &mut watch)?
            .status)
    }),
];

/// Names of the variants of an enum of `src/error.rs`.
fn variants(name: &str) -> Vec<String> {
    let text = include_str!("../../src/error.rs");
    let start = text.find(&format!("pub enum {name} {{")).unwrap();
    let body = text[start..].lines().skip(1).take_while(|l| *l != "}");
    let variant = |l: &str| {
        let word = l.strip_prefix("    ")?;
        let first = word.chars().next()?;
        let end = word
            .find(|c: char| !c.is_alphanumeric())
            .unwrap_or(word.len());
        first.is_uppercase().then(|| word[..end].to_owned())
    };
    body.filter_map(variant).collect()
}

#[test]
fn every_error_is_reached() {
    let names: Vec<&str> = ERRORS.iter().map(|(n, _)| *n).collect();
    let all = variants("Error");
    let known: Vec<&str> = all.iter().map(String::as_str).collect();
    let reached: Vec<&str> = known
        .iter()
        .copied()
        .filter(|n| !UNREACHED.contains(n))
        .collect();
    assert_eq!(
        (names, known.len()),
        (reached.clone(), reached.len() + UNREACHED.len())
    );
    for (name, reach) in ERRORS {
        let error = reach().unwrap_err();
        let shown = format!("{error:?}");
        assert!(shown.starts_with(name), "{name} expected, found {shown}");
        assert!(error.to_string().len() > 10, "{error}");
    }
}

#[test]
fn every_status_is_reached() {
    let names: Vec<&str> = STATUSES.iter().map(|(n, _)| *n).collect();
    assert_eq!(names, variants("Status"));
    for (name, reach) in STATUSES {
        assert_eq!(format!("{:?}", reach().unwrap()), *name);
    }
}
