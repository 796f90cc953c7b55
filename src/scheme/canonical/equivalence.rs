//! Equivalence modulo 2 by backtracking: each product that is matched gives linear equations for the matrices.

use super::bits::{Matrix, inverted, rank, sandwiched, transpose, turned};
use crate::Error;
use crate::scheme::model::{Scheme, Target};
use crate::scheme::whole::{require_three, residue_terms};
use std::collections::BTreeMap;
use std::time::Instant;

const OP: &str = "equivalent_modulo_two";
/// Solutions of the linear equations that are tried one by one, as a power of two.
const MAX_FREE: usize = 10;
/// Partial matches at most.
const MAX_NODES: u64 = 40_000_000;

/// How one scheme is carried to another modulo 2. It can be checked by hand: transpose and shift the products of the second
/// scheme as `symmetry` says; then product `r` of the first, `P a Q^-1`, `Q b S^-1`, .., is product `products[r]` of the second.
///
/// See [`equivalent_modulo_two`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Equivalence {
    /// Whether the second scheme is transposed first.
    pub transposed: bool,
    /// How often the factors of the second scheme are shifted cyclically first.
    pub shifts: usize,
    /// The matrices P, Q and S, as rows of zeros and ones.
    pub matrices: [Vec<Vec<u8>>; 3],
    /// For each product of the first scheme, that of the second.
    pub products: Vec<usize>,
}

/// How a test ended.
///
/// See [`equivalent_modulo_two`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub enum EquivalenceSearch {
    /// Equivalent, by this transformation, which was checked.
    Equivalent(Box<Equivalence>),
    /// Not equivalent modulo 2, and therefore by no matrices with odd determinants.
    Different(&'static str),
    /// The search was given up.
    Undecided,
}

/// A product as three matrices of bits, row-major.
type Product = [u64; 3];

/// Whether two schemes of one matrix product, in the convention of the target, are equivalent modulo 2.
///
/// # Errors
/// `Shape` for other than three factors, `InvalidInput` for other tensors than matrix products of sizes up to 5 and for entries
/// without a value modulo 2, `Stopped`.
///
/// # Complexity
/// Products squared to the third or fourth power at worst, each with an elimination of `n^2 + m^2 + p^2` unknowns.
///
/// ```
/// use wickring::run::unobserved;
/// use wickring::scheme::{EquivalenceSearch, Search, Target, equivalent_modulo_two};
/// let target = Target::Matmul([2, 2, 2]);
/// let seven = |seed| Search { rank: Some(7), seed, ..Search::default() }.standard(&target, &mut unobserved);
/// let found = equivalent_modulo_two(&seven(0)?.scheme, &seven(1)?.scheme, &target, None)?;
/// assert!(matches!(found, EquivalenceSearch::Equivalent(_)));
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn equivalent_modulo_two(
    first: &Scheme,
    second: &Scheme,
    target: &Target,
    deadline: Option<Instant>,
) -> Result<EquivalenceSearch, Error> {
    let dims = small_product(target)?;
    let (one, two) = (products(first)?, products(second)?);
    if one.len() != two.len() {
        return Ok(EquivalenceSearch::Different(
            "the numbers of products differ",
        ));
    }
    let mut nodes = 0;
    let mut undecided = false;
    let mut types_agree = false;
    for transposed in [false, true] {
        for shifts in 0..3 {
            let turned: Option<Vec<Product>> = two
                .iter()
                .map(|t| turn(*t, dims, transposed, shifts))
                .collect();
            let Some(turned) = turned.filter(|_| fits(dims, transposed, shifts)) else {
                continue;
            };
            let mut matcher = Matcher::new(dims, &one, &turned, deadline);
            types_agree |= matcher.types_agree();
            matcher.nodes = nodes;
            let found = matcher.run();
            nodes = matcher.nodes;
            match found {
                Ok(Some((matrices, products))) => {
                    return Ok(EquivalenceSearch::Equivalent(Box::new(Equivalence {
                        transposed,
                        shifts,
                        matrices: written_out(&matrices, dims),
                        products,
                    })));
                }
                Ok(None) => (),
                Err(Error::LimitExceeded { .. }) => undecided = true,
                Err(e) => return Err(e),
            }
        }
    }
    Ok(match (undecided, types_agree) {
        (true, _) => EquivalenceSearch::Undecided,
        (_, false) => EquivalenceSearch::Different("the ranks of the products differ"),
        (_, true) => EquivalenceSearch::Different("no matrices carry one to the other"),
    })
}

/// The sizes of a matrix product that is small enough.
fn small_product(target: &Target) -> Result<[usize; 3], Error> {
    match target {
        Target::Matmul(dims) if dims.iter().all(|n| *n <= 5) => Ok(*dims),
        other => {
            let what = format!(
                "equivalence is tested for matrix products of sizes up to 5, not for {}",
                other.name()
            );
            Err(Error::invalid(OP, what))
        }
    }
}

/// Whether the sizes allow a transposition and shifts.
fn fits([n, m, p]: [usize; 3], transposed: bool, shifts: usize) -> bool {
    match (transposed, shifts) {
        (false, 0) => true,
        (true, 0) => n == p,
        _ => n == m && m == p,
    }
}

/// Matrices of bits as rows of zeros and ones.
fn written_out(matrices: &[Matrix; 3], dims: [usize; 3]) -> [Vec<Vec<u8>>; 3] {
    std::array::from_fn(|k| {
        let row = |bits: &u32| (0..dims[k]).map(|j| (bits >> j & 1) as u8).collect();
        matrices[k].iter().map(row).collect()
    })
}

fn products(scheme: &Scheme) -> Result<Vec<Product>, Error> {
    require_three(scheme, OP)?;
    let terms = residue_terms(scheme, 2)
        .ok_or_else(|| Error::invalid(OP, "an entry has no value modulo 2"))?;
    let bits = |v: &Vec<(usize, i64)>| v.iter().fold(0u64, |bits, (at, _)| bits | 1 << at);
    Ok(terms
        .iter()
        .map(|t| [bits(&t[0]), bits(&t[1]), bits(&t[2])])
        .collect())
}

/// A product transposed (`A B = C` becomes `B' A' = C'`) and shifted (`a, b, c'` becomes `b, c', a`).
fn turn(
    [a, b, c]: Product,
    [n, m, p]: [usize; 3],
    transposed: bool,
    shifts: usize,
) -> Option<Product> {
    let mut three = match transposed {
        true => [transpose(b, m, p), transpose(a, n, m), transpose(c, n, p)],
        false => [a, b, c],
    };
    for _ in 0..shifts {
        if n != m || m != p {
            return None;
        }
        three = [
            three[1],
            transpose(three[2], n, n),
            transpose(three[0], n, n),
        ];
    }
    Some(three)
}

struct Matcher<'a> {
    dims: [usize; 3],
    one: &'a [Product],
    two: &'a [Product],
    types: [Vec<[usize; 3]>; 2],
    /// The products of the first scheme, those of the rarest type first.
    order: Vec<usize>,
    deadline: Option<Instant>,
    nodes: u64,
}

type Match = ([Matrix; 3], Vec<usize>);

impl<'a> Matcher<'a> {
    fn new(
        dims: [usize; 3],
        one: &'a [Product],
        two: &'a [Product],
        deadline: Option<Instant>,
    ) -> Self {
        let [n, m, p] = dims;
        let kind = |t: &Product| [rank(t[0], n, m), rank(t[1], m, p), rank(t[2], n, p)];
        let types = [one, two].map(|list| list.iter().map(kind).collect::<Vec<_>>());
        let mut counts = BTreeMap::new();
        types[0]
            .iter()
            .for_each(|t| *counts.entry(*t).or_insert(0) += 1);
        let mut order: Vec<usize> = (0..one.len()).collect();
        order.sort_by_key(|&r| (counts[&types[0][r]], types[0][r], r));
        Self {
            dims,
            one,
            two,
            types,
            order,
            deadline,
            nodes: 0,
        }
    }

    fn types_agree(&self) -> bool {
        let sorted = |k: usize| {
            let mut list = self.types[k].clone();
            list.sort_unstable();
            list
        };
        sorted(0) == sorted(1)
    }

    fn run(&mut self) -> Result<Option<Match>, Error> {
        if !self.types_agree() {
            return Ok(None);
        }
        self.extend(0, &Vec::new(), &mut vec![false; self.two.len()])
    }

    fn unknowns(&self) -> usize {
        self.dims.iter().map(|n| n * n).sum()
    }

    /// Matches product `order[depth]` with each free one; `rows` are the equations so far, in echelon form.
    fn extend(
        &mut self,
        depth: usize,
        rows: &[u128],
        used: &mut Vec<bool>,
    ) -> Result<Option<Match>, Error> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Error::limit(OP, "partial matches", MAX_NODES));
        }
        if self.nodes.is_multiple_of(1024) && self.deadline.is_some_and(|d| Instant::now() >= d) {
            return Err(Error::Stopped { op: OP });
        }
        let free = self.unknowns() - rows.len();
        if free <= MAX_FREE || depth == self.order.len() {
            return Ok(self.try_all(rows));
        }
        let r = self.order[depth];
        for s in 0..self.two.len() {
            if used[s] || self.types[0][r] != self.types[1][s] {
                continue;
            }
            let mut more = rows.to_vec();
            self.equations(self.one[r], self.two[s], &mut more);
            // Invertible matrices need some freedom.
            if more.len() >= self.unknowns() {
                continue;
            }
            used[s] = true;
            let found = self.extend(depth + 1, &more, used)?;
            used[s] = false;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// `P a = a' Q`, `Q b = b' S`, `P' c' = c S'`.
    fn equations(&self, first: Product, second: Product, rows: &mut Vec<u128>) {
        let [n, m, p] = self.dims;
        let (q0, s0) = (n * n, n * n + m * m);
        let bit = |bits: u64, at: usize| u128::from(bits >> at & 1);
        let mut add = |mut row: u128| {
            // Echelon form: each row has its highest bit for itself.
            for known in rows.iter() {
                if row >> (127 - known.leading_zeros()) & 1 == 1 {
                    row ^= known;
                }
            }
            if row != 0 {
                let top = 127 - row.leading_zeros();
                for known in rows.iter_mut().filter(|k| **k >> top & 1 == 1) {
                    *known ^= row;
                }
                rows.push(row);
            }
        };
        for i in 0..n {
            for j in 0..m {
                let mut row = 0u128;
                (0..n).for_each(|x| row ^= bit(first[0], x * m + j) << (i * n + x));
                (0..m).for_each(|y| row ^= bit(second[0], i * m + y) << (q0 + y * m + j));
                add(row);
            }
        }
        for i in 0..m {
            for j in 0..p {
                let mut row = 0u128;
                (0..m).for_each(|x| row ^= bit(first[1], x * p + j) << (q0 + i * m + x));
                (0..p).for_each(|y| row ^= bit(second[1], i * p + y) << (s0 + y * p + j));
                add(row);
            }
        }
        for i in 0..n {
            for j in 0..p {
                let mut row = 0u128;
                (0..n).for_each(|x| row ^= bit(second[2], x * p + j) << (x * n + i));
                (0..p).for_each(|y| row ^= bit(first[2], i * p + y) << (s0 + j * p + y));
                add(row);
            }
        }
    }

    /// Every solution of the equations that is invertible and carries all products.
    fn try_all(&self, rows: &[u128]) -> Option<Match> {
        let unknowns = self.unknowns();
        let pivots: Vec<usize> = rows
            .iter()
            .map(|r| 127 - r.leading_zeros() as usize)
            .collect();
        let free: Vec<usize> = (0..unknowns).filter(|u| !pivots.contains(u)).collect();
        if free.len() > 20 {
            return None;
        }
        for choice in 1u32..1 << free.len() {
            let mut x = 0u128;
            for (k, at) in free.iter().enumerate() {
                x |= u128::from(choice >> k & 1) << at;
            }
            for (row, pivot) in rows.iter().zip(&pivots) {
                // The row is reduced: besides its pivot it holds free unknowns only.
                x |= u128::from((row & x).count_ones() & 1) << pivot;
            }
            if let Some(products) = self.carries(x) {
                return Some((self.matrices(x), products));
            }
        }
        None
    }

    fn matrices(&self, x: u128) -> [Matrix; 3] {
        let [n, m, p] = self.dims;
        let cut = |size: usize, from: usize| {
            let row = |i: usize| (x >> (from + i * size)) as u32 & ((1 << size) - 1);
            (0..size).map(row).collect()
        };
        [cut(n, 0), cut(m, n * n), cut(p, n * n + m * m)]
    }

    fn carries(&self, x: u128) -> Option<Vec<usize>> {
        let [n, m, p] = self.dims;
        let [big_p, big_q, big_s] = self.matrices(x);
        let whole = |matrix: &Matrix, size: usize| {
            let bits = matrix
                .iter()
                .enumerate()
                .fold(0u64, |all, (i, row)| all | u64::from(*row) << (i * size));
            rank(bits, size, size) == size
        };
        if !(whole(&big_p, n) && whole(&big_q, m) && whole(&big_s, p)) {
            return None;
        }
        let mut left: BTreeMap<Product, Vec<usize>> = BTreeMap::new();
        for (s, t) in self.two.iter().enumerate().rev() {
            left.entry(*t).or_default().push(s);
        }
        let (q_inverse, s_inverse) = (inverted(&big_q)?, inverted(&big_s)?);
        let p_transposed = turned(&inverted(&big_p)?);
        let s_transposed = turned(&big_s);
        let image = |t: &Product| {
            [
                sandwiched(&big_p, t[0], n, m, &q_inverse),
                sandwiched(&big_q, t[1], m, p, &s_inverse),
                sandwiched(&p_transposed, t[2], n, p, &s_transposed),
            ]
        };
        self.one
            .iter()
            .map(|t| left.get_mut(&image(t)).and_then(Vec::pop))
            .collect()
    }
}
