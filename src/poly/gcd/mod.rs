//! Greatest common divisors.

pub(crate) mod by_floats;
pub(crate) mod chinese;
pub(crate) mod ground;
pub(crate) mod integral;
pub(crate) mod over_prime_field;
pub(crate) mod prime_image;
pub(crate) mod several;
pub(crate) mod sparse;
pub(crate) mod univariate;
