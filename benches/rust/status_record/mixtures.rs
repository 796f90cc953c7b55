//! Mixtures of Gaussians, by every method.

use super::Seen;
use super::zoo::{self, Draw, normal, one_of};
use faer::MatRef;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;
use std::path::Path;
use wickring::Error;
use wickring::learn::mixture::{
    AutoMixture, Chain, Component, CovarianceKind, Diffusion, Em, GaussianMixture, MixtureAnswer,
    MomentMethod, Population,
};

/// Draws on which laws are compared.
const DRAWS: usize = 20_000;
/// Components that learners may take.
const MOST: usize = 6;

/// Components of one random family.
fn mixture(family: &str, g: &mut ChaCha8Rng) -> Result<(String, GaussianMixture), Error> {
    let alike = matches!(family, "moments" | "diffusion");
    let (dim, k) = if family == "moments" {
        let dim = g.random_range(2..=4);
        (dim, g.random_range(1..dim))
    } else {
        (g.random_range(1..=3), g.random_range(1..=4))
    };
    let covariances = if alike {
        "one variance"
    } else {
        one_of(&["spherical", "diagonal", "full", "tied"], g)
    };
    let covariance = |g: &mut ChaCha8Rng| -> Vec<f64> {
        let unit = |i: usize| f64::from(u8::from(i % dim == i / dim));
        let size = (0.5 * normal(g)).exp().powi(2);
        match covariances {
            "one variance" => (0..dim * dim).map(unit).collect(),
            "spherical" => (0..dim * dim).map(|i| size * unit(i)).collect(),
            "diagonal" => (0..dim * dim)
                .map(|i| (0.5 * normal(g)).exp().powi(2) * unit(i))
                .collect(),
            _ => {
                let a: Vec<f64> = (0..dim * dim).map(|_| normal(g)).collect();
                let product = |i: usize| {
                    (0..dim)
                        .map(|k| a[i / dim * dim + k] * a[i % dim * dim + k])
                        .sum::<f64>()
                };
                (0..dim * dim).map(|i| product(i) + 0.1 * unit(i)).collect()
            }
        }
    };
    let shared = covariance(g);
    let components = (0..k).map(|_| Component {
        weight: 0.2 + g.random::<f64>(),
        mean: (0..dim).map(|_| 6.0 * normal(g)).collect(),
        covariance: if covariances == "tied" {
            shared.clone()
        } else {
            covariance(g)
        },
    });
    let components = components.collect();
    Ok((
        format!("{covariances} k{k} d{dim}"),
        GaussianMixture::new(dim, components)?,
    ))
}

fn turned(r: f64, t: f64) -> [f64; 2] {
    [r * t.cos(), r * t.sin()]
}

type Row = fn(&mut ChaCha8Rng) -> [f64; 2];

/// Laws in the plane that few components do not give.
const SHAPES: [(&str, Row); 6] = [
    ("ring", |g| {
        let r = 3.0 + 0.2 * normal(g);
        turned(r, TAU * g.random::<f64>())
    }),
    ("spiral", |g| {
        let t = 1.0 + 9.0 * g.random::<f64>().sqrt();
        let [x, y] = turned(t, t);
        [x + 0.2 * normal(g), y + 0.2 * normal(g)]
    }),
    ("grid", |g| {
        let (a, b) = (g.random_range(0..4), g.random_range(0..4));
        [
            5.0 * f64::from(a) + normal(g),
            5.0 * f64::from(b) + normal(g),
        ]
    }),
    ("product", |g| {
        let a = normal(g);
        [a, a * normal(g)]
    }),
    ("moons", |g| {
        let t = 0.5 * TAU * g.random::<f64>();
        let up = g.random::<bool>();
        let [x, y] = if up {
            turned(1.0, t)
        } else {
            turned(1.0, t + 0.5 * TAU)
        };
        let shift = if up { [0.0, 0.0] } else { [1.0, 0.5] };
        [
            x + shift[0] + 0.1 * normal(g),
            y + shift[1] + 0.1 * normal(g),
        ]
    }),
    ("disc", |g| {
        turned(g.random::<f64>().sqrt(), TAU * g.random::<f64>())
    }),
];

pub fn case(
    family: &str,
    planted: bool,
    (number, folder): (u64, Option<&Path>),
    g: &mut ChaCha8Rng,
) -> Result<Seen, Error> {
    let n = one_of(&[200, 600, 2000], g);
    if planted {
        let (name, dim, draw) = truth(family, g)?;
        let rows = draw(n, g);
        return learn(family, (name, dim, rows), Some(draw), g);
    }
    let real = match folder.filter(|_| number % 8 == 7) {
        Some(folder) => zoo::real(folder, number / 8, g)?,
        None => None,
    };
    if let Some(found) = real {
        return learn(family, found, None, g);
    }
    let (name, dim, draw): (String, usize, Draw) = if g.random::<f64>() < 0.4 {
        let (name, row) = one_of(&SHAPES, g);
        (
            name.into(),
            2,
            Box::new(move |n, g| (0..n).flat_map(|_| row(g)).collect()),
        )
    } else {
        let dim = g.random_range(1..=3);
        let (name, draw) = zoo::law(dim, g);
        (name, dim, draw)
    };
    let rows = draw(n, g);
    learn(family, (name, dim, rows), Some(draw), g)
}

fn truth(family: &str, g: &mut ChaCha8Rng) -> Result<(String, usize, Draw), Error> {
    if family == "diffusion" && g.random::<bool>() {
        let name = one_of(&Population::NAMES, g);
        let law = Population::named(name)?;
        return Ok((
            name.into(),
            law.dim(),
            Box::new(move |n, g| law.sample(n, g)),
        ));
    }
    let (name, law) = mixture(family, g)?;
    Ok((name, law.dim(), Box::new(move |n, g| law.sample(n, g))))
}

fn learn(
    family: &str,
    (name, dim, rows): (String, usize, Vec<f64>),
    truth: Option<Draw>,
    g: &mut ChaCha8Rng,
) -> Result<Seen, Error> {
    let n = rows.len() / dim;
    let kind = format!("{name} d{dim} n{n}");
    let x = MatRef::from_row_major_slice(&rows, n, dim);
    let mut off = g.clone();
    let mut own = g.clone();
    let mut compare = |drawn: Vec<f64>| -> Option<f64> {
        let fresh = truth.as_ref()?(DRAWS, &mut off);
        Some(zoo::gap(&drawn, &fresh, dim, &mut off))
    };
    Ok(match family {
        "em" => {
            let fit = Em::between(1, MOST)
                .kinds(&CovarianceKind::ALL)
                .starts(8)
                .learn(x, g);
            Seen::of(kind, n, fit, |f| {
                compare(f.model.mixture.sample(DRAWS, &mut own))
            })
        }
        "moments" => {
            let fit = MomentMethod::between(1, (dim + 1).min(MOST)).learn(x, g);
            Seen::of(kind, n, fit, |f| {
                compare(f.model.mixture.sample(DRAWS, &mut own))
            })
        }
        "auto" => {
            let fit = AutoMixture::new().between(1, MOST).starts(8).learn(x, g);
            Seen::of(kind, n, fit, |f| {
                compare(match &f.model.answer {
                    MixtureAnswer::Em(m) => m.mixture.sample(DRAWS, &mut own),
                    MixtureAnswer::Moments(m) => m.mixture.sample(DRAWS, &mut own),
                    MixtureAnswer::Diffusion(m) => {
                        m.sample(DRAWS, Chain::default(), &mut own).ok()?
                    }
                })
            })
        }
        _ => {
            let fit = Diffusion::new().learn(x, g);
            Seen::of(kind, n, fit, |f| {
                compare(f.model.sample(DRAWS, Chain::default(), &mut own).ok()?)
            })
        }
    })
}
