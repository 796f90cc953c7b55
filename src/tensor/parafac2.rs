//! The PARAFAC2 model: matrices of one width that share the shape of their components.

use super::assignment::best_assignment;
use super::factor::Factor;
use crate::Error;
use crate::linalg::{norm2, small};

/// `X_k = P_k F diag(C[k, ..]) A'`, with orthonormal columns in every `P_k`.
///
/// Slice `k` has rows of its own; its components are the columns of `P_k F`, whose inner products `F'F` are those of every
/// other slice.
///
/// [`Parafac2`](crate::decomp::Parafac2) shows how one is found.
///
/// Invariant: `P_k` is `n_k x R`, `F` is `R x R`, `A` is `J x R`, `C` is `K x R` for `K >= 1` slices.
#[derive(Clone, Debug, PartialEq)]
pub struct Parafac2Model {
    bases: Vec<Factor>,
    core: Factor,
    shared: Factor,
    loadings: Factor,
}

impl Parafac2Model {
    /// A model from its bases `P_k`, core `F`, shared factor `A` and loadings `C`.
    ///
    /// # Errors
    /// `Shape` when the columns differ, the core is not square, or loadings have not a row for each basis.
    pub fn new(
        bases: Vec<Factor>,
        core: Factor,
        shared: Factor,
        loadings: Factor,
    ) -> Result<Self, Error> {
        let op = "Parafac2Model::new";
        let rank = core.cols();
        let columns = [core.rows(), shared.cols(), loadings.cols()];
        let all = columns.into_iter().chain(bases.iter().map(Factor::cols));
        if let Some(bad) = all.into_iter().find(|&c| c != rank) {
            let expected = format!("{rank} columns everywhere and a square core");
            return Err(Error::shape(op, expected, bad.to_string()));
        }
        if bases.is_empty() || loadings.rows() != bases.len() {
            let expected = format!("a row of loadings for each of {} bases", bases.len());
            return Err(Error::shape(op, expected, loadings.rows().to_string()));
        }
        Ok(Self {
            bases,
            core,
            shared,
            loadings,
        })
    }

    /// Number of components.
    pub fn rank(&self) -> usize {
        self.core.cols()
    }

    /// The orthonormal bases `P_k`, one for each slice.
    pub fn bases(&self) -> &[Factor] {
        &self.bases
    }

    /// The core `F`.
    pub fn core(&self) -> &Factor {
        &self.core
    }

    /// The factor `A` of the columns, which all slices share.
    pub fn shared(&self) -> &Factor {
        &self.shared
    }

    /// The loadings `C`, a row for each slice.
    pub fn loadings(&self) -> &Factor {
        &self.loadings
    }

    /// The components of slice `k`, `P_k F`: `n_k x R`.
    ///
    /// # Panics
    /// If `k` is out of range.
    pub fn components(&self, k: usize) -> Factor {
        self.core.left_mul(self.bases[k].as_mat())
    }

    /// Slice `k`, `n_k x J`.
    ///
    /// # Panics
    /// If `k` is out of range.
    pub fn slice(&self, k: usize) -> Factor {
        let mut left = self.components(k);
        (0..self.rank()).for_each(|r| left.scale_column(r, self.loadings.column(r)[k]));
        let right = self.shared.as_mat().transpose();
        let width = self.shared.rows();
        let mut out = Factor::zeros(left.rows(), width);
        for j in 0..width {
            for r in 0..self.rank() {
                small::axpy(out.column_mut(j), right[(r, j)], left.column(r));
            }
        }
        out
    }

    /// The same slices with unit columns in `F` and `A`, nonnegative sums of loadings, the greatest entry of a column of `A`
    /// positive, and the longest column of loadings first.
    pub fn canonical(&self) -> Self {
        let (mut core, mut shared, mut loadings) = (
            self.core.clone(),
            self.shared.clone(),
            self.loadings.clone(),
        );
        for r in 0..self.rank() {
            for f in [&mut core, &mut shared] {
                let length = f.column_norm(r);
                if length > 0.0 {
                    f.divide_column(r, length);
                }
                loadings.scale_column(r, length);
            }
            let most = |a: f64, &b: &f64| {
                if b.abs() > a.abs() * (1.0 + 1e-9) {
                    b
                } else {
                    a
                }
            };
            for f in [&mut loadings, &mut shared] {
                let sign = f.column(r).iter().fold(0.0, most);
                if sign < 0.0 {
                    f.scale_column(r, -1.0);
                    core.scale_column(r, -1.0);
                }
            }
        }
        let mut order: Vec<usize> = (0..self.rank()).collect();
        let length = |r: usize| loadings.column_norm(r);
        order.sort_by(|&a, &b| length(b).total_cmp(&length(a)));
        let sorted =
            |f: &Factor| Factor::from_fn(f.rows(), order.len(), |i, r| f.column(order[r])[i]);
        Self {
            bases: self.bases.clone(),
            core: sorted(&core),
            shared: sorted(&shared),
            loadings: sorted(&loadings),
        }
    }

    /// Pairs of components of both models, the best assignment, with the product of their cosines over the shared factor, the
    /// loadings and, on average, the components of slices. Signs are as they are in a product of all.
    ///
    /// # Errors
    /// `Shape` when slices or ranks differ.
    pub fn matching(&self, other: &Self) -> Result<Vec<(usize, usize, f64)>, Error> {
        self.require_shape(other)?;
        let (rank, slices) = (self.rank(), self.bases.len());
        let cosine = |a: &[f64], b: &[f64]| {
            let size = (small::norm_sq(a) * small::norm_sq(b)).sqrt();
            if size > 0.0 {
                small::dot(a, b) / size
            } else {
                0.0
            }
        };
        let mine: Vec<Factor> = (0..slices).map(|k| self.components(k)).collect();
        let theirs: Vec<Factor> = (0..slices).map(|k| other.components(k)).collect();
        let score = |r: usize, s: usize| {
            let pairs = mine.iter().zip(&theirs);
            let parts = pairs.map(|(a, b)| cosine(a.column(r), b.column(s)));
            let parts = parts.sum::<f64>() / slices as f64;
            let shared = cosine(self.shared.column(r), other.shared.column(s));
            shared * cosine(self.loadings.column(r), other.loadings.column(s)) * parts
        };
        let matched = best_assignment(rank, score);
        Ok((0..rank)
            .map(|r| (r, matched[r], score(r, matched[r])))
            .collect())
    }

    /// `sqrt(sum_k ||X_k - Y_k||^2)` over the slices of both.
    ///
    /// # Errors
    /// `Shape` when slices differ.
    pub fn distance(&self, other: &Self) -> Result<f64, Error> {
        self.require_slices(other)?;
        let one = |k: usize| {
            let (a, b) = (self.slice(k), other.slice(k));
            small::squared_distance(a.as_slice(), b.as_slice()).sqrt()
        };
        Ok(norm2(&Vec::from_iter((0..self.bases.len()).map(one))))
    }

    /// `sqrt(sum_k ||X_k||^2)`.
    pub fn norm(&self) -> f64 {
        let one = |k: usize| norm2(self.slice(k).as_slice());
        norm2(&Vec::from_iter((0..self.bases.len()).map(one)))
    }

    fn require_slices(&self, other: &Self) -> Result<(), Error> {
        let shape = |m: &Self| -> Vec<usize> {
            let rows = m.bases.iter().map(Factor::rows);
            rows.chain([m.shared.rows()]).collect()
        };
        let (expected, found) = (shape(self), shape(other));
        if expected == found {
            return Ok(());
        }
        let op = "Parafac2Model";
        Err(Error::shape(
            op,
            format!("{expected:?}"),
            format!("{found:?}"),
        ))
    }

    fn require_shape(&self, other: &Self) -> Result<(), Error> {
        self.require_slices(other)?;
        if self.rank() == other.rank() {
            return Ok(());
        }
        let expected = format!("{} components", self.rank());
        Err(Error::shape(
            "Parafac2Model",
            expected,
            other.rank().to_string(),
        ))
    }
}
