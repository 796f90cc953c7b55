//! A symmetric tensor as the matrix of its contractions: one product for every power of every component.
//!
//! ```text
//! T(x, .., x, .)_i = sum over monomials a of degree m-1:  x^a C[a, i],      C[a, i] = (m-1)!/a! T[a, i]
//! ```
//!
//! `C` has `C(n+m-2, m-1)` rows, a factor `(m-1)!` fewer than an unfolding, and the contraction of `r` components
//! at once is a product of the `r x C(n+m-2, m-1)` matrix of their monomials with it.

use crate::Error;
use crate::linalg::{Scalar, norm2};
use crate::tensor::TensorView;
use faer::{Mat, MatRef};

/// Columns of monomials formed at a time: they stay in the cache while they are multiplied.
const BLOCK: usize = 512;
/// Most entries of the packed matrix: 1 GiB.
const MOST_ENTRIES: usize = 1 << 27;

/// The monomials of degree `0..=top` in `n` variables, each a child of one of a degree less.
#[derive(Clone, Debug, PartialEq)]
struct Monomials {
    n: usize,
    /// For each degree the greatest variable of every monomial; children follow their parents' order.
    last: Vec<Vec<u32>>,
    /// Multinomial coefficients of the top degree.
    multiplicity: Vec<f64>,
}

impl Monomials {
    fn new(n: usize, top: usize) -> Self {
        // Degree 0 has one monomial, whose children may be any variable.
        let mut last = vec![vec![0u32]];
        // (exponent of the last variable, multiplicity)
        let mut state = vec![(0u32, 1.0f64)];
        for degree in 1..=top {
            let (mut next, mut next_state) = (Vec::new(), Vec::new());
            for (&l, &(run, mult)) in last[degree - 1].iter().zip(&state) {
                for j in l..n as u32 {
                    let run = if degree > 1 && j == l { run + 1 } else { 1 };
                    next.push(j);
                    next_state.push((run, mult * degree as f64 / f64::from(run)));
                }
            }
            last.push(next);
            state = next_state;
        }
        let multiplicity = state.into_iter().map(|s| s.1).collect();
        Self {
            n,
            last,
            multiplicity,
        }
    }

    fn top(&self) -> usize {
        self.last.len() - 1
    }

    fn len(&self) -> usize {
        self.multiplicity.len()
    }

    /// The exponent sequences (nondecreasing variables) of the top degree, in order.
    fn indices(&self) -> Vec<Vec<usize>> {
        let mut lists: Vec<Vec<usize>> = vec![Vec::new()];
        for degree in 1..=self.top() {
            let mut next = Vec::with_capacity(self.last[degree].len());
            for (parent, &l) in lists.iter().zip(&self.last[degree - 1]) {
                for j in l as usize..self.n {
                    let mut child = parent.clone();
                    child.push(j);
                    next.push(child);
                }
            }
            lists = next;
        }
        lists
    }

    /// The monomials of degree `degree - 1` of the rows of `x` (`r x n`), one monomial a column.
    fn parents(&self, x: MatRef<'_, f64>, degree: usize) -> Mat<f64> {
        let mut table = Mat::from_fn(x.nrows(), 1, |_, _| 1.0);
        for d in 1..degree {
            let mut next = Mat::zeros(x.nrows(), self.last[d].len());
            let mut at = 0;
            for (p, &l) in self.last[d - 1].iter().enumerate() {
                for j in l as usize..self.n {
                    multiply(next.col_as_slice_mut(at), table.col_as_slice(p), x, j);
                    at += 1;
                }
            }
            table = next;
        }
        table
    }

    /// Calls `f(first, block)` for consecutive blocks of columns of monomials of the top degree.
    fn blocks(&self, x: MatRef<'_, f64>, mut f: impl FnMut(usize, MatRef<'_, f64>)) {
        let parents = self.parents(x, self.top());
        let mut block = Mat::<f64>::zeros(x.nrows(), BLOCK + self.n);
        let (mut first, mut used) = (0, 0);
        for (p, &l) in self.last[self.top() - 1].iter().enumerate() {
            for j in l as usize..self.n {
                multiply(block.col_as_slice_mut(used), parents.col_as_slice(p), x, j);
                used += 1;
            }
            if used >= BLOCK {
                f(first, block.as_ref().subcols(0, used));
                (first, used) = (first + used, 0);
            }
        }
        if used > 0 {
            f(first, block.as_ref().subcols(0, used));
        }
    }
}

/// `out = parent * x_j`, entry by entry.
fn multiply(out: &mut [f64], parent: &[f64], x: MatRef<'_, f64>, j: usize) {
    for ((o, p), v) in out.iter_mut().zip(parent).zip(x.col(j).iter()) {
        *o = p * v;
    }
}

/// A symmetric tensor of order `m >= 2` in packed form.
///
/// # Example
/// ```
/// use faer::mat;
/// use wickring::decomp::PackedForm;
/// // x^3 + y^3
/// let form = PackedForm::of_powers(3, &[1.0, 1.0], mat![[1.0, 0.0], [0.0, 1.0]].as_ref())?;
/// assert_eq!((form.entry(&[0, 0, 0]), form.entry(&[0, 1, 0])), (1.0, 0.0));
/// assert_eq!(form.contract(mat![[2.0, 3.0]].as_ref())[(0, 1)], 9.0); // T(x, x, .)
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PackedForm {
    order: usize,
    monomials: Monomials,
    /// `C(n+m-2, m-1) x n`.
    table: Mat<f64>,
    norm: f64,
}

impl PackedForm {
    fn empty(op: &'static str, n: usize, order: usize) -> Result<Self, Error> {
        if n == 0 || !(2..=8).contains(&order) {
            let text = format!(
                "a positive dimension and an order from 2 to 8, got dimension {n}, order {order}"
            );
            return Err(Error::invalid(op, text));
        }
        // C(n+m-2, m-1), each partial product a binomial coefficient.
        let rows = (1..order).try_fold(1usize, |c, k| c.checked_mul(n + k - 1).map(|c| c / k));
        let size = rows.and_then(|rows| rows.checked_mul(n));
        if size.is_none_or(|s| s > MOST_ENTRIES) {
            return Err(Error::limit(op, "packed entries", MOST_ENTRIES as u64));
        }
        let monomials = Monomials::new(n, order - 1);
        let table = Mat::zeros(monomials.len(), n);
        Ok(Self {
            order,
            monomials,
            table,
            norm: 0.0,
        })
    }

    /// The symmetric part of a dense tensor, and the greatest deviation of an entry from it.
    ///
    /// # Shapes
    /// All dimensions of `t` are equal.
    ///
    /// # Errors
    /// `InvalidInput` for unequal dimensions or an order outside `2..=8`; `NonFinite`; `LimitExceeded` beyond
    /// `2^27` packed entries.
    ///
    /// # Complexity
    /// `O(n^m)`.
    /// Here `n` is the dimension and `m` the order.
    pub fn symmetrised(t: TensorView<'_>) -> Result<(Self, f64), Error> {
        let op = "PackedForm::symmetrised";
        t.require_finite(op)?;
        let n = t.dims().first().copied().unwrap_or(0);
        if t.dims().iter().any(|&k| k != n) {
            let text = format!("equal dimensions, got {:?}", t.dims());
            return Err(Error::invalid(op, text));
        }
        let mut form = Self::empty(op, n, t.order())?;
        let data = t.as_slice();
        let strides: Vec<usize> = (0..t.order()).map(|k| n.pow(k as u32)).collect();
        let orders = permutations(t.order());
        let mut worst = 0.0f64;
        for (a, index) in form.monomials.indices().into_iter().enumerate() {
            let mut full = index;
            full.push(0);
            for i in 0..n {
                full[t.order() - 1] = i;
                let place = |p: &Vec<usize>| -> usize {
                    p.iter().zip(&strides).map(|(&k, s)| full[k] * s).sum()
                };
                let mean = orders.iter().map(|p| data[place(p)]).sum::<f64>() / orders.len() as f64;
                let gaps = orders.iter().map(|p| (data[place(p)] - mean).abs());
                worst = gaps.fold(worst, f64::max);
                form.table[(a, i)] = mean * form.monomials.multiplicity[a];
            }
        }
        form.norm = form.measured_norm();
        Ok((form, worst))
    }

    /// `sum_r weights[r] x_r^m` for the rows `x_r` of `x` (`r x n`).
    ///
    /// # Errors
    /// `InvalidInput` for an order outside `2..=8`, `Shape` for the wrong number of weights, `LimitExceeded`.
    ///
    /// # Complexity
    /// `O(r n C(n+m-2, m-1))`.
    pub fn of_powers(order: usize, weights: &[f64], x: MatRef<'_, f64>) -> Result<Self, Error> {
        let op = "PackedForm::of_powers";
        if weights.len() != x.nrows() {
            let expected = format!("{} weights", x.nrows());
            return Err(Error::shape(op, expected, weights.len().to_string()));
        }
        let mut form = Self::empty(op, x.ncols(), order)?;
        form.add_powers(weights, x);
        form.norm = form.measured_norm();
        Ok(form)
    }

    /// A form from its entries at nondecreasing multi-indices of length `m`.
    ///
    /// # Errors
    /// `InvalidInput` for an order outside `2..=8`, `LimitExceeded`.
    ///
    /// # Complexity
    /// `O(n C(n+m-2, m-1) m)` and as many calls.
    pub fn from_entries(
        order: usize,
        n: usize,
        mut entry: impl FnMut(&[usize]) -> f64,
    ) -> Result<Self, Error> {
        let mut form = Self::empty("PackedForm::from_entries", n, order)?;
        for (a, index) in form.monomials.indices().into_iter().enumerate() {
            for i in 0..n {
                let mut full = index.clone();
                full.insert(full.partition_point(|&k| k <= i), i);
                form.table[(a, i)] = form.monomials.multiplicity[a] * entry(&full);
            }
        }
        form.norm = form.measured_norm();
        Ok(form)
    }

    fn add_powers(&mut self, weights: &[f64], x: MatRef<'_, f64>) {
        let weighted = Mat::from_fn(x.nrows(), x.ncols(), |r, i| weights[r] * x[(r, i)]);
        let (table, multiplicity) = (&mut self.table, &self.monomials.multiplicity);
        self.monomials.blocks(x, |first, z| {
            let part = z.transpose() * &weighted;
            for i in 0..part.ncols() {
                let rows = first..first + part.nrows();
                let out = &mut table.col_as_slice_mut(i)[rows.clone()];
                for ((o, p), m) in out
                    .iter_mut()
                    .zip(part.col_as_slice(i))
                    .zip(&multiplicity[rows])
                {
                    *o += p * m;
                }
            }
        });
    }

    fn measured_norm(&self) -> f64 {
        let columns: Vec<f64> = (0..self.dim())
            .map(|i| {
                let column = self.table.col_as_slice(i).iter();
                let weights = self.monomials.multiplicity.iter();
                norm2(&Vec::from_iter(
                    column.zip(weights).map(|(c, m)| c / m.sqrt()),
                ))
            })
            .collect();
        norm2(&columns)
    }

    /// The dimension `n`.
    pub fn dim(&self) -> usize {
        self.monomials.n
    }

    /// The order `m`.
    pub fn order(&self) -> usize {
        self.order
    }

    /// Frobenius norm of the tensor.
    pub fn norm(&self) -> f64 {
        self.norm
    }

    /// Number of independent entries, `C(n+m-1, m)`.
    pub fn independent(&self) -> f64 {
        (1..=self.order).fold(1.0, |c, k| c * (self.dim() + k - 1) as f64 / k as f64)
    }

    /// The same tensor multiplied by a number.
    #[must_use]
    pub fn scaled(&self, by: f64) -> Self {
        let table = Mat::from_fn(self.table.nrows(), self.table.ncols(), |a, i| {
            by * self.table[(a, i)]
        });
        Self {
            table,
            norm: self.norm * by.abs(),
            ..self.clone()
        }
    }

    /// `T(x_r, .., x_r, .)` for the rows `x_r` of `x`.
    ///
    /// # Shapes
    /// `x` and the result are `r x n`.
    ///
    /// # Panics
    /// If `x` does not have `n` columns.
    ///
    /// # Complexity
    /// `2 r n C(n+m-2, m-1)` operations in matrix products.
    pub fn contract(&self, x: MatRef<'_, f64>) -> Mat<f64> {
        assert_eq!(x.ncols(), self.dim(), "vectors of another dimension");
        let mut out = Mat::zeros(x.nrows(), x.ncols());
        self.monomials.blocks(x, |first, z| {
            let rows = self.table.as_ref().subrows(first, z.ncols());
            f64::gemm(out.as_mut(), true, z, rows, 1.0);
        });
        out
    }

    /// `self - sum_r weights[r] x_r^m`.
    ///
    /// # Panics
    /// If the shapes do not go together.
    #[must_use]
    pub fn minus_powers(&self, weights: &[f64], x: MatRef<'_, f64>) -> Self {
        let mut rest = self.clone();
        let negative: Vec<f64> = weights.iter().map(|w| -w).collect();
        rest.add_powers(&negative, x);
        rest.norm = rest.measured_norm();
        rest
    }

    /// The entry at any multi-index of length `m`; 0 outside.
    ///
    /// # Complexity
    /// `O(m n)`.
    /// Here `n` is the dimension.
    pub fn entry(&self, index: &[usize]) -> f64 {
        let mut sorted = index.to_vec();
        sorted.sort_unstable();
        if sorted.len() != self.order || sorted.iter().any(|&i| i >= self.dim()) {
            return 0.0;
        }
        let i = sorted[self.order - 1];
        let a = self.place(&sorted[..self.order - 1]);
        self.table[(a, i)] / self.monomials.multiplicity[a]
    }

    /// Where a nondecreasing multi-index of length `m - 1` stands: monomials come in lexicographic order.
    fn place(&self, sorted: &[usize]) -> usize {
        let (n, k) = (self.dim(), sorted.len());
        // Multi-indices with the same beginning and a smaller entry here come before.
        let count = |vars: usize, degree: usize| -> usize {
            (1..=degree).fold(1, |c, j| c * (vars + j - 1) / j)
        };
        let (mut at, mut low) = (0, 0);
        for (p, &v) in sorted.iter().enumerate() {
            at += (low..v).map(|u| count(n - u, k - p - 1)).sum::<usize>();
            low = v;
        }
        at
    }
}

fn permutations(m: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for k in 0..m {
        let mut next = Vec::new();
        for p in &all {
            for place in 0..=k {
                let mut q: Vec<usize> = p.clone();
                q.insert(place, k);
                next.push(q);
            }
        }
        all = next;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Factor, SymmetricCp};

    #[test]
    fn packed_and_dense_agree() -> Result<(), Error> {
        for order in 2..=5 {
            let v = Factor::from_fn(3, 4, |i, r| ((7 * i + 3 * r + i * r) % 5) as f64 - 1.5);
            let w = vec![1.0, -2.0, 0.5, 3.0];
            let dense = SymmetricCp::new(order, w.clone(), v.clone())?.to_dense()?;
            let (packed, asymmetry) = PackedForm::symmetrised(dense.view())?;
            let x = Mat::from_fn(4, 3, |r, i| v.column(r)[i]);
            let direct = PackedForm::of_powers(order, &w, x.as_ref())?;
            let size = dense.view().norm();
            assert!(asymmetry <= 1e-14 * size, "{asymmetry}");
            assert!((packed.norm() - size).abs() <= 1e-14 * size);
            let index: Vec<usize> = (0..order).map(|k| (2 * k + 1) % 3).collect();
            let Some(&entry) = dense.view().get(&index) else {
                panic!("index {index:?}")
            };
            assert!((packed.entry(&index) - entry).abs() <= 1e-14 * size);
            assert!(packed.minus_powers(&w, x.as_ref()).norm() <= 1e-14 * size);
            let again = PackedForm::from_entries(order, 3, |i| packed.entry(i))?;
            let gap = (&again.table - &direct.table).norm_max();
            assert!(gap <= 1e-13 * size, "{gap}");
            // T(x, .., x, .) against the full contraction of the powers.
            let s = packed.contract(x.as_ref());
            for (r, i) in [(0, 0), (3, 2)] {
                let slow: f64 = (0..4)
                    .map(|q| {
                        let g: f64 = (0..3).map(|j| x[(r, j)] * x[(q, j)]).sum();
                        w[q] * g.powi(order as i32 - 1) * x[(q, i)]
                    })
                    .sum();
                assert!((s[(r, i)] - slow).abs() <= 1e-12 * size.max(slow.abs()));
            }
        }
        Ok(())
    }
}
