//! The certificate beside that about a learned map: held-out rows of the samples have its cumulants, to within so many
//! standard errors.

use crate::context::Context;
use wickring::Error;
use wickring::certify::{Certificate, Claim, Expression, TensorData};
use wickring::io::samples::Samples;
use wickring::io::write_whole;
use wickring::poly::Rational;
use wickring::stats::held_out_threshold;

/// Entries of the columns that are held in memory at a time.
const MAX_HELD: usize = 1 << 27;
const ROWS: usize = 4096;

/// Outputs of a model and the exact joint cumulants of their polynomials, which are numbered from zero.
pub struct Cumulants {
    /// The columns of the samples.
    pub outputs: Vec<usize>,
    /// A polynomial for each, in independent standard normal variables.
    pub polynomials: Vec<Expression>,
    /// Indices and values.
    pub values: Vec<(Vec<usize>, Rational)>,
}

impl Cumulants {
    /// The claim about the model, in words that say of what.
    pub fn claim(&self, what: &str) -> Claim {
        let zero = Rational::default();
        let words = format!(
            "joint cumulants of outputs {:?} of {what}; it says nothing about samples",
            self.outputs
        );
        Claim::gaussian_moments(&self.polynomials, &[], &self.values, &zero).about(words)
    }

    /// The same with independent normal noise of these standard deviations on the outputs; `None` without noise.
    ///
    /// # Errors
    /// `NonFinite`.
    pub fn with_noise(&self, noise: &[f64]) -> Result<Option<Self>, Error> {
        let level = |k: usize| noise.get(self.outputs[k]).copied().unwrap_or(0.0);
        if (0..self.outputs.len()).all(|k| level(k) == 0.0) {
            return Ok(None);
        }
        let polynomials = self.polynomials.iter().enumerate();
        let polynomials =
            polynomials.map(|(k, p)| p.clone().plus_multiple(level(k), &format!("e{k}")));
        let polynomials = polynomials.collect::<Result<_, _>>()?;
        let mut values = self.values.clone();
        for (index, value) in &mut values {
            if let [a, b] = index[..]
                && a == b
            {
                let s = Rational::from_f64(level(a)).unwrap_or_default();
                *value += &(&s * &s);
            }
        }
        let outputs = self.outputs.clone();
        Ok(Some(Self {
            outputs,
            polynomials,
            values,
        }))
    }

    /// Writes `NAME.data.certificate.json` beside the model: the claim about these cumulants, and that about the rows
    /// that a learner with this share of held-out rows has not seen. Why there is none is said.
    ///
    /// # Errors
    /// `File` when the samples cannot be read again, or the file not be written.
    pub fn write(
        &self,
        (what, share): (&str, f64),
        samples: &Samples,
        (status, failed): (&str, &str),
        context: &Context,
    ) -> Result<(), Error> {
        let path = context
            .out("learn")?
            .with_extension("data.certificate.json");
        let absent = |why: &str| {
            context.say(&format!("no certificate about held-out samples: {why}"));
            match std::fs::remove_file(&path) {
                Ok(()) => context.warn(&format!(
                    "removed {}, which spoke of another model",
                    path.display()
                )),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(Error::file(path.clone(), "", e.to_string())),
            }
            Ok(())
        };
        let (rows, width) = (samples.rows(), self.outputs.len());
        if !context.common.columns.is_empty() {
            return absent("check --data reads whole files, and --columns chose among them");
        }
        if rows.saturating_mul(width) > MAX_HELD {
            return absent("the columns do not fit into a gigabyte");
        }
        let columns = columns(samples, &self.outputs)?;
        let sample = TensorData {
            shape: &[rows, width],
            entries: &columns,
        };
        let threshold = held_out_threshold(share);
        let found = Claim::held_out_cumulants(0, &self.values, &self.outputs, sample, threshold);
        let Some((claim, bound)) = found else {
            return absent("too few rows are held out");
        };
        let words = format!(
            "samples that the learner held out, within {bound:.2} standard errors of the model"
        );
        let mut certificate = Certificate::new().fit(status, failed);
        certificate = certificate
            .claim(self.claim(what))
            .claim(claim.about(words));
        for input in samples.inputs() {
            certificate = certificate.hashed_input(&input.path.to_string_lossy(), &input.sha256);
        }
        write_whole(&path, certificate.to_json().as_bytes())?;
        let names: Vec<String> = samples
            .inputs()
            .map(|i| i.path.display().to_string())
            .collect();
        let names = match names.len() {
            0..=3 => names.join(" "),
            _ => "FILES".to_owned(),
        };
        let path = path.display();
        context.say(&format!(
            "wrote {path}; check it: wickring check {path} --data {names}"
        ));
        Ok(())
    }
}

/// Columns of a sample, one after the other.
///
/// # Errors
/// `File`.
pub fn columns(samples: &Samples, chosen: &[usize]) -> Result<Vec<f64>, Error> {
    let rows = samples.rows();
    let mut columns = vec![0.0; rows * chosen.len()];
    for chunk in samples.chunks(ROWS) {
        let chunk = chunk?;
        for (k, &column) in chosen.iter().enumerate() {
            let from = k * rows + chunk.first_row;
            let entries = chunk.data.iter().skip(column).step_by(chunk.columns);
            columns[from..from + chunk.rows()]
                .iter_mut()
                .zip(entries)
                .for_each(|(to, x)| *to = *x);
        }
    }
    Ok(columns)
}
