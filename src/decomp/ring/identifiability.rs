//! Whether the cores of a ring are the only ones, up to a change of basis at each bond.

use crate::decomp::Uniqueness;
use crate::tensor::{Scalar, TensorRing};
use faer::Mat;

/// Singular values, relative to the greatest, below which columns are dependent: a hundred times what rounding makes of zero.
const FLAT: f64 = 1e-12;
/// Columns up to which a core is looked at.
const MOST: usize = 512;

/// Whether `ring` is the only ring of its ranks with its tensor, up to invertible matrices between neighbouring cores.
///
/// `Unique` where there are three modes at least and every core is injective: its slices `G_k(i)`, as vectors of
/// `R_k R_{k+1}` entries, span the space of all of them; and where a bond has rank one and no core a rank more than it needs,
/// as in a train of least ranks. Two such rings of one tensor differ by changes of basis only. A ring with more parameters, less those of the changes of basis, than its tensor has entries is one of a family.
///
/// # Complexity
/// `O(sum(n_k (R_k R_{k+1})^2))`; `Unknown` where a product of ranks is above 512.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::decomp::{Uniqueness, ring_uniqueness};
/// use wickring::tensor::TensorRing;
/// let rng = &mut ChaCha8Rng::seed_from_u64(0);
/// let roomy = TensorRing::<f64>::gaussian(&[5, 4, 6], &[2, 2, 2], rng)?;
/// assert_eq!(ring_uniqueness(&roomy), Uniqueness::Unique);
/// let crowded = TensorRing::<f64>::gaussian(&[2, 2, 2], &[2, 2, 2], rng)?;
/// assert!(matches!(ring_uniqueness(&crowded), Uniqueness::Family(_)));
/// # Ok::<(), wickring::Error>(())
/// ```
///
/// # Source
/// Perez-Garcia, Verstraete, Wolf, Cirac 2007 (injective cores); Holtz, Rohwedder, Schneider 2012, theorem 1 (trains).
pub fn ring_uniqueness<T: Scalar>(ring: &TensorRing<T>) -> Uniqueness {
    let gauge: usize = ring.ranks().iter().map(|r| r * r).sum();
    let entries = ring.dims().iter().map(|&n| n as f64).product::<f64>();
    // Multiples of the identity at all bonds change nothing.
    let free = (ring.parameters() + 1) as f64 - gauge as f64;
    if free > entries {
        return Uniqueness::Family((free - entries) as usize);
    }
    let all = |holds: fn(&TensorRing<T>, usize) -> bool| (0..ring.order()).all(|k| holds(ring, k));
    let train = ring.ranks().contains(&1) && all(is_minimal);
    match train || (ring.order() >= 3 && all(is_injective)) {
        true => Uniqueness::Unique,
        false => Uniqueness::Unknown,
    }
}

/// Whether the slices of core `k` span all matrices of their shape.
fn is_injective<T: Scalar>(ring: &TensorRing<T>, k: usize) -> bool {
    let [left, n, right] = *ring.cores()[k].dims() else {
        return false;
    };
    let entry = |i: usize, a: usize| ring.slice(k, i)[(a % left, a / left)];
    left * right <= MOST.min(n) && independent(&Mat::from_fn(n, left * right, entry))
}

/// Whether core `k` has no rank more than it needs on either side, as every core of a train of least ranks.
fn is_minimal<T: Scalar>(ring: &TensorRing<T>, k: usize) -> bool {
    let [left, n, right] = *ring.cores()[k].dims() else {
        return false;
    };
    let forth = |a: usize, s: usize| ring.slice(k, a / left)[(a % left, s)];
    let back = |a: usize, r: usize| ring.slice(k, a / right)[(r, a % right)];
    left.max(right) <= MOST
        && independent(&Mat::from_fn(left * n, right, forth))
        && independent(&Mat::from_fn(right * n, left, back))
}

/// Whether the columns are independent.
fn independent<T: Scalar>(m: &Mat<T>) -> bool {
    let values = T::svd("ring_uniqueness", m.as_ref()).map(|svd| svd.s);
    m.ncols() <= m.nrows()
        && values.is_ok_and(|s| {
            let top = s.first().copied().unwrap_or(0.0);
            top > 0.0 && s.iter().all(|x| *x > FLAT * top)
        })
}
