//! The figures of "Gaussian calculus" in BENCHMARKS.md.
//!
//! `cargo run --release --features bench --example gaussian_cases -- contraction | round-trip | quadratic EXPR`

use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, Mat, Par};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::io::Write;
use std::time::Instant;
use wickring::Error;
use wickring::poly::gaussian::{GaussianLaw, HermiteExpansion, Law};
use wickring::poly::{Poly, Rational, Vars};
use wickring::stats::HermiteContractions;

/// The least time of several runs, in milliseconds.
fn least(mut work: impl FnMut() -> Result<(), Error>) -> Result<f64, Error> {
    let mut best = f64::INFINITY;
    for _ in 0..9 {
        let start = Instant::now();
        work()?;
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(best)
}

fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64 - 0.5
}

fn contraction(out: &mut impl Write) -> Result<(), Error> {
    let (n, d) = (100_000, 50);
    let rng = &mut ChaCha8Rng::seed_from_u64(0);
    let x = Mat::from_fn(n, d, |_, _| uniform(rng));
    let y: Vec<f64> = (0..n).map(|_| uniform(rng)).collect();
    let mut g = vec![0.0; d];
    g[0] = 0.6;
    g[1] = 0.8;
    let mut gram = Mat::<f64>::zeros(d, d);
    let syrk = least(|| {
        let (lower, full) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
        matmul(
            gram.as_mut(),
            lower,
            Accum::Replace,
            x.transpose(),
            full,
            x.as_ref(),
            full,
            1.0,
            Par::Seq,
        );
        Ok(())
    })?;
    let ours = least(|| {
        let mut sums = HermiteContractions::new(d, vec![g.clone()], vec![4])?;
        sums.absorb(x.as_ref(), &y)?;
        sums.contraction(0, 0).map(drop)
    })?;
    let _ = writeln!(
        out,
        "order 4, n = {n}, d = {d}: {ours:.2} ms; one symmetric rank-k update {syrk:.2} ms; ratio {:.2}",
        ours / syrk
    );
    Ok(())
}

fn round_trip(out: &mut impl Write) -> Result<(), Error> {
    let rng = &mut ChaCha8Rng::seed_from_u64(0);
    let mut terms = std::collections::BTreeMap::new();
    while terms.len() < 20_000 {
        let mut left = 13;
        let e: Vec<u32> = (0..6)
            .map(|_| {
                let k = (rng.next_u64() % (left + 1)) as u32;
                left -= u64::from(k);
                k
            })
            .collect();
        let c = Rational::new(
            1 + (rng.next_u64() % 999) as i64,
            1 + (rng.next_u64() % 9) as i64,
        );
        terms.insert(e, c.unwrap_or_default());
    }
    let p = Poly::from_terms(terms);
    let vars = Vars::fixed(["a", "b", "c", "d", "e", "f"]);
    let text = p.display(&vars).to_string();
    let reading = least(|| Poly::<Rational>::parse(&text, &mut vars.clone()).map(drop))?;
    let writing = least(|| {
        let _ = p.display(&vars).to_string();
        Ok(())
    })?;
    let mut exact = false;
    let ours = least(|| {
        exact = HermiteExpansion::from_poly(&p)?.to_poly()? == p;
        Ok(())
    })?;
    let copying = least(|| {
        let list: Vec<_> = p.iter().collect();
        let _ = Poly::from_terms(list);
        Ok(())
    })?;
    let ratio = ours / (reading + writing);
    let _ = writeln!(
        out,
        "round trip of {} terms: {ours:.1} ms, exact: {exact}; reading {reading:.1} ms + writing {writing:.1} ms as text: ratio {ratio:.2}; terms out and in {copying:.1} ms",
        p.len()
    );
    Ok(())
}

fn quadratic(out: &mut impl Write, text: &str) -> Result<(), Error> {
    let p = Poly::<Rational>::parse(text, &mut Vars::new())?;
    let law = GaussianLaw::standard(p.nvars());
    let mut value = Rational::default();
    let ms = least(|| {
        value = law.moments(&p, 4)?.pop().unwrap_or_default();
        Ok(())
    })?;
    let _ = writeln!(out, "{ms:.6} {value}");
    Ok(())
}

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let out = &mut std::io::stdout().lock();
    match args
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["contraction"] => contraction(out),
        ["round-trip"] => round_trip(out),
        ["quadratic", text] => quadratic(out, text),
        _ => Err(Error::invalid(
            "gaussian_cases",
            "needs contraction, round-trip or quadratic EXPR",
        )),
    }
}
