//! Zeros of polynomial systems near a dyadic point, in integers (docs/FORMATS.md, claims within a radius).
//!
//! A number is an integer over a power of two that is the same throughout a step, so that sums need no shifts;
//! `|p(x) - p(x~)|` is at most the polynomial of absolute coefficients at `|x~| + r` less that at `|x~|`.

use super::super::terms::Checked;
use super::integers::{Exact, Matrix};
use dashu_int::{IBig, ops::UnsignedAbs};
use std::collections::BTreeMap;

/// Coefficients, and the variables multiplied with them, with repetitions.
pub(in crate::certify) type Equation = Vec<(IBig, Vec<usize>)>;

/// The ball of a radius around a point, both in units of `2^-scale`.
pub(in crate::certify) struct Ball {
    pub(in crate::certify) scale: usize,
    /// What all monomials are filled up to by powers of the unit.
    pub(in crate::certify) degree: usize,
    pub(in crate::certify) radius: IBig,
    centre: Vec<IBig>,
    size: Vec<IBig>,
    wide: Vec<IBig>,
    /// The place of each variable among the unknowns.
    place: Vec<Option<usize>>,
}

/// A polynomial at the centre, its derivatives by unknowns, and how far each moves within the ball.
#[derive(Default)]
struct Jet {
    value: (IBig, IBig),
    first: BTreeMap<usize, (IBig, IBig)>,
    second: BTreeMap<(usize, usize), (IBig, IBig)>,
}

fn absolute(x: &IBig) -> IBig {
    x.unsigned_abs().into()
}

impl Ball {
    pub(in crate::certify) fn new(
        centre: Vec<IBig>,
        radius: IBig,
        (scale, degree): (usize, usize),
        place: Vec<Option<usize>>,
    ) -> Self {
        let size: Vec<IBig> = centre.iter().map(absolute).collect();
        let wide = size.iter().map(|x| x + &radius).collect();
        Self {
            scale,
            degree,
            radius,
            centre,
            size,
            wide,
            place,
        }
    }
}

impl Exact<'_> {
    /// The product of all factors but those at two positions (the same for one).
    fn monomial(&mut self, x: &[IBig], factors: &[usize], skip: &[usize]) -> Checked<IBig> {
        let mut product = IBig::ONE;
        for (_, &v) in factors
            .iter()
            .enumerate()
            .filter(|(k, _)| !skip.contains(k))
        {
            product = self.mul(&product, &x[v])?;
        }
        Ok(product)
    }

    fn jet(&mut self, ball: &Ball, equation: &Equation, twice: bool) -> Checked<Jet> {
        let mut jet = Jet::default();
        for (c, factors) in equation {
            let shift = (ball.degree - factors.len()) * ball.scale;
            let mut part = |skip: &[usize], sum: &mut (IBig, IBig)| -> Checked<()> {
                let value = self.monomial(&ball.centre, factors, skip)?;
                let size = self.monomial(&ball.size, factors, skip)?;
                let moved = self.monomial(&ball.wide, factors, skip)? - size;
                self.budget.spend(96 + shift / 16)?;
                sum.0 += self.mul(c, &value)? << shift;
                sum.1 += self.mul(&absolute(c), &moved)? << shift;
                Ok(())
            };
            part(&[], &mut jet.value)?;
            for (k, v) in factors.iter().enumerate() {
                let Some(u) = ball.place[*v] else { continue };
                part(&[k], jet.first.entry(u).or_default())?;
                for (l, w) in factors.iter().enumerate().filter(|(l, _)| twice && *l != k) {
                    if let Some(v) = ball.place[*w] {
                        part(&[k, l], jet.second.entry((u, v)).or_default())?;
                    }
                }
            }
        }
        Ok(jet)
    }

    /// Whether Krawczyk's operator with the preconditioner `c` in units of `2^-precision` maps the ball into itself;
    /// then the equations, times `unit`, have exactly one common zero in it, and the Jacobian is regular there.
    pub(in crate::certify) fn one_zero(
        &mut self,
        ball: &Ball,
        equations: &mut dyn Iterator<Item = Equation>,
        unit: &IBig,
        (c, precision): (&Matrix, usize),
    ) -> Checked<bool> {
        let mut jets = Vec::with_capacity(c.len());
        for equation in equations {
            let jet = self.jet(ball, &equation, false)?;
            let moved: IBig = jet.first.values().map(|d| &d.1).sum();
            jets.push((jet.value.0, jet.first, moved));
        }
        let one = unit << ((ball.degree - 1) * ball.scale + precision);
        let (mut step, mut change) = (IBig::ZERO, IBig::ZERO);
        for (i, row) in c.iter().enumerate() {
            // A row of C F, of I - C J, and of |C| D.
            let (mut newton, mut moved) = (IBig::ZERO, IBig::ZERO);
            let mut off = vec![IBig::ZERO; c.len()];
            off[i] = one.clone();
            for (x, (value, first, sum)) in row.iter().zip(&jets) {
                self.fma(&mut newton, x, value)?;
                self.fma(&mut moved, &absolute(x), sum)?;
                let minus = -x;
                for (u, d) in first {
                    self.fma(&mut off[*u], &minus, &d.0)?;
                }
            }
            let sum: IBig = off.iter().map(absolute).sum();
            step = step.max(absolute(&newton));
            change = change.max(sum + moved);
        }
        let contracted = self.mul(&change, &ball.radius)?;
        Ok(step + contracted < self.mul(&one, &ball.radius)?)
    }

    /// The longest entry of Newton's step `L' g`, and how far `L' H L` is from the identity within the ball.
    fn newton_bounds(
        &mut self,
        (l, turned): (&Matrix, &Matrix),
        half: &Matrix,
        (g, moved): (&[IBig], &[IBig]),
        one: &IBig,
    ) -> Checked<(IBig, IBig)> {
        let (mut step, mut change) = (IBig::ZERO, IBig::ZERO);
        for (i, (row, column)) in half.iter().zip(turned).enumerate() {
            let mut off = vec![IBig::ZERO; l.len()];
            off[i] = -one;
            let (mut newton, mut sum) = (IBig::ZERO, IBig::ZERO);
            for (u, x) in row.iter().enumerate() {
                for (value, y) in off.iter_mut().zip(&l[u]) {
                    self.fma(value, x, y)?;
                }
                self.fma(&mut newton, &column[u], &g[u])?;
                self.fma(&mut sum, &absolute(&column[u]), &moved[u])?;
            }
            step = step.max(absolute(&newton));
            change = change.max(sum + off.iter().map(absolute).sum::<IBig>());
        }
        Ok((step, change))
    }

    /// Whether half the sum of squares of the equations, times `unit`, has exactly one critical point in the ball, a
    /// strict minimum among the unknowns: with `l` in units of `2^-precision`, `|I - l' H l| < 1` all over the ball,
    /// and Newton's step in the coordinates of `l` stays inside.
    pub(in crate::certify) fn one_minimum(
        &mut self,
        ball: &Ball,
        equations: &mut dyn Iterator<Item = Equation>,
        unit: &IBig,
        (l, precision): (&Matrix, usize),
    ) -> Checked<bool> {
        let n = l.len();
        let weights: Vec<IBig> = l.iter().map(|row| row.iter().map(absolute).sum()).collect();
        let (mut g, mut moved) = (vec![IBig::ZERO; n], vec![IBig::ZERO; n]);
        let mut h = vec![vec![IBig::ZERO; n]; n];
        for equation in equations {
            let Jet {
                value: (f, df),
                first,
                second,
            } = self.jet(ball, &equation, true)?;
            // Sums of |J| and of its change over the unknowns, weighted.
            let (mut sizes, mut changes) = (IBig::ZERO, IBig::ZERO);
            for (u, (j, d)) in &first {
                self.fma(&mut g[*u], &f, j)?;
                self.fma(&mut sizes, &absolute(j), &weights[*u])?;
                self.fma(&mut changes, d, &weights[*u])?;
                for (v, (k, _)) in &first {
                    self.fma(&mut h[*u][*v], j, k)?;
                }
            }
            let both = &sizes + &changes;
            for (u, (j, d)) in &first {
                self.fma(&mut moved[*u], &absolute(j), &changes)?;
                self.fma(&mut moved[*u], d, &both)?;
            }
            let most = absolute(&f) + &df;
            for ((u, v), (s, d)) in &second {
                self.fma(&mut h[*u][*v], &f, s)?;
                let far = self.mul(&most, d)? + self.mul(&df, &absolute(s))?;
                self.fma(&mut moved[*u], &far, &weights[*v])?;
            }
        }
        let square = self.mul(unit, unit)?;
        let one = square << ((2 * ball.degree - 2) * ball.scale + 2 * precision);
        let turned: Matrix = (0..n)
            .map(|j| l.iter().map(|row| row[j].clone()).collect())
            .collect();
        let half = self.product(&turned, &h)?;
        let (step, change) = self.newton_bounds((l, &turned), &half, (&g, &moved), &one)?;
        let widest = weights.into_iter().max().unwrap_or(IBig::ZERO);
        let (left, room) = (self.mul(&step, &widest)?, &one - &change);
        Ok(change < one && left < self.mul(&room, &ball.radius)?)
    }
}
