//! Maximum likelihood from rows with gaps: entries that were not measured, NaN in the sample.

pub(crate) mod e_step;
pub(crate) mod evidence;
pub(crate) mod learner;
pub(crate) mod patterns;
