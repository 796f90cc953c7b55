//! What `wickring experiment relu-story` varies, samples, the least angle, or the number of neurons, and the sizes of
//! `relu-bars`.

use clap::ValueEnum;
use wickring::planted::relu::Story as Family;

/// What is varied; everything else stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Against {
    /// The number of samples, as --samples lists.
    Samples,
    /// The angle between two neurons, from one radian down to a thousandth, at the greatest of --samples.
    Angle,
    /// The number of kinks, from 2 to 16, at the greatest of --samples.
    Kinks,
}

/// One planted family at one place of a sweep.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The value that is varied.
    pub at: f64,
    pub family: Family,
    pub kinks: usize,
    pub samples: usize,
}

/// A family with its places: one picture.
pub struct Sweep {
    pub name: &'static str,
    pub places: Vec<Place>,
}

const ANGLES: [f64; 7] = [1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001];
const KINKS: [usize; 7] = [2, 4, 6, 8, 10, 12, 16];

/// Families against angles: name, story, neurons.
type Near = (&'static str, fn(f64) -> Family, usize);

impl Against {
    /// The sweeps.
    pub fn sweeps(self, samples: &[usize]) -> Vec<Sweep> {
        let most = samples.iter().copied().max().unwrap_or(0);
        match self {
            Self::Samples => [
                ("separated", Family::Separated, 3),
                ("near-parallel 0.1", Family::NearSame(0.1), 3),
                ("cancelling 0.1", Family::Dipole(0.1), 2),
                ("star 6", Family::Star, 6),
            ]
            .map(|(name, family, kinks)| Sweep {
                name,
                places: (samples.iter())
                    .map(|&samples| Place {
                        at: samples as f64,
                        family,
                        kinks,
                        samples,
                    })
                    .collect(),
            })
            .into(),
            Self::Angle => {
                let near: [Near; 3] = [
                    ("near-parallel", Family::NearSame, 3),
                    ("near-parallel, unequal signs", Family::NearMixed, 3),
                    ("cancelling", Family::Dipole, 2),
                ];
                near.map(|(name, family, kinks)| Sweep {
                    name,
                    places: ANGLES
                        .map(|at| Place {
                            at,
                            family: family(at),
                            kinks,
                            samples: most,
                        })
                        .into(),
                })
                .into()
            }
            Self::Kinks => [("separated", Family::Separated), ("star", Family::Star)]
                .map(|(name, family)| Sweep {
                    name,
                    places: KINKS
                        .map(|kinks| Place {
                            at: kinks as f64,
                            family,
                            kinks,
                            samples: most,
                        })
                        .into(),
                })
                .into(),
        }
    }

    /// What the paper says about it.
    pub fn says(self) -> &'static str {
        match self {
            Self::Samples => {
                "few ReLUs are learned whatever their signs and however near their directions"
            }
            Self::Angle => {
                "near neurons can be collapsed at some scale, so the error does not grow with 1/angle"
            }
            Self::Kinks => "every constant number of neurons is learned in polynomial time",
        }
    }

    /// The name of the axis.
    pub fn axis(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Angle => "least angle (radians)",
            Self::Kinks => "kinks",
        }
    }
}

/// The angle that a family is about: of its pair, or of neighbours in a star.
pub fn angle(family: Family, kinks: usize) -> Option<f64> {
    match family {
        Family::NearSame(a) | Family::NearMixed(a) | Family::Dipole(a) | Family::Crowded(a) => {
            Some(a)
        }
        Family::Star => Some(std::f64::consts::PI / kinks as f64),
        _ => None,
    }
}

/// A size with the error that counts as a success there; 0 when the figure is the ratio to the oracle.
pub type Bar = (&'static str, Family, (usize, usize, usize), f64, f64);

/// The sizes of BENCHMARKS.md.
pub const BARS: [Bar; 20] = [
    (
        "separated 20-3-500",
        Family::Separated,
        (20, 3, 500),
        0.0,
        1e-20,
    ),
    (
        "separated 50-5-1000",
        Family::Separated,
        (50, 5, 1000),
        0.0,
        1e-20,
    ),
    (
        "separated 50-8-10000",
        Family::Separated,
        (50, 8, 10_000),
        0.0,
        1e-20,
    ),
    ("star 50-4-3000", Family::Star, (50, 4, 3000), 0.0, 1e-20),
    ("star 50-6-8000", Family::Star, (50, 6, 8000), 0.0, 1e-20),
    ("star 50-8-20000", Family::Star, (50, 8, 20_000), 0.0, 1e-20),
    (
        "near .1 20-3-10000",
        Family::NearSame(0.1),
        (20, 3, 10_000),
        0.0,
        1e-20,
    ),
    (
        "near .01 20-3-10000",
        Family::NearSame(0.01),
        (20, 3, 10_000),
        0.0,
        1e-7,
    ),
    (
        "near .001 20-3-10000",
        Family::NearSame(0.001),
        (20, 3, 10_000),
        0.0,
        1e-8,
    ),
    (
        "mixed .1 20-3-10000",
        Family::NearMixed(0.1),
        (20, 3, 10_000),
        0.0,
        1e-20,
    ),
    (
        "mixed .01 20-3-10000",
        Family::NearMixed(0.01),
        (20, 3, 10_000),
        0.0,
        1e-7,
    ),
    (
        "mixed .001 20-3-10000",
        Family::NearMixed(0.001),
        (20, 3, 10_000),
        0.0,
        1e-8,
    ),
    (
        "law .02 20-3-10000",
        Family::NearSame(0.02),
        (20, 3, 10_000),
        0.0,
        1e-18,
    ),
    (
        "dipole .001 10-2-40000",
        Family::Dipole(0.001),
        (10, 2, 40_000),
        0.0,
        1e-18,
    ),
    (
        "noise .1 20-3-2000",
        Family::Separated,
        (20, 3, 2000),
        0.1,
        0.0,
    ),
    (
        "noise .5 20-3-2000",
        Family::Separated,
        (20, 3, 2000),
        0.5,
        0.0,
    ),
    (
        "noise .1 20-3-10000",
        Family::Separated,
        (20, 3, 10_000),
        0.1,
        0.0,
    ),
    (
        "noise .5 20-3-10000",
        Family::Separated,
        (20, 3, 10_000),
        0.5,
        0.0,
    ),
    (
        "noise star 20-4-10000",
        Family::Star,
        (20, 4, 10_000),
        0.3,
        0.0,
    ),
    (
        "noise star 50-4-20000",
        Family::Star,
        (50, 4, 20_000),
        0.3,
        0.0,
    ),
];
