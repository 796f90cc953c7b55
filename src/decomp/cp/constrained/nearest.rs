//! The nearest column that a rule admits.

use super::rule::Set;
use super::unimodal;
use crate::linalg::small;

/// Replaces `z` by the minimiser over the set of `1/2 ||x - z||^2 + sparse ||x||_1 + group ||x||`.
///
/// On nonnegative columns the sum of moduli is linear, so that it is taken off before the set is heeded; the sets are cones,
/// so that the length is taken off after. Orthonormal and fixed columns are not determined one by one and stay.
pub(super) fn nearest(set: &Set, (sparse, group): (f64, f64), z: &mut [f64]) {
    match set {
        Set::Orthonormal | Set::Fixed(_) => return,
        Set::Any if sparse > 0.0 => z
            .iter_mut()
            .for_each(|x| *x = x.signum() * (x.abs() - sparse).max(0.0)),
        Set::Any => {}
        Set::Nonnegative => z.iter_mut().for_each(|x| *x = (*x - sparse).max(0.0)),
        Set::Unimodal => {
            z.iter_mut().for_each(|x| *x -= sparse);
            unimodal::project(z);
        }
    }
    if group > 0.0 {
        let length = small::norm_sq(z).sqrt();
        let left = if length > group {
            1.0 - group / length
        } else {
            0.0
        };
        z.iter_mut().for_each(|x| *x *= left);
    }
}
