//! Maps of hidden normal or rotation-invariant numbers, from their outputs alone.

use super::Seen;
use super::zoo::{self, Draw, normal, one_of};
use faer::Mat;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use wickring::Error;
use wickring::fit::Fit;
use wickring::io::samples::Samples;
use wickring::learn::polynomial::{Form, Polynomial, Requirements};
use wickring::learn::{
    Noise, Quadratic, RadialInput, RadialQuadratic, add_noise, noise_of, statistical_floor,
};
use wickring::run::unobserved;
use wickring::tensor::{MonomialBasis, PolynomialMap, QuadraticMap, SymmetricRing};

/// Draws on which laws are compared.
const DRAWS: usize = 20_000;

fn map(d: usize, r: usize, general: bool, g: &mut ChaCha8Rng) -> Result<QuadraticMap, Error> {
    let mut cores = Vec::with_capacity(d * r * r);
    for _ in 0..d {
        let a: Vec<f64> = (0..r * r).map(|_| normal(g)).collect();
        let scale = 0.5 / (r as f64).sqrt();
        cores.extend((0..r * r).map(|k| scale * (a[k] + a[k % r * r + k / r])));
    }
    let mut free = |n: usize| -> Vec<f64> {
        (0..n)
            .map(|_| if general { normal(g) } else { 0.0 })
            .collect()
    };
    let (linear, constant) = (free(d * r), free(d));
    QuadraticMap::new(SymmetricRing::new(r, cores)?, linear, constant)
}

/// Adds noise of a share of each column's deviation.
fn noisy(rows: &mut [f64], d: usize, share: f64, g: &mut ChaCha8Rng) {
    let n = (rows.len() / d) as f64;
    for j in 0..d {
        let mean = rows.iter().skip(j).step_by(d).sum::<f64>() / n;
        let square = rows
            .iter()
            .skip(j)
            .step_by(d)
            .map(|x| (x - mean).powi(2))
            .sum::<f64>()
            / n;
        let size = share * square.sqrt();
        rows.iter_mut()
            .skip(j)
            .step_by(d)
            .for_each(|x| *x += size * normal(g));
    }
}

/// Ways in which samples are written down.
const WAYS: [&str; 7] = [
    "%.2f",
    "%.3f",
    "%.4f",
    "%.6g",
    "float16",
    "float32",
    "hundredths",
];

fn written(x: f64, way: &str) -> f64 {
    let text = match way {
        "%.2f" => format!("{x:.2}"),
        "%.3f" => format!("{x:.3}"),
        "%.4f" => format!("{x:.4}"),
        "%.6g" => format!("{x:.5e}"),
        "hundredths" => return (100.0 * x).round(),
        "float16" => return f64::from_bits((x.to_bits() + (1 << 41)) & !((1 << 42) - 1)),
        _ => return f64::from(x as f32),
    };
    text.parse().unwrap_or(x)
}

/// Lengths of latents, `E |x|^2 = r`.
fn radius(law: &str, r: usize, g: &mut ChaCha8Rng) -> f64 {
    let r = r as f64;
    match law {
        "sphere" => r.sqrt(),
        "ball" => (r + 2.0).sqrt() * g.random::<f64>().powf(1.0 / r),
        _ => {
            let chi = |k: usize, g: &mut ChaCha8Rng| (0..k).map(|_| normal(g).powi(2)).sum::<f64>();
            (chi(r as usize, g) / chi(10, g) * 8.0).sqrt()
        }
    }
}

fn radial_rows(
    map: &QuadraticMap,
    law: &str,
    n: usize,
    g: &mut ChaCha8Rng,
) -> Result<Vec<f64>, Error> {
    let r = map.latent_dim();
    let mut x = Mat::<f64>::zeros(n, r);
    for i in 0..n {
        let u: Vec<f64> = (0..r).map(|_| normal(g)).collect();
        let length = u.iter().map(|v| v * v).sum::<f64>().sqrt();
        let scale = radius(law, r, g) / length;
        (0..r).for_each(|j| x[(i, j)] = u[j] * scale);
    }
    let z = map.eval(x.as_ref())?;
    Ok((0..n * map.output_dim())
        .map(|k| z[(k / map.output_dim(), k % map.output_dim())])
        .collect())
}

pub fn case(
    family: &str,
    planted: bool,
    (number, folder): (u64, Option<&Path>),
    g: &mut ChaCha8Rng,
) -> Result<Seen, Error> {
    match (family, planted) {
        ("polynomial", true) => polynomial(g),
        (_, true) => quadratic(family, g),
        (_, false) => unfittable(family, (number, folder), g),
    }
}

fn quadratic(family: &str, g: &mut ChaCha8Rng) -> Result<Seen, Error> {
    let r = one_of(&[2, 2, 3, 3, 4], g);
    let general = family == "quadratic" && g.random::<f64>() < 0.25;
    let fill = if general {
        r * (r + 3) / 2
    } else {
        r * (r + 1) / 2
    };
    let d = one_of(&[fill, fill + 2, fill + 3, 9.max(fill)], g);
    let n = one_of(&[300, 600, 1000, 1000, 2000, 5000, 20_000], g);
    let hidden = map(d, r, general, g)?;
    let mut kind = format!("r{r} d{d} n{n}{}", if general { " general" } else { "" });
    let floors = |m: &QuadraticMap| Some(m.distance(&hidden).ok()? / statistical_floor(&hidden, n));
    if family == "quadratic-radial" {
        let law = one_of(&["sphere", "ball", "t10"], g);
        let rows = radial_rows(&hidden, law, n, g)?;
        let given = match law {
            "sphere" if g.random::<bool>() => RadialInput::Sphere,
            "ball" if g.random::<bool>() => RadialInput::Ball,
            _ => RadialInput::Unknown,
        };
        kind = format!("{law} {} {kind}", given.name());
        let fit =
            RadialQuadratic::new(given).learn(&Samples::from_rows(d, rows)?, g, &mut unobserved);
        return Ok(Seen::of(kind, n, fit, |f| floors(&f.model.map)));
    }
    let mut rows = hidden.sample(n, g);
    let mut noise = Noise::Absent;
    match family {
        "quadratic-rounded" => {
            let way = one_of(&WAYS, g);
            rows.iter_mut().for_each(|x| *x = written(*x, way));
            kind = format!("{way} {kind}");
            if way == "hundredths" {
                let fit = learn(&rows, d, false, noise, g);
                return Ok(Seen::of(kind, n, fit, |_| None));
            }
        }
        "quadratic-noise-auto" | "quadratic-noise-known" => {
            let share = one_of(&[0.001, 0.03, 0.2], g);
            noisy(&mut rows, d, share, g);
            noise = if family == "quadratic-noise-auto" {
                Noise::Estimated
            } else {
                Noise::Known(share)
            };
            kind = format!("noise {share} {kind}");
        }
        _ => {}
    }
    let fit = learn(&rows, d, general, noise, g);
    Ok(Seen::of(kind, n, fit, |f| floors(&f.model)))
}

fn learn(
    rows: &[f64],
    d: usize,
    general: bool,
    noise: Noise,
    g: &mut ChaCha8Rng,
) -> Result<Fit<QuadraticMap>, Error> {
    let samples = Samples::from_rows(d, rows.to_vec())?;
    Quadratic::new()
        .general(general)
        .noise(noise)
        .learn(&samples, g, &mut unobserved)
}

fn polynomial(g: &mut ChaCha8Rng) -> Result<Seen, Error> {
    let degree = one_of(&[2, 3], g);
    let form = one_of(&[Form::Homogeneous, Form::General], g);
    let needs = Requirements::of(2, degree, form)?;
    let d = needs.outputs + g.random_range(0..3);
    let n = one_of(&[1000, 3000, 10_000], g);
    let basis = match form {
        Form::Homogeneous => MonomialBasis::homogeneous(2, degree)?,
        Form::General => MonomialBasis::up_to(2, degree)?,
    };
    let c = Mat::from_fn(d, basis.len(), |_, _| normal(g));
    let hidden = PolynomialMap::new(basis, c)?;
    let samples = Samples::from_rows(d, hidden.sample(n, g))?;
    let fit = Polynomial::new(degree).learn(&samples, g, &mut unobserved);
    let kind = format!("degree {degree} {} d{d} n{n}", form.name());
    Ok(Seen::of(kind, n, fit, |f| {
        f.model.map.distance(&hidden).ok()
    }))
}

/// A truth of which a few rows come from elsewhere.
fn damaged(d: usize, g: &mut ChaCha8Rng) -> Result<(String, Draw), Error> {
    let r = if d >= 6 { 3 } else { 2 };
    let (one, other) = (map(d, r, false, g)?, map(d, r, false, g)?);
    let share = one_of(&[0.05, 0.2], g);
    let draw = move |n: usize, g: &mut ChaCha8Rng| {
        let (a, b) = (one.sample(n, g), other.sample(n, g));
        (0..n)
            .flat_map(|i| {
                let from = if g.random::<f64>() < share { &b } else { &a };
                from[i * d..(i + 1) * d].to_vec()
            })
            .collect()
    };
    Ok((format!("two maps {share}"), Box::new(draw)))
}

fn unfittable(
    family: &str,
    (number, folder): (u64, Option<&Path>),
    g: &mut ChaCha8Rng,
) -> Result<Seen, Error> {
    let mut truth: Option<Draw> = None;
    let real = match folder.filter(|_| number % 4 == 3) {
        Some(folder) => zoo::real(folder, number / 4, g)?,
        None => None,
    };
    let (name, d, rows) = match real {
        Some(found) => found,
        None => {
            // Mostly as many columns as a map fills: others are told by their number alone.
            let d = one_of(&[3, 3, 6, 6, 10, 4], g);
            let n = one_of(&[300, 1000, 1000, 4000], g);
            let (name, draw) = if g.random::<f64>() < 0.1 {
                damaged(d, g)?
            } else {
                zoo::law(d, g)
            };
            let mut rows = draw(n, g);
            if family == "quadratic-rounded" {
                let way = one_of(&WAYS, g);
                rows.iter_mut().for_each(|x| *x = written(*x, way));
            }
            truth = Some(draw);
            (name, d, rows)
        }
    };
    let n = rows.len() / d;
    let kind = format!("{name} d{d} n{n}");
    let samples = Samples::from_rows(d, rows.clone())?;
    let mut off = g.clone();
    let mut compare = |drawn: Vec<f64>| -> Option<f64> {
        let fresh = truth.as_ref()?(DRAWS, &mut off);
        Some(zoo::gap(&drawn, &fresh, d, &mut off))
    };
    let mut own = g.clone();
    if family == "quadratic-radial" {
        let fit = RadialQuadratic::new(RadialInput::Unknown).learn(&samples, g, &mut unobserved);
        return Ok(Seen::of(kind, n, fit, |f| {
            compare(f.model.sample(DRAWS, &mut own).ok()?)
        }));
    }
    if family == "polynomial" {
        let fit = Polynomial::new(one_of(&[2, 3], g)).learn(&samples, g, &mut unobserved);
        return Ok(Seen::of(kind, n, fit, |f| {
            compare(f.model.map.sample(DRAWS, &mut own))
        }));
    }
    let noise = match family {
        "quadratic-noise-auto" => Noise::Estimated,
        "quadratic-noise-known" => Noise::Known(one_of(&[0.03, 0.2], g)),
        _ => Noise::Absent,
    };
    let general = family == "quadratic" && g.random::<f64>() < 0.25;
    let fit = learn(&rows, d, general, noise, g);
    Ok(Seen::of(kind, n, fit, |f| {
        let mut drawn = f.model.sample(DRAWS, &mut own);
        add_noise(&mut drawn, &noise_of(f), &mut own);
        compare(drawn)
    }))
}
