//! The Peirce frame of the Jordan algebra of symmetric matrices, from its structure constants.
//!
//! Let `V` be the symmetric `r x r` matrices with the inner product `Tr AB` and the product
//! `A.B = (AB + BA)/2`; then `Tr(ABC) = <A.B, C>` is a totally symmetric form `T` on `V`. In any
//! orthonormal basis of `V` (here: coordinates of length `N = r(r+1)/2`) the multiplications are the
//! matrices `L_v = T(v, ., .)`. The frame finds, from `T` alone, coordinates of
//!
//! - primitive idempotents `p_i` (the matrices `u_i u_i'`), and
//! - `F_ij`, the matrices `(u_i u_j' + u_j u_i') / sqrt 2`,
//!
//! for one orthonormal `u_1 .. u_r`, as follows. `L_v` for `v = p_1` has the eigenvalues 1 (once), 1/2
//! (`r - 1` times) and 0. **Any** orthonormal basis `f_2 .. f_r` of the middle eigenspace is a legal choice
//! of `F_1j`, and the rest are products: `p_j = 2 f_j.f_j - p_1`, `F_jk = 2 sqrt 2 f_j.f_k`. The gaps are
//! 1/2 whatever the data are, and no eigenvalues need matching nor signs fixing. `p_1` itself is the fixed
//! point of `v -> v.v / |v.v|` started from an extreme eigenvector of a random `L_a`.
//!
//! With a linear part (`V' = Sym_r + R^r`, the symmetric matrices of size `r + 1` with zero corner),
//! `L_I` for the identity `I_r`, which the trace functional gives, has the eigenvalues 1 on `Sym_r` and 1/2
//! on `R^r`, which splits the two.

use super::contraction::Contraction;
use super::jordan::JordanBasis;
use crate::Error;
use crate::fit::Check;
use crate::linalg::{norm2, polar_orthogonal, symmetric_eigen};
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

const OP: &str = "PeirceFrame::find";
/// Names of what is measured.
const IDEMPOTENT: &str = "peirce.idempotent";
const ORTHONORMAL: &str = "peirce.orthonormal";
/// Iterations of `v -> v.v`; the convergence is quadratic up to the noise, so this is ample.
const MAX_SQUARINGS: usize = 60;

/// Coordinates of the frame, and what was measured on the way.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::decomp::{PeirceFrame, TensorContraction};
/// use wickring::tensor::SymmetricRing;
/// // Tr(B_a B_b B_c) for the standard basis of the symmetric 2 x 2 matrices.
/// let h = 0.5f64.sqrt();
/// let basis = SymmetricRing::new(2, vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, h, h, 0.0])?;
/// let t = basis.to_dense()?;
/// let mut form = TensorContraction::new(t.view())?;
/// let frame = PeirceFrame::find(&mut form, 2, 4, &mut ChaCha8Rng::seed_from_u64(1))?;
/// assert!(frame.checks().iter().all(|c| c.holds()));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PeirceFrame {
    rank: usize,
    /// Columns: `p_0 .. p_{r-1}`, then `F_ij` for `i < j` in the order of [`PeirceFrame::column`].
    quadratic: Mat<f64>,
    /// Columns `G_0 .. G_{r-1}` of the linear part, if there is one.
    linear: Option<Mat<f64>>,
    /// What was measured: see [`PeirceFrame::evidence`].
    checks: Vec<Check>,
    squarings: usize,
}

impl PeirceFrame {
    /// The column of [`PeirceFrame::quadratic`] that belongs to the entry `(i, j)`, in either order.
    pub fn column(&self, i: usize, j: usize) -> usize {
        JordanBasis::index(self.rank, i, j)
    }

    /// The rank `r`.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Orthonormal coordinates of the symmetric part, `N x r(r+1)/2`.
    pub fn quadratic(&self) -> MatRef<'_, f64> {
        self.quadratic.as_ref()
    }

    /// Orthonormal coordinates of the linear part, `N x r`: `G_i` stands for the matrix with `1/sqrt 2` at
    /// `(i, r)` and `(r, i)`.
    pub fn linear(&self) -> Option<MatRef<'_, f64>> {
        self.linear.as_ref().map(Mat::as_ref)
    }

    /// How far the form is from one of the theory, as measured: the value `T(p,p,p)` of the idempotent
    /// (1 in theory), the gaps of its spectrum, the loss of orthogonality of the frame.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// As [`PeirceFrame::evidence`], with limits beyond which noise has drowned the algebra: for a model that rests on the
    /// frame alone. Over 150 maps learned to four statistical floors the two deviations reached 1.1 and 0.88; maps that
    /// were nowhere near had 2.8 and 1.3.
    pub(crate) fn judged(&self) -> Vec<Check> {
        let judged = |c: &Check| {
            let limit = match c.key {
                IDEMPOTENT => 1.5,
                ORTHONORMAL => 0.95,
                _ => return c.clone(),
            };
            Check::conditioning(c.key, c.label.clone(), c.measured, limit)
        };
        self.checks.iter().map(judged).collect()
    }

    /// Squarings used to find the idempotent.
    pub fn squarings(&self) -> usize {
        self.squarings
    }

    /// The frame of a form on `R^N`, `N = r(r+1)/2`.
    ///
    /// # Errors
    /// `Shape` when `N` is not that; `Degenerate` when the frame cannot be completed: the form is not near
    /// one of `Sym_r`.
    ///
    /// # Complexity
    /// `starts + 1` contractions, some ten squarings for each start, one call of `products`, and `O(N^3)`.
    pub fn find(
        form: &mut dyn Contraction,
        rank: usize,
        starts: usize,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let n = form.dim();
        expect_dim(n, rank * (rank + 1) / 2, rank)?;
        let idempotent = Idempotent::best_of(form, None, starts, rng)?;
        let raw = raw_frame(form, None, rank, &idempotent)?;
        Self::finish(rank, raw, None, idempotent)
    }

    /// The frame of a form on `R^N`, `N = r(r+3)/2`: symmetric matrices of size `r + 1` with zero corner.
    ///
    /// # Errors
    /// As [`PeirceFrame::find`].
    ///
    /// # Complexity
    /// As [`PeirceFrame::find`], and `r` further contractions.
    pub fn find_with_linear(
        form: &mut dyn Contraction,
        rank: usize,
        starts: usize,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let n = form.dim();
        expect_dim(n, rank * (rank + 3) / 2, rank)?;
        // The trace functional on V' is (r+2)/2 times the trace: its vector is that of the identity I_r.
        let scale = 2.0 / (rank as f64 + 2.0);
        let identity: Vec<f64> = form.trace()?.iter().map(|x| x * scale).collect();
        let split = symmetric_eigen(OP, symmetrised(&form.contract(&identity)?).as_ref())?;
        let gap = split.values[rank] - split.values[rank - 1];
        let (odd, even) = (
            split.vectors.subcols(0, rank),
            split.vectors.subcols(rank, n - rank),
        );
        let mut idempotent = Idempotent::best_of(form, Some(even), starts, rng)?;
        idempotent.checks.push(Check::reported(
            "peirce.linear-gap",
            "gap between quadratic and linear part (1/2 in theory)",
            gap,
        ));
        let raw = raw_frame(form, Some(even), rank, &idempotent)?;

        // L_{p_1} on the linear part is 1/2 on u_1 and 0 elsewhere.
        let on_odd = odd.transpose() * &idempotent.matrix * odd;
        let top = symmetric_eigen(OP, symmetrised(&on_odd).as_ref())?;
        let first = odd * top.vectors.subcols(rank - 1, 1);
        let mut linear = Mat::zeros(n, rank);
        linear.as_mut().subcols_mut(0, 1).copy_from(&first);
        for j in 1..rank {
            let f: Vec<f64> = (0..n).map(|i| raw[(i, rank + j * (j - 1) / 2)]).collect();
            let g = form.contract(&f)? * &first;
            (0..n).for_each(|i| linear[(i, j)] = 2.0 * 2f64.sqrt() * g[(i, 0)]);
        }
        // Keep the linear part in its own space before it is made orthonormal.
        let linear = odd * (odd.transpose() * linear);
        Self::finish(rank, raw, Some(linear), idempotent)
    }

    /// The orthonormal frame whose structure constants fit the form best in the least-squares sense, climbed to
    /// from this one: column `k` of the gradient is `sum_ij J_ijk T(b_i, b_j, .)` with the structure constants
    /// `J` of the algebra, and each step takes its orthogonal polar factor.
    ///
    /// A frame built from one idempotent leans on the noise of that idempotent; this one uses every entry of
    /// the form and depends on no choice. On exact data nothing changes; on sample cumulants the parameter
    /// error falls to about half, and three steps suffice (BENCHMARKS.md).
    ///
    /// # Errors
    /// Those of [`Contraction::gradient`]; `Backend`.
    ///
    /// # Complexity
    /// One gradient and one SVD of size `N` for each of at most `steps` steps.
    pub fn sharpen(mut self, form: &mut dyn Contraction, steps: usize) -> Result<Self, Error> {
        let jordan = JordanBasis::new(self.rank, self.linear.is_some());
        let (n, m) = (self.quadratic.nrows(), self.quadratic.ncols());
        let mut basis = Mat::from_fn(n, jordan.dim(), |i, j| match &self.linear {
            Some(g) if j >= m => g[(i, j - m)],
            _ => self.quadratic[(i, j)],
        });
        for _ in 0..steps {
            let gradient = form.gradient(basis.as_ref(), &jordan)?;
            let (next, _, _) = polar_orthogonal(OP, gradient.as_ref())?;
            let moved = crate::linalg::frobenius((&next - &basis).as_ref());
            basis = next;
            if moved < 1e-12 * n as f64 {
                break;
            }
        }
        self.quadratic = basis.subcols(0, m).to_owned();
        self.linear = self.linear.map(|g| basis.subcols(m, g.ncols()).to_owned());
        Ok(self)
    }

    fn finish(
        rank: usize,
        raw: Mat<f64>,
        linear: Option<Mat<f64>>,
        idempotent: Idempotent,
    ) -> Result<Self, Error> {
        let (quadratic, low, high) = polar_orthogonal(OP, raw.as_ref())?;
        let loss = (1.0 - low).abs().max((high - 1.0).abs());
        // Below this the polar factor would invent directions.
        if !(low > 0.05) {
            let hypothesis = "the structure constants of symmetric matrices (smallest singular value of the Peirce frame, 1 in theory)";
            return Err(Error::degenerate(OP, hypothesis, low));
        }
        let mut checks = idempotent.checks;
        checks.push(Check::reported(
            ORTHONORMAL,
            "Peirce frame: distance from orthonormal",
            loss,
        ));
        let linear = match linear {
            None => None,
            Some(g) => {
                let (g, low, _) = polar_orthogonal(OP, g.as_ref())?;
                if !(low > 0.05) {
                    let hypothesis = "a linear part on which the idempotents act (smallest singular value of its frame, 1 in theory)";
                    return Err(Error::degenerate(OP, hypothesis, low));
                }
                Some(g)
            }
        };
        let squarings = idempotent.squarings;
        Ok(Self {
            rank,
            quadratic,
            linear,
            checks,
            squarings,
        })
    }
}

fn expect_dim(found: usize, expected: usize, rank: usize) -> Result<(), Error> {
    if rank > 0 && found == expected {
        return Ok(());
    }
    let expected = format!("a form on R^{expected} for rank {rank} > 0");
    Err(Error::shape(OP, expected, format!("one on R^{found}")))
}

/// A primitive idempotent `p` with `L_p`.
struct Idempotent {
    vector: Vec<f64>,
    matrix: Mat<f64>,
    squarings: usize,
    checks: Vec<Check>,
}

impl Idempotent {
    /// The best of several starts: the one whose `|T(v,v,.)|` is greatest, which is 1 at a primitive
    /// idempotent and less at every other fixed point.
    fn best_of(
        form: &mut dyn Contraction,
        subspace: Option<MatRef<'_, f64>>,
        starts: usize,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let climbs = Climb::all(form, subspace, starts.max(1), rng)?;
        let squarings = climbs.iter().map(|c| c.squarings).sum();
        let best = climbs.into_iter().map(|c| (c.value, c.vector));
        let best = best.reduce(|a, b| if b.0 > a.0 { b } else { a });
        let Some((value, vector)) = best.filter(|(value, _)| *value > 0.0) else {
            return Err(Error::degenerate(
                OP,
                "a form that is not zero (|T(v,v,.)|)",
                0.0,
            ));
        };
        let matrix = symmetrised(&form.contract(&vector)?);
        let checks = vec![Check::reported(
            IDEMPOTENT,
            "idempotent: |T(p,p,.)| - 1",
            (value - 1.0).abs(),
        )];
        Ok(Self {
            vector,
            matrix,
            squarings,
            checks,
        })
    }
}

/// A search for an idempotent by `v -> v.v`.
struct Climb {
    vector: Vec<f64>,
    /// `|T(v,v,.)|`.
    value: f64,
    squarings: usize,
    last: f64,
    done: bool,
}

impl Climb {
    /// From as many random directions, side by side.
    fn all(
        form: &mut dyn Contraction,
        subspace: Option<MatRef<'_, f64>>,
        starts: usize,
        rng: &mut impl Rng,
    ) -> Result<Vec<Self>, Error> {
        let n = form.dim();
        let project = |v: Mat<f64>| match subspace {
            None => v,
            Some(b) => b * (b.transpose() * v),
        };
        let mut a = Mat::zeros(n, starts);
        for k in 0..starts {
            (0..n).for_each(|i| a[(i, k)] = StandardNormal.sample(&mut *rng));
        }
        let mut climbs = Vec::with_capacity(starts);
        for l in form.contract_each(project(a).as_ref())? {
            let mut l = symmetrised(&l);
            if let Some(b) = subspace {
                l = b * (b.transpose() * l * b) * b.transpose();
            }
            let e = symmetric_eigen(OP, l.as_ref())?;
            let last = e.values[n - 1].abs() >= e.values[0].abs();
            let extreme = if last { n - 1 } else { 0 };
            climbs.push(Self {
                vector: e.vectors.col(extreme).iter().copied().collect(),
                value: 0.0,
                squarings: 0,
                last: f64::INFINITY,
                done: false,
            });
        }
        for _ in 0..MAX_SQUARINGS {
            let live: Vec<usize> = (0..starts).filter(|&k| !climbs[k].done).collect();
            if live.is_empty() {
                break;
            }
            let v = Mat::from_fn(n, live.len(), |i, k| climbs[live[k]].vector[i]);
            let u = project(form.square_each(v.as_ref())?);
            for (column, &k) in live.iter().enumerate() {
                climbs[k].step(u.col(column).iter().copied().collect());
            }
        }
        Ok(climbs)
    }

    /// Goes on to `u = v.v`.
    fn step(&mut self, mut u: Vec<f64>) {
        self.squarings += 1;
        self.value = norm2(&u);
        if !(self.value > 0.0) {
            (self.value, self.done) = (0.0, true);
            return;
        }
        u.iter_mut().for_each(|x| *x /= self.value);
        let moved = norm2(&Vec::from_iter(
            u.iter().zip(&self.vector).map(|(x, y)| x - y),
        ));
        self.vector = u;
        // Quadratic convergence ends at rounding, once steps stop shrinking. Noise of relative size s makes it linear with
        // rate about s: then a step below 1e-4 leaves less than 1e-4 s / (1 - s), far below what the noise itself moved.
        let rounding = moved < 1e-15 || (moved < 1e-12 && moved >= self.last);
        self.done = rounding || (moved < 1e-4 && moved > 0.05 * self.last);
        self.last = moved;
    }
}

/// `p_0 .. p_{r-1}` and `F_ij` before they are made orthonormal.
fn raw_frame(
    form: &mut dyn Contraction,
    subspace: Option<MatRef<'_, f64>>,
    r: usize,
    idempotent: &Idempotent,
) -> Result<Mat<f64>, Error> {
    let n = form.dim();
    let (values, vectors) = match subspace {
        None => {
            let e = symmetric_eigen(OP, idempotent.matrix.as_ref())?;
            (e.values, e.vectors)
        }
        Some(b) => {
            let inner = b.transpose() * &idempotent.matrix * b;
            let e = symmetric_eigen(OP, symmetrised(&inner).as_ref())?;
            (e.values, b * e.vectors)
        }
    };
    let m = values.len();
    // Eigenvalues in rising order: zeros, then r - 1 halves, then the one.
    let half = vectors.subcols(m - r, r - 1);
    let products = form.products(half)?;
    let mut frame = Mat::zeros(n, r * (r + 1) / 2);
    let root8 = 8f64.sqrt();
    for i in 0..n {
        frame[(i, 0)] = idempotent.vector[i];
        for j in 1..r {
            let pair = |a: usize, b: usize| products[(i, b * (b + 1) / 2 + a)];
            frame[(i, j)] = 2.0 * pair(j - 1, j - 1) - idempotent.vector[i];
            frame[(i, r + j * (j - 1) / 2)] = half[(i, j - 1)];
            for k in 1..j {
                frame[(i, r + j * (j - 1) / 2 + k)] = root8 * pair(k - 1, j - 1);
            }
        }
    }
    // In the presence of a linear part, products stay in the quadratic part up to noise.
    Ok(match subspace {
        None => frame,
        Some(b) => b * (b.transpose() * frame),
    })
}

fn symmetrised(m: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(m.nrows(), m.ncols(), |i, j| 0.5 * (m[(i, j)] + m[(j, i)]))
}
