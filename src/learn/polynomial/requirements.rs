//! How many outputs and samples the algebraic learner needs.

use super::OP;
use crate::Error;
use crate::tensor::binomial;

/// Which degrees occur.
///
/// See [`Requirements`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Only the degree asked for.
    Homogeneous,
    /// That degree and all lower ones.
    General,
}

impl Form {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Homogeneous => "homogeneous",
            Self::General => "general",
        }
    }
}

/// What a map of degree `w` in `r` latents takes, with `v = r` variables (homogeneous) or `v = r + 1`.
///
/// # Example
/// ```
/// use wickring::learn::polynomial::{Form, Requirements};
/// let need = Requirements::of(3, 2, Form::Homogeneous)?; // quadrics in three latents
/// assert_eq!((need.monomials, need.outputs), (6, 6));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// Latent dimension `r`.
    pub latent: usize,
    /// Degree `w`.
    pub degree: usize,
    /// Which degrees occur.
    pub form: Form,
    /// Monomials `m = C(v + w - 1, w)`.
    pub monomials: usize,
    /// Outputs at least: `m`, or `m - 1` with the constant counted as one.
    pub outputs: usize,
    /// Samples at least, for learning: `C(v + 2w - 1, 2w)`, the quadrics in `m` unknowns modulo those that
    /// vanish.
    pub samples: usize,
}

/// Beyond this the Lie algebra is a matrix of more than 3600 rows.
const MAX_MONOMIALS: usize = 60;

impl Requirements {
    /// # Errors
    /// `InvalidInput`: a latent dimension of 0 or a degree outside `2..=8`. `LimitExceeded`: more than 60
    /// monomials.
    pub fn of(latent: usize, degree: usize, form: Form) -> Result<Self, Error> {
        if latent == 0 || latent > 1 << 20 || !(2..=8).contains(&degree) {
            let text = format!(
                "a latent dimension of at least 1 and a degree in 2..=8, got {latent} and {degree}"
            );
            return Err(Error::invalid(OP, text));
        }
        let variables = latent + usize::from(form == Form::General);
        let monomials = binomial(variables + degree - 1, degree);
        let samples = binomial(variables + 2 * degree - 1, 2 * degree);
        let fits = |m: &usize| *m <= MAX_MONOMIALS;
        let (Some(monomials), Some(samples)) = (monomials.filter(fits), samples) else {
            return Err(Error::limit(OP, "monomials", MAX_MONOMIALS as u64));
        };
        Ok(Self {
            latent,
            degree,
            form,
            monomials,
            outputs: monomials - usize::from(form == Form::General),
            samples,
        })
    }

    /// Every latent dimension within reach, in both forms.
    pub fn all(degree: usize) -> Vec<Self> {
        [Form::Homogeneous, Form::General]
            .into_iter()
            .flat_map(|form| (1..=MAX_MONOMIALS).map_while(move |r| Self::of(r, degree, form).ok()))
            .collect()
    }

    /// Number of variables of the homogeneous form.
    pub fn variables(&self) -> usize {
        self.latent + usize::from(self.form == Form::General)
    }

    /// One line that says what is needed.
    pub fn line(&self) -> String {
        format!(
            "degree {}, latent dimension {}, {}: {} monomials; needs {} outputs and {} samples for learning",
            self.degree,
            self.latent,
            self.form.name(),
            self.monomials,
            self.outputs,
            self.samples
        )
    }
}
