//! Schemes as text, in the formats of the catalogues; what was written is read again and must be equal.

mod json;
mod tables;

use super::formats::entry::Scalar;
use super::formats::read::{SchemeFormat, read_lrp, read_schemes};
use super::model::{Adjoined, Scheme, Target};
use super::programs::{ProgramLanguage, SchemeProgram};
use crate::Error;
use std::fmt::Write;

const OP: &str = "SchemeText::write";

/// The forms in which a scheme is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemeText {
    /// Sparse triples, `{"n", "m", "z2", "u", "v", "w"}`.
    Json,
    /// The same after elimination of common sums: `u_fresh`, ..
    Reduced,
    /// One product of three sums in each line.
    Products,
    /// Nested lists in braces.
    Mathematica,
    /// `Triad([Matrix(..), ..])`.
    Maple,
    /// Three tables, rows by positions, separated by `#`.
    Tables,
    /// `n m p rank` and whole numbers.
    Flat,
    /// Sums, products and outputs as assignments.
    Assignments,
    /// Three matrices L, R and P, a file each.
    Sms,
}

impl SchemeText {
    /// Names, endings and forms; the first form of an ending is the usual one.
    const ALL: [(&'static str, &'static str, Self); 9] = [
        ("json", "json", Self::Json),
        ("reduced", "json", Self::Reduced),
        ("exp", "exp", Self::Products),
        ("m", "m", Self::Mathematica),
        ("mpl", "mpl", Self::Maple),
        ("tables", "txt", Self::Tables),
        ("flat", "txt", Self::Flat),
        ("slp", "slp", Self::Assignments),
        ("sms", "sms", Self::Sms),
    ];

    /// The form of a name: `json`, `reduced`, `exp`, `m`, `mpl`, `tables`, `flat`, `slp` or `sms`.
    ///
    /// # Errors
    /// `InvalidInput` for any other.
    pub fn parse(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|f| f.0 == name);
        let names = Self::ALL.map(|f| f.0).join(", ");
        let wrong = || {
            Error::invalid(
                "SchemeText::parse",
                format!("must be one of {names}, not {name}"),
            )
        };
        found.map(|f| f.2).ok_or_else(wrong)
    }

    /// The usual form of files with an ending.
    pub fn of_extension(extension: &str) -> Option<Self> {
        let extension = extension.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|f| f.1 == extension)
            .map(|f| f.2)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|f| f.2 == self)
            .map_or("", |f| f.0)
    }

    /// The ending of its files.
    pub fn extension(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|f| f.2 == self)
            .map_or("", |f| f.1)
    }

    fn format(self) -> Option<SchemeFormat> {
        match self {
            Self::Json | Self::Reduced => Some(SchemeFormat::Json),
            Self::Products => Some(SchemeFormat::Products),
            Self::Mathematica => Some(SchemeFormat::Mathematica),
            Self::Maple => Some(SchemeFormat::Maple),
            Self::Tables => Some(SchemeFormat::Laurent),
            Self::Flat => Some(SchemeFormat::Flat),
            Self::Assignments => Some(SchemeFormat::Assignments),
            Self::Sms => None,
        }
    }

    /// The texts of a scheme, three for [`SchemeText::Sms`] and one for all others. `name` is that of the file.
    ///
    /// The scheme must be in the row-major convention of its target, as `examine` returns it.
    ///
    /// # Errors
    /// `InvalidInput` when the format cannot hold the scheme: other entries than rational ones, other tensors than matrix
    /// products, or rows of zeros that it does not store.
    ///
    /// # Complexity
    /// Linear in the text, and an elimination for [`SchemeText::Reduced`].
    ///
    /// ```
    /// use wickring::scheme::{SchemeFormat, SchemeText, read_schemes};
    /// let scheme = read_schemes("(a11+a12)*b11*c11", SchemeFormat::Products, "")?.remove(0);
    /// assert_eq!(SchemeText::Flat.write(&scheme, "")?, ["1 2 1 1\n1 1\n1 0\n1\n"]);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn write(self, scheme: &Scheme, name: &str) -> Result<Vec<String>, Error> {
        let texts = match self {
            Self::Json => vec![json::sparse(scheme)],
            Self::Reduced => vec![json::reduced(scheme)?],
            Self::Products => vec![tables::products(scheme)?],
            Self::Mathematica => vec![tables::mathematica(scheme)?],
            Self::Maple => vec![tables::maple(scheme)?],
            Self::Tables => vec![tables::tables(scheme)],
            Self::Flat => vec![tables::flat(scheme)?],
            Self::Assignments => vec![SchemeProgram::plain(scheme)?.print(ProgramLanguage::Slp)?],
            Self::Sms => tables::sms(scheme),
        };
        let again = match (self.format(), &texts[..]) {
            (Some(format), [text]) => read_schemes(text, format, name)?.pop(),
            (_, [l, r, p]) => Some(read_lrp(l, r, p, name)?),
            _ => None,
        };
        let equal = again.is_some_and(|s| s.factors == scheme.factors);
        let lossy = || {
            let what = format!(
                "the form {} does not hold this scheme: what was written reads back as another",
                self.name()
            );
            Error::invalid(OP, what)
        };
        equal.then_some(texts).ok_or_else(lossy)
    }
}

/// Sizes of a matrix product.
fn dims(scheme: &Scheme, form: &str) -> Result<[usize; 3], Error> {
    match &scheme.target {
        Some(Target::Matmul(dims)) => Ok(*dims),
        other => {
            let found = other
                .as_ref()
                .map_or("no named tensor".to_owned(), Target::name);
            Err(Error::invalid(
                OP,
                format!("the form {form} holds matrix products, not {found}"),
            ))
        }
    }
}

/// An entry as the readers take it.
fn scalar(value: &Scalar, adjoined: Adjoined) -> String {
    let mut text = String::new();
    for (e, c) in value {
        if !text.is_empty() && c.signum() > 0 {
            text.push('+');
        }
        let _ = match (*e, adjoined) {
            (0, _) => write!(text, "{c}"),
            (_, Adjoined::I) => write!(text, "{c}*I"),
            _ => write!(text, "{c}*x^{e}"),
        };
    }
    if text.is_empty() {
        "0".to_owned()
    } else {
        text
    }
}

/// The entries of a column as texts, zeros included.
fn dense(scheme: &Scheme, k: usize, r: usize) -> Vec<String> {
    let factor = &scheme.factors[k];
    let mut texts = vec!["0".to_owned(); factor.size()];
    for (at, v) in &factor.columns[r] {
        texts[*at] = scalar(v, scheme.adjoined);
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poly::Rational;
    use crate::run::unobserved;
    use crate::scheme::{SchemeField, Search, Verdict, examine};

    const TEXTS: [SchemeText; 9] = {
        let all = SchemeText::ALL;
        let mut texts = [SchemeText::Json; 9];
        let mut k = 0;
        while k < 9 {
            texts[k] = all[k].2;
            k += 1;
        }
        texts
    };

    /// Every form of matrix products over Z and Q reads back as what it was; `write` itself looks.
    #[test]
    fn every_form_reads_back() -> Result<(), Error> {
        let half = Rational::new(1, 2).unwrap_or_default();
        for dims in [[1, 2, 3], [2, 2, 2], [3, 2, 2], [2, 11, 1]] {
            let search = Search {
                flips: 20_000,
                ..Search::default()
            };
            let whole = search
                .standard(&Target::Matmul(dims), &mut unobserved)?
                .scheme;
            let mut halved = whole.clone();
            for (k, by) in [(0, half.clone()), (1, Rational::from(2))] {
                for (_, v) in halved.factors[k].columns[0].iter_mut() {
                    v.values_mut().for_each(|c| *c *= &by);
                }
            }
            for scheme in [whole, halved] {
                let found = examine(&scheme, None, SchemeField::Rationals)?;
                assert_eq!(found.verdict, Verdict::Exact);
                for form in TEXTS {
                    let texts = form.write(&scheme, "x")?;
                    assert_eq!(texts.len(), if form == SchemeText::Sms { 3 } else { 1 });
                    if let (Some(format), [text]) = (form.format(), &texts[..]) {
                        assert_eq!(SchemeFormat::of_text(text), Some(format), "{text}");
                    }
                }
            }
        }
        Ok(())
    }

    #[test]
    fn what_a_form_cannot_hold_is_refused() -> Result<(), Error> {
        let target = Target::Polymul([2, 2]);
        let scheme = Search {
            flips: 1000,
            ..Search::default()
        }
        .standard(&target, &mut unobserved)?
        .scheme;
        for form in TEXTS {
            let held = matches!(
                form,
                SchemeText::Json | SchemeText::Tables | SchemeText::Sms | SchemeText::Assignments
            );
            assert_eq!(form.write(&scheme, "").is_ok(), held, "{}", form.name());
        }
        Ok(())
    }
}
