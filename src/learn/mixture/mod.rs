//! Mixtures of Gaussians: `x = mu + sigma z`, `mu` from an unknown law `Q`, `z` standard normal.
//!
//! | which one do I want? | |
//! |---|---|
//! | [`AutoMixture`] | whichever of the three explains rows that were held out best |
//! | [`Diffusion`] | any law with noise, discrete or continuous, as a generative model by regression |
//! | [`Em`] | a finite mixture with few components by maximum likelihood; covariances of any family; BIC |
//! | [`MaskedEm`] | the same from rows with gaps |
//! | [`MomentMethod`] | separated spherical components with affinely independent means; no random starts |

pub(crate) mod atoms;
pub(crate) mod choice;
pub(crate) mod conditional;
pub(crate) mod em;
pub(crate) mod gaussian;
pub(crate) mod input_check;
pub(crate) mod known_laws;
pub(crate) mod law_check;
pub(crate) mod missing;
pub(crate) mod model_file;
pub(crate) mod moments;
pub(crate) mod score;
pub(crate) mod source;
pub(crate) mod subspace;
pub(crate) mod whitening;

pub use atoms::{AtomFit, extract_atoms, extract_atoms_observed};
pub use em::nesting_audit::{BrokenNesting, TableEntry, broken_nestings};
pub use score::reverse_chain::{Chain, Step};

pub use choice::contest::{MixtureCandidate, MixtureMethod};
pub use choice::learner::{AutoMixture, AutoModel, MixtureAnswer};
pub use em::covariance_kind::CovarianceKind;
pub use em::learner::{Em, EmModel, EmRow, GivenUp};
pub use gaussian::{Component, GaussianMixture};
pub use known_laws::Population;
pub use missing::learner::{MaskedEm, MaskedModel};
pub use model_file::{MixtureModel, SCHEMA};
pub use moments::atoms::{MomentAtoms, PrincipalMoments, spherical_atoms};
pub use moments::learner::{MomentMethod, MomentModel};
pub use score::learner::Diffusion;
pub use score::model::ScoreModel;
pub use source::{Batch, InMemory, SampleSource};
