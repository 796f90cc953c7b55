//! Exact algebra and Gaussian calculus.

mod gaussian_data;
mod gaussian_laws;
mod poly_algebra;
mod poly_batch;
mod poly_factor;
mod poly_identity;
mod poly_laws;
mod poly_levels;
