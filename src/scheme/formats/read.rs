//! Which reader for which file.

use super::{brackets, json, tables};
use crate::Error;
use crate::scheme::model::Scheme;

/// The catalogue formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemeFormat {
    /// Objects with U, V, W: sparse triples or dense rows.
    Json,
    /// Nested lists in braces.
    Mathematica,
    /// `Triad([Matrix(..), ..])`.
    Maple,
    /// One product of three sums in each line.
    Products,
    /// Three tables of Laurent polynomials.
    Laurent,
}

impl SchemeFormat {
    /// The format that belongs to a file extension.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "m" => Some(Self::Mathematica),
            "mpl" => Some(Self::Maple),
            "exp" => Some(Self::Products),
            "txt" => Some(Self::Laurent),
            _ => None,
        }
    }
}

/// Reads all schemes of a text; `name` is that of the file, whose `2x3x4` may tell the sizes.
///
/// # Errors
/// `Parse`, `InvalidInput` or `Shape` with the place when the text is not what `format` says.
pub fn read_schemes(text: &str, format: SchemeFormat, name: &str) -> Result<Vec<Scheme>, Error> {
    let mut schemes = match format {
        SchemeFormat::Json => json::read(text)?,
        SchemeFormat::Mathematica => vec![brackets::read_mathematica(text)?],
        SchemeFormat::Maple => vec![brackets::read_maple(text)?],
        SchemeFormat::Products => vec![tables::read_products(text)?],
        SchemeFormat::Laurent => vec![tables::read_laurent(text)?],
    };
    schemes.iter_mut().for_each(|s| tables::guess(s, name));
    Ok(schemes)
}

/// Reads the three matrices of an LRP scheme.
///
/// # Errors
/// As [`read_schemes`].
pub fn read_lrp(l: &str, r: &str, p: &str, name: &str) -> Result<Scheme, Error> {
    let mut scheme = tables::read_sms([l, r, p])?;
    tables::guess(&mut scheme, name);
    Ok(scheme)
}
