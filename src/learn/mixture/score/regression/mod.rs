//! Piecewise polynomial least squares in Hermite bases.

pub(crate) mod cell_axes;
pub(crate) mod cells;
pub(crate) mod hermite_basis;
pub(crate) mod hermite_products;
pub(crate) mod hermite_sums;
pub(crate) mod normal_equations;
pub(crate) mod piecewise;
