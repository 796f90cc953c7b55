//! Tensors by name: products of structured matrices, of polynomials, and multiplications of algebras.
//!
//! | name | tensor | rank |
//! |---|---|---|
//! | `structured:XY,N` | `A B` for `N x N` matrices, `X` and `Y` out of g general, u upper, l lower triangular, s symmetric, k skew, w skew with any diagonal; their parameters row by row | gg 7, 23, 49 |
//! | `xxt:N,M` | entries on and above the diagonal of `X Y`, `X` of `N x M`, `Y` of `M x N`, which stands for `X'` | |
//! | `short:N` | polynomials of `N` coefficients modulo `x^N` | |
//! | `cyclic:N` | modulo `x^N - 1` | |
//! | `modulo:C0,C1,..` | modulo `x^k + .. + C1 x + C0` | |
//! | `complex`, `quaternions` | over the rationals | 3, 8 |
//!
//! Any other algebra is a file with its structure constants, `T[i, j, k]` the coefficient of `e_k` in `e_i e_j`.

use super::target::Target;
use crate::Error;
use crate::poly::Rational;
use num_traits::Zero;
use std::collections::BTreeMap;

/// Sizes of a matrix, and of a polynomial.
const MAX_MATRIX: usize = 64;
const MAX_POLYNOMIAL: usize = 256;
/// Structure constants.
const MAX_ENTRY: u64 = 1 << 40;
/// Coefficients of a modulus.
const MAX_COEFFICIENT: i64 = 1 << 20;

/// Entries `(i, j, k, value)`.
type Entries = Vec<(usize, usize, usize, i64)>;

/// The tensor of a name; `None` where it is none of those above.
pub(crate) fn named(text: &str) -> Option<Result<Target, Error>> {
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    let found = match kind {
        "structured" => structured(rest),
        "xxt" => xxt(rest),
        "short" => one(rest, MAX_POLYNOMIAL).and_then(|n| modulo(&vec![0; n])),
        "cyclic" => one(rest, MAX_POLYNOMIAL).and_then(|n| {
            let mut f = vec![0; n];
            f[0] = -1;
            modulo(&f)
        }),
        "modulo" => coefficients(rest).and_then(|f| modulo(&f)),
        "complex" if rest.is_empty() => modulo(&[1, 0]),
        "quaternions" if rest.is_empty() => Ok(quaternions()),
        _ => return None,
    };
    Some(found.and_then(|(shape, entries)| {
        let mut all: BTreeMap<usize, Rational> = BTreeMap::new();
        for (i, j, k, value) in entries {
            let at = (i * shape[1] + j) * shape[2] + k;
            *all.entry(at).or_default() += &Rational::from(value);
        }
        all.retain(|_, v| !v.is_zero());
        if all.is_empty() {
            return Err(Error::invalid("Target::parse", format!("{text} is zero")));
        }
        Ok(Target::Named(text.to_owned(), shape.to_vec(), all))
    }))
}

fn sizes(text: &str, most: usize) -> Option<Vec<usize>> {
    let one = |s: &str| s.trim().parse().ok().filter(|n| (1..=most).contains(n));
    text.split(',').map(one).collect()
}

fn one(text: &str, most: usize) -> Result<usize, Error> {
    let wrong = || {
        Error::invalid(
            "Target::parse",
            format!("expected a size from 1 to {most}, not {text}"),
        )
    };
    match sizes(text, most).as_deref() {
        Some(&[n]) => Ok(n),
        _ => Err(wrong()),
    }
}

fn coefficients(text: &str) -> Result<Vec<i64>, Error> {
    let value = |s: &str| {
        s.trim()
            .parse()
            .ok()
            .filter(|c: &i64| c.abs() <= MAX_COEFFICIENT)
    };
    let list: Option<Vec<i64>> = text.split(',').map(value).collect();
    let list = list.filter(|l| l.len() <= MAX_POLYNOMIAL / 4);
    let wrong = || {
        let what = format!(
            "expected the coefficients C0,C1,.. of a polynomial x^k + .. + C0, whole numbers up to {MAX_COEFFICIENT} and at most \
             {} of them, not {text}",
            MAX_POLYNOMIAL / 4
        );
        Error::invalid("Target::parse", what)
    };
    list.ok_or_else(wrong)
}

/// Products of polynomials modulo `x^k + f[k-1] x^(k-1) + .. + f[0]`.
fn modulo(f: &[i64]) -> Result<([usize; 3], Entries), Error> {
    let n = f.len();
    // Powers of x from n on, reduced.
    let mut power = vec![0i64; n];
    if n > 0 {
        power[n - 1] = 1;
    }
    let mut powers: Vec<Vec<i64>> = Vec::new();
    for _ in n..(2 * n).saturating_sub(1) {
        let top = power[n - 1];
        let mut next = vec![0i64; n];
        for k in 0..n {
            let shifted = if k > 0 { power[k - 1] } else { 0 };
            let value = top.checked_mul(f[k]).and_then(|c| shifted.checked_sub(c));
            let value = value.filter(|v| v.unsigned_abs() <= MAX_ENTRY);
            next[k] = value.ok_or(Error::limit(
                "Target::parse",
                "the size of a structure constant",
                MAX_ENTRY,
            ))?;
        }
        power = next;
        powers.push(power.clone());
    }
    let mut entries = Vec::new();
    for i in 0..n {
        for j in 0..n {
            match (i + j).checked_sub(n) {
                None => entries.push((i, j, i + j, 1)),
                Some(at) => {
                    let list = powers[at].iter().enumerate().filter(|e| *e.1 != 0);
                    entries.extend(list.map(|(k, c)| (i, j, k, *c)));
                }
            }
        }
    }
    Ok(([n, n, n], entries))
}

/// 1, i, j, k.
fn quaternions() -> ([usize; 3], Entries) {
    let mut entries = Vec::new();
    for a in 0..4usize {
        for b in 0..4usize {
            // The units are numbered so that their product is the exclusive or, up to sign.
            let minus = match (a, b) {
                (0, _) | (_, 0) => false,
                _ if a == b => true,
                _ => (b + 3 - a) % 3 == 2,
            };
            entries.push((a, b, a ^ b, if minus { -1 } else { 1 }));
        }
    }
    ([4, 4, 4], entries)
}

/// The parameter and sign at each place of a structured matrix, and the number of parameters.
fn structure(kind: char, n: usize) -> Option<(Vec<Option<(usize, i64)>>, usize)> {
    let mut places = vec![None; n * n];
    let mut count = 0;
    for i in 0..n {
        for j in 0..n {
            let free = match kind {
                'g' => true,
                'u' | 's' | 'w' => i <= j,
                'l' => i >= j,
                'k' => i < j,
                _ => return None,
            };
            if free {
                places[i * n + j] = Some((count, 1));
                match kind {
                    's' => places[j * n + i] = Some((count, 1)),
                    'k' | 'w' if i != j => places[j * n + i] = Some((count, -1)),
                    _ => (),
                }
                count += 1;
            }
        }
    }
    Some((places, count))
}

fn structured(text: &str) -> Result<([usize; 3], Entries), Error> {
    let wrong = || {
        let what = format!(
            "expected two letters out of g, u, l, s, k, w and a size from 1 to {MAX_MATRIX}, such as structured:ug,3, not {text}"
        );
        Error::invalid("Target::parse", what)
    };
    let (letters, size) = text.split_once(',').ok_or_else(wrong)?;
    let n = one(size, MAX_MATRIX).map_err(|_| wrong())?;
    let mut letters = letters.trim().chars();
    let (Some(x), Some(y), None) = (letters.next(), letters.next(), letters.next()) else {
        return Err(wrong());
    };
    let (a, p) = structure(x, n).ok_or_else(wrong)?;
    let (b, q) = structure(y, n).ok_or_else(wrong)?;
    if p == 0 || q == 0 {
        return Err(Error::invalid(
            "Target::parse",
            format!("structured:{text} has no parameters"),
        ));
    }
    let mut entries = Vec::new();
    for i in 0..n {
        for j in 0..n {
            for k in 0..n {
                if let (Some((u, s)), Some((v, t))) = (a[i * n + j], b[j * n + k]) {
                    entries.push((u, v, i * n + k, s * t));
                }
            }
        }
    }
    Ok(([p, q, n * n], entries))
}

fn xxt(text: &str) -> Result<([usize; 3], Entries), Error> {
    let Some(&[n, m]) = sizes(text, MAX_MATRIX).as_deref() else {
        let what =
            format!("expected two sizes from 1 to {MAX_MATRIX}, such as xxt:3,3, not {text}");
        return Err(Error::invalid("Target::parse", what));
    };
    let mut entries = Vec::new();
    let mut output = 0;
    for i in 0..n {
        for k in i..n {
            entries.extend((0..m).map(|j| (i * m + j, j * n + k, output, 1)));
            output += 1;
        }
    }
    Ok(([n * m, m * n, output], entries))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::unobserved;
    use crate::scheme::{Search, SearchField};

    fn tensor(name: &str) -> Result<Target, Error> {
        Target::parse(name)
    }

    /// `T(x, y)` from the tensor.
    fn multiply(t: &Target, x: &[i64], y: &[i64]) -> Vec<Rational> {
        let shape = t.shape();
        let mut z = vec![Rational::default(); shape[2]];
        for (at, v) in t.entries() {
            let (i, j, k) = (
                at / (shape[1] * shape[2]),
                at / shape[2] % shape[1],
                at % shape[2],
            );
            z[k] += &(&v * &Rational::from(x[i] * y[j]));
        }
        z
    }

    #[test]
    fn products_modulo_polynomials() -> Result<(), Error> {
        let whole = |list: &[i64]| list.iter().map(|n| Rational::from(*n)).collect::<Vec<_>>();
        // (1 + 2x + 3x^2)(4 + 5x + 6x^2) = 4 + 13x + 28x^2 + 27x^3 + 18x^4
        let (x, y) = ([1, 2, 3], [4, 5, 6]);
        assert_eq!(multiply(&tensor("short:3")?, &x, &y), whole(&[4, 13, 28]));
        assert_eq!(multiply(&tensor("cyclic:3")?, &x, &y), whole(&[31, 31, 28]));
        // x^3 = x + 2, x^4 = x^2 + 2x
        assert_eq!(
            multiply(&tensor("modulo:-2,-1,0")?, &x, &y),
            whole(&[58, 76, 46])
        );
        assert_eq!(
            multiply(&tensor("complex")?, &[1, 2], &[3, 4]),
            whole(&[-5, 10])
        );
        // (1 + 2i + 3j + 4k)(5 + 6i + 7j + 8k)
        let (x, y) = ([1, 2, 3, 4], [5, 6, 7, 8]);
        assert_eq!(
            multiply(&tensor("quaternions")?, &x, &y),
            whole(&[-60, 12, 30, 24])
        );
        Ok(())
    }

    #[test]
    fn structured_products_are_products() -> Result<(), Error> {
        let fill = |kind: char, n: usize, x: &[i64]| -> Vec<i64> {
            let mut at = 0;
            let mut m = vec![0; n * n];
            for i in 0..n {
                for j in 0..n {
                    let mut next = || {
                        at += 1;
                        x[at - 1]
                    };
                    match kind {
                        'g' => m[i * n + j] = next(),
                        'u' if i <= j => m[i * n + j] = next(),
                        'l' if i >= j => m[i * n + j] = next(),
                        's' if i <= j => {
                            m[i * n + j] = next();
                            m[j * n + i] = m[i * n + j];
                        }
                        'k' if i < j => {
                            m[i * n + j] = next();
                            m[j * n + i] = -m[i * n + j];
                        }
                        'w' if i <= j => {
                            m[i * n + j] = next();
                            if i < j {
                                m[j * n + i] = -m[i * n + j];
                            }
                        }
                        _ => (),
                    }
                }
            }
            m
        };
        let n = 3;
        for a in "gulskw".chars() {
            for b in "gulskw".chars() {
                let t = tensor(&format!("structured:{a}{b},{n}"))?;
                let shape = t.shape();
                let x: Vec<i64> = (0..shape[0] as i64).map(|k| 3 * k + 1).collect();
                let y: Vec<i64> = (0..shape[1] as i64).map(|k| 7 - 2 * k).collect();
                let (p, q) = (fill(a, n, &x), fill(b, n, &y));
                let c = (0..n * n).map(|at| {
                    (0..n)
                        .map(|j| p[at / n * n + j] * q[j * n + at % n])
                        .sum::<i64>()
                });
                let c: Vec<Rational> = c.map(Rational::from).collect();
                assert_eq!(multiply(&t, &x, &y), c, "{a}{b}");
            }
        }
        Ok(())
    }

    #[test]
    fn known_ranks_are_found() -> Result<(), Error> {
        for (name, rank) in [
            ("complex", 3),
            ("structured:ss,2", 6),
            ("short:2", 3),
            ("structured:kg,2", 4),
        ] {
            let search = Search {
                field: SearchField::ZT,
                rank: Some(rank),
                flips: 2_000_000,
                ..Search::default()
            };
            let found = search.standard(&tensor(name)?, &mut unobserved)?;
            assert!(
                found.scheme.rank() <= rank,
                "{name}: {}",
                found.scheme.rank()
            );
        }
        Ok(())
    }

    #[test]
    fn nonsense_is_refused() {
        for name in [
            "structured:xy,3",
            "structured:g,3",
            "structured:kk,1",
            "short:0",
            "short:9999",
            "modulo:",
            "xxt:3",
            "cyclic:a",
            "complex:3",
            "foo:1",
        ] {
            assert!(tensor(name).is_err(), "{name}");
        }
    }
}
