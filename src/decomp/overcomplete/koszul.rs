//! Koszul-Young flattenings: exact decomposition beyond the dimension, by linear algebra alone.

use super::newton::refine;
use super::objective::Problem;
use super::packed::PackedForm;
use crate::fit::{Check, Evidence, Fit, Work};
use crate::linalg::{cholesky_solve, eigen, symmetric_eigen, thin_svd};
use crate::tensor::{Factor, SymmetricCp, TensorView};
use crate::{Error, Status};
use faer::Mat;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

const OP: &str = "KoszulYoung::decompose";
/// Relative singular value below which a direction is in a kernel.
const RANK_TOL: f64 = 1e-9;
/// Most rows of the flattening, and most pairs in the lift.
const MOST_ROWS: usize = 1500;

/// Symmetric CP of order three with up to almost twice as many components as dimensions, for *generic* components.
///
/// ```text
/// M(T; p) : L^p C^q (x) C^n -> L^{p+1} C^q (x) C^n,    M = sum_k (e_k ^ .) (x) T_k,    q = 2p + 1
/// ```
///
/// A rank-one slice `a (x) b (x) c` contributes rank `C(q-1, p)`; as long as these add up, every `a' (x) c` of a
/// component (`a'` its first `q` entries) satisfies the linear equations `phi((a' ^ w) (x) c) = 0` of the
/// cokernel, and nothing else of rank one does. No start, no iteration; when a rank is not what the theory says,
/// the hypothesis is named.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KoszulYoung {
    rank: usize,
}

impl KoszulYoung {
    /// Asks for `rank` components.
    pub fn new(rank: usize) -> Self {
        Self { rank }
    }

    /// The least `p` with `2p + 1 <= n` whose flattening has room for the rank, and whose cokernel has at least as
    /// many equations as are needed to leave `rank` solutions among `q n` entries.
    fn wedge(&self, n: usize) -> Option<usize> {
        (1..=n.saturating_sub(1) / 2).find(|&p| {
            let q = 2 * p + 1;
            let (rows, taken) = (n * binomial(q, p + 1), self.rank * binomial(q - 1, p));
            rows > taken && (rows - taken) * binomial(q, p) + self.rank >= q * n
        })
    }

    /// Decomposes a symmetric tensor of order three.
    ///
    /// # Shapes
    /// `t` is `n x n x n`, `n >= 3`; the vectors of the model are `n x rank`.
    ///
    /// # Errors
    /// `InvalidInput` for another shape, or a rank without room (`rank >= n (2p+1)/(p+1)` for every
    /// `2p + 1 <= n`: at most `2n - 1` asymptotically); `LimitExceeded` for flattenings beyond 1500 rows;
    /// `Degenerate` when a rank differs from the generic one; `NonFinite`, `Backend`.
    ///
    /// # Complexity
    /// `O((n C(2p+1, p))^3 + (rank^2 / 2)^3)` time, the squares of these in memory.
    ///
    /// # Accuracy
    /// Exact data: `eps` times the condition numbers of the flattening and of the lift; a few Gauss-Newton steps
    /// finish it. Noise above `1e-9` is refused, not fitted.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use rand_distr::{Distribution, StandardNormal};
    /// use wickring::{decomp::KoszulYoung, tensor::{Factor, SymmetricCp}};
    /// let mut rng = ChaCha8Rng::seed_from_u64(3);
    /// let v = Factor::from_fn(6, 8, |_, _| StandardNormal.sample(&mut rng));
    /// let t = SymmetricCp::new(3, vec![1.0; 8], v)?.to_dense()?;
    /// let fit = KoszulYoung::new(8).decompose(t.view(), &mut rng)?;
    /// assert!(fit.converged()?.rel_residual(t.view())? < 1e-10);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// Kothari, Moitra and Wein, Overcomplete tensor decomposition via Koszul-Young flattenings (2024), with the
    /// rank-one elements of a linear space after Johnston, Lovitz and Vijayaraghavan (2023). We differ: the
    /// cokernel equations are solved as one least-squares problem, and Gauss-Newton finishes.
    pub fn decompose(
        &self,
        t: TensorView<'_>,
        rng: &mut impl Rng,
    ) -> Result<Fit<SymmetricCp>, Error> {
        let n = t.dims().first().copied().unwrap_or(0);
        if t.dims() != [n, n, n] || n < 3 || self.rank == 0 {
            let text = format!(
                "an n x n x n tensor, n >= 3, and a rank >= 1, got {:?}",
                t.dims()
            );
            return Err(Error::invalid(OP, text));
        }
        let (form, _) = PackedForm::symmetrised(t)?;
        if form.norm() == 0.0 {
            return Err(Error::degenerate(
                OP,
                "a tensor that is not zero (norm)",
                0.0,
            ));
        }
        let form = form.scaled(1.0 / form.norm());
        let Some(p) = self.wedge(n) else {
            let text = format!("rank {} leaves no room in dimension {n}", self.rank);
            return Err(Error::invalid(OP, text));
        };
        let space = self.candidate_space(&form, p)?;
        let pure = self.rank_ones(&space, 2 * p + 1, n, rng)?;
        let mut vectors = Factor::zeros(n, self.rank);
        for (r, x) in pure.iter().enumerate() {
            // The right factor of a' (x) c is the component itself.
            let svd = thin_svd(OP, x.as_ref())?;
            vectors
                .column_mut(r)
                .iter_mut()
                .enumerate()
                .for_each(|(i, v)| *v = svd.v[(i, 0)]);
        }
        finish(&form, t, vectors)
    }

    /// The `q x n` matrices that satisfy the equations of the cokernel: columns of the result, `r` of them.
    fn candidate_space(&self, form: &PackedForm, p: usize) -> Result<Mat<f64>, Error> {
        let (n, q) = (form.dim(), 2 * p + 1);
        let (small, large) = (subsets(q, p), subsets(q, p + 1));
        if small.len() * n > MOST_ROWS || q * n > MOST_ROWS {
            return Err(Error::limit(OP, "rows of the flattening", MOST_ROWS as u64));
        }
        // Rows: (subset of p+1, l); columns: (subset of p, j). Entry: sign * T[k, j, l].
        let mut flat = Mat::<f64>::zeros(large.len() * n, small.len() * n);
        for (s, set) in small.iter().enumerate() {
            for k in (0..q).filter(|k| !set.contains(k)) {
                let (row, sign) = wedge(k, set, &large);
                for j in 0..n {
                    for l in 0..n {
                        flat[(row * n + l, s * n + j)] += sign * form.entry(&[k, j, l]);
                    }
                }
            }
        }
        let svd = thin_svd(OP, flat.as_ref())?;
        let share = binomial(q - 1, p);
        let found = svd.s.iter().filter(|s| **s > RANK_TOL * svd.s[0]).count();
        if found != self.rank * share {
            let hypothesis = "a Koszul-Young flattening of rank r C(q-1, p) (rank over that)";
            let measured = found as f64 / (self.rank * share) as f64;
            return Err(Error::degenerate(OP, hypothesis, measured));
        }
        // phi((e_k ^ w) (x) e_l) for all cokernel vectors phi and basis vectors w: the Gram matrix of the
        // equations is that of the projection onto the cokernel, 1 - U U'.
        let u = svd.u.as_ref().subcols(0, found);
        let inside = u * u.transpose();
        let mut gram = Mat::<f64>::zeros(q * n, q * n);
        for set in &small {
            let free: Vec<usize> = (0..q).filter(|k| !set.contains(k)).collect();
            for &k in &free {
                let (row, sign) = wedge(k, set, &large);
                for &h in &free {
                    let (other, sign2) = wedge(h, set, &large);
                    for l in 0..n {
                        for m in 0..n {
                            let same = f64::from(u8::from(row == other && l == m));
                            let value = same - inside[(row * n + l, other * n + m)];
                            gram[(k * n + l, h * n + m)] += sign * sign2 * value;
                        }
                    }
                }
            }
        }
        let spectrum = symmetric_eigen(OP, gram.as_ref())?;
        let top = spectrum.values.last().copied().unwrap_or(0.0);
        // Squares of singular values.
        let kernel = spectrum.values.iter().filter(|v| **v < 1e-13 * top).count();
        if kernel != self.rank {
            let hypothesis = "cokernel equations with exactly r solutions (their number over r)";
            let measured = kernel as f64 / self.rank as f64;
            return Err(Error::degenerate(OP, hypothesis, measured));
        }
        Ok(spectrum.vectors.as_ref().subcols(0, self.rank).to_owned())
    }

    /// The rank-one matrices in a space spanned by them: the kernel of its 2 x 2 minors is spanned by their
    /// squares, two generic elements of which are diagonalised together.
    fn rank_ones(
        &self,
        space: &Mat<f64>,
        q: usize,
        n: usize,
        rng: &mut impl Rng,
    ) -> Result<Vec<Mat<f64>>, Error> {
        let r = self.rank;
        let basis: Vec<Mat<f64>> = (0..r)
            .map(|c| Mat::from_fn(q, n, |k, l| space[(k * n + l, c)]))
            .collect();
        let pairs: Vec<(usize, usize)> = (0..r).flat_map(|a| (a..r).map(move |b| (a, b))).collect();
        if pairs.len() > MOST_ROWS {
            return Err(Error::limit(OP, "pairs of components", MOST_ROWS as u64));
        }
        let gram = minors(&basis, &pairs);
        let spectrum = symmetric_eigen(OP, gram.as_ref())?;
        let top = spectrum.values.last().copied().unwrap_or(0.0);
        let kernel = spectrum.values.iter().filter(|v| **v < 1e-12 * top).count();
        if kernel != r {
            let hypothesis = "a space with exactly r squares without minors (their number over r)";
            return Err(Error::degenerate(OP, hypothesis, kernel as f64 / r as f64));
        }
        let mut element = || {
            let mut s = Mat::<f64>::zeros(r, r);
            for c in 0..r {
                let f: f64 = StandardNormal.sample(rng);
                for (row, &(a, b)) in pairs.iter().enumerate() {
                    let unit = match a == b {
                        true => 1.0,
                        false => std::f64::consts::FRAC_1_SQRT_2,
                    };
                    let v = f * unit * spectrum.vectors[(row, c)];
                    s[(a, b)] += v;
                    if a != b {
                        s[(b, a)] += v;
                    }
                }
            }
            s
        };
        let (one, two) = (element(), element());
        // one = X D X', two = X E X': one inv(two) = X (D/E) inv(X).
        let pencil = crate::linalg::solve(OP, two.as_ref(), one.as_ref())?;
        let pairs = eigen(OP, pencil.transpose())?;
        let worst = pairs.values.iter().map(|v| v.im.abs()).fold(0.0, f64::max);
        if worst > 1e-6 * pairs.values.iter().map(|v| v.norm()).fold(0.0, f64::max) {
            let hypothesis = "real components (largest imaginary part of an eigenvalue)";
            return Err(Error::degenerate(OP, hypothesis, worst));
        }
        Ok((0..r)
            .map(|c| {
                let mut x = Mat::<f64>::zeros(q, n);
                for (a, b) in basis.iter().enumerate() {
                    x += faer::Scale(pairs.vectors[(a, c)].re) * b;
                }
                x
            })
            .collect())
    }
}

/// Weights by least squares, a few steps of Gauss-Newton, and the certificate.
fn finish(
    form: &PackedForm,
    t: TensorView<'_>,
    mut vectors: Factor,
) -> Result<Fit<SymmetricCp>, Error> {
    let (n, r) = (vectors.rows(), vectors.cols());
    let gram = Mat::from_fn(r, r, |i, j| {
        crate::linalg::small::dot(vectors.column(i), vectors.column(j)).powi(3)
    });
    let rows = Mat::from_fn(r, n, |i, j| vectors.column(i)[j]);
    let s = form.contract(rows.as_ref());
    let rhs = Mat::from_fn(r, 1, |i, _| {
        (0..n).map(|j| s[(i, j)] * rows[(i, j)]).sum::<f64>()
    });
    let hypothesis = "components whose powers are independent (pivot)";
    let weights = cholesky_solve(gram.as_ref(), rhs.as_ref());
    let weights = weights.ok_or_else(|| Error::degenerate(OP, hypothesis, 0.0))?;
    for c in 0..r {
        vectors.scale_column(c, weights[(c, 0)].cbrt());
    }
    let signs = vec![1.0; r];
    let problem = Problem {
        form,
        signs: &signs,
    };
    let x: Vec<f64> = (0..n)
        .flat_map(|j| (0..r).map(move |i| (i, j)))
        .map(|(i, j)| vectors.column(i)[j])
        .collect();
    let run = refine(&problem, x, 10);
    let (low, high) = problem.normal(&run.x).extremes();
    let length = t.norm().cbrt();
    let vectors = Factor::from_fn(n, r, |i, c| length * run.x[c + r * i]);
    let model = SymmetricCp::new(3, vec![1.0; r], vectors)?.canonical();
    let rel_residual = model.rel_residual(t)?;
    let cond = (high / low.max(f64::MIN_POSITIVE)).sqrt();
    let evidence = evidence(rel_residual, cond, run.residuals[0]);
    let status = if evidence.holds() {
        Status::Converged
    } else {
        Status::IllConditioned
    };
    Ok(Fit {
        model,
        status,
        work: Work {
            sweeps: run.residuals.len() - 1,
            ..Work::default()
        },
        history: run.residuals,
        evidence,
    })
}

/// The Gram matrix of the 2 x 2 minors of products of `q x n` matrices of the basis, in an orthonormal basis of the symmetric
/// square.
fn minors(basis: &[Mat<f64>], pairs: &[(usize, usize)]) -> Mat<f64> {
    let (q, n) = basis.first().map_or((0, 0), |x| (x.nrows(), x.ncols()));
    let mut gram = Mat::<f64>::zeros(pairs.len(), pairs.len());
    for k in 0..q {
        for h in 0..k {
            let minors = n * (n - 1) / 2;
            let mut rows = Mat::<f64>::zeros(minors, pairs.len());
            for (c, &(a, b)) in pairs.iter().enumerate() {
                let (x, y) = (&basis[a], &basis[b]);
                let unit = if a == b {
                    1.0
                } else {
                    std::f64::consts::SQRT_2
                };
                let mut row = 0;
                for l in 0..n {
                    for m in 0..l {
                        let mixed = x[(k, l)] * y[(h, m)] + y[(k, l)] * x[(h, m)]
                            - x[(k, m)] * y[(h, l)]
                            - y[(k, m)] * x[(h, l)];
                        rows[(row, c)] = unit * mixed / 2.0;
                        row += 1;
                    }
                }
            }
            gram += rows.transpose() * &rows;
        }
    }
    gram
}

fn evidence(rel_residual: f64, cond: f64, before: f64) -> Evidence {
    Evidence {
        rel_residual,
        condition: cond,
        checks: vec![
            Check::accuracy(
                "overcomplete.residual",
                "relative residual",
                rel_residual,
                1e-9,
            ),
            Check::conditioning(
                "overcomplete.condition",
                "condition number of the components",
                cond,
                1e8,
            ),
            Check::reported(
                "overcomplete.residual-before-refinement",
                "relative residual before refinement",
                before,
            ),
        ],
    }
}

/// Subsets of `0..q` of a size, in lexicographic order.
fn subsets(q: usize, size: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..size {
        let longer = |set: &Vec<usize>| {
            let from = set.last().map_or(0, |l| l + 1);
            let set = set.clone();
            (from..q).map(move |k| {
                let mut next = set.clone();
                next.push(k);
                next
            })
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

/// The place of `{k} + set` in `large`, and the sign that sorts it.
fn wedge(k: usize, set: &[usize], large: &[Vec<usize>]) -> (usize, f64) {
    let before = set.iter().filter(|j| **j < k).count();
    let mut sorted = set.to_vec();
    sorted.insert(before, k);
    let place = large.binary_search(&sorted).unwrap_or(0);
    (place, if before.is_multiple_of(2) { 1.0 } else { -1.0 })
}

fn binomial(n: usize, k: usize) -> usize {
    (1..=k).fold(1, |c, j| c * (n - k + j) / j)
}
