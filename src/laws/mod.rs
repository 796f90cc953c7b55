//! Laws: checkable statements about public types, callable by anyone.
//!
//! A law is a plain function of its inputs. Unit tests, property tests, fuzz targets and downstream crates
//! call the same function; nothing here depends on a test framework. Slow obvious definitions live here
//! too: the fast path must equal them.

pub(crate) mod broken;
pub mod bytes;
pub mod certificates;
pub mod cp;
pub mod files;
pub mod gaussian;
pub mod learn;
pub mod planted;
pub mod poly;
pub mod readers;
pub mod ring;
pub mod schemes;
pub mod theory;

pub use broken::{Broken, check, within};
