//! Real vector kernels, compiled for the vector registers that the processor turns out to have.
//!
//! The instruction set is chosen when the program runs, by faer's own dispatcher, so nothing here is unsafe.
//! Sums run in a fixed number of partial sums: the bits do not depend on the instruction set.

use faer::traits::pulp::Arch;

/// Lengths below which the call through the dispatcher costs more than it gains.
const SHORT: usize = 24;
/// Partial sums of a dot product: four registers of four numbers hide the latency of the additions.
const LANES: usize = 16;

/// `sum x_i y_i`.
#[inline]
pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    if x.len() < SHORT {
        return x.iter().zip(y).map(|(a, b)| a * b).sum();
    }
    Arch::new().dispatch(
        #[inline(always)]
        || dot_lanes(x, y),
    )
}

/// `y += a x`.
#[inline]
pub fn axpy(y: &mut [f64], a: f64, x: &[f64]) {
    if x.len() < SHORT {
        y.iter_mut().zip(x).for_each(|(y, &x)| *y += a * x);
        return;
    }
    Arch::new().dispatch(
        #[inline(always)]
        || add_multiple(y, a, x),
    );
}

/// Contracts a matrix `P` (columns of `rows` entries, one after the other) from both sides in one pass:
/// `left += P y` and `right[k] = <P[:, k], x>`.
#[inline]
pub fn contract(matrix: &[f64], (x, left): (&[f64], &mut [f64]), (y, right): (&[f64], &mut [f64])) {
    let rows = x.len().max(1);
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let columns = matrix.chunks_exact(rows);
            for ((column, &b), out) in columns.zip(y).zip(right.iter_mut()) {
                add_multiple(left, b, column);
                *out = dot_lanes(column, x);
            }
        },
    );
}

#[inline(always)]
fn dot_lanes(x: &[f64], y: &[f64]) -> f64 {
    let mut acc = [0.0f64; LANES];
    let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let mut tail = 0.0;
    for (a, b) in xs.remainder().iter().zip(ys.remainder()) {
        tail += a * b;
    }
    for (a, b) in xs.zip(ys) {
        for k in 0..LANES {
            acc[k] += a[k] * b[k];
        }
    }
    // Halving keeps the sum in registers.
    for width in [8, 4, 2, 1] {
        for k in 0..width {
            acc[k] += acc[k + width];
        }
    }
    acc[0] + tail
}

#[inline(always)]
fn add_multiple(y: &mut [f64], a: f64, x: &[f64]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_equal_their_definitions_at_every_length() {
        for n in 0..70usize {
            let x: Vec<f64> = (0..n).map(|i| (i % 7) as f64 - 3.0).collect();
            let y: Vec<f64> = (0..n).map(|i| (i % 5) as f64 - 1.0).collect();
            // Small integers: every order of summation is exact.
            let expected: f64 = x.iter().zip(&y).map(|(a, b)| a * b).sum();
            assert_eq!(dot(&x, &y), expected);
            let mut z = y.clone();
            axpy(&mut z, 2.0, &x);
            assert!(
                z.iter()
                    .zip(&x)
                    .zip(&y)
                    .all(|((z, x), y)| *z == y + 2.0 * x)
            );
        }
    }

    #[test]
    fn both_contractions_come_from_one_pass() {
        let p = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let (mut left, mut right) = ([0.0; 3], [0.0; 2]);
        contract(
            &p,
            (&[1.0, 0.0, -1.0], &mut left),
            (&[2.0, 1.0], &mut right),
        );
        assert_eq!((left, right), ([6.0, 9.0, 12.0], [-2.0, -2.0]));
    }
}
