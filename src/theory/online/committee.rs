//! Two-layer networks: the student that learns and the teacher that labels.

use crate::Error;
use crate::theory::covariance::Covariances;
use crate::theory::covariance::require_finite;
use crate::theory::generator::neuron::StudentActivation;
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// `y(h) = sum_k second_k g(first_k . h / sqrt(dim))` with an activation `g` that is given elsewhere.
///
/// Invariant: at least one unit, finite weights.
///
/// # Example
/// ```
/// use faer::{Mat, mat};
/// use wickring::theory::{Committee, Covariances, StudentActivation};
/// let teacher = Committee::new(mat![[1.0, 1.0]], vec![2.0])?;
/// let y = teacher.outputs(&StudentActivation::linear(), mat![[3.0], [1.0]].as_ref())?;
/// assert!((y[0] - 2.0 * 4.0 / 2f64.sqrt()).abs() < 1e-12);
/// let law = Covariances::new(Mat::identity(2, 2), Mat::identity(2, 2))?;
/// assert!((teacher.overlaps(&teacher, &law)?.q[0] - 1.0).abs() < 1e-12);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Committee {
    first: Mat<f64>,
    second: Vec<f64>,
}

impl Committee {
    /// Takes the weights.
    ///
    /// # Shapes
    /// `first` is `units x dim`, `second` has `units` entries.
    ///
    /// # Errors
    /// `Shape`, `NonFinite`.
    pub fn new(first: Mat<f64>, second: Vec<f64>) -> Result<Self, Error> {
        let op = "Committee::new";
        if first.nrows() != second.len() || second.is_empty() || first.ncols() == 0 {
            let found = format!("{} x {} and {}", first.nrows(), first.ncols(), second.len());
            return Err(Error::shape(
                op,
                "units x dim and units, at least one",
                found,
            ));
        }
        require_finite(op, first.as_ref())?;
        if let Some(index) = second.iter().position(|x| !x.is_finite()) {
            return Err(Error::NonFinite { op, index });
        }
        Ok(Self { first, second })
    }

    /// Standard normal first-layer weights; the second layer standard normal too, or all ones.
    ///
    /// # Errors
    /// `Shape` for no units or no inputs.
    pub fn random(
        units: usize,
        dim: usize,
        random_second: bool,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let mut draw = || -> f64 { StandardNormal.sample(rng) };
        let first = Mat::from_fn(units, dim, |_, _| draw());
        let second = (0..units).map(|_| if random_second { draw() } else { 1.0 });
        let second = second.collect();
        Self::new(first, second)
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.second.len()
    }

    /// Length of the input.
    pub fn dim(&self) -> usize {
        self.first.ncols()
    }

    /// First-layer weights, one row per unit.
    pub fn first(&self) -> MatRef<'_, f64> {
        self.first.as_ref()
    }

    /// Second-layer weights.
    pub fn second(&self) -> &[f64] {
        &self.second
    }

    /// The output for each column of `inputs`.
    ///
    /// # Errors
    /// `Shape`.
    pub fn outputs(
        &self,
        g: &StudentActivation,
        inputs: MatRef<'_, f64>,
    ) -> Result<Vec<f64>, Error> {
        if inputs.nrows() != self.dim() {
            let expected = format!("{} rows", self.dim());
            let found = inputs.nrows().to_string();
            return Err(Error::shape("Committee::outputs", expected, found));
        }
        let fields = &self.first * inputs;
        let scale = 1.0 / (self.dim() as f64).sqrt();
        let output = |j: usize| {
            let units = self.second.iter().enumerate();
            units
                .map(|(k, v)| v * g.value(scale * fields[(k, j)]))
                .sum()
        };
        Ok((0..inputs.ncols()).map(output).collect())
    }

    /// Overlaps of the fields of a student on `x` with those of a teacher on `c`:
    /// `(Q, R, T)` by rows, `Q = w Omega w'/N`, `R = w Phi B'/sqrt(N D)`, `T = B B'/D`.
    ///
    /// # Errors
    /// `Shape` when the widths do not match the covariances.
    pub fn overlaps(&self, teacher: &Self, law: &Covariances) -> Result<Overlaps, Error> {
        let (n, d) = (law.inputs(), law.latents());
        if self.dim() != n || teacher.dim() != d {
            let expected = format!("a student of {n} inputs and a teacher of {d}");
            let found = format!("{} and {}", self.dim(), teacher.dim());
            return Err(Error::shape("Committee::overlaps", expected, found));
        }
        let rows = |m: Mat<f64>, scale: f64| -> Vec<f64> {
            let (r, c) = (m.nrows(), m.ncols());
            (0..r * c).map(|at| m[(at / c, at % c)] * scale).collect()
        };
        let (n, d) = (n as f64, d as f64);
        let q = &self.first * law.omega() * self.first.transpose();
        let r = &self.first * law.phi() * teacher.first.transpose();
        let t = &teacher.first * teacher.first.transpose();
        Ok(Overlaps {
            q: rows(q, 1.0 / n),
            r: rows(r, 1.0 / (n * d).sqrt()),
            t: rows(t, 1.0 / d),
        })
    }
}

/// Second moments of the fields, by rows.
///
/// See [`Committee`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlaps {
    /// Student with student, `K x K`.
    pub q: Vec<f64>,
    /// Student with teacher, `K x M`.
    pub r: Vec<f64>,
    /// Teacher with teacher, `M x M`.
    pub t: Vec<f64>,
}
