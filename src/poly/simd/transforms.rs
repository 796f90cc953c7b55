//! Butterflies of number-theoretic transforms over residues as floating-point numbers.
//!
//! For primes below `.85 * 2^50` a product `a w` with `|w| <= p / 2` and `|a| <= 3.8 p` is at most `.85 p` in magnitude: the quotient is
//! off by at most `1/2 + |a w| / p 2^-53 < .71`, the rounding error of the product is below `.15 p`. On the way down values stay
//! below `2.2 p`, on the way up below `.85 p`, and sums of four of these are whole numbers below `2^53`.
//!
//! Blocks of 16 are taken eight at a time, transposed, so that vectors run across blocks. They stay transposed: the values of a
//! transform come in an order that pointwise products do not mind.

use super::floats::{FloatPrime, compiled};
use super::level::Level;

/// Blocks of 16 that are taken side by side.
const SIDE: usize = 8;
/// Values of these blocks.
pub(crate) const TILE: usize = 16 * SIDE;
/// Roots that they need in one direction.
pub(crate) const TILE_ROOTS: usize = 15 * SIDE;

/// The roots `W_b` of the nodes, and those of the tiles, down and up.
#[derive(Debug, Default)]
pub(crate) struct FloatRoots {
    pub(crate) nodes: Vec<f64>,
    pub(crate) down: Vec<f64>,
    pub(crate) up: Vec<f64>,
}

impl FloatRoots {
    fn three(&self, b: usize) -> [f64; 3] {
        [self.nodes[b], self.nodes[2 * b], self.nodes[2 * b + 1]]
    }

    /// `-1 / W_b`: the roots of one level in the other order.
    pub(crate) fn inverse(&self, b: usize) -> f64 {
        match b {
            0 => -1.0,
            b => self.nodes[(3 << b.ilog2()) - 1 - b],
        }
    }

    fn inverse_three(&self, b: usize) -> [f64; 3] {
        [b, 2 * b, 2 * b + 1].map(|b| self.inverse(b))
    }

    /// The roots of tiles, from those of twice as many nodes as the tiles have values of four.
    pub(crate) fn with_tiles(nodes: Vec<f64>) -> Self {
        let tiles = 2 * nodes.len() / TILE;
        let mut all = Self {
            nodes,
            ..Self::default()
        };
        for tile in 0..tiles {
            let blocks = tile * SIDE..(tile + 1) * SIDE;
            let level = |parts: usize, part: usize| {
                let all = &all;
                blocks.clone().map(move |b| all.three(parts * b + part))
            };
            let (mut down, mut up) = (Vec::new(), Vec::new());
            for (parts, part) in [(1, 0), (4, 0), (4, 1), (4, 2), (4, 3)] {
                let nodes = blocks.clone().map(|b| parts * b + part);
                let inverse: Vec<_> = nodes.map(|b| all.inverse_three(b)).collect();
                let three: Vec<_> = level(parts, part).collect();
                for k in 0..3 {
                    down.extend(three.iter().map(|t| t[k]));
                    up.extend(inverse.iter().map(|t| t[k]));
                }
            }
            all.down.extend(down);
            all.up.extend(up);
        }
        all
    }
}

/// Two levels down.
#[inline(always)]
fn four_down(f: FloatPrime, x: [f64; 4], [w, even, odd]: [f64; 3]) -> [f64; 4] {
    let (t2, t3) = (f.mul(x[2], w), f.mul(x[3], w));
    let a = f.settled(x[0]);
    let (b0, b2) = (a + t2, a - t2);
    let (b1, b3) = (f.mul(x[1] + t3, even), f.mul(x[1] - t3, odd));
    [b0 + b1, b0 - b1, b2 + b3, b2 - b3]
}

/// Two levels up, with inverse roots.
#[inline(always)]
fn four_up(f: FloatPrime, x: [f64; 4], [w, even, odd]: [f64; 3]) -> [f64; 4] {
    let (a0, a1) = (x[0] + x[1], f.mul(x[1] - x[0], even));
    let (a2, a3) = (x[2] + x[3], f.mul(x[3] - x[2], odd));
    let (c0, c1) = (f.settled(a0 + a2), f.settled(a1 + a3));
    [c0, c1, f.mul(a2 - a0, w), f.mul(a3 - a1, w)]
}

#[inline(always)]
fn quarters(x: &mut [f64], four: impl Fn([f64; 4]) -> [f64; 4]) {
    let quarter = x.len() / 4;
    let (x0, rest) = x.split_at_mut(quarter);
    let (x1, rest) = rest.split_at_mut(quarter);
    let (x2, x3) = rest.split_at_mut(quarter);
    for (((x0, x1), x2), x3) in x0.iter_mut().zip(x1).zip(x2).zip(x3) {
        [*x0, *x1, *x2, *x3] = four([*x0, *x1, *x2, *x3]);
    }
}

/// One level of a transposed tile: quadruples of rows `step` apart from `first` on.
#[inline(always)]
fn rows(
    t: &mut [[f64; SIDE]; 16],
    (first, step): (usize, usize),
    roots: &[f64],
    four: impl Fn([f64; 4], [f64; 3]) -> [f64; 4],
) {
    let roots = &roots[..3 * SIDE];
    let [i, j, k, l] = [0, 1, 2, 3].map(|n| first + n * step);
    for c in 0..SIDE {
        let x = [t[i][c], t[j][c], t[k][c], t[l][c]];
        let root = [roots[c], roots[SIDE + c], roots[2 * SIDE + c]];
        [t[i][c], t[j][c], t[k][c], t[l][c]] = four(x, root);
    }
}

#[inline(always)]
fn tile_down(f: FloatPrime, x: &mut [f64], roots: &[f64]) {
    let mut t = [[0.0; SIDE]; 16];
    for (c, block) in x.chunks_exact(16).enumerate() {
        for (row, &v) in t.iter_mut().zip(block) {
            row[c] = v;
        }
    }
    let four = |x, roots| four_down(f, x, roots);
    for first in 0..4 {
        rows(&mut t, (first, 4), roots, four);
    }
    for part in 0..4 {
        rows(&mut t, (4 * part, 1), &roots[3 * SIDE * (part + 1)..], four);
    }
    for (out, row) in x.chunks_exact_mut(SIDE).zip(&t) {
        out.copy_from_slice(row);
    }
}

#[inline(always)]
fn tile_up(f: FloatPrime, x: &mut [f64], roots: &[f64]) {
    let mut t = [[0.0; SIDE]; 16];
    for (row, values) in t.iter_mut().zip(x.chunks_exact(SIDE)) {
        row.copy_from_slice(values);
    }
    let four = |x, roots| four_up(f, x, roots);
    for part in 0..4 {
        rows(&mut t, (4 * part, 1), &roots[3 * SIDE * (part + 1)..], four);
    }
    for first in 0..4 {
        rows(&mut t, (first, 4), roots, four);
    }
    for (c, block) in x.chunks_exact_mut(16).enumerate() {
        for (v, row) in block.iter_mut().zip(&t) {
            *v = row[c];
        }
    }
}

/// Whether levels down to blocks of `last` are odd in number.
fn is_odd(n: usize, last: usize) -> bool {
    (n / last).trailing_zeros() % 2 == 1
}

/// The length of the blocks that end the passes over whole vectors.
fn last_blocks(n: usize) -> usize {
    if n < TILE { 1 } else { 16 }
}

compiled! {
    /// From the root of node `b` down to the leaves; `2^k` values.
    fn down(f: FloatPrime, x: &mut [f64], b: usize, roots: &FloatRoots) {
        let (mut length, mut first, last) = (x.len(), b, last_blocks(x.len()));
        if is_odd(length, last) {
            let w = roots.nodes[b];
            let (u, v) = x.split_at_mut(length / 2);
            for (u, v) in u.iter_mut().zip(v) {
                let (a, t) = (f.settled(*u), f.mul(*v, w));
                *u = a + t;
                *v = a - t;
            }
            length /= 2;
            first *= 2;
        }
        while length > last {
            for (k, block) in x.chunks_exact_mut(length).enumerate() {
                let three = roots.three(first + k);
                quarters(block, |x| four_down(f, x, three));
            }
            length /= 4;
            first *= 4;
        }
        if last == 16 {
            let own = roots.down[first / SIDE * TILE_ROOTS..].chunks_exact(TILE_ROOTS);
            for (tile, roots) in x.chunks_exact_mut(TILE).zip(own) {
                tile_down(f, tile, roots);
            }
        }
    }

    /// From the leaves up to the root of node `b`, times the number of values.
    fn up(f: FloatPrime, x: &mut [f64], b: usize, roots: &FloatRoots) {
        let (n, last) = (x.len(), last_blocks(x.len()));
        if last == 16 {
            let first = b * (n / 16) / SIDE * TILE_ROOTS;
            let own = roots.up[first..].chunks_exact(TILE_ROOTS);
            for (tile, roots) in x.chunks_exact_mut(TILE).zip(own) {
                tile_up(f, tile, roots);
            }
        }
        let odd = is_odd(n, last);
        let mut length = 4 * last;
        while length <= if odd { n / 2 } else { n } {
            let first = b * (n / length);
            for (k, block) in x.chunks_exact_mut(length).enumerate() {
                let three = roots.inverse_three(first + k);
                quarters(block, |x| four_up(f, x, three));
            }
            length *= 4;
        }
        if odd {
            let w = roots.inverse(b);
            let (u, v) = x.split_at_mut(n / 2);
            for (u, v) in u.iter_mut().zip(v) {
                let (a, c) = (*u, *v);
                *u = f.settled(a + c);
                *v = f.mul(c - a, w);
            }
        }
    }

    /// Two levels down from node `b`, for lists that leave the cache.
    fn split(f: FloatPrime, x: &mut [f64], b: usize, roots: &FloatRoots) {
        let three = roots.three(b);
        quarters(x, |x| four_down(f, x, three));
    }

    /// Two levels up to node `b`.
    fn merge(f: FloatPrime, x: &mut [f64], b: usize, roots: &FloatRoots) {
        let three = roots.inverse_three(b);
        quarters(x, |x| four_up(f, x, three));
    }

    /// `x <- x y`, value by value, of values that came down.
    fn multiply(f: FloatPrime, x: &mut [f64], y: &[f64]) {
        for (x, &y) in x.iter_mut().zip(y) {
            *x = f.mul(*x, f.settled(y));
        }
    }

    /// `x <- x^2`.
    fn square(f: FloatPrime, x: &mut [f64]) {
        for x in x {
            *x = f.mul(*x, f.settled(*x));
        }
    }

    /// The first step of a length `3 h`: `(a, b, c)` to `(a + c, b)` and `a - c + i b`.
    fn part_three(f: FloatPrime, low: &mut [f64], high: &mut [f64], i: f64) {
        let (a, b) = low.split_at_mut(high.len());
        for ((a, b), c) in a.iter_mut().zip(b).zip(high) {
            let turned = f.mul(*b, i);
            (*a, *c) = (f.settled(*a + *c), f.settled(*a - *c + turned));
        }
    }

    /// Undoes it: from `(a, b)` and `c`, `(a - q, b, q)` with `q = (a + i b - c) / 2`, all settled.
    fn join_three(f: FloatPrime, low: &mut [f64], high: &mut [f64], by: [f64; 2]) {
        let [i, half] = by;
        let (a, b) = low.split_at_mut(high.len());
        for ((a, b), c) in a.iter_mut().zip(b).zip(high) {
            let q = f.mul(*a + f.mul(*b, i) - *c, half);
            (*a, *c) = (f.settled(*a - q), f.settled(q));
        }
    }
}
