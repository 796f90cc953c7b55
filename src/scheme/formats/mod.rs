//! Readers of the files in which schemes are published.

pub(crate) mod arrays;
pub(crate) mod assigned;
pub(crate) mod bini;
pub(crate) mod brackets;
pub(crate) mod eliminated;
pub(crate) mod entry;
pub(crate) mod flat;
pub(crate) mod json;
pub(crate) mod models;
pub(crate) mod products;
pub(crate) mod read;
pub(crate) mod reduced;
pub(crate) mod tables;
