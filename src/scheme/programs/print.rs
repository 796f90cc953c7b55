//! Programs as Python, C, Rust, LaTeX and plain assignments, and read back from what was printed.

use super::assignments;
use super::lines::{Line, entry_names, lines};
use super::model::SchemeProgram;
use super::surroundings;
use crate::Error;
use crate::poly::Rational;
use crate::scheme::model::{Scheme, Target};
use crate::scheme::whole::rational_scheme;
use std::fmt::Write;

const OP: &str = "SchemeProgram::print";

/// The languages in which a program is printed.
///
/// See [`SchemeProgram::print`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramLanguage {
    /// Python 3 without packages.
    Python,
    /// C99.
    C,
    /// Rust without crates.
    Rust,
    /// An `align*` environment.
    Latex,
    /// Straight-line program: `s1 := a11 + a12;`.
    Slp,
}

impl ProgramLanguage {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Python, Self::C, Self::Rust, Self::Latex, Self::Slp];

    /// The ending of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Python => "py",
            Self::C => "c",
            Self::Rust => "rs",
            Self::Latex => "tex",
            Self::Slp => "slp",
        }
    }

    /// The language of files with this ending.
    pub fn of_extension(extension: &str) -> Option<Self> {
        let known = Self::ALL.into_iter();
        known
            .into_iter()
            .find(|l| l.extension() == extension.to_ascii_lowercase())
    }
}

/// A coefficient times a name: how to write it.
fn multiple(language: ProgramLanguage, c: &Rational, name: &str) -> String {
    let (n, d) = (c.numerator(), c.denominator());
    let one = crate::poly::Integer::from(1);
    match language {
        ProgramLanguage::Python | ProgramLanguage::Slp => match (n == one, d == one) {
            (true, true) => name.to_owned(),
            (false, true) => format!("{n} * {name}"),
            (true, false) => format!("{name} / {d}"),
            (false, false) => format!("{n} * {name} / {d}"),
        },
        ProgramLanguage::C | ProgramLanguage::Rust => match (n == one, d == one) {
            (true, true) => format!("{name}[i]"),
            (false, true) => format!("{n}.0 * {name}[i]"),
            (true, false) => format!("{name}[i] / {d}.0"),
            (false, false) => format!("{n}.0 * {name}[i] / {d}.0"),
        },
        ProgramLanguage::Latex => match (n == one, d == one) {
            (true, true) => latex_name(name),
            (_, true) => format!("{n} {}", latex_name(name)),
            _ => format!("\\tfrac{{{n}}}{{{d}}} {}", latex_name(name)),
        },
    }
}

/// `a_{1,12}` for `a1_12`.
fn latex_name(name: &str) -> String {
    let (letter, index) = name.split_at(1);
    format!("{letter}_{{{}}}", index.replace('_', ","))
}

fn sum(language: ProgramLanguage, terms: &[(Rational, String)]) -> String {
    let mut text = String::new();
    for (k, (c, name)) in terms.iter().enumerate() {
        let minus = c.signum() < 0;
        text += match (k, minus) {
            (0, true) => "-",
            (0, false) => "",
            (_, true) => " - ",
            (_, false) => " + ",
        };
        text += &multiple(language, &c.abs(), name);
    }
    match (terms.is_empty(), language) {
        (true, ProgramLanguage::C | ProgramLanguage::Rust) => "0.0".to_owned(),
        (true, _) => "0".to_owned(),
        _ => text,
    }
}

/// One statement.
fn statement(language: ProgramLanguage, line: &Line) -> String {
    match (language, line) {
        (ProgramLanguage::Python, Line::Sum(name, terms)) => {
            format!("    {name} = {}", sum(language, terms))
        }
        (ProgramLanguage::Python, Line::Product(name, l, r)) => format!("    {name} = {l} * {r}"),
        (ProgramLanguage::Slp, Line::Sum(name, terms)) => {
            format!("{name} := {};", sum(language, terms))
        }
        (ProgramLanguage::Slp, Line::Product(name, l, r)) => format!("{name} := {l} * {r};"),
        (ProgramLanguage::C, Line::Sum(name, terms)) => {
            format!("    FOR {name}[i] = {};", sum(language, terms))
        }
        (ProgramLanguage::C, Line::Product(name, l, r)) => {
            format!("    PRODUCT({name}, {l}, {r});")
        }
        (ProgramLanguage::Rust, Line::Sum(name, terms)) => {
            format!(
                "    let {name}: Vec<f64> = (0..s * s).map(|i| {}).collect();",
                sum(language, terms)
            )
        }
        (ProgramLanguage::Rust, Line::Product(name, l, r)) => {
            format!("    let {name} = product(s, &{l}, &{r});")
        }
        (ProgramLanguage::Latex, Line::Sum(name, terms)) => {
            format!("{} &= {} \\\\", latex_name(name), sum(language, terms))
        }
        (ProgramLanguage::Latex, Line::Product(name, l, r)) => {
            format!(
                "{} &= {} \\cdot {} \\\\",
                latex_name(name),
                latex_name(l),
                latex_name(r)
            )
        }
    }
}

/// The assignment that a printed statement makes; `None` for the lines around the program.
fn assignment(language: ProgramLanguage, line: &str) -> Option<String> {
    let line = line.trim();
    let product = |inside: &str| {
        let parts: Vec<&str> = inside
            .split(',')
            .map(|p| p.trim().trim_start_matches('&'))
            .collect();
        match parts[..] {
            [l, r] => Some(format!("{l} * {r}")),
            _ => None,
        }
    };
    match language {
        ProgramLanguage::Python => {
            (line.contains(" = ") && !line.starts_with('#')).then(|| line.to_owned())
        }
        ProgramLanguage::Slp => line.ends_with(';').then(|| line.to_owned()),
        ProgramLanguage::C => match line.strip_prefix("FOR ") {
            Some(rest) => Some(rest.replace("[i]", "").replace(".0", "")),
            None => {
                let inside = line.strip_prefix("PRODUCT(")?.strip_suffix(");")?;
                let (name, rest) = inside.split_once(',')?;
                Some(format!("{name} = {}", product(rest)?))
            }
        },
        ProgramLanguage::Rust => {
            let rest = line.strip_prefix("let ")?;
            match rest.split_once(": Vec<f64> = (0..s * s).map(|i| ") {
                Some((name, sum)) => {
                    let sum = sum.strip_suffix(").collect();")?;
                    Some(format!(
                        "{name} = {}",
                        sum.replace("[i]", "").replace(".0", "")
                    ))
                }
                None => {
                    let (name, rest) = rest.split_once(" = product(s, ")?;
                    Some(format!("{name} = {}", product(rest.strip_suffix(");")?)?))
                }
            }
        }
        ProgramLanguage::Latex => without_latex(line),
    }
}

/// A line of LaTeX as an assignment in plain text.
fn without_latex(line: &str) -> Option<String> {
    let plain = line
        .strip_suffix("\\\\")?
        .replace(" &= ", " = ")
        .replace("\\cdot", "*");
    let plain = plain.replace("\\tfrac{", "(").replace("}{", ")/(");
    // What is left of braces: those of an index, and the end of a fraction.
    let mut text = String::new();
    let mut index = false;
    let mut rest = plain.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '_' if rest.peek() == Some(&'{') => {
                rest.next();
                index = true;
            }
            '}' if index => index = false,
            '}' => text.push(')'),
            ',' => text.push('_'),
            other => text.push(other),
        }
    }
    Some(text)
}

impl SchemeProgram {
    /// The program in a language, with code around it that multiplies block matrices where the target is a matrix product. The
    /// printed statements are read again and must be the same scheme.
    ///
    /// # Errors
    /// `Shape` when forms are missing, `Backend` when what was printed is not what was meant.
    ///
    /// ```
    /// use wickring::scheme::{ProgramLanguage, SchemeProgram, SchemeFormat, read_schemes};
    /// let text = "(a11+a22)*b11*c11\na22*b11*-c11";
    /// let scheme = read_schemes(text, SchemeFormat::Products, "")?.remove(0);
    /// let slp = SchemeProgram::plain(&scheme)?.print(ProgramLanguage::Slp)?;
    /// assert!(slp.contains("u1 := a11 + a22;"));
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn print(&self, language: ProgramLanguage) -> Result<String, Error> {
        let lines = lines(self);
        let mut body = String::new();
        for line in &lines {
            let _ = writeln!(body, "{}", statement(language, line));
        }
        let again = read_back(language, &body, &self.target)?;
        if again.factors != self.scheme()?.factors {
            let routine = "reading back a printed program";
            return Err(Error::Backend { op: OP, routine });
        }
        Ok(surroundings::around(self, language, &lines, &body))
    }

    /// What is computed at which cost, in one line.
    pub(crate) fn title(&self) -> String {
        let additions: usize = self.additions().iter().sum();
        let scalings = match self.scalings() {
            0 => String::new(),
            n => format!(", {n} scalings"),
        };
        format!(
            "{}: {} products, {additions} additions{scalings}",
            self.target.name(),
            self.products()
        )
    }
}

/// The scheme of printed statements.
fn read_back(language: ProgramLanguage, text: &str, target: &Target) -> Result<Scheme, Error> {
    let plain: Vec<String> = text
        .lines()
        .filter_map(|l| assignment(language, l))
        .collect();
    scheme_of_assignments(&plain.join("\n"), target)
}

/// The scheme of a program whose names are those of [`entry_names`].
pub(crate) fn scheme_of_assignments(text: &str, target: &Target) -> Result<Scheme, Error> {
    let found = assignments::read(text)?;
    let places = |k: usize| -> std::collections::BTreeMap<String, usize> {
        let names = entry_names(target, k).into_iter().enumerate();
        names.map(|(at, name)| (name[1..].to_owned(), at)).collect()
    };
    let [a, b, c] = [places(0), places(1), places(2)];
    let outside = |name: &str| {
        Error::invalid(
            OP,
            format!("the index {name} is outside of {}", target.name()),
        )
    };
    let mut terms: Vec<[Vec<(usize, Rational)>; 3]> = Vec::new();
    for (left, right) in &found.products {
        let form = |form: &std::collections::BTreeMap<String, Rational>,
                    places: &std::collections::BTreeMap<String, usize>| {
            let entries = form.iter();
            let entries = entries
                .map(|(name, c)| Ok((*places.get(name).ok_or_else(|| outside(name))?, c.clone())));
            entries.collect::<Result<Vec<_>, Error>>()
        };
        terms.push([form(left, &a)?, form(right, &b)?, Vec::new()]);
    }
    for (name, form) in &found.outputs {
        let at = *c.get(name).ok_or_else(|| outside(name))?;
        for (r, value) in form {
            terms[*r][2].push((at, value.clone()));
        }
    }
    rational_scheme(&terms, target)
}
