//! Statistics of samples: mergeable moments, splits, two-sample tests and distances.

pub(crate) mod chunk_sums;
pub(crate) mod classifier_test;
pub(crate) mod distances;
pub(crate) mod goodness;
pub(crate) mod hermite_contractions;
pub(crate) mod kurtosis;
pub(crate) mod moments;
pub(crate) mod moments_bytes;
pub(crate) mod normality;
pub(crate) mod panel;
pub(crate) mod permutation;
pub(crate) mod split;
pub(crate) mod two_sample;

pub use classifier_test::{ClassifierTest, classifier_test};
pub use distances::{
    energy_test, histogram_total_variation, ks_distance, memorisation, nearest_distances,
    projected_ks,
};
pub use hermite_contractions::HermiteContractions;
pub use moments::{MomentSummary, Moments};
pub use panel::Panel;
pub use permutation::{ResidualTest, residual_test};
pub use split::held_out_threshold;
pub use two_sample::{TwoSampleTest, energy_distance, sliced_wasserstein};
