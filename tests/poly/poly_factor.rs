//! Factors: forms that are known beforehand, many modular factors, several variables, clocks that are kept.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};
use wickring::Error;
use wickring::poly::{Budget, Factors, Poly, Rational, Vars};

fn read(text: &str) -> Poly<Rational> {
    Poly::parse(text, &mut Vars::fixed(["x", "y", "z", "w", "t"])).unwrap()
}

/// The factors, multiplied up again.
fn factored(p: &Poly<Rational>) -> Factors {
    let limit = Budget::default().deadline(Instant::now() + Duration::from_secs(60));
    let found = p.factor(&limit).unwrap();
    assert_eq!(found.expand(&Budget::default()).unwrap(), *p);
    found
}

fn degrees(found: &Factors) -> Vec<u64> {
    let mut all: Vec<u64> = found.factors.iter().map(|f| f.0.total_degree()).collect();
    all.sort_unstable();
    all
}

/// Small numbers from a fixed sequence.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, most: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as i64 % (2 * most + 1) - most
    }

    /// A polynomial of this degree in the first variable.
    fn univariate(&mut self, degree: u32, most: i64) -> Poly<Rational> {
        let lower = (0..degree).map(|k| (vec![k], Rational::from(self.next(most))));
        let lower: Vec<_> = lower.collect();
        Poly::from_terms(lower.into_iter().chain([(vec![degree], Rational::from(1))]))
    }
}

/// Swinnerton-Dyer's polynomial of the first primes: irreducible, with factors of degree two at most modulo every prime.
fn swinnerton_dyer(count: usize) -> Poly<Rational> {
    let x = Poly::<Rational>::variable(0);
    let mut f = x.clone();
    for p in [2, 3, 5, 7, 11, 13].into_iter().take(count) {
        // f(x - s) f(x + s) with s^2 = p: even and odd parts in s.
        let s = Poly::variable(1);
        let shifted = f.compose(&[&x + &s], &Budget::default()).unwrap();
        let (mut even, mut odd) = (Poly::zero(), Poly::zero());
        for (k, c) in shifted.coefficients_in(1) {
            let power = Rational::from(p).pow(k / 2);
            match k % 2 {
                0 => even += &c.scale(&power),
                _ => odd += &c.scale(&power),
            }
        }
        f = &(&even * &even) - &(&odd * &odd).scale(&Rational::from(p));
    }
    f
}

#[test]
fn roots_of_unity_and_binomials() {
    for (n, factors) in [(12, 6), (100, 9), (210, 16), (1000, 16), (997, 2)] {
        let p = read(&format!("x^{n} - 1"));
        assert_eq!(factored(&p).factors.len(), factors, "{n}");
    }
    for (text, wanted) in [
        ("x^64+1", vec![64]),
        ("x^96+1", vec![32, 64]),
        ("x^4+4", vec![2, 2]),
        ("x^12+64", vec![2, 2, 4, 4]),
        ("4*x^4+1", vec![2, 2]),
        ("8*x^9-27", vec![3, 6]),
        ("8*x^9+27", vec![3, 6]),
        ("x^6-4", vec![3, 3]),
        ("x^30-2", vec![30]),
        ("32*x^10+243*x^5", vec![1, 1, 1, 1, 1, 1, 4]),
        (
            "x^105+x^70+x^35+1",
            vec![1, 2, 4, 4, 6, 8, 8, 12, 12, 24, 24],
        ),
    ] {
        let found = factored(&read(text));
        if text.contains("243") {
            assert_eq!(found.factors[0].1, 5, "{text}");
            continue;
        }
        let sum: u64 = degrees(&found).iter().sum();
        assert_eq!(sum, read(text).total_degree(), "{text}");
        if text.len() < 10 {
            assert_eq!(degrees(&found), wanted, "{text}");
        }
    }
}

#[test]
fn many_modular_factors() {
    for count in 2..=5 {
        let p = swinnerton_dyer(count);
        assert_eq!(degrees(&factored(&p)), [1 << count]);
    }
    let (a, b) = (swinnerton_dyer(4), swinnerton_dyer(3));
    let shifted = a.compose(&[read("x + 1")], &Budget::default()).unwrap();
    assert_eq!(degrees(&factored(&(&(&a * &b) * &shifted))), [8, 16, 16]);
}

#[test]
fn products_of_random_factors() {
    let mut numbers = Numbers(7);
    for (count, degree, most) in [
        (2, 50, 100),
        (5, 20, 10),
        (12, 6, 5),
        (3, 1, 1000),
        (24, 3, 9),
    ] {
        let parts: Vec<_> = (0..count)
            .map(|_| numbers.univariate(degree, most))
            .collect();
        let product = parts.iter().fold(read("6"), |p, q| &p * q);
        let found = factored(&product);
        let number: u32 = found.factors.iter().map(|f| f.1).sum();
        assert!(number >= count, "{count} of degree {degree}");
    }
    let p = numbers.univariate(120, 1000);
    assert_eq!(factored(&p).factors.len(), 1);
}

/// The clock is asked inside of every step.
#[test]
fn deadlines_are_kept() {
    let hard = &swinnerton_dyer(6) * &read("x^301 - 17*x^2 + 3");
    let wide = &read("(x+2*y+3*z+w+5)^9 - 7") * &read("(x-y+z^2-w)^4+x*y*z*w+3");
    let modular = read("x^2999 + x^17 + 1").map(Rational::numerator);
    for (name, seconds) in [("hard", 0.05), ("wide", 0.3), ("modular", 0.2)] {
        let wait = Duration::from_secs_f64(seconds);
        let start = Instant::now();
        let limit = Budget::default().deadline(start + wait);
        let stopped = match name {
            "hard" => hard.factor(&limit).err(),
            "wide" => wide.factor(&limit).err(),
            _ => modular.factor_mod_within((1 << 61) - 1, &limit).err(),
        };
        let took = start.elapsed();
        assert!(
            took < wait.mul_f64(1.1) + Duration::from_millis(400),
            "{name}: {took:?}"
        );
        assert!(
            matches!(stopped, None | Some(Error::Stopped { .. })),
            "{name}: {stopped:?}"
        );
    }
}

/// Forms that Kronecker's substitution made hopeless.
#[test]
fn several_variables() {
    for (text, wanted) in [
        ("x^12-y^12", vec![1, 1, 2, 2, 2, 4]),
        ("x^15-y^15", vec![1, 2, 4, 8]),
        ("x^16-y^16", vec![1, 1, 2, 4, 8]),
        ("(x^8+3*y)*(x^8+y)", vec![8, 8]),
        ("(x^8-y^8)*(x^6-z^6)", vec![1, 1, 1, 1, 2, 2, 2, 4]),
        ("(x+y+z+w+1)^8-1", vec![1, 1, 2, 4]),
        ("x*y^2*(x*y-z)^2*(x+y+1)", vec![1, 1, 1, 2]),
        ("4*x^4+y^4", vec![2, 2]),
        ("(x^2-2*y)*(y^2-3*x*z)*(x*y*z-7)", vec![2, 2, 3]),
        ("(y^2+3)*(x^3*y+z*x-1)*((y*z-5)*x^2+y*x+z^3)", vec![2, 4, 4]),
        (
            "((2*y+1)*x^2+3*y)*((2*y+1)*x^2-y^3+4)*((6*y+3)*x^3+1)",
            vec![3, 3, 4],
        ),
        ("(x^4+y*x^3-3*y^2+2)*(y^3*x^4-x*y+7*y+1)", vec![4, 7]),
        ("x^2*y^2+x^2+y^2+12345678901234567890123", vec![4]),
    ] {
        let found = factored(&read(text));
        assert_eq!(degrees(&found), wanted, "{text}");
    }
    let large = read("(10^30*x^2+y*z^3-10^25)*(x^2*y-7^40*z+1)*(x*z-y^2+11^22)");
    assert_eq!(factored(&large).factors.len(), 3);
}

#[test]
fn sparse_and_dense_products_in_several_variables() {
    let mut numbers = Numbers(11);
    for (variables, degree, terms, count) in
        [(2, 4, 15, 2), (3, 2, 10, 3), (5, 2, 6, 2), (3, 5, 8, 2)]
    {
        let mut product = read("1");
        for _ in 0..count {
            let part = Poly::from_terms(
                (0..terms)
                    .map(|_| {
                        let each = |_| numbers.next(degree).unsigned_abs() as u32;
                        let e: Vec<u32> = (0..variables).map(each).collect();
                        (e, Rational::from(numbers.next(50)))
                    })
                    .collect::<Vec<_>>(),
            );
            product = &product * &(&part + &read("3"));
        }
        let found = factored(&product);
        let number: u32 = found.factors.iter().map(|f| f.1).sum();
        assert!(number >= count, "{variables} variables");
    }
}

/// A prime with fewer elements than points are needed: an extension has enough.
#[test]
fn divisors_modulo_a_small_prime() {
    let a = read("11+x^7*y^14+z^7*x^14+y^7");
    let c = read("z*y^2*x^2-2*y^3*x-1234*z^7*x^12*y^13");
    let f = &(&a * &a) * &c;
    let slope = f.derivative(0);
    let limit = Budget::default().deadline(Instant::now() + Duration::from_secs(20));
    let found = f.gcd_mod(&slope, 17, &limit).unwrap();
    let image = |p: &Poly<Rational>| p.modulo(17).unwrap();
    let divisor = found.map(|c| Rational::from(c.clone()));
    let divides = |p: &Poly<Rational>, by: &Poly<Rational>| {
        image(p)
            .divide_exact(&image(by), &Budget::default())
            .unwrap()
    };
    // What is left of the two has no common factor, and the known one is in the answer.
    let (u, v) = (
        divides(&f, &divisor).unwrap(),
        divides(&slope, &divisor).unwrap(),
    );
    let back =
        |p: &Poly<wickring::poly::Residue>| p.to_integers().map(|c| Rational::from(c.clone()));
    assert_eq!(
        back(&u)
            .gcd_mod(&back(&v), 17, &limit)
            .unwrap()
            .total_degree(),
        0
    );
    assert!(divides(&divisor, &a).is_some());
    for p in [2, 3, 5, 7] {
        let (g, h) = (read("x^3*y+y^2*z+x+1"), read("(x*y+z)^3+x^2+y"));
        let common = read("x^2*z+y^2+x*y+1");
        let found = (&g * &common).gcd_mod(&(&h * &common), p, &limit).unwrap();
        let found = found.map(|c| Rational::from(c.clone()));
        assert!(image_of(&found, &common, p), "modulo {p}");
    }
}

fn image_of(f: &Poly<Rational>, by: &Poly<Rational>, p: u64) -> bool {
    let (f, by) = (f.modulo(p).unwrap(), by.modulo(p).unwrap());
    f.divide_exact(&by, &Budget::default()).unwrap().is_some()
}

#[test]
fn one_polynomial_divides_the_other() {
    let (a, b) = (read("(x+y*z^2-3)^3*(w-x^2)"), read("(x+y*z^2-3)^2"));
    let found = a.gcd(&b, &Budget::default()).unwrap();
    assert_eq!(found, b);
    assert_eq!(b.gcd(&a, &Budget::default()).unwrap(), b);
}

/// Coefficients that vanish modulo the primes that images are taken by: the divisor must not be lost with them.
#[test]
fn leading_coefficients_divisible_by_the_primes_in_use_lose_nothing() -> Result<(), Error> {
    let primes = [
        (1u64 << 61) - 1,
        (1 << 62) - 57,
        2_147_483_647,
        1_125_899_906_842_597,
    ];
    for p in primes {
        let mut vars = Vars::fixed(["x", "y", "z"]);
        let mut read =
            |text: &str| Poly::<Rational>::parse(&text.replace('M', &p.to_string()), &mut vars);
        for (divisor, a, b) in [
            ("M*x+y", "x+1", "x+2"),
            ("M*x*y+1", "x+z", "y*z-2"),
            ("(M*x*y*z+x^2+3)*(M*x+y)", "(M*x+y)*(x+z)", "y*z-2"),
            ("M*x^5+x+1", "M*x^3+2", "x^4-M"),
        ] {
            let divisor = read(divisor)?;
            let (a, b) = (&divisor * &read(a)?, &divisor * &read(b)?);
            let found = a.gcd(&b, &Budget::default())?;
            assert_eq!(
                found,
                divisor.gcd(&divisor, &Budget::default())?,
                "modulo {p}"
            );
        }
        let power = read("(M*x*y+z)^2*(M*x+z^2*y)")?;
        let found = power.factor(&Budget::default())?;
        let mut exponents: Vec<u32> = found.factors.iter().map(|(_, e)| *e).collect();
        exponents.sort_unstable();
        assert_eq!(exponents, [1, 2], "modulo {p}");
    }
    Ok(())
}

/// Irrational roots nearer to a rational one than the width that was asked for.
#[test]
fn roots_around_an_exact_one_are_separated() -> Result<(), Error> {
    for (text, bits) in [
        ("(x-1)*(10^40*(x-1)^2-2)", 53),
        ("(2*x+3)*(10^60*(2*x+3)^3-7)", 53),
        ("(1024*x+1)*(10^90*(1024*x+1)^2-3)", 53),
        ("(2*x+3)*(x^2-2)", 3),
    ] {
        let p = Poly::<Rational>::parse(text, &mut Vars::new())?;
        let roots = p.real_roots(bits, &Budget::default())?;
        let exact = roots.iter().filter(|r| r.exact().is_some()).count();
        assert_eq!(
            (roots.len(), exact),
            (if text.contains("^3") { 2 } else { 3 }, 1),
            "{text}"
        );
        assert!(roots.windows(2).all(|w| w[0].high < w[1].low), "{text}");
    }
    Ok(())
}

/// Powers of variables are taken out at once, however high.
#[test]
fn high_powers_of_variables_cost_nothing() -> Result<(), Error> {
    for (text, exponents) in [
        ("x^4294967290*y", vec![1, 4_294_967_290]),
        ("x^40000000*(x+1)*y", vec![1, 1, 40_000_000]),
        ("6*x^400000*y^3*(x*y-1)^2*z", vec![1, 2, 3, 400_000]),
        ("x^5*(x+y)^5*z^5", vec![5, 5, 5]),
    ] {
        let limit = Budget::default().deadline(Instant::now() + Duration::from_secs(10));
        let found = read(text).factor(&limit)?;
        let mut times: Vec<u32> = found.factors.iter().map(|(_, k)| *k).collect();
        times.sort_unstable();
        assert_eq!(times, exponents, "{text}");
    }
    Ok(())
}
