//! Groebner bases against Buchberger's criterion for all pairs by plain division, over Q and modulo primes, in every order.
#![allow(clippy::unwrap_used)] // set-up of tests fails loudly

use wickring::Error;
use wickring::poly::{
    Budget, GroebnerBasis, IdealField, Order, Poly, Rational, Ring, Vars, eliminate,
    groebner_basis, groebner_basis_mod, in_radical, saturate,
};

type P = Poly<Rational>;

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
    fn poly(&mut self, nvars: usize, degree: u64, terms: usize, most: i64) -> P {
        Poly::from_terms((0..terms).map(|_| {
            let mut row = vec![0; nvars];
            for _ in 0..self.below(degree + 1) {
                row[self.below(nvars as u64) as usize] += 1;
            }
            let c = self.below(2 * most as u64 + 1) as i64 - most;
            let d = 1 + self.below(3) as i64;
            (row, Rational::new(c, d).unwrap())
        }))
    }
}

fn orders() -> [Order; 6] {
    [
        Order::Lex,
        Order::DegLex,
        Order::DegRevLex,
        Order::Block(1),
        Order::Block(2),
        Order::Weight(vec![2, 0, 3]),
    ]
}

/// Buchberger's criterion for all pairs, and the generators' remainders, by [`Poly::div_rem`].
fn is_basis<C: Ring + std::fmt::Display>(
    found: &GroebnerBasis<C>,
    generators: &[Poly<C>],
) -> Result<bool, Error> {
    let budget = Budget::default();
    let zero = |p: &Poly<C>| Ok::<_, Error>(found.normal_form(p, &budget)?.is_zero());
    for g in generators {
        if !zero(g)? {
            return Ok(false);
        }
    }
    let at = |e: &[u32], v: usize| e.get(v).copied().unwrap_or(0);
    for (j, g) in found.basis.iter().enumerate() {
        for f in &found.basis[..j] {
            let (a, x) = f.leading_term_in(&found.order).unwrap();
            let (b, y) = g.leading_term_in(&found.order).unwrap();
            let n = a.len().max(b.len());
            let up = |e: &[u32]| -> Vec<u32> {
                (0..n)
                    .map(|v| at(&a, v).max(at(&b, v)) - at(e, v))
                    .collect()
            };
            let left = f * &Poly::monomial(&up(&a), y);
            if !zero(&(&left - &(g * &Poly::monomial(&up(&b), x))))? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

#[test]
fn random_systems_in_every_order() -> Result<(), Error> {
    let (mut random, budget) = (Random(5), Budget::default());
    for round in 0..60usize {
        let most = if round % 5 == 4 { 1 << 40 } else { 9 };
        let count = 2 + round % 2;
        let system: Vec<P> = (0..count).map(|_| random.poly(3, 2, 3, most)).collect();
        if system.iter().all(P::is_zero) {
            continue;
        }
        let order = &orders()[round % 6];
        let found = groebner_basis(&system, 3, order, false, &budget)?;
        assert!(is_basis(&found, &system)?, "{system:?} {order:?}");
        for p in [2, 7, 32003, 4611686018427387847] {
            if system
                .iter()
                .all(|g| g.modulo(p).map_or(true, |g| g.is_zero()))
            {
                continue;
            }
            let Ok(found) = groebner_basis_mod(&system, 3, p, order, false, &budget) else {
                // A denominator.
                assert!(p < 7);
                continue;
            };
            let images: Vec<_> = system.iter().map(|g| g.modulo(p).unwrap()).collect();
            assert!(is_basis(&found, &images)?, "{system:?} {order:?} mod {p}");
        }
    }
    Ok(())
}

/// With cofactors the same basis comes out, and members have theirs.
#[test]
fn cofactors_multiply_up() -> Result<(), Error> {
    let (mut random, budget) = (Random(11), Budget::default());
    for round in 0..20usize {
        let system: Vec<P> = (0..2).map(|_| random.poly(3, 2, 3, 5)).collect();
        if system.iter().any(P::is_zero) {
            continue;
        }
        let order = &orders()[round % 6];
        let plain = groebner_basis(&system, 3, order, false, &budget)?;
        let found = groebner_basis(&system, 3, order, true, &budget)?;
        let monic = |b: &[P]| -> Vec<P> {
            let each = b.iter().map(|g| {
                let c = g.leading_term_in(order).unwrap().1;
                g.scale(&c.recip().unwrap())
            });
            each.collect()
        };
        assert_eq!(monic(&plain.basis), monic(&found.basis));
        let member = system
            .iter()
            .fold(P::zero(), |s, g| &s + &(g * &random.poly(3, 2, 3, 5)));
        let h = found.membership(&member, &budget)?.unwrap();
        let sum = h
            .iter()
            .zip(&system)
            .fold(P::zero(), |s, (h, g)| &s + &(h * g));
        assert_eq!(sum, member);
    }
    Ok(())
}

fn parsed(vars: &mut Vars, texts: &[&str]) -> Vec<P> {
    texts.iter().map(|t| P::parse(t, vars).unwrap()).collect()
}

/// Curves and surfaces from their parametrisations.
#[test]
fn elimination_gives_equations() -> Result<(), Error> {
    let (budget, mut vars) = (Budget::default(), Vars::fixed(["s", "x", "t", "y", "z"]));
    let whitney = parsed(&mut vars, &["x - s*t", "y - s", "z - t^2"]);
    let found = eliminate(&whitney, 5, &[0, 2], &budget)?;
    assert_eq!(found.basis, parsed(&mut vars, &["y^2*z - x^2"]));
    let free = parsed(&mut vars, &["x - s"]);
    assert!(eliminate(&free, 5, &[0], &budget)?.basis.is_empty());
    // Eliminating nothing is a basis like any other.
    let same = eliminate(&whitney, 5, &[], &budget)?;
    assert_eq!(
        same.basis,
        groebner_basis(&whitney, 5, &Order::DegRevLex, false, &budget)?.basis
    );
    assert!(eliminate(&whitney, 5, &[9], &budget).is_err());
    // Members without the variables are found by lexicographic bases as well.
    let mut random = Random(3);
    for _ in 0..10 {
        let system: Vec<P> = (0..3).map(|_| random.poly(3, 2, 3, 4)).collect();
        if system.iter().all(P::is_zero) {
            continue;
        }
        let found = eliminate(&system, 3, &[0], &budget)?;
        let lex = groebner_basis(&system, 3, &Order::Lex, false, &budget)?;
        let kept: Vec<P> = lex.basis.into_iter().filter(|g| g.degree(0) == 0).collect();
        for g in &kept {
            assert!(found.normal_form(g, &budget)?.is_zero(), "{system:?}");
        }
        if !kept.is_empty() {
            let other = groebner_basis(&kept, 3, &Order::DegRevLex, false, &budget)?;
            assert_eq!(other.basis, found.basis, "{system:?}");
        }
    }
    Ok(())
}

fn radicals<C: IdealField>(image: impl Fn(&P) -> Poly<C>) -> Result<(), Error> {
    let (budget, mut vars) = (Budget::default(), Vars::fixed(["x", "y"]));
    let f = parsed(&mut vars, &["(x - y)^3*(x + 2*y + 1)^2", "(x - y)^4*y^2"]);
    let f: Vec<Poly<C>> = f.iter().map(&image).collect();
    let mut asked = |t: &str| image(&P::parse(t, &mut vars).unwrap());
    // The points are the line x = y and (-1, 0).
    let cases = [
        ("x - y", false),
        ("x^2 - y^2", false),
        ("x", false),
        ("0", true),
        ("(x - y)*y", true),
        ("(x - y)*(x + 2*y + 1)", true),
        ("(x - y)*(x + 1)", true),
        ("(x - y)*(x + 2)", false),
    ];
    for (p, holds) in cases {
        assert_eq!(in_radical(&f, 2, &asked(p), &budget)?, holds, "{p}");
    }
    let found = saturate(&f, 2, &asked("x - y"), &budget)?;
    let rest = [asked("(x + 2*y + 1)^2"), asked("y^2")];
    let rest = rest
        .iter()
        .map(|g| found.normal_form(g, &budget))
        .collect::<Result<Vec<_>, _>>()?;
    assert!(rest.iter().all(Poly::is_zero));
    assert_eq!(found.quotient_dimension()?, Some(4));
    assert_eq!(found.dimension()?, Some(0));
    Ok(())
}

#[test]
fn radicals_and_saturations() -> Result<(), Error> {
    radicals(|p| p.clone())?;
    radicals(|p| p.modulo(10007).unwrap())
}

#[test]
fn dimensions_of_known_sets() -> Result<(), Error> {
    let (budget, mut vars) = (Budget::default(), Vars::fixed(["x", "y", "z", "w"]));
    let cases: [(&[&str], Option<usize>); 5] = [
        (&["x*y", "x*z"], Some(3)),
        (&["x*z - y^2", "y*w - z^2", "x*w - y*z"], Some(2)),
        (&["x", "x - 1"], None),
        (&["x^2", "y^2", "z^2", "w^3"], Some(0)),
        (&["x*y*z*w"], Some(3)),
    ];
    for (texts, wanted) in cases {
        let system = parsed(&mut vars, texts);
        let found = groebner_basis(&system, 4, &Order::DegRevLex, false, &budget)?;
        assert_eq!(found.dimension()?, wanted, "{texts:?}");
    }
    Ok(())
}

/// A deadline that has passed is told by the operation that was called, not by one inside it.
#[test]
fn stopped_operations_give_their_own_names() -> Result<(), Error> {
    let mut vars = Vars::fixed(["x", "y"]);
    let [f, g] = ["(x + y)^3*(x - 2*y + 1)", "(x + y)^2*(x^2 + y)"].map(|t| P::parse(t, &mut vars));
    let (f, g) = (f?, g?);
    let line = P::parse("x^5 - x - 1", &mut vars)?;
    let late = Budget::default().deadline(std::time::Instant::now());
    let all = [f.clone(), g.clone()];
    let stops: [(&str, Option<Error>); 10] = [
        ("Poly::gcd", f.gcd(&g, &late).err()),
        ("Poly::gcd_mod", f.gcd_mod(&g, 17, &late).err()),
        ("Poly::factor", f.factor(&late).err()),
        ("Poly::square_free_part", f.square_free_part(&late).err()),
        ("Poly::resultant", f.resultant(&g, 0, &late).err()),
        ("Poly::discriminant", line.discriminant(0, &late).err()),
        ("Poly::real_roots", line.real_roots(53, &late).err()),
        ("eliminate", eliminate(&all, 2, &[0], &late).err()),
        ("saturate", saturate(&all, 2, &f, &late).err()),
        ("in_radical", in_radical(&all, 2, &f, &late).err()),
    ];
    for (name, error) in stops {
        assert!(
            matches!(error, Some(Error::Stopped { op }) if op == name),
            "{name}: {error:?}"
        );
    }
    Ok(())
}
