//! Mixtures of Gaussians: `x = mu + sigma z`, `mu` from an unknown law `Q`, `z` standard normal.
//!
//! | which one do I want? | |
//! |---|---|
//! | [`Diffusion`] | any law with noise, discrete or continuous, as a generative model by regression |
//! | [`Em`] | a finite mixture with few components by maximum likelihood; covariances of any family; BIC |
//! | [`MomentMethod`] | separated spherical components with affinely independent means; no random starts |

mod atoms;
mod audit;
mod cells;
mod chain;
mod classifier;
mod compare;
mod denoiser;
mod diffusion;
mod door;
mod em;
mod em_climb;
mod em_race;
mod em_search;
mod em_starts;
mod em_step;
mod frame;
mod gaussian;
mod hermite_basis;
mod hermite_products;
mod hermite_sums;
mod joint_diagonal;
mod kind;
mod ladder;
mod level;
mod likelihood;
mod moment_atoms;
mod moment_evidence;
mod moment_method;
mod moment_sums;
mod noised;
mod normal_equations;
mod population;
mod posterior;
mod record;
mod regression;
mod score_model;
mod source;
mod subspace;
mod survey;

pub use atoms::{AtomFit, extract_atoms};
pub use audit::{BrokenNesting, TableEntry, broken_nestings};
pub use chain::{Chain, Step};
pub use classifier::{ClassifierTest, classifier_test};
pub use compare::{
    energy_test, histogram_total_variation, ks_distance, memorisation, nearest_distances,
    projected_ks,
};
pub use diffusion::Diffusion;
pub use em::{Em, EmModel, EmRow};
pub use gaussian::{Component, GaussianMixture};
pub use kind::CovarianceKind;
pub use moment_atoms::{MomentAtoms, PrincipalMoments, spherical_atoms};
pub use moment_method::{MomentMethod, MomentModel};
pub use population::Population;
pub use record::{Generator, SCHEMA};
pub use score_model::ScoreModel;
pub use source::{Batch, InMemory, SampleSource};
