//! Nested lists in braces or brackets: Mathematica's `.m` and the matrices of Maple's `.mpl`.

use crate::Error;
use crate::scheme::build::Builder;
use crate::scheme::model::{Scheme, Target};

const MAX_NESTING: usize = 16;

/// A list, or the text of an entry.
enum Nested<'a> {
    List(Vec<Nested<'a>>),
    Leaf(&'a str),
}

struct Reader<'a> {
    op: &'static str,
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn expected(&self, what: &str) -> Error {
        Error::parse(self.op, self.at, what)
    }

    fn nested(&mut self, depth: usize) -> Result<Nested<'a>, Error> {
        let close = match self.peek() {
            Some(b'{') => b'}',
            Some(b'[') => b']',
            _ => return self.leaf(),
        };
        if depth == MAX_NESTING {
            return Err(Error::limit(
                self.op,
                "levels of nesting",
                MAX_NESTING as u64,
            ));
        }
        self.at += 1;
        let mut items = Vec::new();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(Nested::List(items));
        }
        loop {
            items.push(self.nested(depth + 1)?);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b) if b == close => {
                    self.at += 1;
                    return Ok(Nested::List(items));
                }
                _ => return Err(self.expected("',' or a closing bracket")),
            }
        }
    }

    /// An entry goes on to the next comma or closing bracket outside its own round brackets.
    fn leaf(&mut self) -> Result<Nested<'a>, Error> {
        let rest = &self.text[self.at..];
        let mut open = 0usize;
        let end = rest.bytes().position(|b| {
            match b {
                b'(' => open += 1,
                b')' => open = open.saturating_sub(1),
                _ => (),
            }
            open == 0 && matches!(b, b',' | b'}' | b']' | b'{' | b'[')
        });
        let end = end.unwrap_or(rest.len());
        let leaf = rest[..end].trim();
        if leaf.is_empty() {
            return Err(self.expected("an entry"));
        }
        self.at += end;
        Ok(Nested::Leaf(leaf))
    }
}

/// A matrix of texts with equal rows.
fn matrix<'a>(nested: &Nested<'a>, at: &str) -> Result<Vec<Vec<&'a str>>, Error> {
    let wrong = || {
        Error::invalid(
            "scheme",
            format!("{at} must be a matrix: lists of rows of equal length"),
        )
    };
    let Nested::List(rows) = nested else {
        return Err(wrong());
    };
    let mut table: Vec<Vec<&str>> = Vec::new();
    for row in rows {
        let Nested::List(row) = row else {
            return Err(wrong());
        };
        let leaves: Option<Vec<&str>> = row
            .iter()
            .map(|x| match x {
                Nested::Leaf(text) => Some(*text),
                Nested::List(_) => None,
            })
            .collect();
        table.push(leaves.ok_or_else(wrong)?);
    }
    let width = table.first().map_or(0, Vec::len);
    if width == 0 || table.iter().any(|r| r.len() != width) {
        return Err(wrong());
    }
    Ok(table)
}

/// Terms of three matrices each, all terms with the same shapes.
fn from_matrices(op: &'static str, terms: &[[Vec<Vec<&str>>; 3]]) -> Result<Scheme, Error> {
    let mut builder = Builder::new("", 3);
    let shape = |m: &Vec<Vec<&str>>| (m.len(), m[0].len());
    let first = terms
        .first()
        .ok_or_else(|| Error::invalid(op, "there must be a term"))?;
    let shapes = [0, 1, 2].map(|k| shape(&first[k]));
    for (r, term) in terms.iter().enumerate() {
        for (k, m) in term.iter().enumerate() {
            if shape(m) != shapes[k] {
                let expected = format!(
                    "{:?} matrices in term {} like in the first",
                    shapes[k],
                    r + 1
                );
                return Err(Error::shape(op, expected, format!("{:?}", shape(m))));
            }
            for (flat, text) in m.iter().flatten().enumerate() {
                builder.text(k, flat, r, text)?;
            }
        }
    }
    for (k, (rows, columns)) in shapes.iter().enumerate() {
        builder.at_least(k, rows * columns, terms.len());
    }
    let [(n, m), (m2, p), c] = shapes;
    if m == m2 && (c == (n, p) || c == (p, n)) {
        builder.target = Some(Target::Matmul([n, m, p]));
    }
    builder.finish()
}

/// Mathematica: a list of terms `{A, B, C}` of matrices, `{{{..}, ..}, ..}`.
pub(crate) fn read_mathematica(text: &str) -> Result<Scheme, Error> {
    let op = "read_schemes";
    let mut reader = Reader { op, text, at: 0 };
    let nested = reader.nested(0)?;
    if let Some(b) = reader.peek()
        && b != b';'
    {
        return Err(reader.expected("the end of the list"));
    }
    let Nested::List(list) = nested else {
        return Err(Error::invalid(op, "must be a list of terms {A, B, C}"));
    };
    let mut terms = Vec::new();
    for (r, term) in list.iter().enumerate() {
        let three = match term {
            Nested::List(parts) => <&[Nested; 3]>::try_from(&parts[..]).ok(),
            Nested::Leaf(_) => None,
        };
        let [a, b, c] = three.ok_or_else(|| {
            Error::invalid(op, format!("term {} must hold three matrices", r + 1))
        })?;
        let place = |k: &str| format!("matrix {k} of term {}", r + 1);
        terms.push([
            matrix(a, &place("A"))?,
            matrix(b, &place("B"))?,
            matrix(c, &place("C"))?,
        ]);
    }
    from_matrices(op, &terms)
}

/// Maple: `Triad([Matrix(n, m, [[..]]), Matrix(..), Matrix(..)])`, any number of them.
pub(crate) fn read_maple(text: &str) -> Result<Scheme, Error> {
    let op = "read_schemes";
    let mut terms = Vec::new();
    for (r, (start, word)) in text.match_indices("Triad(").enumerate() {
        let mut reader = Reader {
            op,
            text,
            at: start + word.len(),
        };
        let mut matrices = Vec::new();
        for _ in 0..3 {
            let rest = &text[reader.at..];
            let stop = rest.find("Triad(").unwrap_or(rest.len());
            let open = rest[..stop]
                .find("Matrix(")
                .and_then(|i| Some(i + rest[i..stop].find('[')?));
            reader.at += open.ok_or_else(|| reader.expected("three matrices in each Triad"))?;
            let nested = reader.nested(0)?;
            matrices.push(matrix(&nested, &format!("a matrix of triad {}", r + 1))?);
        }
        let three = <[Vec<Vec<&str>>; 3]>::try_from(matrices);
        terms.push(three.map_err(|_| reader.expected("three matrices"))?);
    }
    if terms.is_empty() {
        return Err(Error::parse(
            op,
            0,
            "Triad([Matrix(..), Matrix(..), Matrix(..)])",
        ));
    }
    from_matrices(op, &terms)
}
