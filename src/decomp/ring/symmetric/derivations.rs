//! Symmetric rings of order three from the third-order tensor alone.
//!
//! The derivations of the cubic form `T(x, x, x) = Tr(X^3)`, that is the matrices `D` with
//! `T(Dx, y, z) + T(x, Dy, z) + T(x, y, Dz) = 0`, are the maps `X -> KX - XK` with skew `K`: a linear null
//! space of dimension `r(r-1)/2`. Their only common null vector is the identity, up to a scale fixed by
//! `T(e, e, e) = r`; then `S = T(e, ., .)` is the missing Gram matrix, and the Peirce frame does the rest.

use crate::decomp::peirce::decomposition::Peirce;
use crate::decomp::ring::ranks::dominant_range::Range;
use crate::decomp::ring::scale::{cube_root_power, divided, multiplied};
use crate::fit::{Check, Fit};
use crate::linalg::{symmetric_eigen, thin_svd};
use crate::tensor::{SymmetricRing, Tensor, TensorView};
use crate::{Error, Status};
use faer::{Mat, MatRef};
use rand::Rng;

const OP: &str = "Derivations::decompose";
/// The null space is found from an `N^2 x N^2` matrix: this bounds its side at 1296.
const MAX_RANK: usize = 8;
/// Null eigenvalues over the next one: they are squares of the relative error of `T` times a condition, so data
/// with errors of 1e-3 and moderate condition pass, and a tensor without derivations (ratios near one) does not.
const SEPARATED: f64 = 1e-4;
/// Relative asymmetry beyond which the input is not a rounded symmetric tensor, in single precision or better.
const ASYMMETRY: f64 = 1e-6;

/// Symmetric tensor ring of order three, `T[a,b,c] = Tr(Q_a Q_b Q_c)`, from `T` alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Derivations {
    rank: usize,
    tol: f64,
}

impl Derivations {
    /// Asks for cores of size `rank x rank`, `1 <= rank <= 8`, with residual tolerance `1e-8`.
    pub fn new(rank: usize) -> Self {
        let tol = 1e-8;
        Self { rank, tol }
    }

    /// Relative residual of `T` below which the status is `Converged`; in `(0, 1)`.
    #[must_use]
    pub fn tol(self, tol: f64) -> Self {
        Self { tol, ..self }
    }

    /// Recovers the cores.
    ///
    /// # Shapes
    /// `t` is `d x d x d`, totally symmetric, with `d >= N = r(r+1)/2`; the model has `d` cores of `r x r`.
    ///
    /// # Errors
    /// `InvalidInput`: an option out of its domain, or `d < N`. `Shape`: not a cube. `NonFinite`.
    /// `Degenerate`: `t` not symmetric (measured: the relative asymmetry), an unfolding of rank below `N`,
    /// or derivations of another dimension than `r(r-1)/2` (measured: the ratio of eigenvalues that should
    /// be zero), and whatever [`Peirce`] refuses. `Backend`.
    ///
    /// # Complexity
    /// `O(d^3 N + N^6)`.
    ///
    /// # Accuracy
    /// The null space costs the square of the condition of `T`: the residual decides the status.
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::decomp::Derivations;
    /// use wickring::laws::ring::planted::random_symmetric_ring;
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// let t = random_symmetric_ring(6, 3, &mut rng)?.to_dense()?;
    /// let ring = Derivations::new(3).decompose(t.view(), &mut rng)?.converged()?;
    /// assert!(ring.rel_residual(t.view())? < 1e-8);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    ///
    /// # Source
    /// This project's; that derivations of the Jordan algebra of symmetric matrices are commutators is
    /// Jacobson 1949.
    pub fn decompose(
        &self,
        t: TensorView<'_>,
        rng: &mut impl Rng,
    ) -> Result<Fit<SymmetricRing>, Error> {
        if let Some(p) = cube_root_power(t) {
            // Squares of the entries would leave the exponent range.
            let fit = self.decompose(divided(t, p)?.view(), rng)?;
            let model = multiplied(&fit.model, p)?;
            return Ok(fit.map(|_| model));
        }
        let d = self.check(t)?;
        let n = self.rank * (self.rank + 1) / 2;
        let range = Range::of(OP, t.as_matrix(1), n, rng)?;
        let weakest = range.strength();
        let spanning =
            "outputs that span all symmetric matrices (last singular value of T to the first)";
        if weakest <= d as f64 * f64::EPSILON {
            return Err(Error::degenerate(OP, spanning, weakest));
        }
        let small = in_basis(t, range.basis.as_ref())?;
        let (identity, gap) = self.identity(small.view())?;
        // S in the basis, then in the outputs.
        let mut gram = Mat::zeros(n, n);
        for (k, &e) in identity.iter().enumerate() {
            gram += small.view().last_slice(k).as_matrix(1) * faer::Scale(e);
        }
        let gram = &range.basis * gram * range.basis.transpose();
        let gram = Mat::from_fn(d, d, |i, j| 0.5 * (gram[(i, j)] + gram[(j, i)]));
        let mut fit = Peirce::new(self.rank)
            .tol(self.tol)
            .decompose(gram.as_ref(), t, rng)?;
        let checks = &mut fit.evidence.checks;
        checks.push(Check::reported(
            "ring.null-space-gap",
            "derivations: eigenvalues in the null space over the next",
            gap,
        ));
        checks.push(Check::reported(
            "ring.tail",
            "singular values of T behind the rank",
            range.tail(),
        ));
        // The Gram matrix was computed, not given: only T can vouch for the model.
        let residual = Check::accuracy(
            "ring.residual-third",
            "relative residual of T",
            fit.evidence.rel_residual,
            self.tol,
        );
        fit.status = match residual.holds() {
            true => Status::Converged,
            false => Status::IllConditioned,
        };
        Ok(fit)
    }

    /// The common null vector of the derivations with `T(e, e, e) = r`, and the gap of the null space.
    fn identity(&self, t: TensorView<'_>) -> Result<(Vec<f64>, f64), Error> {
        let n = t.dims()[0];
        let r = self.rank;
        let dim = r * (r - 1) / 2;
        let form = derivation_form(t);
        let eigen = symmetric_eigen(OP, form.as_ref())?;
        let (last, next) = (
            eigen.values[dim.max(1) - 1].abs(),
            eigen.values.get(dim).copied().unwrap_or(0.0),
        );
        let gap = match (dim, next > 0.0) {
            (0, _) => 0.0,
            (_, true) => last / next,
            (_, false) => f64::INFINITY,
        };
        let hypothesis = "derivations of dimension r(r-1)/2 (null eigenvalues over the next)";
        let separated = gap <= SEPARATED;
        if !separated {
            return Err(Error::degenerate(OP, hypothesis, gap));
        }
        let vector = if dim == 0 {
            vec![1.0; n]
        } else {
            // Rows (derivation, x): D e = 0 for all of them.
            let stacked = Mat::from_fn(dim * n, n, |row, a| {
                eigen.vectors[(row % n + n * a, row / n)]
            });
            let svd = thin_svd(OP, stacked.as_ref())?;
            svd.v.col(n - 1).iter().copied().collect()
        };
        let mut cube = 0.0;
        for (k, z) in vector.iter().enumerate() {
            let slab = t.last_slice(k);
            for (flat, x) in slab.as_slice().iter().enumerate() {
                cube += x * vector[flat % n] * vector[flat / n] * z;
            }
        }
        let scale = (r as f64 / cube).cbrt();
        let nonzero = "a cubic form that does not vanish at the identity";
        if !scale.is_finite() {
            return Err(Error::degenerate(OP, nonzero, cube));
        }
        Ok((vector.iter().map(|x| x * scale).collect(), gap))
    }

    fn check(&self, t: TensorView<'_>) -> Result<usize, Error> {
        let tol = self.tol > 0.0 && self.tol < 1.0;
        if !tol || self.rank == 0 || self.rank > MAX_RANK {
            let (rank, tol) = (self.rank, self.tol);
            let text = format!("rank in 1..={MAX_RANK} and tol in (0, 1), got {rank} and {tol}");
            return Err(Error::invalid(OP, text));
        }
        let d = t.dims().first().copied().unwrap_or(0);
        if t.dims() != [d, d, d] {
            let found = format!("{:?}", t.dims());
            return Err(Error::shape(OP, "d x d x d", found));
        }
        if d < self.rank * (self.rank + 1) / 2 {
            let text = format!("d >= r(r+1)/2 for rank {}, got d = {d}", self.rank);
            return Err(Error::invalid(OP, text));
        }
        t.require_finite(OP)?;
        let asymmetry = asymmetry(t);
        let hypothesis = "a totally symmetric tensor (relative asymmetry)";
        if asymmetry > ASYMMETRY {
            return Err(Error::degenerate(OP, hypothesis, asymmetry));
        }
        Ok(d)
    }
}

/// `max |T[a,b,c] - T[permuted]| / max |T|` over the two transpositions that generate all permutations.
pub fn asymmetry(t: TensorView<'_>) -> f64 {
    let d = t.dims().first().copied().unwrap_or(0);
    let x = t.as_slice();
    let (mut gap, mut size) = (0.0f64, 0.0f64);
    if t.dims() != [d, d, d] {
        return f64::INFINITY;
    }
    for c in 0..d {
        for b in 0..d {
            for a in 0..d {
                let here = x[a + d * (b + d * c)];
                size = size.max(here.abs());
                gap = gap.max((here - x[b + d * (a + d * c)]).abs());
                gap = gap.max((here - x[a + d * (c + d * b)]).abs());
            }
        }
    }
    if size > 0.0 { gap / size } else { gap }
}

/// `||D . T||^2` as a quadratic form of `D`, rows and columns `(x, a)`, `x` fastest:
/// `3 [a = b] sum T[x,.,.] T[y,.,.] + 6 sum_c T[x,b,c] T[a,y,c]`.
pub fn derivation_form(t: TensorView<'_>) -> Mat<f64> {
    let n = t.dims()[0];
    let wide = t.as_matrix(1);
    let same = wide * wide.transpose();
    let pairs = t.as_matrix(2);
    let cross = pairs * pairs.transpose();
    Mat::from_fn(n * n, n * n, |i, j| {
        let (x, a, y, b) = (i % n, i / n, j % n, j / n);
        let diagonal = if a == b { 3.0 * same[(x, y)] } else { 0.0 };
        diagonal + 6.0 * cross[(x + n * b, a + n * y)]
    })
}

/// `T(u ., u ., u .)` for a basis `u` (`d x n`).
fn in_basis(t: TensorView<'_>, u: MatRef<'_, f64>) -> Result<Tensor, Error> {
    let mut data = t.as_slice().to_vec();
    let d = u.nrows();
    // Each pass contracts the first mode and moves it behind the others.
    for _ in 0..3 {
        let m = MatRef::from_column_major_slice(&data, d, data.len() / d);
        let p = m.transpose() * u;
        data = crate::tensor::columns(p.as_ref());
    }
    let n = u.ncols();
    Tensor::from_vec(&[n, n, n], data)
}
