//! Directions of the coefficients: changes of the latents, and the others.
//!
//! Under `x -> x + G x + h` the coefficients move by `A L`; the samples' variety stays where it is, so nothing but the law of the
//! latents speaks about `G` and `h`, and the less noise there is the more the other directions outweigh them. Scores along
//! them are therefore not taken from the residuals but from Stein's identity,
//!
//! ```text
//! E[e' A phi'(x) (G x + h) | u] = E[x' (G x + h) | u] - tr G ,
//! ```
//!
//! which has the right size at any noise. Antisymmetric `G` change nothing: they are the gauge.

use super::modes::Model;
use super::posterior::Told;
use crate::Error;
use crate::linalg::{cholesky_solve, thin_qr};
use crate::tensor::{MonomialBasis, PolynomialMap};
use faer::{Mat, MatRef};

const OP: &str = "Polynomial::learn";
/// Greatest entry of a change of the latents in one step.
const LONGEST: f64 = 0.7;

/// A change of the latents: `x_i += t x_j` and `x_j += t x_i`, or `x_i += t`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Field {
    Symmetric(usize, usize),
    Shift(usize),
}

/// The directions at a model. Numbers of a step: one for each change of the latents, one for each entry of `A` (only their part
/// across all changes counts), one for the logarithm of each noise variance.
pub(super) struct Directions {
    fields: Vec<Field>,
    /// `A L` for each field, `dm x f`.
    pub(super) along: Mat<f64>,
    /// `A L` for the rotations.
    pub(super) turns: Mat<f64>,
    /// Orthonormal, spans both.
    tangent: Mat<f64>,
    latent: usize,
}

impl Directions {
    pub(super) fn of(model: &Model) -> Result<Self, Error> {
        let r = model.latent();
        let mut fields: Vec<Field> = (0..r)
            .flat_map(|i| (0..=i).map(move |j| Field::Symmetric(i, j)))
            .collect();
        if model.degree().is_none() {
            fields.extend((0..r).map(Field::Shift));
        }
        let derivative = |i: usize, j: Option<usize>| derivative(&model.basis, i, j);
        let column = |f: &Field| match *f {
            Field::Symmetric(i, j) if i == j => moved(model, &derivative(i, Some(i))),
            Field::Symmetric(i, j) => {
                moved(model, &(derivative(i, Some(j)) + derivative(j, Some(i))))
            }
            Field::Shift(i) => moved(model, &derivative(i, None)),
        };
        let along = stack(fields.iter().map(column).collect(), model.a.len());
        let pairs = (0..r).flat_map(|i| (0..i).map(move |j| (i, j)));
        let turn = |(i, j): (usize, usize)| {
            moved(model, &(derivative(i, Some(j)) - derivative(j, Some(i))))
        };
        let turns = stack(pairs.map(turn).collect(), model.a.len());
        let both = Mat::from_fn(model.a.len(), fields.len() + turns.ncols(), |k, t| match t
            .checked_sub(fields.len())
        {
            None => along[(k, t)],
            Some(t) => turns[(k, t)],
        });
        let (tangent, _) = thin_qr(OP, both.as_ref())?;
        Ok(Self {
            fields,
            along,
            turns,
            tangent,
            latent: r,
        })
    }

    /// Numbers of a step.
    pub(super) fn len(&self, model: &Model) -> usize {
        self.fields.len() + model.a.len() + model.outputs()
    }

    /// Those of a step that are not of the noise.
    pub(super) fn coefficients(&self, model: &Model) -> usize {
        self.fields.len() + model.a.len()
    }

    pub(super) fn changes(&self) -> usize {
        self.fields.len()
    }

    /// The score of one sample, whose part among the entries of `A` is not yet across.
    pub(super) fn score(&self, told: &Told, out: &mut [f64]) {
        let r = self.latent;
        let (fields, rest) = out.split_at_mut(self.fields.len());
        for (slot, f) in fields.iter_mut().zip(&self.fields) {
            *slot = match *f {
                Field::Symmetric(i, j) if i == j => told.square[i * r + i] - 1.0,
                Field::Symmetric(i, j) => 2.0 * told.square[i * r + j],
                Field::Shift(i) => told.mean[i],
            };
        }
        let (across, noise) = rest.split_at_mut(told.cross.len());
        across.copy_from_slice(&told.cross);
        let levels = noise.iter_mut().zip(&told.gaps);
        levels.for_each(|(slot, square)| *slot = 0.5 * (square - 1.0));
    }

    /// Takes from rows of scores (one a column, `len x n`) what lies along changes of the latents.
    pub(super) fn across(&self, scores: &mut Mat<f64>) {
        let (f, k) = (self.fields.len(), self.tangent.nrows());
        let inner = self.tangent.transpose() * scores.subrows(f, k);
        let along = &self.tangent * inner;
        for j in 0..scores.ncols() {
            for i in 0..k {
                scores[(f + i, j)] -= along[(i, j)];
            }
        }
    }

    /// `(I + ridge)^-1 g` for an information whose part along changes of the latents is filled in; entries beyond `free` stand
    /// still.
    pub(super) fn solve(
        &self,
        information: &Mat<f64>,
        gradient: MatRef<'_, f64>,
        free: usize,
    ) -> Result<Mat<f64>, Error> {
        let full = self.filled(information, free);
        let rhs = Mat::from_fn(free, gradient.ncols(), |i, j| gradient[(i, j)]);
        let hypothesis = "samples that tell every coefficient: fewer latents, more outputs, or less noise (directions)";
        cholesky_solve(full.as_ref(), rhs.as_ref())
            .ok_or_else(|| Error::degenerate(OP, hypothesis, free as f64))
    }

    /// The information of the first `free` numbers, made regular.
    fn filled(&self, information: &Mat<f64>, free: usize) -> Mat<f64> {
        let (f, k) = (self.fields.len(), self.tangent.nrows());
        let size = (0..free).map(|i| information[(i, i)]).sum::<f64>() / free as f64;
        let mut full = Mat::from_fn(free, free, |i, j| information[(i, j)]);
        let mut block = full.subrows(f, k).to_owned();
        let inner = self.tangent.transpose() * &block;
        block -= &self.tangent * inner;
        for i in 0..k {
            (0..free).for_each(|j| full[(f + i, j)] = block[(i, j)]);
        }
        let mut block = full.subcols(f, k).to_owned();
        let inner = &block * &self.tangent;
        block -= inner * self.tangent.transpose();
        for j in 0..k {
            (0..free).for_each(|i| full[(i, f + j)] = block[(i, j)]);
        }
        let fill = &self.tangent * self.tangent.transpose();
        for i in 0..k {
            for j in 0..k {
                full[(f + i, f + j)] += size * fill[(i, j)];
            }
        }
        (0..free).for_each(|i| full[(i, i)] += 1e-9 * size);
        full
    }

    /// The model a step away: residuals first, then the latents, both exactly; noise only where the step has numbers for it.
    pub(super) fn moved(&self, model: &Model, step: &[f64]) -> Result<Model, Error> {
        let (f, r, m) = (self.fields.len(), self.latent, model.basis.len());
        let mut generator = Mat::<f64>::zeros(r + 1, r + 1);
        let greatest = step[..f].iter().fold(0.0f64, |a, b| a.max(b.abs()));
        let shrink = (LONGEST / greatest.max(f64::MIN_POSITIVE)).min(1.0);
        for (t, field) in step[..f].iter().zip(&self.fields) {
            let t = t * shrink;
            match *field {
                Field::Symmetric(i, j) => {
                    generator[(i + 1, j + 1)] = t;
                    generator[(j + 1, i + 1)] = t;
                }
                Field::Shift(i) => generator[(i + 1, 0)] = t,
            }
        }
        let b = exponential(&generator);
        let entries = step[f..f + model.a.len()].iter().zip(&model.a);
        let entries: Vec<f64> = entries.map(|(s, a)| a + shrink * s).collect();
        let c = Mat::from_fn(model.outputs(), m, |a, k| {
            model.noise[a] * entries[a * m + k]
        });
        let levels = step.get(f + model.a.len()..).unwrap_or(&[]);
        let noise = model.noise.iter().enumerate().map(|(a, s)| {
            let change = levels.get(a).map_or(0.0, |t| 0.5 * t);
            s * change.clamp(-1.0, 1.0).exp()
        });
        let noise = noise.collect();
        let map = PolynomialMap::new(model.basis.clone(), c * substituted(model, &b)?)?;
        Ok(Model::new(&map, noise))
    }
}

/// The matrix of `phi(B (1, x))` where lower degrees occur, of `phi(B x)` without first row and column where not.
fn substituted(model: &Model, b: &Mat<f64>) -> Result<Mat<f64>, Error> {
    let r = model.latent();
    match model.degree() {
        Some(_) => model.basis.substitution(b.submatrix(1, 1, r, r)),
        None => {
            let degree = model.basis.degree() as usize;
            MonomialBasis::homogeneous(r + 1, degree)?.substitution(b.as_ref())
        }
    }
}

/// `L` with `x_j d phi / d x_i = L phi`; `d phi / d x_i` without `j`.
fn derivative(basis: &MonomialBasis, i: usize, j: Option<usize>) -> Mat<f64> {
    let mut l = Mat::zeros(basis.len(), basis.len());
    for (k, e) in basis.exponents().iter().enumerate() {
        if e[i] == 0 {
            continue;
        }
        let mut f = e.clone();
        f[i] -= 1;
        if let Some(j) = j {
            f[j] += 1;
        }
        if let Some(place) = basis.position(&f) {
            l[(k, place)] = f64::from(e[i]);
        }
    }
    l
}

/// `A L`, row by row.
fn moved(model: &Model, l: &Mat<f64>) -> Vec<f64> {
    let m = model.basis.len();
    let a = MatRef::from_row_major_slice(&model.a, model.outputs(), m);
    let al = a * l;
    (0..model.a.len()).map(|k| al[(k / m, k % m)]).collect()
}

fn stack(columns: Vec<Vec<f64>>, rows: usize) -> Mat<f64> {
    Mat::from_fn(rows, columns.len(), |i, j| columns[j][i])
}

/// The exponential of a small matrix, by its series after halving.
fn exponential(g: &Mat<f64>) -> Mat<f64> {
    /// Of a matrix of norm below 4 after eight halvings: `2^-6`, to the tenth power below rounding.
    const HALVINGS: i32 = 8;
    let n = g.nrows();
    let small = faer::Scale(0.5f64.powi(HALVINGS)) * g;
    let (mut sum, mut term) = (Mat::<f64>::identity(n, n), Mat::<f64>::identity(n, n));
    for k in 1..=10 {
        term = faer::Scale(1.0 / f64::from(k)) * (&term * &small);
        sum += &term;
    }
    for _ in 0..HALVINGS {
        sum = &sum * &sum;
    }
    sum
}
