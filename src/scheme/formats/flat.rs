//! The plain text of flip-graph programs: `n m p rank`, then U, V and W as whole numbers, term after term.
//!
//! A line with the number of schemes may come first. In the rational variant every entry is a numerator and a
//! denominator. `U` has `rank n m` entries, `V` `rank m p`, and `W` `rank p n`: it is the form of the transposed product.

use super::entry;
use crate::Error;
use crate::poly::Rational;
use crate::scheme::build::Builder;
use crate::scheme::model::{MAX_RANK, Scheme, Target};

const OP: &str = "read_schemes";

/// Whether a text looks like this format: nothing but whole numbers, four of them in the first line or the second.
pub(crate) fn is_flat(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let count = |line: Option<&str>| {
        let words = line?.split_whitespace();
        let all: Option<Vec<i64>> = words.map(|w| w.parse().ok()).collect();
        Some(all?.len())
    };
    let counts = (
        count(lines.next()),
        count(lines.next()),
        count(lines.next()),
    );
    matches!(
        counts,
        (Some(4), Some(_), Some(_)) | (Some(1), Some(4), Some(_))
    )
}

struct Words<'a> {
    lines: Vec<(usize, Vec<&'a str>)>,
    line: usize,
    word: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self, what: &str) -> Result<&'a str, Error> {
        while self
            .lines
            .get(self.line)
            .is_some_and(|l| l.1.len() == self.word)
        {
            (self.line, self.word) = (self.line + 1, 0);
        }
        let Some((_, words)) = self.lines.get(self.line) else {
            return Err(Error::invalid(
                OP,
                format!("the text ends where {what} should be"),
            ));
        };
        self.word += 1;
        Ok(words[self.word - 1])
    }

    fn fault(&self, what: &str) -> Error {
        let line = self.lines.get(self.line).map_or(0, |l| l.0 + 1);
        Error::invalid(OP, format!("line {line}: {what}"))
    }

    fn number(&mut self, what: &str) -> Result<Rational, Error> {
        let word = self.next(what)?;
        let digits = word.strip_prefix('-').unwrap_or(word);
        let good = !digits.is_empty() && digits.len() <= 4096;
        let value = word
            .parse()
            .ok()
            .filter(|_| good && digits.bytes().all(|b| b.is_ascii_digit()));
        value.ok_or_else(|| self.fault("expected whole numbers"))
    }

    fn size(&mut self, what: &str, most: usize) -> Result<usize, Error> {
        let word = self.next(what)?;
        let size = word.parse().ok().filter(|n| (1..=most).contains(n));
        size.ok_or_else(|| self.fault(&format!("expected {what} from 1 to {most}")))
    }

    /// Entries in the next line.
    fn width(&self) -> usize {
        let at = match self.lines.get(self.line) {
            Some(l) if l.1.len() == self.word => self.line + 1,
            _ => self.line,
        };
        self.lines.get(at).map_or(0, |l| l.1.len())
    }
}

pub(crate) fn read(text: &str) -> Result<Vec<Scheme>, Error> {
    let lines = text.lines().enumerate();
    let lines = lines.map(|(n, l)| (n, l.split_whitespace().collect::<Vec<_>>()));
    let lines: Vec<_> = lines.filter(|l| !l.1.is_empty()).collect();
    let mut words = Words {
        lines,
        line: 0,
        word: 0,
    };
    let count = match words.width() {
        1 => words.size("the number of schemes", 1 << 20)?,
        _ => 1,
    };
    let mut schemes = Vec::new();
    for k in 0..count {
        let name = if count == 1 {
            String::new()
        } else {
            (k + 1).to_string()
        };
        schemes.push(one(name, &mut words)?);
    }
    match words.next("nothing") {
        Ok(_) => Err(words.fault("expected the end of the text")),
        Err(_) => Ok(schemes),
    }
}

fn one(name: String, words: &mut Words<'_>) -> Result<Scheme, Error> {
    let mut dims = [0; 3];
    for size in &mut dims {
        *size = words.size("a size", 4096)?;
    }
    let [n, m, p] = dims;
    let rank = words.size("a rank", MAX_RANK)?;
    let mut builder = Builder::new(name, 3);
    builder.target = Some(Target::Matmul(dims));
    let rational = match words.width() {
        w if w == 2 * rank * n * m => true,
        w if w == rank * n * m => false,
        w => {
            let single = rank * n * m;
            let what = format!(
                "expected {single} entries of U, or {} with denominators, found {w}",
                2 * single
            );
            return Err(words.fault(&what));
        }
    };
    for (k, size) in [n * m, m * p, p * n].into_iter().enumerate() {
        builder.at_least(k, size, rank);
        for r in 0..rank {
            for at in 0..size {
                let mut value = words.number("an entry")?;
                if rational {
                    let inverse = words.number("a denominator")?.recip();
                    value *= &inverse.ok_or_else(|| words.fault("a denominator is zero"))?;
                }
                // W by rows of the transposed product.
                let at = if k == 2 { at % n * p + at / n } else { at };
                builder.value(k, at, r, entry::constant(value))?;
            }
        }
    }
    builder.finish()
}
