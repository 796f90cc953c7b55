//! Moments do not depend on the order, the split or the threads: bit for bit.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use wickring::Error;
use wickring::stats::Moments;

fn rows(n: usize, d: usize, seed: u64) -> Vec<f64> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || -> f64 { StandardNormal.sample(&mut *rng) };
    (0..n * d)
        .map(|i| 1e3 * (i % d) as f64 + draw() + draw().powi(2))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn any_split_and_order_gives_the_same_bits(
        seed: u64,
        n in 3usize..9000,
        cuts in proptest::collection::vec(0usize..9000, 0..5),
        backwards: bool,
        third: bool,
    ) {
        let d = 3;
        let data = rows(n, d, seed);
        let mut whole = Moments::new(d, third).unwrap();
        whole.add(0, &data).unwrap();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c % n).collect();
        cuts.extend([0, n]);
        cuts.sort_unstable();
        let mut parts: Vec<Moments> = cuts
            .windows(2)
            .map(|w| {
                let mut part = Moments::new(d, third).unwrap();
                part.add(w[0] as u64, &data[w[0] * d..w[1] * d]).unwrap();
                Moments::from_bytes(&part.to_bytes()).unwrap()
            })
            .collect();
        if backwards {
            parts.reverse();
        }
        let mut merged = Moments::new(d, third).unwrap();
        parts.iter().for_each(|p| merged.merge(p).unwrap());
        prop_assert_eq!(&merged, &whole);
        prop_assert_eq!(merged.summary().unwrap(), whole.summary().unwrap());
    }
}

#[test]
fn moments_agree_with_their_definition() {
    let (n, d) = (5000, 3);
    let data = rows(n, d, 1);
    let mut m = Moments::new(d, true).unwrap();
    m.add(0, &data).unwrap();
    let s = m.summary().unwrap();
    let mean = |a: usize| data.iter().skip(a).step_by(d).sum::<f64>() / n as f64;
    let centred = |i: usize, a: usize| data[i * d + a] - mean(a);
    let means: Vec<f64> = (0..d).map(mean).collect();
    assert!((0..d).all(|a| (s.mean()[a] - means[a]).abs() < 1e-9));
    let cov: f64 = (0..n).map(|i| centred(i, 0) * centred(i, 2)).sum::<f64>() / (n - 1) as f64;
    assert!((s.covariance()[(0, 2)] - cov).abs() < 1e-9);
    let nf = n as f64;
    let third: f64 = (0..n)
        .map(|i| centred(i, 0) * centred(i, 1) * centred(i, 1))
        .sum();
    let third = third * nf / ((nf - 1.0) * (nf - 2.0));
    let found = *s.third_cumulants().unwrap().view().get(&[1, 0, 1]).unwrap();
    assert!(
        (found - third).abs() < 1e-8 * third.abs().max(1.0),
        "{found} {third}"
    );
}

#[test]
fn the_same_row_twice_is_refused() {
    let data = rows(5000, 2, 3);
    let mut a = Moments::new(2, false).unwrap();
    a.add(0, &data).unwrap();
    let mut b = Moments::new(2, false).unwrap();
    b.add(4999, &data[..2]).unwrap();
    assert!(matches!(
        a.add(4999, &data[..2]),
        Err(Error::InvalidInput { .. })
    ));
    assert!(matches!(a.merge(&b), Err(Error::InvalidInput { .. })));
    assert!(matches!(
        a.add(9000, &[f64::NAN, 0.0]),
        Err(Error::NonFinite { .. })
    ));
    assert!(matches!(
        a.merge(&Moments::new(3, false).unwrap()),
        Err(Error::Shape { .. })
    ));
}
