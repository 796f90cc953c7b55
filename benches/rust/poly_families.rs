//! Times of polynomial arithmetic over families of instances drawn from a seed, for `benches/peers/families_vs_flint.py`.
//!
//! `cargo run --release --no-default-features --features "poly bench" --example poly_families -- --seed 7 [WORD..]` prints one line of
//! JSON for each operation and family whose name contains one of the words: seconds, the least of several calls, with
//! the number of terms of the answer and its value at a point modulo `2^61 - 1`.

use serde_json::json;
use std::hint::black_box;
use std::time::Instant;
use wickring::poly::{Budget, Compiled, Integer, Poly};

type P = Poly<Integer>;

/// The prime of the comparisons.
const M: u64 = (1 << 61) - 1;

/// A deterministic sequence, the same as in the Python script.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 20) % n
    }
    fn number(&mut self, bits: usize) -> Integer {
        let words = (0..bits.div_ceil(64)).map(|_| self.next());
        let n = words.fold(Integer::from(0), |n, w| (n << 64) + Integer::from(w));
        let n = n % (Integer::from(1) << bits) + Integer::from(1);
        if self.next() >> 40 & 1 == 1 { -n } else { n }
    }
    /// Random terms with exponents up to `degree`; every hundredth coefficient, from the first on, has `long` bits.
    fn sparse(&mut self, (nvars, degree): (usize, u64), n: usize, bits: usize, long: usize) -> P {
        let terms = (0..n).map(|i| {
            let e = (0..nvars).map(|_| self.below(degree + 1) as u32).collect();
            (e, self.number(if i % 100 == 0 { long } else { bits }))
        });
        Poly::from_terms(terms.collect::<Vec<_>>())
    }
    /// Every exponent up to `degree`, the last variable first.
    fn dense(&mut self, (nvars, degree): (usize, u64), bits: usize) -> P {
        let side = degree + 1;
        let terms = (0..side.pow(nvars as u32)).map(|k| {
            let digit = |v: usize| (k / side.pow((nvars - 1 - v) as u32) % side) as u32;
            ((0..nvars).map(digit).collect(), self.number(bits))
        });
        Poly::from_terms(terms.collect::<Vec<_>>())
    }
}

/// Seconds of one call, the least of several; short calls are timed many at a time.
fn best(mut f: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..2).for_each(|_| f());
    let t = Instant::now();
    f();
    let once = t.elapsed().as_secs_f64();
    let calls = (2e-4 / once.max(1e-8)).ceil().clamp(1.0, 10_000.0) as u32;
    let (mut best, mut runs) = (f64::INFINITY, 0);
    while runs < 5 || (start.elapsed().as_secs_f64() < 0.2 && runs < 1000) {
        let t = Instant::now();
        (0..calls).for_each(|_| f());
        best = best.min(t.elapsed().as_secs_f64() / f64::from(calls));
        runs += 1;
    }
    best
}

/// The value at `x_v = 3 v + 5` modulo `2^61 - 1`.
fn value(p: &P) -> u64 {
    let mul = |a: u64, b: u64| (u128::from(a) * u128::from(b) % u128::from(M)) as u64;
    let power = |x: u64, e: u32| {
        let bits = (0..32).rev();
        bits.fold(1, |r, b| {
            let r = mul(r, r);
            if e >> b & 1 == 1 { mul(r, x) } else { r }
        })
    };
    p.iter().fold(0, |sum, (e, c)| {
        let c = ((c % Integer::from(M)) + Integer::from(M)) % Integer::from(M);
        let c = u64::try_from(c).unwrap_or(0);
        let each = e.iter().enumerate();
        let monomial = each.fold(1, |m, (v, &k)| mul(m, power(3 * v as u64 + 5, k)));
        (sum + mul(c, monomial)) % M
    })
}

struct Bench {
    words: Vec<String>,
}

impl Bench {
    fn wanted(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|w| name.contains(w))
    }

    fn line(&self, name: &str, terms: usize, value: u64, seconds: f64) {
        #[allow(clippy::print_stdout)]
        {
            println!(
                "{}",
                json!({ "case": name, "terms": terms, "value": value, "seconds": seconds })
            );
        }
    }

    /// One line: the operation, timed, and its answer.
    fn run(
        &self,
        name: &str,
        mut f: impl FnMut() -> Result<P, wickring::Error>,
    ) -> Result<(), wickring::Error> {
        if self.wanted(name) {
            let answer = f()?;
            let seconds = best(|| {
                let _ = black_box(f());
            });
            self.line(name, answer.len(), value(&answer), seconds);
        }
        Ok(())
    }

    fn family(&self, name: &str, a: &P, b: &P, few: &P) -> Result<(), wickring::Error> {
        let budget = Budget::default();
        let none = || Poly::zero();
        self.run(&format!("add {name}"), || Ok(a + b))?;
        self.run(&format!("mul {name}"), || a.mul_within(b, &budget))?;
        self.run(&format!("square {name}"), || a.mul_within(a, &budget))?;
        self.run(&format!("power {name}"), || few.pow_within(5, &budget))?;
        let product = a.mul_within(b, &budget)?;
        let quotient = |p: &P| Ok(p.divide_exact(b, &budget)?.unwrap_or_else(none));
        self.run(&format!("divide {name}"), || quotient(&product))?;
        let inexact = &product + &Poly::constant(Integer::from(1));
        self.run(&format!("inexact {name}"), || quotient(&inexact))
    }

    /// Polynomials with affine images for their variables.
    fn compose(
        &self,
        random: &mut Random,
        name: &str,
        p: &P,
        images: usize,
    ) -> Result<(), wickring::Error> {
        let nvars = p.nvars();
        let image = |random: &mut Random| {
            let mut terms = vec![(vec![], random.number(5))];
            for v in 0..images {
                let mut e = vec![0; v + 1];
                e[v] = 1;
                terms.push((e, random.number(5)));
            }
            Poly::from_terms(terms)
        };
        let images: Vec<P> = (0..nvars).map(|_| image(random)).collect();
        self.run(&format!("compose {name}"), || {
            p.compose(&images, &Budget::default())
        })
    }

    /// Values at many points: seconds of all, and the sum of the values instead of a residue.
    fn evaluate(&self, name: &str, p: &P, hessian: bool) -> Result<(), wickring::Error> {
        const POINTS: usize = 20_000;
        let name = format!("evaluate {name}");
        if !self.wanted(&name) {
            return Ok(());
        }
        let q = p.map(|c| f64::from(i32::try_from(c).unwrap_or(1)));
        let program = match hessian {
            true => Compiled::with_derivatives(&q)?,
            false => Compiled::new(&[q])?,
        };
        let column = |v: usize| -> Vec<f64> {
            let at = |i: usize| ((i * (2 * v + 3)) % 1000) as f64 / 1000.0;
            (0..POINTS).map(at).collect()
        };
        let columns: Vec<Vec<f64>> = (0..program.nvars()).map(column).collect();
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let mut sum = 0.0;
        let seconds = best(|| {
            if let Ok(values) = program.eval_batch(&columns) {
                sum = values[0].iter().sum();
            }
        });
        self.line(&name, p.len(), f64::to_bits(sum), seconds);
        Ok(())
    }
}

fn main() -> Result<(), wickring::Error> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let mut seed = 1;
    if let Some(at) = words.iter().position(|w| w == "--seed") {
        seed = words.get(at + 1).and_then(|s| s.parse().ok()).unwrap_or(1);
        words.drain(at..words.len().min(at + 2));
    }
    let bench = Bench { words };
    let r = &mut Random(88_172_645_463_325_252 ^ (seed * 0x9E37_79B9));
    (0..20).for_each(|_| {
        r.next();
    });
    let few = |r: &mut Random, shape| r.sparse(shape, 6, 10, 10);
    for (degree, bits) in [(200, 20), (1000, 20), (4000, 20), (1000, 200), (300, 1000)] {
        let (a, b) = (r.dense((1, degree), bits), r.dense((1, degree), bits));
        bench.family(
            &format!("dense 1v d{degree} b{bits}"),
            &a,
            &b,
            &few(r, (1, 40)),
        )?;
    }
    for shape in [(2, 20), (3, 6), (4, 4)] {
        let (a, b) = (r.dense(shape, 16), r.dense(shape, 16));
        bench.family(
            &format!("dense {}v d{}", shape.0, shape.1),
            &a,
            &b,
            &few(r, shape),
        )?;
    }
    let kinds = [
        ("sparse", (4, 30), 300, 20, 20),
        ("sparse 1v", (1, 6000), 1000, 20, 20),
        ("very sparse", (3, 1_000_000), 200, 30, 30),
        ("many variables", (20, 3), 200, 20, 20),
        ("mixed", (3, 20), 300, 20, 2000),
        ("huge", (2, 30), 100, 3000, 3000),
        ("tiny", (3, 2), 5, 10, 10),
        ("two words", (3, 20), 200, 63, 63),
    ];
    for (name, shape, n, bits, long) in kinds {
        let (a, b) = (
            r.sparse(shape, n, bits, long),
            r.sparse(shape, n, bits, long),
        );
        bench.family(name, &a, &b, &few(r, shape))?;
    }
    let quadratic = r.dense((3, 2), 8);
    bench.compose(r, "dense 3v d2", &quadratic, 3)?;
    let shift = r.dense((1, 200), 20);
    bench.compose(r, "dense 1v d200", &shift, 1)?;
    let sparse = r.sparse((5, 3), 30, 8, 8);
    bench.compose(r, "sparse 5v d3", &sparse, 5)?;
    for (name, shape, n) in [
        ("4v d6", (4, 6), 200),
        ("8v d2", (8, 2), 300),
        ("1v d60", (1, 60), 200),
    ] {
        let p = r.sparse(shape, n, 10, 10);
        bench.evaluate(name, &p, false)?;
        bench.evaluate(&format!("{name} hessian"), &p, true)?;
    }
    let form = (0..20usize).flat_map(|i| (i..20).map(move |j| (i, j)));
    let form = form.map(|(i, j)| {
        let mut e = vec![0; 20];
        e[i] += 1;
        e[j] += 1;
        (e, r.number(10))
    });
    let form = Poly::from_terms(form.collect::<Vec<_>>());
    bench.evaluate("form 20v", &form, false)?;
    bench.evaluate("form 20v hessian", &form, true)
}
