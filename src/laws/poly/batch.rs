//! Laws of evaluation at many points: floats and complex numbers within their bounds, intervals that contain
//! every exact value.

use crate::Error;
use crate::laws::broken::{Broken, check, within};
use crate::laws::bytes::Bytes;
use crate::poly::{Compiled, ComplexRational, Coordinate, Interval, Poly, Rational};
use num_complex::Complex;

type P = Poly<Rational>;

/// A polynomial whose exponents leave gaps, in at most four variables.
pub fn gappy_poly(bytes: &mut Bytes<'_>) -> P {
    let nvars = 1 + bytes.below(4);
    let degree = [2, 3, 7, 40][bytes.below(4)];
    let terms = (0..bytes.below(24)).map(|_| {
        let e: Vec<u32> = (0..nvars).map(|_| bytes.below(degree) as u32).collect();
        let c = Rational::new(bytes.small(), 1 + bytes.small().abs()).unwrap_or_default();
        (e, c)
    });
    Poly::from_terms(terms.collect::<Vec<_>>())
}

/// Columns of the first `n` coordinates of points.
fn columns<C: Copy>(points: &[Vec<C>], n: usize) -> Vec<Vec<C>> {
    let column = |v: usize| points.iter().map(|x| x[v]).collect();
    (0..n).map(column).collect()
}

/// Values of some polynomials: one list a polynomial.
fn values<C: Coordinate>(all: &[Poly<C>], points: &[Vec<C>]) -> Result<Vec<Vec<C>>, Error> {
    let program = Compiled::new(all)?;
    let columns = columns(points, program.nvars());
    program.eval_batch(&columns.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn done<T>(law: &'static str, result: Result<T, Error>) -> Result<T, Broken> {
    result.map_err(|e| Broken {
        law,
        measured: 1.0,
        allowed: 0.0,
        case: e.to_string(),
    })
}

fn exact(x: f64) -> Rational {
    Rational::from_f64(x).unwrap_or_default()
}

/// The documented bound of rounding, in units of `eps sum |c| |x^e|`; the coefficients are rounded as well.
fn roundings(p: &P) -> f64 {
    (2 * (p.total_degree() + p.len() as u64) + 2) as f64
}

/// `sum |c| |x^e|`.
fn size(p: &P, x: impl Iterator<Item = f64>) -> f64 {
    let float = p.map(|c| c.abs().to_f64());
    float.eval(&x.map(f64::abs).collect::<Vec<_>>())
}

/// Value, gradient and Hessian are within their bounds of the exact ones.
///
/// # Errors
/// [`Broken`] with the error and the bound.
pub fn derivatives_are_close(p: &P, points: &[Vec<f64>]) -> Result<(), Broken> {
    let law = "poly_batch::derivatives_are_close";
    let n = p.nvars();
    let float = p.map(Rational::to_f64);
    let program = done(law, Compiled::with_derivatives(&float))?;
    let columns = columns(points, program.nvars());
    let found = program.eval_batch(&columns.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let found = done(law, found)?;
    let mut all = vec![p.clone()];
    all.extend((0..n).map(|i| p.derivative(i)));
    for i in 0..n {
        all.extend((i..n).map(|j| p.derivative(i).derivative(j)));
    }
    check(law, all.len() == found.len(), || format!("{p:?}"))?;
    for (q, values) in all.iter().zip(&found) {
        for (x, &value) in points.iter().zip(values) {
            let at: Vec<Rational> = x.iter().map(|&c| exact(c)).collect();
            let error = (&q.eval(&at) - &exact(value)).to_f64().abs();
            // The factors that differentiation brings are rounded too.
            let allowed = (roundings(q) + 2.0) * f64::EPSILON * size(q, x.iter().copied());
            within(law, error, allowed)?;
        }
    }
    Ok(())
}

/// The polynomial `p + i q` at complex points is within its bound of the exact value.
///
/// # Errors
/// [`Broken`] with the error and the bound.
pub fn complex_is_close(p: &P, q: &P, points: &[Vec<Complex<f64>>]) -> Result<(), Broken> {
    let law = "poly_batch::complex_is_close";
    let whole = |p: &P| p.map(|c| ComplexRational::from(c.clone()));
    let sum = &whole(p) + &whole(q).scale(&ComplexRational::i());
    let float = sum.map(|c| Complex::new(c.re.to_f64(), c.im.to_f64()));
    let found = done(law, values(&[float.clone(), float], points))?;
    for (k, x) in points.iter().enumerate() {
        let part = |c: &Complex<f64>| ComplexRational {
            re: exact(c.re),
            im: exact(c.im),
        };
        let value = sum.eval(&x.iter().map(part).collect::<Vec<_>>());
        let sizes = x.iter().map(|c| c.re.abs() + c.im.abs());
        // |re| + |im| of a product is at most the product of those.
        let size = size(p, sizes.clone()) + size(q, sizes);
        let allowed = 4.0 * (roundings(p) + roundings(q)) * f64::EPSILON * size;
        let found = [found[0][k], found[1][k]];
        check(law, found[0] == found[1], || format!("{sum:?}"))?;
        within(
            law,
            (&value.re - &exact(found[0].re)).to_f64().abs(),
            allowed,
        )?;
        within(
            law,
            (&value.im - &exact(found[0].im)).to_f64().abs(),
            allowed,
        )?;
    }
    Ok(())
}

/// Boxes, as pairs of ends for each variable.
pub type Boxes = Vec<Vec<(f64, f64)>>;

/// The interval of a box contains the exact values at its corners and its middle.
///
/// # Errors
/// [`Broken`] with the box and the point.
pub fn intervals_enclose(p: &P, boxes: &Boxes) -> Result<(), Broken> {
    let law = "poly_batch::intervals_enclose";
    let case = |b: &[(f64, f64)]| format!("{p:?} on {b:?}");
    let interval = |&(a, b): &(f64, f64)| Interval::new(a.min(b), a.max(b));
    let sides = |b: &Vec<(f64, f64)>| b.iter().map(interval).collect::<Result<Vec<_>, _>>();
    let points = done(law, boxes.iter().map(sides).collect::<Result<Vec<_>, _>>())?;
    let found = done(law, values(&[p.map(Interval::of)], &points))?;
    for (b, range) in boxes.iter().zip(&found[0]) {
        // Which end of each variable: all corners of the first four variables, and the middle.
        for corner in 0..=1 << b.len().min(4) {
            let pick = |(v, &(x, y)): (usize, &(f64, f64))| match corner >> v & 1 {
                _ if corner == 1 << b.len().min(4) => x / 2.0 + y / 2.0,
                0 => x,
                _ => y,
            };
            let at: Vec<Rational> = b.iter().enumerate().map(pick).map(exact).collect();
            let value = p.eval(&at);
            let below = range.low() == f64::NEG_INFINITY || exact(range.low()) <= value;
            let above = range.high() == f64::INFINITY || value <= exact(range.high());
            check(law, below && above, || case(b))?;
        }
    }
    Ok(())
}

/// Intervals around single points are as narrow as rounding allows: they would enclose anything otherwise.
///
/// # Errors
/// [`Broken`] with the width and the bound.
pub fn points_give_narrow_intervals(p: &P, points: &[Vec<f64>]) -> Result<(), Broken> {
    let law = "poly_batch::points_give_narrow_intervals";
    let single = |x: &f64| Interval::new(*x, *x);
    let list = |x: &Vec<f64>| x.iter().map(single).collect::<Result<Vec<_>, _>>();
    let boxes = done(law, points.iter().map(list).collect::<Result<Vec<_>, _>>())?;
    let found = done(law, values(&[p.map(Interval::of)], &boxes))?;
    for (x, range) in points.iter().zip(&found[0]) {
        // Every operation moves both ends by at most two units where nearest rounding errs by half a unit.
        let allowed = 8.0 * roundings(p) * f64::EPSILON * size(p, x.iter().copied());
        within(law, range.high() - range.low(), allowed)?;
    }
    Ok(())
}

/// Enclosures from arbitrary bytes, with coordinates as nasty as floats can be.
///
/// # Errors
/// [`Broken`] with the law.
pub fn fuzz_poly_batch(data: &[u8]) -> Result<(), Broken> {
    let mut bytes = Bytes::new(data);
    let p = gappy_poly(&mut bytes);
    let side = |b: &mut Bytes<'_>| {
        let x = b.finite();
        (x, if b.byte() & 1 == 0 { x } else { b.finite() })
    };
    let boxes: Boxes = (0..4)
        .map(|_| (0..4).map(|_| side(&mut bytes)).collect())
        .collect();
    intervals_enclose(&p, &boxes)
}
