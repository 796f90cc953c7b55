//! Planted networks: the cases of the paper's story, from easy to hard for correlational methods.

use crate::Error;
use crate::learn::relu::{Neuron, Rectifier, ReluNetwork};
use crate::linalg::norm2;
use faer::Mat;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// A family of planted networks.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::planted::relu::{Story, draw};
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let network = Story::Separated.plant(6, 2, &mut rng)?;
/// let (x, y) = draw(&network, 10, 0.0, &mut rng)?;
/// assert_eq!(network.evaluate(x.as_ref())?, y);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Story {
    /// `k` relus in random directions, weights `+-[0.5, 1.5]`.
    Separated,
    /// As [`Story::Separated`], but the first two relus (weights 1 and 0.8) at this angle.
    NearSame(f64),
    /// The first two at this angle with weights 1 and -0.7.
    NearMixed(f64),
    /// The first two at this angle with weights `1/angle` and `-1/angle`: they nearly cancel, and their
    /// difference is of order one.
    Dipole(f64),
    /// `k` abs neurons at angles `pi j / k` in one plane with alternating signs (`2k` relus): every Hermite
    /// moment of degree below `k` vanishes.
    Star,
    /// All `k` relus within about this angle of each other.
    Crowded(f64),
}

fn gaussian(n: usize, rng: &mut impl Rng) -> Vec<f64> {
    (0..n).map(|_| rng.sample(StandardNormal)).collect()
}

fn normalised(mut v: Vec<f64>) -> Vec<f64> {
    let norm = norm2(&v);
    if norm > 0.0 {
        v.iter_mut().for_each(|x| *x /= norm);
    }
    v
}

/// A unit vector orthogonal to the unit vector `u`.
fn beside(u: &[f64], rng: &mut impl Rng) -> Vec<f64> {
    let t = gaussian(u.len(), rng);
    let along = crate::learn::relu::network::dot(&t, u);
    normalised(t.iter().zip(u).map(|(a, b)| a - along * b).collect())
}

fn turned(u: &[f64], t: &[f64], angle: f64) -> Vec<f64> {
    let (s, c) = angle.sin_cos();
    u.iter().zip(t).map(|(a, b)| c * a + s * b).collect()
}

impl Story {
    /// Draws a network with `k` kinks in `d` inputs.
    ///
    /// # Errors
    /// `InvalidInput` when `d < 2`, `k = 0`, or `k < 2` for a story about a pair.
    pub fn plant(self, d: usize, k: usize, rng: &mut impl Rng) -> Result<ReluNetwork, Error> {
        let op = "Story::plant";
        let pair = matches!(
            self,
            Self::NearSame(_) | Self::NearMixed(_) | Self::Dipole(_)
        );
        if d < 2 || k == 0 || (pair && k < 2) {
            let needs = format!("d >= 2 and enough neurons for the story, got d = {d}, k = {k}");
            return Err(Error::invalid(op, needs));
        }
        let mut units: Vec<Vec<f64>> = (0..k).map(|_| normalised(gaussian(d, rng))).collect();
        let mut sizes: Vec<f64> = (0..k)
            .map(|_| {
                let sign = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
                sign * rng.random_range(0.5..1.5)
            })
            .collect();
        let mut place = |angle: f64, first: f64, second: f64| {
            let t = beside(&units[0], rng);
            units[1] = turned(&units[0], &t, angle);
            (sizes[0], sizes[1]) = (first, second);
        };
        match self {
            Self::Separated => {}
            Self::NearSame(angle) => place(angle, 1.0, 0.8),
            Self::NearMixed(angle) => place(angle, 1.0, -0.7),
            Self::Dipole(angle) => place(angle, 1.0 / angle, -1.0 / angle),
            Self::Star => {
                let t = beside(&units[0], rng);
                let turn = |j: usize| std::f64::consts::PI * j as f64 / k as f64;
                units = (0..k).map(|j| turned(&units[0], &t, turn(j))).collect();
                sizes = (0..k)
                    .map(|j| if j % 2 == 0 { 1.0 } else { -1.0 })
                    .collect();
            }
            Self::Crowded(angle) => {
                let base = normalised(gaussian(d, rng));
                let near = |u: &Vec<f64>| {
                    normalised(base.iter().zip(u).map(|(b, v)| b + angle * v).collect())
                };
                units = units.iter().map(near).collect();
            }
        }
        let activation = match self {
            Self::Star => Rectifier::Abs,
            _ => Rectifier::Relu,
        };
        let neurons = units
            .into_iter()
            .zip(sizes)
            .map(|(weight, coefficient)| Neuron {
                coefficient,
                weight,
                offset: 0.0,
                activation,
            })
            .collect();
        ReluNetwork::new(0.0, vec![0.0; d], neurons)
    }
}

/// `n` standard Gaussian inputs (one a row) and `network` at each of them plus Gaussian noise of standard
/// deviation `noise`.
///
/// # Errors
/// `InvalidInput` when `noise` is negative or not finite; as [`ReluNetwork::evaluate`].
pub fn draw(
    network: &ReluNetwork,
    n: usize,
    noise: f64,
    rng: &mut impl Rng,
) -> Result<(Mat<f64>, Vec<f64>), Error> {
    if !(noise >= 0.0 && noise.is_finite()) {
        let needs = format!("a finite noise of at least 0, got {noise}");
        return Err(Error::invalid("relu::draw", needs));
    }
    let x = Mat::from_fn(n, network.input_dim(), |_, _| rng.sample(StandardNormal));
    let mut y = network.evaluate(x.as_ref())?;
    for v in &mut y {
        let e: f64 = rng.sample(StandardNormal);
        *v += noise * e;
    }
    Ok((x, y))
}
