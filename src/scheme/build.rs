//! From tables of entries to schemes: sizes, targets, factors.

use super::formats::entry;
use super::formats::entry::Scalar;
use super::gaussian::Gaussian;
use super::model::{Adjoined, MAX_RANK, Scheme, SchemeFactor, Target};
use crate::Error;

const OP: &str = "scheme";

/// A scheme under construction: entries arrive as text, in any order.
pub(crate) struct Builder {
    name: String,
    adjoined: Adjoined,
    /// Entries `(row, column, value)` of each factor.
    entries: Vec<Vec<(usize, usize, Scalar)>>,
    /// Rows of each factor and the rank, as far as known.
    sizes: Vec<usize>,
    rank: usize,
    pub(crate) target: Option<Target>,
    pub(crate) modulo_two: bool,
}

impl Builder {
    pub(crate) fn new(name: impl Into<String>, factors: usize) -> Self {
        Self {
            name: name.into(),
            adjoined: Adjoined::None,
            entries: vec![Vec::new(); factors],
            sizes: vec![0; factors],
            rank: 0,
            target: None,
            modulo_two: false,
        }
    }

    /// Entries with a power of the adjoined element are Gaussian numbers.
    pub(crate) fn adjoin_i(&mut self) {
        self.adjoined = Adjoined::I;
    }

    /// Makes factor `k` at least `rows x rank`.
    pub(crate) fn at_least(&mut self, k: usize, rows: usize, rank: usize) {
        if let Some(size) = self.sizes.get_mut(k) {
            *size = (*size).max(rows);
        }
        self.rank = self.rank.max(rank);
    }

    pub(crate) fn text(
        &mut self,
        k: usize,
        row: usize,
        column: usize,
        text: &str,
    ) -> Result<(), Error> {
        let value = entry::read(text, &mut self.adjoined)?;
        self.value(k, row, column, value)
    }

    pub(crate) fn value(
        &mut self,
        k: usize,
        row: usize,
        column: usize,
        value: Scalar,
    ) -> Result<(), Error> {
        self.at_least(k, row + 1, column + 1);
        if self.rank > MAX_RANK {
            return Err(Error::limit(OP, "rank-one terms", MAX_RANK as u64));
        }
        match self.entries.get_mut(k) {
            Some(list) if !value.is_empty() => list.push((row, column, value)),
            _ => (),
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Scheme, Error> {
        let mut sizes = self.sizes;
        if let Some(target) = &self.target {
            let shape = target.shape();
            // Sizes learnt from entries alone may miss rows of zeros at the end.
            if shape.len() == sizes.len() && sizes.iter().zip(&shape).all(|(s, n)| s <= n) {
                sizes = shape;
            }
        }
        let mut factors = Vec::new();
        for (list, size) in self.entries.into_iter().zip(sizes) {
            let mut factor = SchemeFactor::new(size, self.rank)?;
            for (row, column, value) in list {
                let value = match self.adjoined {
                    // One form for each value: i^2 is -1.
                    Adjoined::I => Gaussian::of_powers(&value).scalar(),
                    _ => value,
                };
                factor.set(row, column, value)?;
            }
            factors.push(factor.finish()?);
        }
        let scheme = Scheme {
            name: self.name,
            factors,
            adjoined: self.adjoined,
            target: self.target,
            target_guessed: false,
            modulo_two: self.modulo_two,
        };
        scheme.check_invariants()?;
        Ok(scheme)
    }
}

/// Whether a name has the word `mod2`, `F2`, `GF2` or `Z2` in it.
pub(crate) fn modulo_two_in_name(name: &str) -> bool {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let known = ["mod2", "f2", "gf2", "z2"];
    words
        .map(str::to_ascii_lowercase)
        .any(|w| known.contains(&&w[..]))
}

/// Whether a line that starts with `#` names the field of two elements: `mod 2`, `modulo 2`, `GF(2)`, `F_2`, or one of the
/// words above.
pub(crate) fn modulo_two_in_comments(text: &str) -> bool {
    let comments = text.lines().filter_map(|l| l.trim().strip_prefix('#'));
    let named = |comment: &str| {
        let words = comment.split(|c: char| !c.is_ascii_alphanumeric());
        let words = words.filter(|w| !w.is_empty()).map(str::to_ascii_lowercase);
        let words: Vec<String> = words.collect();
        let rings = ["mod", "modulo", "gf", "f"];
        let two = |w: &[String]| rings.contains(&&w[0][..]) && w[1] == "2";
        words.windows(2).any(two) || modulo_two_in_name(comment)
    };
    comments.into_iter().any(named)
}

/// `n, m, p` with `nm = a`, `mp = b`, `np = c`, if there are such.
pub fn matmul_of_sizes(sizes: &[usize]) -> Option<[usize; 3]> {
    let &[a, b, c] = sizes else { return None };
    let root = |x: usize, y: usize, z: usize| {
        let square = (x.checked_mul(y)? % z == 0).then_some(x * y / z)?;
        let root = square.isqrt();
        (root * root == square).then_some(root)
    };
    if a == 0 || b == 0 || c == 0 {
        return None;
    }
    let (n, m, p) = (root(a, c, b)?, root(a, b, c)?, root(b, c, a)?);
    (n * m == a && m * p == b && n * p == c).then_some([n, m, p])
}

/// `2,3,4`, `2x3x4` or `[2, 3, 4]`, alone or inside a longer name.
pub(crate) fn dims_in_name(name: &str) -> Option<[usize; 3]> {
    let numbers: Vec<&str> = name
        .split(|c: char| !c.is_ascii_digit() && !matches!(c, 'x' | ','))
        .collect();
    numbers.iter().find_map(|word| {
        let parts: Option<Vec<usize>> = word
            .trim_matches(',')
            .split(['x', ','])
            .map(|n| n.parse().ok().filter(|n| (1..=4096).contains(n)))
            .collect();
        <[usize; 3]>::try_from(parts?).ok()
    })
}
