//! Small matrices over the field of two elements, as bits.

/// Rows of bits.
pub(super) type Matrix = Vec<u32>;

pub(super) fn transpose(bits: u64, rows: usize, columns: usize) -> u64 {
    let mut turned = 0;
    for i in 0..rows {
        for j in 0..columns {
            turned |= (bits >> (i * columns + j) & 1) << (j * rows + i);
        }
    }
    turned
}

pub(super) fn rank(bits: u64, rows: usize, columns: usize) -> usize {
    let mut lines: Vec<u64> = (0..rows)
        .map(|i| bits >> (i * columns) & ((1 << columns) - 1))
        .collect();
    let mut rank = 0;
    for j in 0..columns {
        let Some(found) = (rank..lines.len()).find(|&i| lines[i] >> j & 1 == 1) else {
            continue;
        };
        lines.swap(rank, found);
        let pivot = lines[rank];
        for line in lines[rank + 1..].iter_mut().filter(|l| **l >> j & 1 == 1) {
            *line ^= pivot;
        }
        rank += 1;
    }
    rank
}

/// `L M R` for a matrix of bits.
pub(super) fn sandwiched(
    left: &Matrix,
    bits: u64,
    rows: usize,
    columns: usize,
    right: &Matrix,
) -> u64 {
    let mask = (1u64 << columns) - 1;
    let mut found = 0;
    for (i, line) in left.iter().enumerate() {
        let sum = (0..rows)
            .filter(|k| line >> k & 1 == 1)
            .fold(0, |s, k| s ^ (bits >> (k * columns) & mask));
        let row = (0..columns)
            .filter(|k| sum >> k & 1 == 1)
            .fold(0, |s, k| s ^ u64::from(right[k]));
        found |= row << (i * columns);
    }
    found
}

pub(super) fn turned(matrix: &Matrix) -> Matrix {
    let column = |j: usize| {
        matrix
            .iter()
            .enumerate()
            .fold(0, |c, (i, row)| c | (row >> j & 1) << i)
    };
    (0..matrix.len()).map(column).collect()
}

pub(super) fn inverted(matrix: &Matrix) -> Option<Matrix> {
    let size = matrix.len();
    let mut rows: Vec<u64> = matrix
        .iter()
        .enumerate()
        .map(|(i, row)| u64::from(*row) | 1 << (size + i))
        .collect();
    for j in 0..size {
        let found = (j..size).find(|&i| rows[i] >> j & 1 == 1)?;
        rows.swap(j, found);
        let pivot = rows[j];
        for (i, row) in rows.iter_mut().enumerate() {
            if i != j && *row >> j & 1 == 1 {
                *row ^= pivot;
            }
        }
    }
    Some(rows.into_iter().map(|r| (r >> size) as u32).collect())
}
