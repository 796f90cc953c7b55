//! What no map, network or mixture of few components gives: laws, series, images, damaged truths, real data.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::path::Path;
use wickring::io::samples::Samples;
use wickring::{Error, stats};

/// A standard normal number.
pub fn normal(g: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(g)
}

/// One of a list.
pub fn one_of<T: Copy>(list: &[T], g: &mut ChaCha8Rng) -> T {
    list[g.random_range(0..list.len())]
}

fn exponential(g: &mut ChaCha8Rng) -> f64 {
    -(1.0 - g.random::<f64>()).ln()
}

/// Rows of a law: how many, of how many columns.
pub type Draw = Box<dyn Fn(usize, &mut ChaCha8Rng) -> Vec<f64>>;

type Number = fn(&mut ChaCha8Rng) -> f64;
const NUMBERS: [(&str, Number); 10] = [
    ("uniform", |g| g.random::<f64>() + 3.0),
    ("exponential", exponential),
    ("log-normal", |g| normal(g).exp()),
    ("gamma 3", |g| (0..3).map(|_| exponential(g)).sum()),
    ("laplace", |g| {
        let e = exponential(g);
        if g.random::<bool>() { e } else { -e }
    }),
    ("two normals", |g| {
        normal(g) + if g.random::<f64>() < 0.3 { 4.0 } else { 0.0 }
    }),
    ("cube", |g| normal(g).powi(3)),
    ("counts", |g| {
        let (mut k, mut p) = (0.0, g.random::<f64>());
        while p > (-3.0f64).exp() {
            p *= g.random::<f64>();
            k += 1.0;
        }
        k
    }),
    ("t3", |g| {
        normal(g) / ((0..3).map(|_| normal(g).powi(2)).sum::<f64>() / 3.0).sqrt()
    }),
    ("cauchy", |g| normal(g) / normal(g)),
];

/// Values of a series that is read in windows.
fn series(kind: &str, count: usize, g: &mut ChaCha8Rng) -> Vec<f64> {
    let (mut x, mut v) = (0.0f64, 1.0f64);
    let mut out = Vec::with_capacity(count);
    for _ in 0..count + 200 {
        match kind {
            "garch" => {
                v = 0.05 + 0.15 * x * x + 0.8 * v;
                x = v.sqrt() * normal(g);
            }
            // A threshold autoregression: its windows are no normal law.
            _ => x = if x > 0.0 { -0.8 * x } else { 0.9 * x } + exponential(g) - 0.5,
        }
        out.push(x);
    }
    out.split_off(200)
}

fn mixed(rows: &[f64], d: usize, out: usize, matrix: &[f64]) -> Vec<f64> {
    let image = |row: &[f64]| -> Vec<f64> {
        (0..out)
            .map(|a| (0..d).map(|b| matrix[a * d + b] * row[b]).sum())
            .collect()
    };
    rows.chunks_exact(d).flat_map(image).collect()
}

/// A law of `d` columns that is none of a polynomial map: `(name, draws)`.
pub fn law(d: usize, g: &mut ChaCha8Rng) -> (String, Draw) {
    let place = g.random_range(0..NUMBERS.len() + 5);
    if let Some(&(name, number)) = NUMBERS.get(place) {
        if g.random::<bool>() {
            return (
                name.into(),
                Box::new(move |n, g| (0..n * d).map(|_| number(g)).collect()),
            );
        }
        let matrix: Vec<f64> = (0..d * d).map(|_| normal(g)).collect();
        let draw = move |n: usize, g: &mut ChaCha8Rng| {
            let rows: Vec<f64> = (0..n * d).map(|_| number(g)).collect();
            mixed(&rows, d, d, &matrix)
        };
        return (format!("{name} mixed"), Box::new(draw));
    }
    let (r, kind) = (2usize.min(d), place - NUMBERS.len());
    let weights: Vec<f64> = (0..d * r).map(|_| normal(g)).collect();
    match kind {
        0 | 1 => {
            let name = ["garch", "threshold series"][kind];
            let draw = move |n: usize, g: &mut ChaCha8Rng| series(name, n * d, g);
            (name.into(), Box::new(draw))
        }
        2 | 3 => {
            let name = ["cubes of sums", "relus of sums"][kind - 2];
            let draw = move |n: usize, g: &mut ChaCha8Rng| {
                let latents: Vec<f64> = (0..n * r).map(|_| normal(g)).collect();
                let apply = |x: f64| if kind == 2 { x.powi(3) } else { x.max(0.0) };
                mixed(&latents, r, d, &weights)
                    .into_iter()
                    .map(apply)
                    .collect()
            };
            (name.into(), Box::new(draw))
        }
        _ => {
            let draw = move |n: usize, g: &mut ChaCha8Rng| {
                let ring = |g: &mut ChaCha8Rng| {
                    let (s, c) = (g.random::<f64>() * std::f64::consts::TAU).sin_cos();
                    let mut row: Vec<f64> = (0..d).map(|_| 0.1 * normal(g)).collect();
                    row[0] += c;
                    row[d - 1] += s;
                    row
                };
                (0..n).flat_map(|_| ring(g)).collect()
            };
            ("ring".into(), Box::new(draw))
        }
    }
}

/// Real rows, raw, in columns of deviation one, or projected at random: `(name, columns, rows)`.
pub fn real(
    folder: &Path,
    number: u64,
    g: &mut ChaCha8Rng,
) -> Result<Option<(String, usize, Vec<f64>)>, Error> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .map(|d| d.flatten().map(|e| e.path()).collect())
        .unwrap_or_default();
    files.sort();
    if files.is_empty() {
        return Ok(None);
    }
    let file = &files[number as usize % files.len()];
    let samples = Samples::open(&[file])?;
    let d = samples.columns();
    let mut rows = Vec::new();
    for chunk in samples.chunks(4096) {
        rows.extend(chunk?.data);
    }
    let name = file
        .file_stem()
        .map_or(String::new(), |s| s.to_string_lossy().into_owned());
    let way = g.random_range(0..3);
    if way == 0 {
        return Ok(Some((format!("{name} raw"), d, rows)));
    }
    let scaled = standard(&rows, d);
    if way == 1 {
        return Ok(Some((format!("{name} scaled"), d, scaled)));
    }
    let out = g.random_range(2..=d.clamp(2, 6));
    let matrix: Vec<f64> = (0..out * d).map(|_| normal(g)).collect();
    Ok(Some((
        format!("{name} projected"),
        out,
        mixed(&scaled, d, out, &matrix),
    )))
}

/// Columns of mean zero and deviation one; constant ones stay zero.
pub fn standard(rows: &[f64], d: usize) -> Vec<f64> {
    let n = (rows.len() / d) as f64;
    let mut out = rows.to_vec();
    for j in 0..d {
        let column = || rows.iter().skip(j).step_by(d);
        let mean = column().sum::<f64>() / n;
        let spread = (column().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        let scale = if spread > 0.0 { 1.0 / spread } else { 0.0 };
        out.iter_mut()
            .skip(j)
            .step_by(d)
            .for_each(|x| *x = (*x - mean) * scale);
    }
    out
}

/// Kolmogorov's distance of two samples, the greatest over the columns and as many random directions.
pub fn gap(a: &[f64], b: &[f64], d: usize, g: &mut ChaCha8Rng) -> f64 {
    stats::projected_ks(a, b, d, 2 * d.min(8) + 8, g)
}
