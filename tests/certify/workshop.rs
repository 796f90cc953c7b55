//! Searching and lifting schemes, against slow definitions.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use wickring::poly::Rational;
use wickring::run::unobserved;
use wickring::scheme::{
    Lift, LiftOutcome, NoLift, Scheme, SchemeField, SchemeText, Search, SearchField, Target,
    Verdict, examine, lift,
};
use wickring::{Error, Status};

pub fn search(dims: [usize; 3], rank: usize, field: SearchField, seed: u64) -> Scheme {
    let options = Search {
        field,
        rank: Some(rank),
        flips: 1 << 24,
        seed,
        ..Search::default()
    };
    let found = options
        .standard(&Target::Matmul(dims), &mut unobserved)
        .unwrap();
    assert_eq!(
        found.status,
        Status::Converged,
        "{dims:?} in {rank} terms, seed {seed}"
    );
    found.scheme
}

/// The same scheme with its entries reduced modulo a prime.
fn modulo(scheme: &Scheme, p: i64) -> Scheme {
    let dense = |k: usize| -> Vec<Vec<Rational>> {
        let text = SchemeText::Json.write(scheme, "").unwrap().remove(0);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut rows = vec![vec![Rational::default(); scheme.rank()]; scheme.factors[k].size()];
        for triple in value[["u", "v", "w"][k]].as_array().unwrap() {
            let at = |i: usize| triple[i].as_u64().unwrap() as usize;
            let c: i64 = triple[2].as_str().unwrap().parse().unwrap();
            rows[at(0)][at(1)] = Rational::from(c.rem_euclid(p));
        }
        rows
    };
    Scheme::from_rationals(
        &[dense(0), dense(1), dense(2)],
        scheme.target.clone().unwrap(),
    )
    .unwrap()
}

#[test]
fn searches_reach_known_ranks_and_are_exact() {
    for (dims, rank) in [
        ([2, 2, 2], 7),
        ([2, 2, 3], 11),
        ([2, 3, 3], 15),
        ([3, 3, 3], 23),
    ] {
        for field in [SearchField::F2, SearchField::Z, SearchField::ZT] {
            let scheme = search(dims, rank, field, 1);
            let over = if field == SearchField::F2 {
                SchemeField::Modulo(2)
            } else {
                SchemeField::Integers
            };
            let found = examine(&scheme, None, over).unwrap();
            assert_eq!(
                (found.verdict, scheme.rank()),
                (Verdict::Exact, rank),
                "{dims:?} over {field:?}"
            );
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_scheme_whatever_the_threads() {
    let options = Search {
        flips: 400_000,
        walkers: 5,
        seed: 3,
        ..Search::default()
    };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            options
                .standard(&Target::Matmul([3, 3, 2]), &mut unobserved)
                .unwrap()
        })
    };
    let (one, three) = (run(1), run(3));
    assert_eq!(one.scheme, three.scheme);
    assert_eq!(one.state, three.state);
    let other = Search {
        seed: 4,
        ..options.clone()
    };
    let other = other
        .standard(&Target::Matmul([3, 3, 2]), &mut unobserved)
        .unwrap();
    assert_ne!(one.state, other.state);
}

#[test]
fn a_search_that_was_stopped_goes_on_as_though_it_had_not_been() {
    let target = Target::Matmul([3, 3, 3]);
    for field in [SearchField::F2, SearchField::Z, SearchField::ZT] {
        let options = Search {
            field,
            flips: 600_000,
            walkers: 3,
            seed: 9,
            ..Search::default()
        };
        let whole = options.standard(&target, &mut unobserved).unwrap();
        let mut rounds = 0;
        let part = options.standard(&target, &mut |_| {
            rounds += 1;
            if rounds > 3 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        let part = part.unwrap();
        assert_eq!(part.status, Status::Stopped);
        let again = options
            .resume(&part.state, &part.scheme, &target, &mut unobserved)
            .unwrap();
        assert_eq!(
            (again.state, again.scheme),
            (whole.state, whole.scheme),
            "{field:?}"
        );
        // A state of another tensor, and one that was tampered with, are refused.
        assert!(
            options
                .resume(
                    &part.state,
                    &part.scheme,
                    &Target::Matmul([3, 3, 4]),
                    &mut unobserved
                )
                .is_err()
        );
        let forged = part.state.replacen("\"now\":[[[", "\"now\":[[[1", 1);
        assert!(
            options
                .resume(&forged, &part.scheme, &target, &mut unobserved)
                .is_err()
        );
    }
}

#[test]
fn blocks_are_laid_side_by_side() {
    let seven = search([2, 2, 2], 7, SearchField::Z, 0);
    let four = search([2, 2, 1], 4, SearchField::Z, 0);
    let options = Search {
        rank: Some(11),
        flips: 1,
        ..Search::default()
    };
    let found = options
        .from_schemes(&[seven.clone(), four], None, &mut unobserved)
        .unwrap();
    assert_eq!(found.scheme.target, Some(Target::Matmul([2, 2, 3])));
    assert_eq!(found.scheme.rank(), 11);
    assert_eq!(
        examine(&found.scheme, None, SchemeField::Integers)
            .unwrap()
            .verdict,
        Verdict::Exact
    );
    // Two of <2,2,2> can be laid in three ways.
    let both = [seven.clone(), seven];
    let unnamed = options.from_schemes(&both, None, &mut unobserved);
    assert!(matches!(unnamed, Err(Error::InvalidInput { .. })));
    for dims in [[4, 2, 2], [2, 4, 2], [2, 2, 4]] {
        let target = Target::Matmul(dims);
        let options = Search {
            rank: Some(14),
            flips: 1,
            ..Search::default()
        };
        let found = options
            .from_schemes(&both, Some(&target), &mut unobserved)
            .unwrap();
        assert_eq!(found.scheme.rank(), 14, "{dims:?}");
        assert_eq!(
            examine(&found.scheme, Some(&target), SchemeField::Integers)
                .unwrap()
                .verdict,
            Verdict::Exact
        );
    }
}

#[test]
fn reductions_of_integer_schemes_lift_again() {
    for (dims, rank) in [([2, 2, 2], 7), ([2, 2, 3], 11), ([3, 3, 3], 23)] {
        for seed in 0..3 {
            let scheme = search(dims, rank, SearchField::ZT, seed);
            for p in [2, 3] {
                let low = modulo(&scheme, p);
                let options = Lift {
                    prime: p as u32,
                    fractions: false,
                    ..Lift::default()
                };
                let LiftOutcome::Lifted(found) = lift(&low, None, &options).unwrap() else {
                    panic!("{dims:?}, seed {seed}, modulo {p}: not lifted")
                };
                let judged = examine(&found.scheme, None, SchemeField::Integers).unwrap();
                assert_eq!(judged.verdict, Verdict::Exact);
                assert_eq!(
                    modulo(&found.scheme, p),
                    low,
                    "a lift is congruent to what was lifted"
                );
            }
        }
    }
}

/// A scheme of a matrix (a tensor with one layer) from factors modulo 2, and its target.
fn layer(matrix: &[[i64; 2]; 2], a: [i64; 2], b: [i64; 2]) -> Scheme {
    let entries: BTreeMap<usize, Rational> = matrix
        .iter()
        .flatten()
        .enumerate()
        .filter(|e| *e.1 != 0)
        .map(|(at, v)| (at, Rational::from(*v)))
        .collect();
    let column = |v: [i64; 2]| {
        v.iter()
            .map(|x| vec![Rational::from(*x)])
            .collect::<Vec<_>>()
    };
    let one = vec![vec![Rational::from(1)]];
    Scheme::from_rationals(
        &[column(a), column(b), one],
        Target::Dense(vec![2, 2, 1], entries),
    )
    .unwrap()
}

/// Every first step that fails has a proof that holds, and fails only where no choice of all unknowns works.
#[test]
fn a_scheme_without_a_lift_modulo_four_has_a_proof() {
    let (mut impossible, mut lifted) = (0, 0);
    for code in 0..4i64.pow(4) {
        let entry = |k: u32| code / 4i64.pow(k) % 4;
        let matrix = [[entry(0), entry(1)], [entry(2), entry(3)]];
        for (a, b) in [([1, 1], [1, 1]), ([1, 0], [1, 1]), ([1, 1], [0, 1])] {
            let exact = (0..2).all(|i| (0..2).all(|j| (matrix[i][j] - a[i] * b[j]) % 2 == 0));
            let scheme = layer(&matrix, a, b);
            let outcome = lift(
                &scheme,
                None,
                &Lift {
                    fractions: true,
                    ..Lift::default()
                },
            );
            if !exact {
                assert!(outcome.is_err(), "{matrix:?}");
                continue;
            }
            // All rank-one matrices modulo 4 that are congruent to a b.
            let some = (0..16).any(|bits: i64| {
                let d = |k: i64| 2 * (bits >> k & 1);
                let (x, y) = ([a[0] + d(0), a[1] + d(1)], [b[0] + d(2), b[1] + d(3)]);
                let fits = |s: i64| {
                    (0..2).all(|i| (0..2).all(|j| (matrix[i][j] - s * x[i] * y[j]) % 4 == 0))
                };
                fits(1) || fits(3)
            });
            match outcome.unwrap() {
                LiftOutcome::Impossible(proof) => {
                    assert!(!some, "{matrix:?}");
                    assert!(proof.holds().unwrap());
                    let again = NoLift::from_json(&proof.to_json()).unwrap();
                    assert!(again.holds().unwrap());
                    assert_eq!(again.len(), proof.len());
                    let bare = proof
                        .to_json()
                        .replace("\"combination\":[[", "\"combination\":[],\"was\":[[");
                    assert!(
                        !NoLift::from_json(&bare).unwrap().holds().unwrap(),
                        "an empty combination proves nothing"
                    );
                    impossible += 1;
                }
                LiftOutcome::Lifted(found) => {
                    assert_eq!(
                        examine(&found.scheme, None, SchemeField::Rationals)
                            .unwrap()
                            .verdict,
                        Verdict::Exact
                    );
                    lifted += 1;
                }
                LiftOutcome::NotFound { .. } => assert!(some, "{matrix:?}"),
            }
        }
    }
    assert!(
        impossible > 20 && lifted > 5,
        "{impossible} impossible, {lifted} lifted"
    );
}

#[test]
fn a_proof_of_another_scheme_does_not_hold() {
    let LiftOutcome::Impossible(proof) = lift(
        &layer(&[[1, 1], [1, 3]], [1, 1], [1, 1]),
        None,
        &Lift::default(),
    )
    .unwrap() else {
        panic!("lifted")
    };
    let text = proof.to_json();
    // The all-ones matrix has a lift.
    let forged = text.replace("\"3\"", "\"1\"");
    assert_ne!(forged, text);
    assert!(!NoLift::from_json(&forged).unwrap().holds().unwrap());
    for broken in [
        "",
        "{}",
        &text.replace("no-lift/1", "no-lift/2"),
        &text.replace("\"prime\":2", "\"prime\":4"),
    ] {
        assert!(NoLift::from_json(broken).is_err(), "{broken}");
    }
}

#[test]
fn a_denominator_is_found_where_it_is_needed() {
    // 3 x = 1: modulo 2 that is x = 1, over Q it is 1/3.
    let one = vec![vec![Rational::from(1)]];
    let third = Rational::new(1, 3).unwrap();
    let target = Target::Dense(vec![1, 1, 1], [(0, Rational::from(1))].into());
    let scheme = Scheme::from_rationals(
        &[vec![vec![Rational::from(3)]], vec![vec![third]], one],
        target,
    )
    .unwrap();
    let LiftOutcome::Lifted(found) = lift(&scheme, None, &Lift::default()).unwrap() else {
        panic!("not lifted")
    };
    assert_eq!(
        examine(&found.scheme, None, SchemeField::Rationals)
            .unwrap()
            .verdict,
        Verdict::Exact
    );
}
