//! Times of exact polynomial arithmetic, one line of JSON a case, for `benches/peers/poly_vs_flint.py`.
//!
//! `cargo run --release --features bench --example poly_bench -- [CASE..]`: seconds of process time, the least of several runs.

#[path = "process.rs"]
mod process;

use serde_json::json;
use std::hint::black_box;
use std::time::Instant;
use wickring::poly::{Budget, Compiled, Integer, Poly, Rational};

type P = Poly<Integer>;

/// `1 + sum c x_v^d` for `(v, d, c)`.
fn linear(terms: &[(usize, u32, i64)]) -> P {
    let mut sum = vec![(vec![], Integer::from(1))];
    for &(v, d, c) in terms {
        let mut e = vec![0; v + 1];
        e[v] = d;
        sum.push((e, Integer::from(c)));
    }
    Poly::from_terms(sum)
}

fn pow(p: &P, k: u32) -> Result<P, wickring::Error> {
    p.pow_within(k, &Budget::default())
}

fn plus_one(p: &P) -> P {
    p + &Poly::constant(Integer::from(1))
}

fn simplex(nvars: usize, k: u32) -> Result<P, wickring::Error> {
    pow(
        &linear(&(0..nvars).map(|v| (v, 1, 1)).collect::<Vec<_>>()),
        k,
    )
}

/// A deterministic sequence, the same as in the Python script.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn support(&mut self, nvars: usize, degree: u64, n: usize) -> P {
        let terms = (0..n).map(|_| {
            let e = (0..nvars)
                .map(|_| ((self.next() >> 20) % (degree + 1)) as u32)
                .collect();
            (e, Integer::from((self.next() >> 44) as i64 - (1 << 19)))
        });
        Poly::from_terms(terms.collect::<Vec<_>>())
    }
    /// The same support with coefficients of `bits` bits.
    fn wide(&mut self, p: &P, bits: usize) -> P {
        let mut number = || {
            let words = (0..bits.div_ceil(64)).map(|_| self.next());
            let n = words.fold(Integer::from(0), |n, w| (n << 64) + Integer::from(w));
            (n % (Integer::from(1) << bits)) | Integer::from(1)
        };
        Poly::from_terms(p.iter().map(|(e, _)| (e, number())).collect::<Vec<_>>())
    }
}

/// Seconds of one call, the least of several runs; calls too short for the clock are timed many at a time.
fn best(least: f64, mut f: impl FnMut()) -> f64 {
    // The first calls find cold memory.
    (0..3).for_each(|_| f());
    let first = Instant::now();
    f();
    let once = first.elapsed().as_secs_f64();
    let calls = (1e-5 / once.max(1e-8)).ceil().clamp(1.0, 1000.0) as u32;
    let (mut best, mut runs) = (f64::INFINITY, 0);
    let all = Instant::now();
    while runs < 3 || (all.elapsed().as_secs_f64() < least && runs < 200_000) {
        let t = Instant::now();
        for _ in 0..calls {
            f();
        }
        best = best.min(t.elapsed().as_secs_f64() / f64::from(calls));
        runs += 1;
    }
    best
}

fn line(name: &str, terms: usize, seconds: f64) {
    #[allow(clippy::print_stdout)]
    {
        println!(
            "{}",
            json!({ "case": name, "terms": terms, "seconds": seconds })
        );
    }
}

fn product(name: &str, a: &P, b: &P) {
    let mut terms = 0;
    let seconds = best(0.3, || terms = black_box(black_box(a) * black_box(b)).len());
    line(name, terms, seconds);
}

/// `1 + sum c/d x_v^e` for `(v, e, c, d)`, raised to a power: every denominator occurs.
fn fractions(list: &[(usize, u32, i64, i64)], k: u32) -> Result<Poly<Rational>, wickring::Error> {
    let mut sum = Poly::constant(Rational::from_integers(1.into(), 1.into()).unwrap_or_default());
    for &(v, d, c, below) in list {
        let mut e = vec![0; v + 1];
        e[v] = d;
        let c = Rational::from_integers(c.into(), below.into()).unwrap_or_default();
        sum += &Poly::monomial(&e, c);
    }
    sum.pow_within(k, &Budget::default())
}

/// Products of polynomials over the rationals with many different denominators.
fn mixed() -> Result<(), wickring::Error> {
    let f = fractions(
        &[(0, 1, 1, 2), (1, 1, 1, 3), (2, 1, 1, 5), (3, 1, 1, 7)],
        10,
    )?;
    let one = Poly::constant(Rational::from_integers(1.into(), 1.into()).unwrap_or_default());
    let s = [
        (0, 1, 1, 2),
        (1, 1, 1, 3),
        (2, 2, 2, 5),
        (3, 3, 3, 7),
        (4, 5, 5, 11),
    ];
    let t = [
        (4, 1, 1, 2),
        (3, 1, 1, 3),
        (2, 2, 2, 5),
        (1, 3, 3, 7),
        (0, 5, 5, 11),
    ];
    let cases = [
        ("rational mixed fateman 10", f.clone(), &f + &one),
        (
            "rational mixed sparse 8",
            fractions(&s, 8)?,
            fractions(&t, 8)?,
        ),
    ];
    for (name, f, g) in &cases {
        let mut terms = 0;
        let seconds = best(0.3, || terms = black_box(black_box(f) * black_box(g)).len());
        line(name, terms, seconds);
    }
    Ok(())
}

/// Powers, in the ways that a library may take them.
fn powers() -> Result<(), wickring::Error> {
    let sparse = linear(&[(0, 1, 1), (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 5, 5)]);
    let cases = [
        (
            "pow linear 30",
            linear(&[(0, 1, 1), (1, 1, 1), (2, 1, 1), (3, 1, 1)]),
            30,
        ),
        ("pow sparse 20", sparse, 20),
        ("pow dense 4", simplex(4, 8)?, 4),
    ];
    for (name, base, k) in &cases {
        let (mut terms, mut failed) = (0, None);
        let seconds = best(0.3, || match pow(black_box(base), *k) {
            Ok(p) => terms = black_box(p).len(),
            Err(e) => failed = Some(e),
        });
        line(name, terms, seconds);
        failed.map_or(Ok(()), Err)?;
    }
    Ok(())
}

/// The factors of `sparse 12` and their product, once: the most memory that was held, beyond that at the start.
fn memory() -> Result<(), wickring::Error> {
    let before = process::memory("VmRSS").unwrap_or(0.0);
    let f = pow(
        &linear(&[(0, 1, 1), (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 5, 5)]),
        12,
    )?;
    let g = pow(
        &linear(&[(4, 1, 1), (3, 1, 1), (2, 2, 2), (1, 3, 3), (0, 5, 5)]),
        12,
    )?;
    let terms = black_box(&f * &g).len();
    // The column of seconds, where 1 byte is 1e-9.
    line(
        "memory sparse 12",
        terms,
        (process::memory("VmHWM").unwrap_or(0.0) - before) * 1e-9,
    );
    Ok(())
}

/// Values at a hundred thousand points.
fn evaluation(k: u32) -> Result<(), wickring::Error> {
    let p = simplex(4, k)?.map(|c| c.to_f64().value());
    let program = Compiled::new(std::slice::from_ref(&p))?;
    let mut random = Random(88_172_645_463_325_252);
    let mut column = || -> Vec<f64> {
        let unit = |n: u64| (n >> 11) as f64 / (1u64 << 52) as f64 - 1.0;
        (0..100_000).map(|_| unit(random.next())).collect()
    };
    let columns = [column(), column(), column(), column()];
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let mut failed = None;
    let seconds = best(0.3, || match program.eval_batch(black_box(&columns)) {
        Ok(values) => drop(black_box(values)),
        Err(e) => failed = Some(e),
    });
    line(&format!("eval {k}"), p.len(), seconds);
    failed.map_or(Ok(()), Err)
}

fn division(name: &str, a: &P, b: &P) -> Result<(), wickring::Error> {
    let (p, budget) = (a * b, Budget::default());
    let mut terms = 0;
    let mut failed = None;
    let seconds = best(0.3, || {
        match black_box(&p).divide_exact(black_box(a), &budget) {
            Ok(q) => terms = q.map_or(0, |q| q.len()),
            Err(e) => failed = Some(e),
        }
    });
    line(name, terms, seconds);
    failed.map_or(Ok(()), Err)
}

fn main() -> Result<(), wickring::Error> {
    let threads = std::env::var("THREADS")
        .ok()
        .and_then(|t| t.parse().ok())
        .unwrap_or(1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let want =
        |name: &str| wanted.is_empty() || wanted.iter().any(|w| name.starts_with(w.as_str()));
    match pool {
        Ok(pool) => pool.install(|| run(&want)),
        Err(_) => run(&want),
    }
}

fn run(want: &dyn Fn(&str) -> bool) -> Result<(), wickring::Error> {
    // First, before anything else has been held.
    if want("memory") {
        memory()?;
    }
    if want("pow") {
        powers()?;
    }
    for (n, k) in [(2, 1), (3, 2), (4, 2), (4, 3), (8, 2), (4, 4), (6, 3)] {
        if want("small") {
            let f = simplex(n, k)?;
            product(&format!("small {n} {k}"), &f, &plus_one(&f));
        }
    }
    for k in [6, 10, 15, 20] {
        if want("fateman") || want("divide fateman") {
            let f = simplex(4, k)?;
            let g = plus_one(&f);
            if want("fateman") {
                product(&format!("fateman {k}"), &f, &g);
            }
            if want("divide fateman") && k > 6 {
                division(&format!("divide fateman {k}"), &f, &g)?;
            }
        }
    }
    if want("signed") {
        let f = pow(&linear(&[(0, 1, -2), (1, 1, 3), (2, 1, -1), (3, 1, 1)]), 20)?;
        product("signed 20", &f, &plus_one(&f));
    }
    for k in [6, 8, 10, 12] {
        if want("sparse") || want("divide sparse") {
            let f = pow(
                &linear(&[(0, 1, 1), (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 5, 5)]),
                k,
            )?;
            let g = pow(
                &linear(&[(4, 1, 1), (3, 1, 1), (2, 2, 2), (1, 3, 3), (0, 5, 5)]),
                k,
            )?;
            if want("sparse") {
                product(&format!("sparse {k}"), &f, &g);
            }
            if want("divide sparse") {
                division(&format!("divide sparse {k}"), &f, &g)?;
            }
        }
    }
    for k in [4, 6] {
        if want("eight") {
            let f = simplex(8, k)?;
            product(&format!("eight {k}"), &f, &plus_one(&f));
        }
    }
    let mut random = Random(88_172_645_463_325_252);
    for (n, d) in [(5, 30), (6, 100), (3, 1000), (8, 20)] {
        let (f, g) = (random.support(n, d, 3000), random.support(n, d, 3000));
        if want("random") {
            product(&format!("random {n} {d}"), &f, &g);
        }
    }
    if want("bits") {
        let sparse = |k| {
            pow(
                &linear(&[(0, 1, 1), (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 5, 5)]),
                k,
            )
        };
        let bases = [
            ("4v8", simplex(4, 8)?),
            ("4v12", simplex(4, 12)?),
            ("sparse8", sparse(8)?),
            ("8v4", simplex(8, 4)?),
        ];
        for (name, base) in &bases {
            for bits in [100, 200, 500] {
                let mut random = Random(1_234_567);
                let (f, g) = (random.wide(base, bits), random.wide(base, bits));
                product(&format!("bits {name} {bits}"), &f, &g);
            }
        }
    }
    if want("rational") {
        let sixth =
            |p: &P| p.map(|c| Rational::from_integers(c.clone(), 6.into()).unwrap_or_default());
        let f = simplex(4, 10)?;
        let (f, g) = (sixth(&f), sixth(&plus_one(&f)));
        let mut terms = 0;
        let seconds = best(0.3, || {
            terms = black_box(black_box(&f) * black_box(&g)).len()
        });
        line("rational fateman 10", terms, seconds);
        let f = pow(
            &linear(&[(0, 1, 1), (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 5, 5)]),
            8,
        )?;
        let g = pow(
            &linear(&[(4, 1, 1), (3, 1, 1), (2, 2, 2), (1, 3, 3), (0, 5, 5)]),
            8,
        )?;
        let (f, g) = (sixth(&f), sixth(&g));
        let seconds = best(0.3, || {
            terms = black_box(black_box(&f) * black_box(&g)).len()
        });
        line("rational sparse 8", terms, seconds);
        mixed()?;
    }
    for k in [4, 8, 12] {
        if want("eval") {
            evaluation(k)?;
        }
    }
    if want("modular") {
        let f = simplex(4, 20)?;
        let g = plus_one(&f);
        let s = pow(
            &linear(&[(0, 1, 1), (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 5, 5)]),
            12,
        )?;
        let t = pow(
            &linear(&[(4, 1, 1), (3, 1, 1), (2, 2, 2), (1, 3, 3), (0, 5, 5)]),
            12,
        )?;
        for p in [32_003, 2_147_483_647, 4_611_686_018_427_387_847] {
            for (name, f, g) in [("fateman 20", &f, &g), ("sparse 12", &s, &t)] {
                let (f, g) = (f.reduced_mod(p), g.reduced_mod(p));
                let mut terms = 0;
                let budget = Budget::default();
                let seconds = best(0.3, || {
                    terms = f.mul_mod(&g, p, &budget).map_or(0, |r| black_box(r).len());
                });
                line(&format!("modular {name} {p}"), terms, seconds);
            }
        }
    }
    Ok(())
}
