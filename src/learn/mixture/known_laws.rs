//! Laws whose scores are known exactly, to hold learners against.

use super::gaussian::GaussianMixture;
use super::score::denoiser::{Atoms, Denoiser};
use super::score::model::ScoreModel;
use super::score::reverse_chain::Chain;
use crate::Error;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

/// Atoms that stand for a continuous `Q` in the exact density; spacing is far below the noise.
const QUADRATURE: usize = 600;

/// `P = Q * N(0, I)` with a known `Q`: a discrete one, or a curve or surface.
///
/// # Example
/// ```
/// use wickring::learn::mixture::Population;
/// let two = Population::atoms("two points", vec![(0.5, vec![-2.0]), (0.5, vec![2.0])])?;
/// let density = two.exact().log_density(&[0.0])[0].exp();
/// let normal = (2.0 * std::f64::consts::PI).sqrt().recip() * (-2f64).exp(); // at distance 2
/// assert!((density - normal).abs() < 1e-12);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Population {
    /// Name of the case.
    pub name: &'static str,
    exact: GaussianMixture,
    support: Support,
}

#[derive(Clone, Copy, Debug)]
enum Support {
    Atoms,
    Circle(f64),
    Disc(f64),
    Segments,
    Arc,
    Curve(usize),
}

impl Population {
    /// Names that [`Population::named`] knows.
    pub const NAMES: [&'static str; 10] = [
        "discrete", "close", "one", "circle", "circle8", "disc", "segments", "arc", "atoms10",
        "curve10",
    ];

    /// A case of the experiment: `discrete` (three Gaussians, 3 from the origin), `close` (1.5), `one`,
    /// `circle` of radius 4 and `circle8`, `disc` of radius 6, two `segments`, `arc` with a segment and a short
    /// piece, `atoms10` (three atoms in ten dimensions), `curve10` (a curve that spans four of ten dimensions).
    ///
    /// # Errors
    /// `InvalidInput` for another name.
    pub fn named(name: &str) -> Result<Self, Error> {
        let known = Self::NAMES.into_iter().find(|n| *n == name);
        let Some(name) = known else {
            let names = Self::NAMES.join(", ");
            return Err(Error::invalid(
                "Population::named",
                format!("a case among {names}, got {name}"),
            ));
        };
        let triangle = |r: f64| {
            let corner = |i: usize| {
                let angle = (0.25 + i as f64 / 3.0) * std::f64::consts::TAU;
                vec![r * angle.cos(), r * angle.sin()]
            };
            (0..3).map(corner).collect::<Vec<_>>()
        };
        let equal = |atoms: Vec<Vec<f64>>| atoms.into_iter().map(|a| (1.0, a)).collect::<Vec<_>>();
        let along = |e: usize, x: f64| (0..10).map(|i| if i == e { x } else { 0.0 }).collect();
        match name {
            "discrete" => Self::atoms(name, equal(triangle(3.0))),
            "close" => Self::atoms(name, equal(triangle(1.5))),
            "one" => Self::atoms(name, vec![(1.0, vec![1.0, -2.0])]),
            // Pairwise distance 4.
            "atoms10" => Self::atoms(name, equal((0..3).map(|e| along(e, 8f64.sqrt())).collect())),
            "circle" => Self::continuous(name, Support::Circle(4.0), 2),
            "circle8" => Self::continuous(name, Support::Circle(8.0), 2),
            "disc" => Self::continuous(name, Support::Disc(6.0), 2),
            "segments" => Self::continuous(name, Support::Segments, 2),
            "arc" => Self::continuous(name, Support::Arc, 2),
            _ => Self::continuous(name, Support::Curve(10), 10),
        }
    }

    /// A discrete `Q` of weighted atoms, noise level one.
    ///
    /// # Errors
    /// As [`GaussianMixture::new`].
    pub fn atoms(name: &'static str, atoms: Vec<(f64, Vec<f64>)>) -> Result<Self, Error> {
        let dim = atoms.first().map_or(0, |a| a.1.len());
        Ok(Self {
            name,
            exact: GaussianMixture::spherical(dim, atoms, 1.0)?,
            support: Support::Atoms,
        })
    }

    fn continuous(name: &'static str, support: Support, dim: usize) -> Result<Self, Error> {
        let step = |i: usize| (i as f64 + 0.5) / QUADRATURE as f64;
        // A sunflower for the disc: the golden ratio spreads angles evenly at every radius.
        let turn = |i: usize| (i as f64 * 0.618_033_988_749_894_9).fract();
        let atoms = (0..QUADRATURE).map(|i| (1.0, support.point(step(i), turn(i))));
        Ok(Self {
            name,
            exact: GaussianMixture::spherical(dim, atoms, 1.0)?,
            support,
        })
    }

    /// The exact law, a continuous `Q` replaced by fine quadrature.
    pub fn exact(&self) -> &GaussianMixture {
        &self.exact
    }

    /// Number of dimensions.
    pub fn dim(&self) -> usize {
        self.exact.dim()
    }

    /// Draws `count` rows, row-major.
    pub fn sample(&self, count: usize, rng: &mut impl Rng) -> Vec<f64> {
        if let Support::Atoms = self.support {
            return self.exact.sample(count, rng);
        }
        let mut out = Vec::with_capacity(count * self.dim());
        for _ in 0..count {
            for x in self.support.point(rng.random(), rng.random()) {
                let z: f64 = StandardNormal.sample(rng);
                out.push(x + z);
            }
        }
        out
    }

    /// Draws by the reverse chain with the exact denoiser: what discretisation alone costs.
    ///
    /// # Errors
    /// `InvalidInput` when the chain has no step.
    pub fn sample_by_chain(
        &self,
        count: usize,
        chain: Chain,
        rng: &mut impl Rng,
    ) -> Result<Vec<f64>, Error> {
        chain.check()?;
        let dim = self.dim();
        let mut mean = vec![0.0; dim];
        for c in self.exact.components() {
            mean.iter_mut()
                .zip(&c.mean)
                .for_each(|(m, x)| *m += c.weight * x);
        }
        let atoms = Atoms::of(&self.exact, &mean);
        let mut spectrum = vec![1.0; dim];
        for (w, atom) in atoms.log_weights.iter().zip(atoms.means.chunks_exact(dim)) {
            spectrum
                .iter_mut()
                .zip(atom)
                .for_each(|(s, x)| *s += w.exp() * x * x);
        }
        let largest = spectrum.iter().fold(1.0f64, |m, v| m.max(*v));
        // The chain starts from independent coordinates; at this temperature correlations are invisible.
        let top = 1.0 + 20.0 * (largest - 1.0).max(0.1);
        let mut rows = chain.run(&atoms, &spectrum, top, count, rng)?;
        for row in rows.chunks_exact_mut(dim) {
            row.iter_mut().zip(&mean).for_each(|(x, m)| *x += m);
        }
        Ok(rows)
    }

    /// Mean squared error of the learned denoiser at each learned level, lowest first, under the true law of
    /// the noised points, in the model's subspace and in units of the noise; and the bound
    /// `sum (T - S)/(2 S T) E|m - m^|^2` on the part of `KL(P || model)` that comes from estimation.
    pub fn score_error(
        &self,
        model: &ScoreModel,
        count: usize,
        rng: &mut impl Rng,
    ) -> (Vec<f64>, f64) {
        let (dim, rank) = (self.dim(), model.rank());
        let x = self.sample(count, rng);
        let truth = Atoms::of(&self.exact, &vec![0.0; dim]);
        let (mut errors, mut bound, mut below) = (Vec::new(), 0.0, 1.0);
        for level in &model.ladder.levels {
            let temperature = level.temperature;
            let root = (temperature - 1.0).sqrt();
            let y: Vec<f64> = x
                .iter()
                .map(|x| {
                    let z: f64 = StandardNormal.sample(rng);
                    x + root * z
                })
                .collect();
            let mut exact = vec![0.0; y.len()];
            truth.evaluate(&y, temperature, &mut exact, None);
            let exact = model.subspace.enter(&exact);
            let learned = model.denoised_inside(&model.subspace.enter(&y), temperature);
            let gap =
                crate::linalg::small::squared_distance(&exact, &learned) / count.max(1) as f64;
            errors.push(if rank == 0 { 0.0 } else { gap });
            bound += (temperature - below) / (2.0 * below * temperature) * gap;
            below = temperature;
        }
        (errors, bound)
    }
}

impl Support {
    /// The point of `Q` for two uniform numbers.
    fn point(self, u: f64, v: f64) -> Vec<f64> {
        let tau = std::f64::consts::TAU;
        let on_circle = |r: f64, turn: f64| vec![r * (tau * turn).cos(), r * (tau * turn).sin()];
        match self {
            Self::Atoms => Vec::new(),
            Self::Circle(r) => on_circle(r, u),
            Self::Disc(r) => on_circle(r * u.sqrt(), v),
            // Two crossing directions, 8 long, apart by 6.
            Self::Segments if u < 0.5 => vec![-4.0 + 16.0 * u, -3.0],
            Self::Segments => vec![-2.0 + 8.0 * (u - 0.5), 3.0 + 4.0 * (u - 0.5)],
            Self::Arc if u < 0.5 => on_circle(5.0, u),
            Self::Arc if u < 0.85 => vec![-3.0 + 8.0 * (u - 0.5) / 0.35, -4.0],
            Self::Arc => vec![7.0, -1.0 + 2.0 * (u - 0.85) / 0.15],
            Self::Curve(dim) => {
                let angle = tau * u;
                let waves = [
                    4.0 * angle.cos(),
                    4.0 * angle.sin(),
                    2.0 * (2.0 * angle).cos(),
                    2.0 * (2.0 * angle).sin(),
                ];
                (0..dim)
                    .map(|i| waves.get(i).copied().unwrap_or(0.0))
                    .collect()
            }
        }
    }
}
