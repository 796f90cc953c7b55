//! Quadratic maps learned in passes over rows that lie in several places.
#![allow(clippy::unwrap_used)]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wickring::laws::learn::quadratic_maps::random_quadratic_map;
use wickring::learn::{AllRows, Noise, Pass, PassSums, Quadratic, add_noise, statistical_floor};
use wickring::run::{Observer, unobserved};
use wickring::tensor::QuadraticMap;
use wickring::{Error, Status};

/// Rows cut at the given numbers; answers are added from the back, as bytes.
struct Places<'a> {
    rows: &'a [f64],
    columns: usize,
    cuts: Vec<usize>,
}

impl AllRows for Places<'_> {
    fn pass(&self, pass: &Pass, _: Observer<'_>) -> Result<PassSums, Error> {
        let there = Pass::from_text(&pass.to_text())?;
        let mut sums: Option<PassSums> = None;
        for ends in self.cuts.windows(2).rev() {
            let (from, to) = (ends[0], ends[1]);
            let learned = pass.learning_rows(0, from as u64);
            let rows = &self.rows[from * self.columns..to * self.columns];
            let part = there.of_rows(from as u64, learned, rows)?.to_bytes();
            let part = PassSums::from_bytes(&part)?;
            sums = Some(match sums {
                None => part,
                Some(mut all) => {
                    all.merge(&part)?;
                    all
                }
            });
        }
        sums.ok_or_else(|| Error::invalid("Places", "no rows"))
    }
}

fn learned(
    learner: Quadratic,
    rows: &[f64],
    columns: usize,
    cuts: &[usize],
) -> Result<wickring::fit::Fit<QuadraticMap>, Error> {
    let n = rows.len() / columns;
    let cuts = [&[0], cuts, &[n]].concat();
    let places = Places {
        rows,
        columns,
        cuts,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    learner.learn_all(&places, columns, &mut rng, &mut unobserved)
}

#[test]
fn every_split_gives_the_same_map_with_the_error_of_all_rows() {
    for (general, d) in [(false, 7), (true, 10)] {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let hidden = random_quadratic_map(d, 3, general, &mut rng).unwrap();
        let n = 40_000;
        let rows = hidden.sample(n, &mut rng);
        let learner = Quadratic::new().general(general).panel(2000);
        let one = learned(learner, &rows, d, &[]).unwrap();
        assert_eq!(one.status, Status::Converged, "{:?}", one.evidence);
        // Of so many rows as the panel holds the error would be four to five times the floor of all.
        let error = one.model.distance(&hidden).unwrap();
        let floor = statistical_floor(&hidden, n);
        assert!(error < 2.5 * floor, "{error:e} against {floor:e}");
        for cuts in [&[20_480][..], &[1, 2, 777, 2048, 30_001]] {
            let other = learned(learner, &rows, d, cuts).unwrap();
            assert_eq!(
                (&other.model, other.history),
                (&one.model, one.history.clone())
            );
        }
    }
}

#[test]
fn a_panel_of_all_rows_gives_what_learn_gives() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let hidden = random_quadratic_map(6, 3, false, &mut rng).unwrap();
    let rows = hidden.sample(3000, &mut rng);
    let here = wickring::io::samples::Samples::from_rows(6, rows.clone()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let one = Quadratic::new()
        .learn(&here, &mut rng, &mut unobserved)
        .unwrap();
    let other = learned(Quadratic::new(), &rows, 6, &[1000]).unwrap();
    assert_eq!((one.model, one.status), (other.model, other.status));
}

#[test]
fn what_the_panel_does_not_hold_is_noticed_all_the_same() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let hidden = random_quadratic_map(6, 3, false, &mut rng).unwrap();
    let mut rows = hidden.sample(20_000, &mut rng);
    let learner = Quadratic::new().panel(1000);
    assert_eq!(
        learned(learner, &rows, 6, &[9000]).unwrap().status,
        Status::Converged
    );
    // One row of 20000 off by a thousandth, at places of which a panel holds one in twenty.
    for at in [17, 5003, 19_999] {
        rows[at * 6 + 2] += 1e-3;
        let fit = learned(learner, &rows, 6, &[9000]).unwrap();
        assert_ne!(fit.status, Status::Converged, "row {at}");
        assert!(fit.evidence.fails("quadratic.share-off-variety"));
        rows[at * 6 + 2] -= 1e-3;
    }
}

#[test]
fn noise_is_allowed_for_and_other_laws_are_refused() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let hidden = random_quadratic_map(9, 3, false, &mut rng).unwrap();
    let mut rows = hidden.sample(20_000, &mut rng);
    let spread = |a: usize| {
        let column = rows.chunks_exact(9).map(|row| row[a]);
        let mean = column.clone().sum::<f64>() / 20_000.0;
        (column.map(|z| (z - mean).powi(2)).sum::<f64>() / 20_000.0).sqrt()
    };
    let noise: Vec<f64> = (0..9).map(|a| 0.05 * spread(a)).collect();
    add_noise(&mut rows, &noise, &mut rng);
    let learner = Quadratic::new().panel(4000);
    let refused = learned(learner, &rows, 9, &[9000]);
    assert!(refused.is_ok_and(|fit| fit.status != Status::Converged));
    let known = learner.noise(Noise::Known(0.05));
    let fit = learned(known, &rows, 9, &[9000]).unwrap();
    assert_eq!(fit.status, Status::Converged, "{:?}", fit.evidence);
    assert!(fit.model.distance(&hidden).unwrap() < 0.1);

    let uniform: Vec<f64> = (0..6 * 20_000)
        .map(|k: u64| (k.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1u64 << 53) as f64)
        .collect();
    assert!(
        !learned(learner, &uniform, 6, &[9000]).is_ok_and(|fit| fit.status == Status::Converged)
    );
}

#[test]
fn texts_and_answers_that_fit_nothing_are_refused() {
    struct Odd(usize);
    impl AllRows for Odd {
        fn pass(&self, pass: &Pass, _: Observer<'_>) -> Result<PassSums, Error> {
            let panel = pass.to_text().contains("panel");
            match self.0 {
                0 => Ok(PassSums::Variety { rows: 1, off: 0 }),
                1 if panel => pass.of_rows(0, 0, &[1.0; 18_000]),
                // A shard that was numbered from a wrong place.
                1 => pass.of_rows(0, 77, &[1.0; 12_000]),
                _ => Err(Error::Stopped { op: "Odd" }),
            }
        }
    }
    for kind in 0..3 {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let learner = Quadratic::new().panel(1000);
        assert!(
            learner
                .learn_all(&Odd(kind), 6, &mut rng, &mut unobserved)
                .is_err()
        );
    }
    let good = r#"{"panel":{"columns":3,"most":10}}"#;
    assert!(Pass::from_text(good).is_ok());
    let bad = [
        "",
        "{}",
        r#"{"panel":{"columns":0,"most":10}}"#,
        r#"{"panel":{"columns":3,"most":10,"more":1}}"#,
        r#"{"third":{"columns":2,"active":[0,5],"scale":[1,1],"mean":[0,0],"down":[1,0],"held_out_below":9,"exact":1e-6}}"#,
        r#"{"third":{"columns":2,"active":[1,0],"scale":[1,1],"mean":[0,0],"down":[1,0],"held_out_below":9,"exact":1e-6}}"#,
        r#"{"variety":{"rows":{"columns":1,"active":[0],"scale":[1],"mean":[0],"down":[1],"held_out_below":9,"exact":1e-6},"rank":18446744073709551615,"linear":true,"map":[1,0],"up":[1]}}"#,
        r#"{"variety":{"rows":{"columns":1,"active":[0],"scale":[1],"mean":[0],"down":[1],"held_out_below":9,"exact":1e-6},"rank":2,"linear":false,"map":[1,0,0,0],"up":[1]}}"#,
        r#"{"third":{"columns":2,"active":[0],"scale":[1,1],"mean":[0],"down":[1],"held_out_below":9,"exact":1e-6}}"#,
    ];
    for text in bad {
        assert!(Pass::from_text(text).is_err(), "{text}");
    }
    assert!(PassSums::from_bytes(b"WKVAR\x00\x00\x01").is_err());
    assert!(
        Quadratic::new()
            .panel(5)
            .learn_all(
                &Odd(0),
                6,
                &mut ChaCha8Rng::seed_from_u64(1),
                &mut unobserved
            )
            .is_err()
    );
}
