//! The dominant column space of a wide matrix, accurate for exact data and cheap.

use crate::Error;
use crate::linalg::reciprocal;
use crate::tensor::{Scalar, columns, norm};
use faer::{Mat, MatRef};
use rand::Rng;

/// Up to this many rows the Gram matrix is diagonalised; above, the space is sketched. By operation counts the
/// symmetric eigensolver costs more than two passes over the data from about here on; not tuned further.
const GRAM_ROWS: usize = 96;
/// A sketch is also taken when it is this many times narrower than the matrix: five passes with `rows / 4`
/// columns cost about as much as the two of the Gram matrix, and its eigenvectors are saved.
const SKETCH_SHARE: usize = 4;
/// Extra directions of a sketch: they show the spectrum behind the cut and make a miss improbable.
const MARGIN: usize = 8;

/// An orthonormal basis of the dominant column space, and the spectrum around the cut.
#[derive(Clone, Debug)]
pub(in crate::decomp::ring) struct Range<T> {
    /// `rows x keep`, orthonormal columns, dominant first.
    pub(in crate::decomp::ring) basis: Mat<T>,
    /// Singular values, nonincreasing: all of them, or the first `keep + 8` of a sketch. Those below
    /// `1e-8` of the greatest are only upper bounds on what is there.
    pub(in crate::decomp::ring) spectrum: Vec<f64>,
}

impl<T: Scalar> Range<T> {
    /// The space spanned by the `keep` dominant left singular vectors of `m` (`keep` is cut to the rows).
    ///
    /// The Gram matrix squares the condition number, so its eigenvectors only start one step of orthogonal
    /// iteration, `qr(m * columns_of_unit_norm(m^H u))`: for data of exact rank that makes the space
    /// accurate to `eps * cond`, not its square.
    pub(in crate::decomp::ring) fn of(
        op: &'static str,
        m: MatRef<'_, T>,
        keep: usize,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let rows = m.nrows();
        let keep = keep.min(rows);
        let narrow = SKETCH_SHARE * (keep + MARGIN) <= rows.min(m.ncols());
        let (start, spectrum) = if rows <= GRAM_ROWS && !narrow {
            gram_start(op, m, keep)?
        } else {
            sketch_start(op, m, keep, rng)?
        };
        let back = unit_columns(T::adjoint_product(m, start.as_ref()));
        let forth = unit_columns(T::product(m, back.as_ref()));
        let (basis, _) = T::qr(op, forth.as_ref())?;
        let mut range = Self { basis, spectrum };
        range.sharpen(m);
        Ok(range)
    }

    /// Gram matrices show nothing below `1e-8` of the greatest singular value; the size of the data along
    /// each basis vector does, to rounding.
    fn sharpen(&mut self, m: MatRef<'_, T>) {
        if self.strength() > 1e-6 {
            return;
        }
        let inside = T::adjoint_product(self.basis.as_ref(), m);
        for (i, s) in self.spectrum.iter_mut().take(inside.nrows()).enumerate() {
            *s = norm(&columns(inside.subrows(i, 1)));
        }
        let kept = inside.nrows().min(self.spectrum.len());
        self.spectrum[..kept].sort_by(|a, b| b.total_cmp(a));
    }

    /// `s_keep / s_1`: how far the space kept is from losing rank.
    pub(in crate::decomp::ring) fn strength(&self) -> f64 {
        let last = self.basis.ncols().min(self.spectrum.len());
        match (self.spectrum.first(), last) {
            (Some(&first), 1..) if first > 0.0 => self.spectrum[last - 1] / first,
            _ => 0.0,
        }
    }

    /// `s_{keep+1} / s_keep`: small when the data have the rank asked for; 0 when nothing lies behind.
    pub(in crate::decomp::ring) fn tail(&self) -> f64 {
        let keep = self.basis.ncols();
        match (keep, self.spectrum.get(keep)) {
            (1.., Some(&next)) if self.spectrum[keep - 1] > 0.0 => next / self.spectrum[keep - 1],
            _ => 0.0,
        }
    }
}

fn gram_start<T: Scalar>(
    op: &'static str,
    m: MatRef<'_, T>,
    keep: usize,
) -> Result<(Mat<T>, Vec<f64>), Error> {
    let gram = T::product(m, m.adjoint().to_owned().as_ref());
    let (values, vectors) = T::hermitian(op, gram.as_ref())?;
    let spectrum = values.iter().map(|x| x.max(0.0).sqrt()).collect();
    Ok((vectors.subcols(0, keep).to_owned(), spectrum))
}

fn sketch_start<T: Scalar>(
    op: &'static str,
    m: MatRef<'_, T>,
    keep: usize,
    rng: &mut impl Rng,
) -> Result<(Mat<T>, Vec<f64>), Error> {
    let width = (keep + MARGIN).min(m.nrows()).min(m.ncols());
    let mut basis = Mat::from_fn(m.nrows(), width, |_, _| T::gaussian(rng));
    // Two steps: the first leaves the noise at its own size, the second suppresses it once more.
    for _ in 0..2 {
        let back = T::adjoint_product(m, basis.as_ref());
        let (back, _) = T::qr(op, unit_columns(back).as_ref())?;
        let forth = T::product(m, back.as_ref());
        basis = T::qr(op, unit_columns(forth).as_ref())?.0;
    }
    let small = T::adjoint_product(basis.as_ref(), m);
    let gram = T::product(small.as_ref(), small.adjoint().to_owned().as_ref());
    let svd = T::svd(op, gram.as_ref())?;
    let spectrum = svd.s.iter().map(|x| x.max(0.0).sqrt()).collect();
    let keep = keep.min(width);
    let turned = T::product(basis.as_ref(), svd.u.subcols(0, keep));
    Ok((turned, spectrum))
}

/// Columns scaled to norm one, so that weak directions are not drowned; zero columns stay zero.
fn unit_columns<T: Scalar>(mut m: Mat<T>) -> Mat<T> {
    for j in 0..m.ncols() {
        let size = norm(&columns(m.subcols(j, 1)));
        if size > 0.0 {
            let (a, b) = reciprocal(size);
            let (a, b) = (T::from_real(a), T::from_real(b));
            m.col_mut(j).iter_mut().for_each(|x| *x = *x * a * b);
        }
    }
    m
}
