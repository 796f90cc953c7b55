//! The condition number of a CP decomposition.
//!
//! Each rank-one component moves on the Segre manifold; stack orthonormal bases of the tangent spaces of all
//! components side by side. The reciprocal of the smallest singular value of that matrix is the condition
//! number of recovering the components from their sum (Breiding and Vannieuwenhoven 2018, theorem 1.1).

use super::normal_equations::Normal;
use crate::linalg::{Scalar, small};
use crate::poly::Ring;
use crate::tensor::{CpTensor, Factor};
use faer::MatRef;

/// Unknowns beyond which the number is not computed.
const MOST_UNKNOWNS: usize = 1500;

/// The condition number; infinite when the components are not locally identifiable, or when the problem is
/// larger than the budget allows to tell.
///
/// # Complexity
/// `O(u^3 / 3)` for `u = R * sum(min(n_m, R))` unknowns, `u <= 1500`.
pub(in crate::decomp) fn condition<T: Scalar + Ring>(model: &CpTensor<T>) -> f64 {
    let canonical = model.canonical();
    // Orthonormal coordinates of the column spaces change neither angles nor the number.
    let factors: Vec<Factor<T>> = canonical.factors().iter().map(reduced).collect();
    let unknowns: usize = factors.iter().map(|f| f.as_slice().len()).sum();
    if unknowns > MOST_UNKNOWNS {
        return f64::INFINITY;
    }
    let rank = canonical.rank();
    let Some(mut gram) = Normal::at(&factors).into_dense() else {
        return f64::INFINITY;
    };
    let n = gram.rows();
    for j in 0..n {
        for i in 0..j {
            let lower = gram.column(i)[j];
            gram.column_mut(j)[i] = lower.conj();
        }
    }
    let mut keep = Vec::with_capacity(n);
    let mut offset = 0;
    for (m, f) in factors.iter().enumerate() {
        for r in 0..rank {
            reflect(&mut gram, offset, f.column(r));
            // After the reflection the first coordinate is the component itself, common to all modes.
            let first = usize::from(m > 0);
            keep.extend(offset + first..offset + f.rows());
            offset += f.rows();
        }
    }
    // In place: every entry moves to the left.
    let k = keep.len();
    let entries = gram.as_mut_slice();
    for (j, &from) in keep.iter().enumerate() {
        for (i, &row) in keep.iter().enumerate() {
            entries[j * k + i] = entries[from * n + row];
        }
    }
    let reduced = MatRef::from_column_major_slice(&gram.as_slice()[..k * k], k, k);
    match T::smallest_definite(reduced) {
        Some(v) if v > 1e-13 => 1.0 / v.sqrt(),
        _ => f64::INFINITY,
    }
}

/// Coordinates of the columns in an orthonormal basis of their span, or the factor itself.
fn reduced<T: Scalar>(f: &Factor<T>) -> Factor<T> {
    if f.rows() <= f.cols() {
        return f.clone();
    }
    let basis = small::orthonormal(f.as_slice(), f.rows(), 1e-13);
    let cols = basis.len() / f.rows().max(1);
    match Factor::new(f.rows(), cols, basis) {
        Ok(u) if cols > 0 => f.left_mul(u.conj().as_mat().transpose()),
        _ => f.clone(),
    }
}

/// Applies the Householder reflection that takes the unit vector `a` to a multiple of the first coordinate,
/// to the rows and columns `offset..offset + a.len()`.
fn reflect<T: Scalar>(gram: &mut Factor<T>, offset: usize, a: &[T]) {
    let phase = if a[0].abs() > 0.0 {
        a[0].scale(1.0 / a[0].abs())
    } else {
        T::one()
    };
    let mut v = a.to_vec();
    v[0] += phase;
    let length = small::norm_sq(&v);
    if !(length > 0.0) {
        return;
    }
    let n = gram.rows();
    for j in 0..n {
        let part = &mut gram.column_mut(j)[offset..offset + a.len()];
        let f = small::dot(&v, part).scale(2.0 / length);
        small::axpy(part, -f, &v);
    }
    // Columns: G <- G (I - 2 v v^H / |v|^2)
    let mut image = vec![T::zero(); n];
    for (k, &x) in v.iter().enumerate() {
        small::axpy(&mut image, x, gram.column(offset + k));
    }
    for (k, &x) in v.iter().enumerate() {
        let f = x.conj().scale(2.0 / length);
        small::axpy(gram.column_mut(offset + k), -f, &image);
    }
}
