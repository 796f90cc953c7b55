//! Bini texts: `Bini n m p R`, then a line for each product with its number and the forms gamma, alpha and beta.
//!
//! ```text
//! Bini 2 2 2 7
//! product Gamma         Alpha         Beta
//!   1 ;   0  0  1  1 ;  0  0  1  1 ;  0  0  0  1
//! ```
//! Alpha is a form in the entries of A by rows, beta in those of B, gamma the place of the product in those of C.

use crate::Error;
use crate::scheme::build::{Builder, modulo_two_in_comments};
use crate::scheme::model::{MAX_RANK, Scheme, Target};

const OP: &str = "read_schemes";

fn at_line(n: usize, what: &str) -> Error {
    Error::invalid(OP, format!("line {}: {what}", n + 1))
}

/// The sizes and the rank in a header.
fn header(line: &str) -> Option<([usize; 3], usize)> {
    let words = line.strip_prefix("Bini")?.split_whitespace();
    let numbers: Option<Vec<usize>> = words.map(|w| w.parse().ok()).collect();
    let [n, m, p, rank] = numbers?[..] else {
        return None;
    };
    let sizes = [n, m, p].iter().all(|n| (1..=4096).contains(n));
    (sizes && (1..=MAX_RANK).contains(&rank)).then_some(([n, m, p], rank))
}

pub(crate) fn read(text: &str) -> Result<Scheme, Error> {
    let lines = text.lines().enumerate().map(|(n, l)| (n, l.trim()));
    let mut lines = lines.filter(|(_, l)| !l.is_empty() && !l.starts_with('#'));
    let (n, first) = lines.next().unwrap_or((0, ""));
    let ([rows, inner, columns], rank) = header(first).ok_or_else(|| {
        at_line(
            n,
            "expected 'Bini n m p R' with sizes from 1 to 4096 and a rank",
        )
    })?;
    let mut builder = Builder::new("", 3);
    builder.target = Some(Target::Matmul([rows, inner, columns]));
    builder.modulo_two = modulo_two_in_comments(text);
    // The order in a line, as factors: gamma, alpha, beta.
    let sizes = [(2, rows * columns), (0, rows * inner), (1, inner * columns)];
    let mut found = 0;
    for (n, line) in lines {
        if found == 0 && line.starts_with("product") {
            continue;
        }
        let parts: Vec<&str> = line.split(';').collect();
        let number = parts[0].trim().parse::<usize>();
        if parts.len() != 4 || number != Ok(found + 1) || found == rank {
            let what = format!(
                "expected 'q ; gamma ; alpha ; beta' for q = 1 to {rank}, each once and in order"
            );
            return Err(at_line(n, &what));
        }
        for ((k, size), part) in sizes.into_iter().zip(&parts[1..]) {
            let words: Vec<&str> = part.split_whitespace().collect();
            if words.len() != size {
                let name = ["alpha", "beta", "gamma"][k];
                let what = format!("expected {size} entries of {name}, found {}", words.len());
                return Err(at_line(n, &what));
            }
            builder.at_least(k, size, found + 1);
            for (at, word) in words.into_iter().enumerate() {
                let added = builder.text(k, at, found, word);
                added.map_err(|e| at_line(n, &e.to_string()))?;
            }
        }
        found += 1;
    }
    if found < rank {
        let what = format!("the text ends after {found} of {rank} products");
        return Err(Error::invalid(OP, what));
    }
    builder.finish()
}
