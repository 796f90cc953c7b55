//! Evaluation at many points against exact evaluation.
#![allow(clippy::unwrap_used)]

use num_complex::Complex;
use proptest::prelude::*;
use wickring::Error;
use wickring::laws::Broken;
use wickring::laws::bytes::Bytes;
use wickring::laws::poly::batch as laws;
use wickring::poly::{Compiled, Interval, Poly, Rational, Vars};

fn holds(law: Result<(), Broken>) -> Result<(), TestCaseError> {
    law.map_err(|b| TestCaseError::fail(b.to_string()))
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..500)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn floats_and_their_derivatives_are_within_their_bounds(data in bytes()) {
        let mut b = Bytes::new(&data);
        let p = laws::gappy_poly(&mut b);
        let point = |b: &mut Bytes<'_>| (0..4).map(|_| f64::from(b.byte()) / 97.0 - 1.3).collect();
        let points: Vec<Vec<f64>> = (0..9).map(|_| point(&mut b)).collect();
        holds(laws::derivatives_are_close(&p, &points))?;
        holds(laws::points_give_narrow_intervals(&p, &points))?;
    }

    #[test]
    fn complex_values_are_within_their_bound(data in bytes()) {
        let mut b = Bytes::new(&data);
        let (p, q) = (laws::gappy_poly(&mut b), laws::gappy_poly(&mut b));
        let mut part = || f64::from(b.byte()) / 111.0 - 1.1;
        let mut points = Vec::new();
        for _ in 0..7 {
            points.push((0..4).map(|_| Complex::new(part(), part())).collect());
        }
        holds(laws::complex_is_close(&p, &q, &points))?;
    }

    #[test]
    fn intervals_contain_the_exact_values(data in bytes()) {
        holds(laws::fuzz_poly_batch(&data))?;
    }
}

/// The same bits in a pool of any size, for points that fill no whole number of blocks.
#[test]
fn threads_do_not_change_a_bit() {
    let p = Poly::<Rational>::parse("(x - y/3 + 2*z + 1)^9 + x^40*z", &mut Vars::new()).unwrap();
    let column = |s: f64| -> Vec<f64> { (0..10_007).map(|i| (i as f64 * s).sin()).collect() };
    let columns = [column(0.1), column(0.37), column(0.73)];
    let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let program = Compiled::with_derivatives(&p.map(Rational::to_f64)).unwrap();
    let complex = Compiled::new(&[p.map(|c| Complex::new(c.to_f64(), -0.5))]).unwrap();
    let points = columns.each_ref().map(|c| {
        c.iter()
            .map(|&x| Complex::new(x, 1.0 - x))
            .collect::<Vec<_>>()
    });
    let points: Vec<&[Complex<f64>]> = points.iter().map(Vec::as_slice).collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let real = program.eval_batch(&slices).unwrap().concat();
            let complex = complex.eval_batch(&points).unwrap().concat();
            let parts = complex.iter().flat_map(|c| [c.re, c.im]);
            real.into_iter()
                .chain(parts)
                .map(f64::to_bits)
                .collect::<Vec<u64>>()
        })
    };
    let one = run(1);
    assert_eq!(one, run(3));
    assert_eq!(one.len(), 10_007 * (program.outputs() + 2));
}

#[test]
fn exponents_may_be_anything() {
    let p = Poly::from_terms([
        (vec![u32::MAX, 1 << 31], 3.0),
        (vec![1, 0], 2.0),
        (vec![0, 77_777], 1.0),
    ]);
    let program = Compiled::new(&[p, Poly::zero(), Poly::constant(7.0)]).unwrap();
    let values = program
        .eval_batch(&[&[1.0, -1.0, 0.5], &[-1.0, 1.0, 2.0]])
        .unwrap();
    assert_eq!(values[0][..2], [3.0 + 2.0 - 1.0, -3.0 - 2.0 + 1.0]);
    // 0.5^(2^32 - 1) is 0 and 2^(2^31) infinite: what comes of that is not a number.
    assert!(values[0][2].is_nan());
    assert_eq!(values[1..], [vec![0.0; 3], vec![7.0; 3]]);
}

#[test]
fn intervals_that_overflow_are_the_whole_line() {
    let p = Poly::<Rational>::parse("x^2 - y^2 + 1", &mut Vars::new()).unwrap();
    let program = Compiled::new(&[p.map(Interval::of)]).unwrap();
    let big = Interval::new(-1e200, 1e200).unwrap();
    let unit = Interval::new(-1.0, 1.0).unwrap();
    let values = program.eval_batch(&[&[big, unit], &[unit, unit]]).unwrap();
    assert_eq!(values[0][0], Interval::WHOLE);
    // Squares are not negative: nothing is lost here but rounding.
    let range = values[0][1];
    assert!(range.contains(0.0) && range.contains(2.0));
    // A step of a program moves an end by two units at most, and there are three.
    let slack = 8.0 * f64::EPSILON;
    assert!(range.low() > -slack && range.high() < 2.0 + 2.0 * slack);
    let bad = [Interval::WHOLE];
    assert!(matches!(
        program.eval_batch(&[&bad, &bad]),
        Err(Error::NonFinite { index: 0, .. })
    ));
}
