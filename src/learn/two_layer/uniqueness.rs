//! Are the weights told by the function? Directions in which they move without changing it.

use super::activation::PolynomialActivation;
use super::risk::Point;
use super::sample::{count, low_degrees};
use crate::linalg::symmetric_eigen;
use faer::{Mat, MatRef};

/// Most parameters whose derivatives are compared: their Gram matrix is decomposed.
const MOST: usize = 600;
/// Squared length of a change of the function, against that of the weights, that is rounding.
const ROUNDING: f64 = 1e-11;

/// The number of directions, to first order, in which the weights (and free coefficients) move without changing
/// the function, besides the trade of length and coefficient that one single power allows. `None` where there
/// are too many parameters to tell and too few to know without looking.
///
/// Counting comes first: a function with fewer coefficients than the network has parameters leaves the
/// difference free. Otherwise the rank of the derivatives at the inputs, of which as many are used as it takes.
pub(super) fn free_directions(
    x: MatRef<'_, f64>,
    at: &Point,
    sigma: &PolynomialActivation,
    free: bool,
) -> Option<usize> {
    let (n, d, r) = (x.nrows(), x.ncols(), at.neurons());
    let parameters = r * d + if free { r } else { 0 };
    let powers = sigma.coefficients().iter().skip(1);
    let single = free && powers.filter(|a| **a != 0.0).count() == 1;
    let trivial = if single { r } else { 0 };
    let mut degrees = low_degrees(sigma);
    degrees.push(sigma.degree());
    let room = degrees.iter().filter(|k| **k > 0);
    let room = room
        .map(|&k| count(d, k))
        .fold(0usize, usize::saturating_add);
    if parameters > MOST {
        return (parameters > room.saturating_add(trivial)).then(|| parameters - room - trivial);
    }
    let rows = n.min(2 * parameters + 50);
    let x = x.subrows(0, rows);
    let inner = x * at.rows(d).transpose();
    let mut slopes = Mat::from_fn(rows, parameters, |k, c| {
        let i = c % r;
        let (value, slope) = sigma.at(inner[(k, i)]);
        match c / r {
            j if j < d => at.coefficients[i] * slope * x[(k, j)],
            _ => value,
        }
    });
    let rank = {
        // The constant is fitted beside the network, so it is no part of the function's change.
        for c in 0..parameters {
            let column = slopes.col_as_slice_mut(c);
            let mean = column.iter().sum::<f64>() / rows as f64;
            column.iter_mut().for_each(|v| *v -= mean);
            let size = crate::linalg::norm2(column);
            if size > 0.0 {
                column.iter_mut().for_each(|v| *v /= size);
            }
        }
        let gram = slopes.transpose() * &slopes;
        let values = symmetric_eigen("TwoLayerLearner::learn", gram.as_ref())
            .ok()?
            .values;
        let top = values.iter().fold(0.0, |m: f64, v| m.max(*v));
        values.iter().filter(|v| **v > ROUNDING * top).count()
    };
    Some((parameters - rank).saturating_sub(trivial))
}
