//! A simple root between two dyadic numbers, enclosed more and more narrowly.

use crate::Error;
use crate::poly::coefficients::rational::Integer;

/// The interval `(n, n + 1) / 2^depth`, which holds exactly one root of `f`, a simple one.
pub(crate) struct Bracket<'a> {
    f: &'a [Integer],
    n: Integer,
    depth: usize,
    /// The sign just above the lower end.
    negative: bool,
}

/// What is known of the root.
pub(crate) enum Cell {
    /// It is on the grid.
    Root,
    /// It lies between `n / 2^depth` and `(n + 1) / 2^depth`, which are no roots.
    Between(Integer, usize),
}

/// `2^(depth deg) f(n / 2^depth)`.
fn value(f: &[Integer], n: &Integer, depth: usize) -> Integer {
    let mut sum = Integer::ZERO;
    for (i, c) in f.iter().rev().enumerate() {
        sum = sum * n + (c << (i * depth));
    }
    sum
}

impl<'a> Bracket<'a> {
    pub(crate) fn new(f: &'a [Integer], n: Integer, depth: usize) -> Self {
        // Just above a root the first derivative that does not vanish has the sign.
        let (mut g, mut low) = (f.to_vec(), value(f, &n, depth));
        while low.is_zero() && g.len() > 1 {
            let each = g.iter().enumerate().skip(1);
            g = each.map(|(k, c)| c * Integer::from(k)).collect();
            low = value(&g, &n, depth);
        }
        let negative = low < Integer::ZERO;
        Self {
            f,
            n,
            depth,
            negative,
        }
    }

    /// The cell of depth `target` (or a deeper one, where an end is another root of `f`), by quadratic interval
    /// refinement: the secant names the cell of a finer grid; when it is right, the next grid is the square of this one,
    /// else its square root. So the number of digits doubles with each step near the root.
    ///
    /// # Errors
    /// Those of `check`, which is asked in every step.
    ///
    /// # Source
    /// Abbott 2014, "Quadratic interval refinement for real roots".
    pub(crate) fn narrowed(
        mut self,
        target: usize,
        check: impl Fn() -> Result<(), Error>,
    ) -> Result<Cell, Error> {
        // The grid has 2^fine cells.
        let mut fine = 1;
        loop {
            check()?;
            let (low, high) = (self.at(0, &Integer::ZERO), self.at(0, &Integer::ONE));
            let clean = !low.is_zero() && !high.is_zero();
            if clean && self.depth >= target {
                return Ok(Cell::Between(self.n, self.depth));
            }
            // The grid need not be finer than asked for.
            fine = match clean {
                true => fine.clamp(1, target - self.depth),
                false => 1,
            };
            let cells = Integer::ONE << fine;
            let guess = match fine {
                1 => Integer::ONE,
                _ => {
                    let (a, b) = (low.clone() * low.signum(), high.clone() * high.signum());
                    ((&a + &a) * &cells + &a + &b) / ((&a + &b) << 1)
                }
            };
            let first = self.at(fine, &guess);
            if first.is_zero() {
                return Ok(Cell::Root);
            }
            // The neighbour on the side of the root.
            let right = (first < Integer::ZERO) == self.negative;
            let cell = if right { guess } else { guess - Integer::ONE };
            let inside = cell >= Integer::ZERO && cell < cells;
            let found = match fine {
                1 => true,
                _ if !inside => false,
                _ => {
                    let other = if right {
                        &cell + Integer::ONE
                    } else {
                        cell.clone()
                    };
                    let second = self.at(fine, &other);
                    if second.is_zero() {
                        return Ok(Cell::Root);
                    }
                    (second < Integer::ZERO) != (first < Integer::ZERO)
                }
            };
            if found {
                self.n = (self.n << fine) + cell;
                self.depth += fine;
                fine *= 2;
            } else {
                fine = (fine / 2).max(1);
            }
        }
    }

    /// The value at point `j` of the grid of `2^fine` cells, times a power of two.
    fn at(&self, fine: usize, j: &Integer) -> Integer {
        value(self.f, &((&self.n << fine) + j), self.depth + fine)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bracket, Cell};
    use crate::poly::coefficients::rational::Integer;

    /// The square root of two to ten thousand bits, and roots that lie on the grid or beside one that does.
    #[test]
    fn cells_hold_the_root() {
        let f = |c: &[i64]| c.iter().map(|&c| Integer::from(c)).collect::<Vec<_>>();
        let square = f(&[-2, 0, 1]);
        let cell = Bracket::new(&square, Integer::ONE, 0).narrowed(10_000, || Ok(()));
        let Ok(Cell::Between(n, 10_000)) = cell else {
            unreachable!();
        };
        let two = Integer::from(2) << 20_000;
        assert!(&n * &n < two && (&n + Integer::ONE) * (&n + Integer::ONE) > two);
        // (x - 3/8) (x - 1): the upper end is a root, the inner one is on the grid.
        let grid = f(&[3, -11, 8]);
        let cell = Bracket::new(&grid, Integer::ZERO, 0).narrowed(50, || Ok(()));
        assert!(matches!(cell, Ok(Cell::Root)));
        // x (3 x - 1): the lower end is a root.
        let third = f(&[0, -1, 3]);
        let cell = Bracket::new(&third, Integer::ZERO, 0).narrowed(50, || Ok(()));
        assert!(
            matches!(cell, Ok(Cell::Between(n, 50)) if n == (Integer::ONE << 50) / Integer::from(3))
        );
    }
}
