//! Laws: checkable statements about public types, callable by anyone.
//!
//! A law is a plain function of its inputs. Unit tests, property tests, fuzz targets and downstream crates
//! call the same function; nothing here depends on a test framework. Slow obvious definitions live here
//! too: the fast path must equal them.

mod broken;
pub mod bytes;
pub mod planted;
pub mod poly_algebra;
pub mod poly_ring;
pub mod quadratic_maps;
pub mod ring_models;
pub mod rings;
pub mod theory;

pub use broken::{Broken, check, within};
