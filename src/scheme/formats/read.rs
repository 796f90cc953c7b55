//! Which reader for which file.

use super::{assigned, bini, brackets, eliminated, flat, json, products, tables};
use crate::Error;
use crate::scheme::model::Scheme;

/// The catalogue formats.
///
/// See [`Scheme`] for an example.
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
    /// `n m p rank` and three lines of whole numbers.
    Flat,
    /// Sums, products and outputs as assignments.
    Assignments,
    /// `Bini n m p R` and a line for each product.
    Bini,
    /// Three tables of numbers and the common sums taken out of them.
    Eliminated,
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
            "slp" => Some(Self::Assignments),
            _ => None,
        }
    }

    /// The format that a text looks like, whatever its name; `None` where nothing fits.
    pub fn of_text(text: &str) -> Option<Self> {
        let bare = text.trim_start();
        if let Some(rest) = bare.strip_prefix('{') {
            return match rest.trim_start().starts_with('{') {
                true => Some(Self::Mathematica),
                false => Some(Self::Json),
            };
        }
        if bare.contains("Triad(") {
            return Some(Self::Maple);
        }
        if flat::is_flat(text) {
            return Some(Self::Flat);
        }
        let mut lines = bare.lines().map(str::trim);
        let mut rows = lines
            .clone()
            .filter(|l| !l.is_empty() && !l.starts_with('#'));
        let first = rows.next().unwrap_or_default();
        if first.starts_with("Bini ") {
            return Some(Self::Bini);
        }
        if eliminated::is_eliminated(text) {
            return Some(Self::Eliminated);
        }
        let sum = |c: char| matches!(c.to_ascii_lowercase(), 'a' | 'b' | 'c');
        let starts = first.trim_start_matches(|c: char| "0123456789./*+-( )ijIJ".contains(c));
        let letters = starts.starts_with(sum) && first.contains(['b', 'B']);
        if first.contains('=') {
            return Some(Self::Assignments);
        }
        if letters {
            return Some(Self::Products);
        }
        let separators = lines.any(|l| l.starts_with('#'));
        let tables = rows.next().is_some() || !first.is_empty();
        (separators && tables).then_some(Self::Laurent)
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
        SchemeFormat::Products => vec![products::read(text, name)?],
        SchemeFormat::Laurent => vec![tables::read_laurent(text)?],
        SchemeFormat::Flat => flat::read(text)?,
        SchemeFormat::Assignments => vec![assigned::read(text, name)?],
        SchemeFormat::Bini => vec![bini::read(text)?],
        SchemeFormat::Eliminated => vec![eliminated::read(text)?],
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
