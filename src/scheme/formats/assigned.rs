//! Programs with assignments: `m1 = (a11 + a22)*(b11 + b22)`, `c11 = m1 + m4`, with indices of entries or of parameters.

use super::entry;
use crate::Error;
use crate::poly::Rational;
use crate::scheme::build::{Builder, dims_in_name};
use crate::scheme::model::{Scheme, Target};
use crate::scheme::programs::assignments;
use std::collections::BTreeMap;

const OP: &str = "read_schemes";

/// Row and column, or a number alone.
fn place(index: &str, flat: bool) -> Result<[usize; 2], Error> {
    let number = |s: &str| {
        let n: Option<usize> = s.parse().ok().filter(|n| (1..=4096).contains(n));
        n.map(|n| n - 1)
    };
    let parts = match (index.split_once('_'), index.len()) {
        (Some((row, column)), _) => Some((row, column)),
        (None, _) if flat => Some((index, "1")),
        (None, 2) => Some(index.split_at(1)),
        (None, _) => None,
    };
    let found = parts.and_then(|(row, column)| Some([number(row)?, number(column)?]));
    found.ok_or_else(|| {
        let what = format!(
            "the index {index} is neither a row and a column (12, 1_12) nor a number from 1 to 4096"
        );
        Error::invalid(OP, what)
    })
}

pub(crate) fn read(text: &str, name: &str) -> Result<Scheme, Error> {
    let found = assignments::read(text)?;
    let names = || {
        let inputs = found
            .products
            .iter()
            .flat_map(|(l, r)| l.keys().chain(r.keys()));
        inputs.chain(found.outputs.keys())
    };
    // Numbers of parameters begin with one digit; entries of matrices have two indices.
    let flat = names().any(|i| i.len() == 1);
    let outputs = found
        .outputs
        .iter()
        .flat_map(|(name, form)| form.iter().map(move |(r, c)| (name, *r, c)));
    let mut entries: Vec<(usize, [usize; 2], usize, &Rational)> = Vec::new();
    for (r, (left, right)) in found.products.iter().enumerate() {
        for (k, form) in [left, right].into_iter().enumerate() {
            for (index, c) in form {
                entries.push((k, place(index, flat)?, r, c));
            }
        }
    }
    for (index, r, c) in outputs {
        entries.push((2, place(index, flat)?, r, c));
    }
    let mut sizes = [[0usize; 2]; 3];
    for (k, at, ..) in &entries {
        sizes[*k] = [sizes[*k][0].max(at[0] + 1), sizes[*k][1].max(at[1] + 1)];
    }
    // Outputs may be zero, and are outputs all the same.
    for index in found.outputs.keys() {
        let at = place(index, flat)?;
        sizes[2] = [sizes[2][0].max(at[0] + 1), sizes[2][1].max(at[1] + 1)];
    }
    let mut builder = Builder::new("", 3);
    let mut widths = [1; 3];
    if !flat {
        let dims;
        (dims, widths) = matrix_product(sizes, name);
        builder.target = Some(Target::Matmul(dims));
    } else {
        for (k, size) in sizes.iter().enumerate() {
            builder.at_least(k, size[0], found.products.len());
        }
    }
    let mut sums: BTreeMap<(usize, usize, usize), Rational> = BTreeMap::new();
    for (k, at, r, c) in entries {
        *sums.entry((k, at[0] * widths[k] + at[1], r)).or_default() += c;
    }
    for ((k, at, r), c) in sums {
        builder.value(k, at, r, entry::constant(c))?;
    }
    for k in 0..3 {
        builder.at_least(k, 1, found.products.len());
    }
    builder.finish()
}

/// The sizes of the matrix product that indices of such sizes fit, and the columns of its three matrices.
fn matrix_product(sizes: [[usize; 2]; 3], name: &str) -> ([usize; 3], [usize; 3]) {
    let [[n, m], [m2, p], c] = sizes;
    let m = m.max(m2);
    let turned = c[0] > n || c[1] > p;
    let mut dims = match turned {
        true => [n.max(c[1]), m, p.max(c[0])],
        false => [n.max(c[0]), m, p.max(c[1])],
    };
    if let Some(named) = dims_in_name(name)
        && dims.iter().zip(&named).all(|(d, n)| d <= n)
    {
        dims = named;
    }
    let [n, m, p] = dims;
    (dims, [m, p, if turned { n } else { p }])
}
