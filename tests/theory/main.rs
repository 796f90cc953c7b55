//! Learning curves.

mod averages;
mod batch;
mod online;
