//! CP fits by losses other than squares: counts, waiting times, yes or no, outliers.
//!
//! | file | what it holds |
//! |---|---|
//! | `entry_loss` | [`crate::decomp::EntryLoss`]: value, slope and curvature of each loss at one entry |
//! | `rows` | the entries of each row of each mode, dense or sparse, and the sums over those that are not stored |
//! | `row_newton` | one row: projected damped Newton steps |
//! | `search` | starts, sweeps over rows, extrapolation |
//! | `constant` | the constant model, which a fit has to beat |
//! | `held_out` | entries that the fit does without and foretells |
//! | `evidence` | gradient, deviances, what noise alone would gain |
//! | `decomposition` | [`crate::decomp::CpLoss`] |

mod constant;
pub(crate) mod decomposition;
pub(crate) mod entry_loss;
mod evidence;
mod held_out;
mod row_newton;
mod rows;
mod search;

#[cfg(test)]
mod tests;
