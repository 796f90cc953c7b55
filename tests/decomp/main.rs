//! Tensor models and their decompositions.

mod cp_data;
mod cp_missing;
mod cp_models;
mod cp_ranks;
mod decomp_suite;
mod every_method;
mod overcomplete;
mod peirce_recovers_planted;
mod ring_decomposition;
mod ring_gauge;
mod ring_ranks;
mod ring_suite;
mod ring_symmetric;
mod trains;
