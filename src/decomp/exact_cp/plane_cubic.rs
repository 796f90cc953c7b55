//! Five rational terms of a `3 x 3 x 3` tensor from rational points of a plane cubic.
//!
//! The combinations `x_0 M_0 + x_1 M_1 + x_2 M_2` of the slices along a mode that are singular form a plane cubic. A line
//! that meets it in three different rational points, two of which were found, is a pencil of slices with three rational
//! eigenvalues, so it is a sum of three terms `b_r c_r'` over Q. What the remaining slice holds beyond multiples `t_r` of
//! those is a matrix whose determinant is of degree one in each `t_r`: two are chosen, the third is solved for, and a
//! matrix of rank two is two terms more, both with the same vector in the first mode. Nothing is searched by floats. A
//! family of eight dimensions passes through a general tensor of rank five; this is the part of it that can be had by
//! rational points.

use super::rational_solve::exact_residual;
use crate::poly::{Integer, Rational, integer_gcd};
use num_traits::{One, Zero};

type Vector = [Rational; 3];
type Matrix = [Vector; 3];

/// Coordinates of the points that are looked at.
const HEIGHT: i128 = 32;
/// Bits of the entries, denominators cleared; more are left to other methods.
const MAX_BITS: u32 = 24;
/// Points kept, and lines tried, along each mode.
const MAX_POINTS: usize = 24;
const MAX_LINES: usize = 60;
/// Bits of the coordinates of points that come from others.
const MAX_POINT_BITS: usize = 40;

fn zero() -> Vector {
    [0, 1, 2].map(|_| Rational::zero())
}

fn dot(x: &Vector, y: &Vector) -> Rational {
    x.iter()
        .zip(y)
        .fold(Rational::zero(), |s, (x, y)| s + x * y)
}

fn cross(x: &Vector, y: &Vector) -> Vector {
    let at = |i: usize, j: usize| &x[i] * &y[j] - &x[j] * &y[i];
    [at(1, 2), at(2, 0), at(0, 1)]
}

fn det(m: &Matrix) -> Rational {
    dot(&m[0], &cross(&m[1], &m[2]))
}

fn transposed(m: &Matrix) -> Matrix {
    [0, 1, 2].map(|j| [0, 1, 2].map(|i| m[i][j].clone()))
}

fn scaled(x: &Vector, by: &Rational) -> Vector {
    [0, 1, 2].map(|i| &x[i] * by)
}

/// The rows of the inverse of the matrix with these columns.
fn dual(columns: &Matrix) -> Option<Matrix> {
    let inverse = det(columns).recip()?;
    let row = |i: usize| {
        scaled(
            &cross(&columns[(i + 1) % 3], &columns[(i + 2) % 3]),
            &inverse,
        )
    };
    Some([0, 1, 2].map(row))
}

/// A vector that a matrix of rank two takes to zero.
fn kernel(m: &Matrix) -> Option<Vector> {
    let pairs = [(0, 1), (0, 2), (1, 2)];
    let all = pairs.map(|(i, j)| cross(&m[i], &m[j]));
    all.into_iter().find(|v| v.iter().any(|x| !x.is_zero()))
}

fn times(m: &Matrix, x: &Vector) -> Vector {
    [0, 1, 2].map(|i| dot(&m[i], x))
}

fn combined(slices: &[Matrix; 3], x: &Vector) -> Matrix {
    let entry =
        |i: usize, j: usize| (0..3).fold(Rational::zero(), |s, k| s + &x[k] * &slices[k][i][j]);
    [0, 1, 2].map(|i| [0, 1, 2].map(|j| entry(i, j)))
}

/// `m - t b c'`.
fn less(m: &Matrix, t: &Rational, b: &Vector, c: &Vector) -> Matrix {
    [0, 1, 2].map(|i| [0, 1, 2].map(|j| &m[i][j] - &(&(t * &b[i]) * &c[j])))
}

/// A matrix of rank two or less as `u v' + w y'`.
fn two_terms(m: &Matrix) -> Option<[(Vector, Vector); 2]> {
    let mut rest = m.clone();
    let mut terms = Vec::new();
    for _ in 0..2 {
        let at = (0..9).find(|k| !rest[k / 3][k % 3].is_zero());
        let Some((i, j)) = at.map(|k| (k / 3, k % 3)) else {
            terms.push((zero(), zero()));
            continue;
        };
        let inverse = rest[i][j].recip()?;
        let column = scaled(&transposed(&rest)[j], &inverse);
        let row = rest[i].clone();
        rest = less(&rest, &Rational::one(), &column, &row);
        terms.push((column, row));
    }
    let done = rest.iter().flatten().all(Rational::is_zero);
    <[_; 2]>::try_from(terms).ok().filter(|_| done)
}

/// Slices along a mode, with denominators cleared, as machine integers.
fn machine(slices: &[Matrix; 3]) -> Option<[[[i128; 3]; 3]; 3]> {
    let mut lcm = Integer::one();
    for value in slices.iter().flatten().flatten() {
        let d = value.denominator();
        lcm = &lcm / &integer_gcd(&lcm, &d) * &d;
    }
    let lcm = Rational::from(lcm);
    let mut whole = [[[0; 3]; 3]; 3];
    for k in 0..27 {
        let value = (&slices[k / 9][k / 3 % 3][k % 3] * &lcm).numerator();
        let value = i128::try_from(&value).ok()?;
        if value.unsigned_abs() >> MAX_BITS > 0 {
            return None;
        }
        whole[k / 9][k / 3 % 3][k % 3] = value;
    }
    Some(whole)
}

/// Small points of the cubic, by height; of each line through zero one.
fn points(m: &[[[i128; 3]; 3]; 3]) -> Vec<[i128; 3]> {
    let value = |x: [i128; 3]| {
        let e = |i: usize, j: usize| x[0] * m[0][i][j] + x[1] * m[1][i][j] + x[2] * m[2][i][j];
        e(0, 0) * (e(1, 1) * e(2, 2) - e(1, 2) * e(2, 1))
            - e(0, 1) * (e(1, 0) * e(2, 2) - e(1, 2) * e(2, 0))
            + e(0, 2) * (e(1, 0) * e(2, 1) - e(1, 1) * e(2, 0))
    };
    let gcd = |mut a: i128, mut b: i128| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a.abs()
    };
    let mut found = Vec::new();
    for height in 1..=HEIGHT {
        for x in -height..=height {
            for y in -height..=height {
                for z in -height..=height {
                    let p = [x, y, z];
                    let first = p.iter().find(|c| **c != 0).copied().unwrap_or(0);
                    let new = p.iter().any(|c| c.abs() == height) && first > 0;
                    if new && gcd(gcd(x, y), z) == 1 && value(p) == 0 {
                        found.push(p);
                        if found.len() == MAX_POINTS {
                            return found;
                        }
                    }
                }
            }
        }
    }
    found
}

/// The point in whole numbers without a common divisor, the first of them positive; `None` when it is zero or long.
fn primitive(p: &Vector) -> Option<Vector> {
    let mut lcm = Integer::one();
    for x in p {
        let d = x.denominator();
        lcm = &lcm / &integer_gcd(&lcm, &d) * &d;
    }
    let whole = scaled(p, &Rational::from(lcm));
    let mut gcd = Integer::zero();
    for x in &whole {
        gcd = integer_gcd(&gcd, &x.numerator());
    }
    let first = whole.iter().find(|x| !x.is_zero())?;
    let sign = if *first < Rational::zero() { -1 } else { 1 };
    let by = &Rational::from(gcd).recip()? * &Rational::from(sign);
    let point = scaled(&whole, &by);
    let short = point.iter().all(|x| x.bits() <= MAX_POINT_BITS);
    short.then_some(point)
}

/// Where the line through two points meets the cubic again, or the tangent where they are one.
fn third(slices: &[Matrix; 3], p: &Vector, q: &Vector) -> Option<Vector> {
    let value = |x: &Vector| det(&combined(slices, x));
    let along = |v: &Vector, t: i64| [0, 1, 2].map(|i| &p[i] + &(&v[i] * &Rational::from(t)));
    if p != q {
        let (plus, minus) = (value(&along(q, 1)), value(&along(q, -1)));
        let (alpha, beta) = (&plus - &minus, &plus + &minus);
        return primitive(&[0, 1, 2].map(|i| &beta * &p[i] - &alpha * &q[i]));
    }
    // The derivative along a unit vector e, F(p) = 0: (F(p + e) - F(p - e)) / 2 - F(e).
    let slope = |i: usize| {
        let unit = [0, 1, 2].map(|j| Rational::from(i64::from(i == j)));
        let odd = value(&along(&unit, 1)) - value(&along(&unit, -1));
        &odd - &(&value(&unit) * &Rational::from(2))
    };
    let gradient = [0, 1, 2].map(slope);
    let tangent = cross(&gradient, p);
    // F(u p + v t) = v^2 (a u + b v).
    let (plus, minus) = (value(&along(&tangent, 1)), value(&along(&tangent, -1)));
    let (a, b) = (&plus + &minus, &plus - &minus);
    primitive(&[0, 1, 2].map(|i| &b * &p[i] - &a * &tangent[i]))
}

/// Few points make more, by chords and tangents.
fn multiplied(slices: &[Matrix; 3], points: &mut Vec<Vector>) {
    for _ in 0..3 {
        let known = points.len();
        for (i, j) in (0..known).flat_map(|i| (0..=i).map(move |j| (i, j))) {
            if points.len() >= MAX_POINTS {
                return;
            }
            if let Some(point) = third(slices, &points[i], &points[j])
                && !points.contains(&point)
            {
                points.push(point);
            }
        }
    }
}

/// The three terms of the pencil through two points, and two more; vectors of the mode first.
fn from_line(slices: &[Matrix; 3], p: &Vector, q: &Vector) -> Option<Vec<[Vector; 3]>> {
    let (at_p, at_q) = (combined(slices, p), combined(slices, q));
    // det(u P + v Q) = u v (alpha u + beta v).
    let plus = det(&combined(slices, &[0, 1, 2].map(|i| &p[i] + &q[i])));
    let minus = det(&combined(slices, &[0, 1, 2].map(|i| &p[i] - &q[i])));
    let (alpha, beta) = (&plus - &minus, &plus + &minus);
    if alpha.is_zero() || beta.is_zero() {
        return None;
    }
    let third = [0, 1, 2].map(|i| &beta * &p[i] - &alpha * &q[i]);
    let singular = [at_p.clone(), at_q.clone(), combined(slices, &third)];
    let kernels = |of: &dyn Fn(&Matrix) -> Matrix| -> Option<Matrix> {
        let three: Option<Vec<Vector>> = singular.iter().map(|m| kernel(&of(m))).collect();
        <[Vector; 3]>::try_from(three?).ok()
    };
    let (right, left) = (kernels(&Clone::clone)?, kernels(&transposed)?);
    let (c, b) = (dual(&right)?, dual(&left)?);
    // A third direction outside of the line, which completes a basis of the mode.
    let normal = cross(p, q);
    let basis = [p.clone(), q.clone(), normal.clone()];
    let back = dual(&basis)?;
    let outside = combined(slices, &normal);
    let weight = |m: &Matrix, r: usize| dot(&left[r], &times(m, &right[r]));
    for (s, t) in [
        (0, 0),
        (1, 0),
        (0, 1),
        (-1, 0),
        (0, -1),
        (1, 1),
        (1, -1),
        (-1, 1),
        (2, 1),
    ] {
        let chosen = [Rational::from(s), Rational::from(t)];
        let rest = less(&outside, &chosen[0], &b[0], &c[0]);
        let rest = less(&rest, &chosen[1], &b[1], &c[1]);
        let slope = det(&less(&rest, &Rational::one(), &b[2], &c[2])) - det(&rest);
        let Some(inverse) = slope.recip() else {
            continue;
        };
        let last = -(det(&rest) * inverse);
        let rest = less(&rest, &last, &b[2], &c[2]);
        let multiples = [chosen[0].clone(), chosen[1].clone(), last];
        let mut terms = Vec::new();
        // Values on the basis, and back to coordinates.
        let vector = |on: Vector| {
            [0, 1, 2].map(|i| (0..3).fold(Rational::zero(), |x, k| x + &on[k] * &back[k][i]))
        };
        for r in 0..3 {
            let on = [weight(&at_p, r), weight(&at_q, r), multiples[r].clone()];
            terms.push([vector(on), b[r].clone(), c[r].clone()]);
        }
        let Some(more) = two_terms(&rest) else {
            continue;
        };
        for (u, v) in more {
            let on = [Rational::zero(), Rational::zero(), Rational::one()];
            terms.push([vector(on), u, v]);
        }
        return Some(terms);
    }
    None
}

/// Columns of five terms for each mode, entries of `target` with the first index fastest; `None` where no line through two
/// small points serves.
pub(super) fn five_terms(target: &[Rational]) -> Option<[Vec<Vec<Rational>>; 3]> {
    if target.len() != 27 {
        return None;
    }
    for mode in 0..3 {
        let others = [(mode + 1) % 3, (mode + 2) % 3];
        let strides = [1, 3, 9];
        let entry = |k: usize, i: usize, j: usize| {
            target[k * strides[mode] + i * strides[others[0]] + j * strides[others[1]]].clone()
        };
        let slices = [0, 1, 2].map(|k| [0, 1, 2].map(|i| [0, 1, 2].map(|j| entry(k, i, j))));
        let Some(whole) = machine(&slices) else {
            continue;
        };
        let mut points: Vec<Vector> = points(&whole)
            .into_iter()
            .map(|p| p.map(|c| Rational::from(c as i64)))
            .collect();
        multiplied(&slices, &mut points);
        let pairs = (1..points.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        for (i, j) in pairs.take(MAX_LINES) {
            let Some(terms) = from_line(&slices, &points[j], &points[i]) else {
                continue;
            };
            let mut columns: [Vec<Vec<Rational>>; 3] = Default::default();
            for term in terms {
                for (k, vector) in [mode, others[0], others[1]].into_iter().zip(term) {
                    columns[k].push(vector.to_vec());
                }
            }
            if exact_residual([3, 3, 3], target, &columns).is_zero() {
                return Some(columns);
            }
        }
    }
    None
}
