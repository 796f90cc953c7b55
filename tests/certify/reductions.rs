//! Reducing, printing and comparing schemes.

#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::panic)] // helpers of tests

use crate::workshop::search;
use wickring::poly::Rational;
use wickring::run::unobserved;
use wickring::scheme::{
    EquivalenceSearch, ProgramLanguage, Reduce, Scheme, SchemeField, SchemeFormat, SchemeProgram,
    Search, SearchField, Target, Verdict, equivalent_modulo_two, examine, invariants, read_schemes,
};

#[test]
fn reduced_schemes_are_exact_and_cheaper() {
    let seven = search([2, 2, 2], 7, SearchField::Z, 5);
    let reduce = Reduce {
        additions: Some(15),
        seed: 2,
        ..Reduce::default()
    };
    let found = reduce.reduce(&seven, None, &mut unobserved).unwrap();
    assert_eq!(found.program.additions().iter().sum::<usize>(), 15);
    for (dims, rank, most) in [([2, 3, 3], 15, 60), ([3, 3, 3], 23, 66)] {
        let scheme = search(dims, rank, SearchField::ZT, 0);
        let reduce = Reduce {
            steps: 1 << 12,
            ..Reduce::default()
        };
        let found = reduce.reduce(&scheme, None, &mut unobserved).unwrap();
        let total: usize = found.program.additions().iter().sum();
        assert!(total <= found.reduced_before && found.reduced_before <= found.naive_before);
        assert!(total <= most, "{dims:?}: {total}");
        let judged = examine(&found.scheme, None, SchemeField::Integers).unwrap();
        assert_eq!(
            (judged.verdict, judged.convention()),
            (Verdict::Exact, String::new())
        );
        assert_eq!(
            found.program.scheme().unwrap().factors,
            found.scheme.factors
        );
        // The reduced form of the catalogues is read as the same scheme.
        let again = read_schemes(
            &found.program.to_reduced_json().unwrap(),
            SchemeFormat::Json,
            "",
        )
        .unwrap();
        assert_eq!(again[0].factors, found.scheme.factors);
    }
}

#[test]
fn programs_are_printed_in_every_language_and_counted() {
    let mut schemes = vec![
        search([2, 2, 2], 7, SearchField::Z, 1),
        search([2, 1, 11], 22, SearchField::Z, 1),
        search([3, 3, 3], 23, SearchField::Z, 2),
    ];
    let text = "(1/2*a11-3*a12)*(2*b11+b21)*(c11)\n(a12)*(b21+2/3*b11)*(-c11/2)\n";
    schemes.push(
        read_schemes(text, SchemeFormat::Products, "1x2x1")
            .unwrap()
            .remove(0),
    );
    for scheme in schemes {
        for program in [
            SchemeProgram::plain(&scheme).unwrap(),
            SchemeProgram::eliminated(&scheme, 8, 0).unwrap(),
        ] {
            for language in ProgramLanguage::ALL {
                let text = program.print(language).unwrap();
                let signs = match language {
                    ProgramLanguage::Slp => text
                        .lines()
                        .filter(|l| l.contains(":="))
                        .collect::<Vec<_>>()
                        .join("\n"),
                    _ => continue,
                };
                let count = signs.matches(" + ").count() + signs.matches(" - ").count();
                assert_eq!(count, program.additions().iter().sum::<usize>());
                let again = read_schemes(&text, SchemeFormat::Assignments, "")
                    .unwrap()
                    .remove(0);
                assert_eq!(again.factors, scheme.factors);
            }
        }
    }
}

/// The Python that is printed multiplies block matrices as the definition does.
#[test]
fn printed_python_multiplies() {
    let has_python = std::process::Command::new("python3")
        .arg("--version")
        .output()
        .is_ok_and(|o| o.status.success());
    if !has_python {
        eprintln!("skipped: no python3");
        return;
    }
    for (dims, rank) in [([2, 2, 2], 7), ([2, 3, 2], 11)] {
        let program =
            SchemeProgram::eliminated(&search(dims, rank, SearchField::Z, 3), 8, 0).unwrap();
        let [n, m, p] = dims;
        let check = format!(
            "\nimport random\nrandom.seed(1)\n\
             m = lambda r, c: [[random.randint(-99, 99) for _ in range(c)] for _ in range(r)]\n\
             for s in (1, 2, 3):\n\
             \x20   a, b = m({n} * s, {m} * s), m({m} * s, {p} * s)\n\
             \x20   plain = [[sum(x * y for x, y in zip(r, c)) for c in zip(*b)] for r in a]\n\
             \x20   assert multiply(a, b) == plain, (a, b)\n\
             print('right')\n"
        );
        let text = program.print(ProgramLanguage::Python).unwrap() + &check;
        let run = std::process::Command::new("python3")
            .args(["-c", &text])
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&run.stdout),
            "right\n",
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
    }
}

#[test]
fn programs_with_assignments_are_read_and_judged() {
    // Strassen, as catalogues write it: outputs inline, a product inside an output, P for m.
    let text = "# Strassen\nP1 := (a11+a22)*(b11+b22);\nP2 := (a21+a22)*b11;\nP3 := a11*(b12-b22);\nP4 := a22*(b21-b11);\n\
                P5 := (a11+a12)*b22;\nP6 := (a21-a11)*(b11+b12);\n\
                c11 := P1+P4-P5+(a12-a22)*(b21+b22);\nc12 := P3+P5;\nc21 := P2+P4;\nc22 := P1-P2+P3+P6;\n";
    assert_eq!(SchemeFormat::of_text(text), Some(SchemeFormat::Assignments));
    let scheme = read_schemes(text, SchemeFormat::Assignments, "")
        .unwrap()
        .remove(0);
    assert_eq!(
        (scheme.rank(), scheme.target.clone()),
        (7, Some(Target::Matmul([2, 2, 2])))
    );
    assert_eq!(
        examine(&scheme, None, SchemeField::Integers)
            .unwrap()
            .verdict,
        Verdict::Exact
    );
    let wrong = read_schemes(
        &text.replace("P1-P2", "P1+P2"),
        SchemeFormat::Assignments,
        "",
    )
    .unwrap()
    .remove(0);
    assert_eq!(
        examine(&wrong, None, SchemeField::Integers)
            .unwrap()
            .verdict,
        Verdict::Wrong
    );
    // Numbers of parameters: the product of complex numbers in three.
    let text = "m1 = a1*(b1+b2)\nm2 = (a1+a2)b2\nm3 = (a2-a1)*b1\nc1 = m1-m2\nc2 = m1+m3\n";
    let scheme = read_schemes(text, SchemeFormat::Assignments, "")
        .unwrap()
        .remove(0);
    let found = examine(
        &scheme,
        Some(&Target::parse("complex").unwrap()),
        SchemeField::Integers,
    )
    .unwrap();
    assert_eq!(found.verdict, Verdict::Exact);
}

#[test]
fn invariants_do_not_change_and_equivalence_has_a_certificate() {
    let target = Target::Matmul([2, 2, 2]);
    let (one, two) = (
        search([2, 2, 2], 7, SearchField::ZT, 0),
        search([2, 2, 2], 7, SearchField::ZT, 8),
    );
    let found = [&one, &two].map(|s| invariants(s, &target, None, true).unwrap());
    assert_eq!(found[0].type_polynomial(), "6 X Y Z + 1 X^2 Y^2 Z^2");
    assert_eq!(found[0].types, found[1].types);
    assert_eq!(
        (found[0].jacobian_rank, found[0].family_dimension),
        (Some(61), Some(9))
    );
    assert_eq!(
        (found[0].stabiliser_dimension, found[0].orbit_dimension),
        (Some(0), Some(9))
    );
    let EquivalenceSearch::Equivalent(map) =
        equivalent_modulo_two(&one, &two, &target, None).unwrap()
    else {
        panic!("Strassen's algorithm is unique (de Groote 1978)")
    };
    assert!(map.matrices.iter().all(|m| m.len() == 2));
    let mut products = map.products.clone();
    products.sort_unstable();
    assert_eq!(products, (0..7).collect::<Vec<_>>());
}

#[test]
fn walked_schemes_are_equivalent_to_themselves_and_others_are_told_apart() {
    let target = Target::Matmul([2, 2, 3]);
    let classical = Search {
        flips: 1,
        walkers: 1,
        ..Search::default()
    }
    .standard(&target, &mut unobserved)
    .unwrap()
    .scheme;
    let eleven = search([2, 2, 3], 11, SearchField::ZT, 0);
    let differ = |a: &Scheme, b: &Scheme| equivalent_modulo_two(a, b, &target, None).unwrap();
    assert!(matches!(
        differ(&eleven, &eleven),
        EquivalenceSearch::Equivalent(_)
    ));
    assert!(matches!(
        differ(&classical, &eleven),
        EquivalenceSearch::Different(_)
    ));
    // Sandwiching by the cooled walk keeps the class of <2,2,2;7>, and never leaves the tensor of others.
    let reduced = Reduce {
        steps: 4096,
        ..Reduce::default()
    }
    .reduce(&eleven, None, &mut unobserved)
    .unwrap();
    assert_eq!(
        examine(&reduced.scheme, Some(&target), SchemeField::Integers)
            .unwrap()
            .verdict,
        Verdict::Exact
    );
}

/// A product that one factor makes vanish is no product of the program, with or without common sums.
#[test]
fn terms_that_vanish_are_no_products_of_a_program() {
    let one = || vec![vec![Rational::from(1), Rational::from(1)]];
    let half_zero = vec![vec![Rational::from(1), Rational::from(0)]];
    let target = Target::Matmul([1, 1, 1]);
    let scheme = Scheme::from_rationals(&[one(), half_zero, one()], target).unwrap();
    for program in [
        SchemeProgram::plain(&scheme).unwrap(),
        SchemeProgram::eliminated(&scheme, 8, 0).unwrap(),
    ] {
        assert_eq!((program.products(), program.additions()), (1, [0; 3]));
    }
}
