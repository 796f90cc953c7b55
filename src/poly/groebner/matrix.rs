//! The multiples of a basis that reduce given rows, as sparse vectors over the monomials that occur (symbolic preprocessing).

use super::backend::OP;
use super::monomials::{Table, divides, hash, mask, product};
use super::pairs::Pair;
use crate::Error;
use crate::poly::coefficients::ring::Ring;
use crate::poly::monomials::order::Order;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;

/// No row has its leading term in this column.
pub(crate) const NONE: u32 = u32::MAX;
/// Entries of one block; a longer list of starts is cut.
const MAX_ENTRIES: usize = 1 << 22;

/// The monomials of a polynomial.
pub(crate) struct Shape {
    pub(crate) lead: Vec<u32>,
    mask: u64,
    /// Exponents of the other terms, one after the other, and their hashes.
    tail: Vec<u32>,
    hashes: Vec<u64>,
}

/// A nonzero polynomial as its monomials, its leading coefficient and the others.
pub(crate) fn split<C: Ring>(p: &Poly<C>, n: usize, order: &Order) -> Option<(Shape, C, Vec<C>)> {
    let mut terms: Vec<(Vec<u32>, C)> = p.iter().collect();
    for (e, _) in &mut terms {
        e.resize(n, 0);
    }
    let compare = |a: &usize, b: &usize| order.compare(&terms[*a].0, &terms[*b].0);
    let top = (0..terms.len()).max_by(compare)?;
    let (lead, c) = terms.remove(top);
    let (mut tail, mut hashes, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (e, c) in terms {
        hashes.push(hash(&e));
        tail.extend(e);
        values.push(c);
    }
    let mask = mask(&lead);
    Some((
        Shape {
            lead,
            mask,
            tail,
            hashes,
        },
        c,
        values,
    ))
}

/// What is to be reduced to zero.
pub(crate) enum Start {
    /// The S-polynomial of two elements of the basis.
    Pair(Pair),
    /// A polynomial, by its number among all shapes.
    Whole(usize),
}

/// A multiple of a shape: the columns of its tail.
pub(crate) struct Row {
    pub(crate) shape: usize,
    pub(crate) columns: Vec<u32>,
}

/// Starts and the rows that reduce them; columns stand for monomials in descending order.
pub(crate) struct Block {
    /// For each start its rows: two whose difference it is, or one with the column of its leading monomial.
    pub(crate) starts: Vec<(Vec<Row>, Option<u32>)>,
    pub(crate) rows: Vec<Row>,
    /// For each column the row that has its leading term there.
    pub(crate) pivots: Vec<u32>,
}

/// A block under construction.
struct Builder<'a> {
    shapes: &'a [Shape],
    table: Table,
    entries: usize,
    scratch: Vec<u32>,
}

impl Builder<'_> {
    /// The tail of shape `s` times a monomial.
    fn shifted(&mut self, s: usize, by: &[u32]) -> Result<Row, Error> {
        let (shape, by_hash, n) = (&self.shapes[s], hash(by), by.len());
        let mut columns = Vec::with_capacity(shape.hashes.len());
        for (k, h) in shape.hashes.iter().enumerate() {
            product(&shape.tail[k * n..(k + 1) * n], by, &mut self.scratch)?;
            columns.push(self.table.intern(&self.scratch, h.wrapping_add(by_hash)));
        }
        self.entries += columns.len();
        Ok(Row { shape: s, columns })
    }

    fn start(&mut self, start: &Start) -> Result<(Vec<Row>, Option<u32>), Error> {
        match start {
            Start::Pair(p) => {
                let mut rows = Vec::with_capacity(2);
                for k in [p.i, p.j] {
                    let by = quotient(&p.lcm, &self.shapes[k].lead);
                    rows.push(self.shifted(k, &by)?);
                }
                Ok((rows, None))
            }
            Start::Whole(k) => {
                let lead = &self.shapes[*k].lead;
                let column = self.table.intern(lead, hash(lead));
                let one = vec![0; lead.len()];
                Ok((vec![self.shifted(*k, &one)?], Some(column)))
            }
        }
    }
}

fn quotient(a: &[u32], b: &[u32]) -> Vec<u32> {
    a.iter().zip(b).map(|(x, y)| x - y).collect()
}

impl Block {
    /// The block of the first starts, as many as fit, and how many these are. The first `divisors` shapes reduce.
    pub(crate) fn new(
        starts: &[Start],
        shapes: &[Shape],
        divisors: usize,
        order: &Order,
        budget: &Budget<'_>,
    ) -> Result<(Self, usize), Error> {
        let n = shapes.first().map_or(0, |s| s.lead.len());
        let mut b = Builder {
            shapes,
            table: Table::new(n),
            entries: 0,
            scratch: Vec::new(),
        };
        let (mut firsts, mut rows, mut leads) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = 0;
        for start in starts {
            if b.entries > MAX_ENTRIES {
                break;
            }
            firsts.push(b.start(start)?);
            while seen < b.table.len() {
                if seen % 256 == 0 {
                    budget.check_time(OP)?;
                    budget.check_terms(OP, b.entries)?;
                }
                let e = b.table.row(seen).to_vec();
                let m = mask(&e);
                let fits = |s: &Shape| s.mask & !m == 0 && divides(&s.lead, &e);
                if let Some(k) = shapes[..divisors].iter().position(fits) {
                    let by = quotient(&e, &shapes[k].lead);
                    rows.push(b.shifted(k, &by)?);
                    leads.push(seen);
                }
                seen += 1;
            }
        }
        let places = b.table.places(order);
        let pivots = placed(&places, &mut rows, &mut firsts, &leads);
        let used = firsts.len();
        let starts = firsts;
        Ok((
            Self {
                starts,
                rows,
                pivots,
            },
            used,
        ))
    }
}

/// Puts columns in their places; the row that has its leading term in each of them.
fn placed(
    places: &[u32],
    rows: &mut [Row],
    starts: &mut [(Vec<Row>, Option<u32>)],
    leads: &[usize],
) -> Vec<u32> {
    let mut pivots = vec![NONE; places.len()];
    for (k, &lead) in leads.iter().enumerate() {
        pivots[places[lead] as usize] = k as u32;
    }
    let place = |row: &mut Row| {
        let columns = row.columns.iter_mut();
        columns.for_each(|c| *c = places[*c as usize]);
    };
    rows.iter_mut().for_each(place);
    for (rows, lead) in starts {
        rows.iter_mut().for_each(place);
        *lead = lead.map(|c| places[c as usize]);
    }
    pivots
}
