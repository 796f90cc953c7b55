//! One run of neighbouring cores from its products at chosen indices.
//!
//! `A(I) = G_0(i_0) .. G_s(i_s)` is asked for at `O(sum n_k)` multi-indices: with a few prefixes `p` and a few
//! tails `t`, the matrices `A(p, i_k, t)` for all `i_k` give core `k` as an orthonormal basis in the bond that
//! the cores before it have fixed. Only the last core sees the right bond of the run.

use crate::Error;
use crate::tensor::{Scalar, Tensor};
use faer::Mat;
use rand::{Rng, RngExt};

/// Prefixes and tails more than the ranks need.
const SPARE: usize = 1;

/// The sizes and bonds of a run: `bonds` has one entry more than `dims`.
pub(super) struct Run<'a> {
    pub(super) dims: &'a [usize],
    pub(super) bonds: &'a [usize],
}

impl Run<'_> {
    /// The cores of the run, from a function that evaluates the whole run at a multi-index.
    pub(super) fn cores<T: Scalar>(
        &self,
        op: &'static str,
        at: &mut dyn FnMut(&[usize]) -> Result<Mat<T>, Error>,
        rng: &mut impl Rng,
    ) -> Result<Vec<Tensor<T>>, Error> {
        let count = self.dims.len();
        let (first, last) = (self.bonds[0], self.bonds[count]);
        // Prefixes so far, and the product of the cores found at each: rows (prefix, first bond).
        let mut prefixes: Vec<Vec<usize>> = vec![Vec::new()];
        let mut known = Mat::<T>::identity(first, first);
        let mut cores = Vec::with_capacity(count);
        for k in 0..count {
            let (n, left, right) = (self.dims[k], self.bonds[k], self.bonds[k + 1]);
            let is_last = k + 1 == count;
            let wanted = if is_last {
                1
            } else {
                right.div_ceil(last) + SPARE
            };
            let tails = self.chosen(k + 1..count, wanted, rng);
            // Rows (prefix, first bond), columns (i, tail, last bond).
            let columns = n * tails.len() * last;
            let mut values = Mat::<T>::zeros(prefixes.len() * first, columns);
            for (p, prefix) in prefixes.iter().enumerate() {
                for (i, (t, tail)) in
                    (0..n).flat_map(|i| tails.iter().enumerate().map(move |t| (i, t)))
                {
                    let index: Vec<usize> = prefix
                        .iter()
                        .copied()
                        .chain([i])
                        .chain(tail.iter().copied())
                        .collect();
                    let block = at(&index)?;
                    for (a, b) in (0..last).flat_map(|b| (0..first).map(move |a| (a, b))) {
                        let column = (i * tails.len() + t) * last + b;
                        values[(p * first + a, column)] = block[(a, b)];
                    }
                }
            }
            // What remains behind the cores known: rows left bond.
            let rest = T::lstsq(op, known.as_ref(), values.as_ref())?;
            if is_last {
                cores.push(Tensor::from_fn(&[left, n, right], |x| {
                    rest[(x[0], x[1] * last + x[2])]
                })?);
                break;
            }
            let width = tails.len() * last;
            let wide = Mat::from_fn(left * n, width, |row, c| {
                rest[(row % left, (row / left) * width + c)]
            });
            let svd = T::svd(op, wide.as_ref())?;
            let room = svd.u.ncols();
            let core = Tensor::from_fn(&[left, n, right], |x| {
                if x[2] < room {
                    svd.u[(x[0] + left * x[1], x[2])]
                } else {
                    T::zero()
                }
            })?;
            prefixes = self.chosen(0..k + 1, right.div_ceil(first) + SPARE, rng);
            cores.push(core);
            known = Mat::zeros(prefixes.len() * first, right);
            for (p, prefix) in prefixes.iter().enumerate() {
                let product = product_at(&cores, prefix, first);
                for (a, b) in (0..right).flat_map(|b| (0..first).map(move |a| (a, b))) {
                    known[(p * first + a, b)] = product[(a, b)];
                }
            }
        }
        Ok(cores)
    }

    /// At most `wanted` different multi-indices over some modes of the run.
    fn chosen(
        &self,
        modes: std::ops::Range<usize>,
        wanted: usize,
        rng: &mut impl Rng,
    ) -> Vec<Vec<usize>> {
        let dims = &self.dims[modes];
        multi_indices(dims, wanted, rng)
    }
}

fn product_at<T: Scalar>(cores: &[Tensor<T>], index: &[usize], first: usize) -> Mat<T> {
    let mut walk = Mat::<T>::identity(first, first);
    for (core, &i) in cores.iter().zip(index) {
        let (c, n, d) = (core.dims()[0], core.dims()[1], core.dims()[2]);
        let slice = Mat::from_fn(c, d, |a, b| core.as_slice()[a + c * (i + n * b)]);
        walk = T::product(walk.as_ref(), slice.as_ref());
    }
    walk
}

/// At most `wanted` different random multi-indices; all of them when there are no more.
pub(super) fn multi_indices(dims: &[usize], wanted: usize, rng: &mut impl Rng) -> Vec<Vec<usize>> {
    let total = dims.iter().fold(1usize, |n, &d| n.saturating_mul(d));
    let mut found: Vec<Vec<usize>> = Vec::new();
    let split = |mut flat: usize| -> Vec<usize> {
        let one = |&n: &usize| {
            let i = flat % n;
            flat /= n;
            i
        };
        dims.iter().map(one).collect()
    };
    if total <= 2 * wanted {
        // Few: a random order of all.
        let mut all: Vec<usize> = (0..total).collect();
        for i in 0..wanted.min(total) {
            let j = rng.random_range(i..total);
            all.swap(i, j);
        }
        return all.into_iter().take(wanted).map(split).collect();
    }
    // Many: repeats are rare, and the number of draws is bounded.
    for _ in 0..8 * wanted {
        if found.len() == wanted {
            break;
        }
        let index: Vec<usize> = dims.iter().map(|&n| rng.random_range(0..n)).collect();
        if !found.contains(&index) {
            found.push(index);
        }
    }
    found
}
