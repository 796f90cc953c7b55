//! What a quadratic map is held against: held-out samples, exact cumulants, the algebra of its forms.

pub(crate) mod algebraic;
pub(crate) mod exact_cumulants;
pub(crate) mod held_out;
pub(crate) mod noisy_law;
