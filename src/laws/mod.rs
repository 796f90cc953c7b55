//! Laws: checkable statements about public types, callable by anyone.
//!
//! A law is a plain function of its inputs. Unit tests, property tests, fuzz targets and downstream crates
//! call the same function; nothing here depends on a test framework. Slow obvious definitions live here
//! too: the fast path must equal them.

mod broken;
pub mod bytes;
pub mod cp;
pub mod gaussian_cases;
pub mod gaussian_hermite;
pub mod gaussian_moments;
pub mod gaussian_wick;
pub mod identities;
pub mod mixtures;
pub mod planted;
pub mod poly_algebra;
pub mod poly_batch;
pub mod poly_ring;
pub mod polynomial_maps;
pub mod quadratic_fuzz;
pub mod quadratic_maps;
pub mod relu;
pub mod ring_fuzz;
pub mod ring_identities;
pub mod ring_methods;
pub mod ring_models;
pub mod ring_subjects;
pub mod rings;
pub mod schemes;
pub mod theory;
pub mod theory_fuzz;
pub mod two_layer;

pub use broken::{Broken, check, within};
