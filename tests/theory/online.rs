//! Online learning: the published integrator, closed solutions, symmetries, refusals.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use faer::Mat;
use wickring::poly::{Poly, Vars};
use wickring::run::unobserved;
use wickring::theory::{
    Committee, Covariances, Lesson, Moment, OnlineSgd, Stepping, StudentActivation, Trajectory,
};
use wickring::{Error, Status};

fn polynomial(text: &str) -> Result<StudentActivation, Error> {
    StudentActivation::polynomial(&Poly::parse(text, &mut Vars::new())?)
}

fn lesson<'a>(
    law: &'a Covariances,
    student: &'a Committee,
    teacher: &'a Committee,
    times: &'a [f64],
) -> Lesson<'a> {
    Lesson {
        law,
        student,
        teacher,
        times,
    }
}

/// The problem of the fixture: weights by formula, so that nothing but the trajectory is stored.
fn fixture() -> Result<(Covariances, Committee, Committee), Error> {
    let (n, d) = (12usize, 4usize);
    let rho = |i: usize| 0.1 + 0.15 * i as f64 + 0.02 * (i * i) as f64;
    let omega = Mat::from_fn(n, n, |i, j| if i == j { rho(i) } else { 0.0 });
    let phi = Mat::from_fn(n, d, |i, j| {
        0.3 * rho(i).sqrt() * (2.0 + (i * i) as f64 + 5.0 * j as f64).sin()
    });
    let w = Mat::from_fn(2, n, |k, i| {
        1.5 * (1.0 + 3.0 * k as f64 + 7.0 * i as f64).sin()
    });
    let b = Mat::from_fn(2, d, |m, j| {
        1.3 * (2.0 + 5.0 * m as f64 + 3.0 * j as f64).cos()
    });
    Ok((
        Covariances::new(omega, phi)?,
        Committee::new(w, vec![0.7, -0.4])?,
        Committee::new(b, vec![1.0, 1.0])?,
    ))
}

/// The order parameters in the column order of the public program: error, Q, R, v.
fn columns(m: &Moment) -> [f64; 10] {
    let (q, r, v) = (&m.q, &m.r, &m.second);
    [
        m.error, q[0], q[1], q[3], r[0], r[1], r[2], r[3], v[0], v[1],
    ]
}

/// Golden data: tests/fixtures/published_ode.txt tells how it was made.
#[test]
fn euler_equals_the_published_integrator() -> Result<(), Box<dyn std::error::Error>> {
    let text = include_str!("../fixtures/published_ode.txt");
    let rows: Vec<Vec<f64>> = text
        .lines()
        .filter(|l| !l.starts_with('#'))
        .map(|l| l.split_whitespace().map(str::parse).collect())
        .collect::<Result<_, _>>()?;
    let (law, student, teacher) = fixture()?;
    let times: Vec<f64> = rows.iter().map(|r| r[0]).collect();
    assert!(times.len() > 30);
    let sgd = OnlineSgd::new(StudentActivation::erf(), 0.5);
    let curve =
        |sgd: OnlineSgd| sgd.predict(&lesson(&law, &student, &teacher, &times), &mut unobserved);
    let euler = curve(sgd.clone().method(Stepping::Euler(0.01)))?.converged()?;
    let mut worst = 0.0f64;
    for (row, moment) in rows.iter().zip(&euler.moments) {
        for (found, expected) in columns(moment).iter().zip(&row[1..]) {
            worst = worst.max((found - expected).abs() / expected.abs().max(1e-3));
        }
    }
    // Same method, same step: what is left is rounding, amplified along forty units of time.
    assert!(worst <= 1e-9, "{worst:e}");
    // The adaptive method equals the limit of small steps.
    let adaptive = curve(sgd.clone())?.converged()?;
    let fine = curve(sgd.method(Stepping::RungeKutta4(0.002)))?.converged()?;
    assert!(gap(&adaptive, &fine) <= 1e-6, "{:e}", gap(&adaptive, &fine));
    Ok(())
}

/// Greatest difference of order parameters, relative to their size.
fn gap(a: &Trajectory, b: &Trajectory) -> f64 {
    let mut worst = if a.moments.len() == b.moments.len() {
        0.0f64
    } else {
        f64::INFINITY
    };
    for (a, b) in a.moments.iter().zip(&b.moments) {
        for (a, b) in a.parts().iter().zip(b.parts()) {
            for (x, y) in a.iter().zip(b) {
                worst = worst.max((x - y).abs() / x.abs().max(0.1));
            }
        }
        worst = worst.max((a.error - b.error).abs() / a.error.abs().max(0.1));
    }
    worst
}

/// Two identical units stay identical, where the published form divides by zero, and are one unit with
/// twice the output weight, half the first and twice the second learning rate.
#[test]
fn identical_units_are_one_unit() -> Result<(), Error> {
    let (law, student, teacher) = fixture()?;
    // Half the weights: the cubic student stays bounded.
    let row = |units: usize| Mat::from_fn(units, 12, |_, i| 0.5 * student.first()[(0, i)]);
    let two = Committee::new(row(2), vec![0.7, 0.7])?;
    let one = Committee::new(row(1), vec![1.4])?;
    let times = [0.0, 0.5, 3.0, 20.0];
    for (neuron, rate) in [
        (StudentActivation::erf(), 0.5),
        (polynomial("x^3 - 3*x")?, 0.002),
    ] {
        let fine = Stepping::Adaptive(1e-11);
        let many = OnlineSgd::new(neuron.clone(), rate).method(fine);
        let single = OnlineSgd::new(neuron, rate / 2.0)
            .rate_second(2.0 * rate)
            .method(fine);
        let many = many
            .predict(&lesson(&law, &two, &teacher, &times), &mut unobserved)?
            .converged()?;
        let single = single
            .predict(&lesson(&law, &one, &teacher, &times), &mut unobserved)?
            .converged()?;
        for (m, s) in many.moments.iter().zip(&single.moments) {
            // Sums of the same terms in another order: rounding only.
            let same = |x: f64, y: f64| (x - y).abs() <= 1e-12 * x.abs().max(1.0);
            assert!(m.q.iter().all(|q| same(*q, m.q[0])), "{:?}", m.q);
            assert!(same(m.second[0], m.second[1]));
            let pairs = [
                (m.error, s.error),
                (m.q[0], s.q[0]),
                (m.r[0], s.r[0]),
                (2.0 * m.second[0], s.second[0]),
            ];
            for (a, b) in pairs {
                assert!(
                    (a - b).abs() <= 1e-9 * a.abs().max(1.0),
                    "{a} {b} at {}",
                    m.time
                );
            }
        }
    }
    Ok(())
}

/// A linear student with fixed output weights obeys linear equations: the matrix exponential solves them.
///
/// State per mode `(q_kl, r_km)` and a constant; coupling between modes through the error in the noise.
#[test]
fn linear_students_follow_the_matrix_exponential() -> Result<(), Error> {
    let (law, student, teacher) = fixture()?;
    let (n, d, lr) = (12usize, 4.0f64, 0.3);
    let delta = d / n as f64;
    let rho: Vec<f64> = (0..n).map(|i| law.omega()[(i, i)]).collect();
    let image = teacher.first() * law.phi().transpose();
    let (v, a) = (student.second(), teacher.second());
    let q = |k: usize, l: usize, t: usize| (k * 2 + l) * n + t;
    let r = |k: usize, m: usize, t: usize| 4 * n + (k * 2 + m) * n + t;
    let size = 8 * n + 1;
    let mut generator = Mat::<f64>::zeros(size, size);
    let tt: f64 = (0..2)
        .flat_map(|i| (0..2).map(move |j| (i, j)))
        .map(|(i, j)| {
            a[i] * a[j] * (teacher.first().row(i) * teacher.first().row(j).transpose()) / d
        })
        .sum();
    for t in 0..n {
        for k in 0..2 {
            for m in 0..2 {
                for j in 0..2 {
                    generator[(r(k, m, t), r(j, m, t))] -= lr * v[k] * rho[t] * v[j];
                    let teachers = a[j] * image[(j, t)] * image[(m, t)];
                    generator[(r(k, m, t), size - 1)] += lr * v[k] * teachers / delta.sqrt();
                }
            }
            for l in 0..2 {
                for j in 0..2 {
                    generator[(q(k, l, t), q(j, l, t))] -= lr * v[k] * rho[t] * v[j];
                    generator[(q(k, l, t), q(k, j, t))] -= lr * v[l] * rho[t] * v[j];
                    generator[(q(k, l, t), r(l, j, t))] += lr * v[k] * a[j] / delta.sqrt();
                    generator[(q(k, l, t), r(k, j, t))] += lr * v[l] * a[j] / delta.sqrt();
                }
                // lr^2 rho v v E e^2, the error being v Q v - 2 v R A + A T A.
                let noise = lr * lr * rho[t] * v[k] * v[l];
                generator[(q(k, l, t), size - 1)] += noise * tt;
                for s in 0..n {
                    for i in 0..2 {
                        for j in 0..2 {
                            generator[(q(k, l, t), q(i, j, s))] +=
                                noise * v[i] * v[j] * rho[s] / n as f64;
                            let cross = 2.0 * v[i] * a[j] / (n as f64 * delta.sqrt());
                            generator[(q(k, l, t), r(i, j, s))] -= noise * cross;
                        }
                    }
                }
            }
        }
    }
    let w = student.first();
    let mut state = Mat::<f64>::zeros(size, 1);
    state[(size - 1, 0)] = 1.0;
    for t in 0..n {
        for i in 0..2 {
            for j in 0..2 {
                state[(q(i, j, t), 0)] = w[(i, t)] * w[(j, t)];
                state[(r(i, j, t), 0)] = w[(i, t)] * image[(j, t)];
            }
        }
    }
    // exp(5 A) by scaling with 2^-10 and a Taylor series: the remainder is far below rounding.
    let small = faer::Scale(5.0 / 1024.0) * &generator;
    let (mut exponential, mut term) = (
        Mat::<f64>::identity(size, size),
        Mat::<f64>::identity(size, size),
    );
    for k in 1..=18 {
        term = faer::Scale(1.0 / f64::from(k)) * (&term * &small);
        exponential += &term;
    }
    for _ in 0..10 {
        exponential = &exponential * &exponential;
    }
    let end = &exponential * &state;
    let sgd = OnlineSgd::new(StudentActivation::linear(), lr)
        .rate_second(0.0)
        .method(Stepping::Adaptive(1e-12));
    let curve = sgd
        .predict(
            &lesson(&law, &student, &teacher, &[0.0, 5.0]),
            &mut unobserved,
        )?
        .converged()?;
    let last = &curve.moments[1];
    for k in 0..2 {
        for l in 0..2 {
            let big_q = (0..n).map(|t| rho[t] * end[(q(k, l, t), 0)]).sum::<f64>() / n as f64;
            let big_r =
                (0..n).map(|t| end[(r(k, l, t), 0)]).sum::<f64>() / (n as f64 * delta.sqrt());
            assert!(
                (last.q[k * 2 + l] - big_q).abs() < 1e-9,
                "{} {big_q}",
                last.q[k * 2 + l]
            );
            assert!(
                (last.r[k * 2 + l] - big_r).abs() < 1e-9,
                "{} {big_r}",
                last.r[k * 2 + l]
            );
        }
    }
    // The polynomial x goes through derived averages and must do the same.
    let x = OnlineSgd::new(polynomial("x")?, lr)
        .rate_second(0.0)
        .method(Stepping::Adaptive(1e-12));
    let derived = x
        .predict(
            &lesson(&law, &student, &teacher, &[0.0, 5.0]),
            &mut unobserved,
        )?
        .converged()?;
    assert!(gap(&curve, &derived) < 1e-11);
    Ok(())
}

/// Exchanging units and turning the sign of a unit (an odd activation) changes nothing that is observed.
#[test]
fn units_may_be_exchanged_and_turned() -> Result<(), Error> {
    let (law, student, teacher) = fixture()?;
    let w = student.first();
    let turned = Committee::new(
        Mat::from_fn(2, 12, |k, i| if k == 0 { w[(1, i)] } else { -w[(0, i)] }),
        vec![-0.4, -0.7],
    )?;
    let sgd = OnlineSgd::new(StudentActivation::erf(), 0.5);
    let times = [0.0, 1.0, 10.0];
    let a = sgd
        .predict(&lesson(&law, &student, &teacher, &times), &mut unobserved)?
        .converged()?;
    let b = sgd
        .predict(&lesson(&law, &turned, &teacher, &times), &mut unobserved)?
        .converged()?;
    for (a, b) in a.moments.iter().zip(&b.moments) {
        assert!((a.error - b.error).abs() < 1e-9 && a.error >= 0.0);
        assert!((a.q[0] - b.q[3]).abs() < 1e-7 && (a.q[1] + b.q[1]).abs() < 1e-7);
        assert!((a.r[0] + b.r[2]).abs() < 1e-7 && (a.r[3] - b.r[1]).abs() < 1e-7);
    }
    Ok(())
}

#[test]
fn what_cannot_be_predicted_is_refused_or_marked() -> Result<(), Error> {
    let (law, student, teacher) = fixture()?;
    let run = |sgd: &OnlineSgd, times: &[f64]| {
        sgd.predict(&lesson(&law, &student, &teacher, times), &mut unobserved)
    };
    let erf = OnlineSgd::new(StudentActivation::erf(), 0.5);
    for (sgd, times) in [
        (OnlineSgd::new(StudentActivation::erf(), -1.0), vec![0.0]),
        (
            OnlineSgd::new(StudentActivation::erf(), f64::NAN),
            vec![0.0],
        ),
        (erf.clone().bin_width(2.0), vec![0.0]),
        (erf.clone().method(Stepping::Euler(0.0)), vec![0.0]),
        (erf.clone(), vec![2.0, 1.0]),
        (erf.clone(), vec![]),
    ] {
        assert!(
            matches!(run(&sgd, &times), Err(Error::InvalidInput { .. })),
            "{times:?}"
        );
    }
    let swapped = erf.predict(&lesson(&law, &teacher, &student, &[0.0]), &mut unobserved);
    assert!(matches!(swapped, Err(Error::Shape { .. })));
    // A cubic student at this rate runs away: the part before is there, and marked.
    let cubic = OnlineSgd::new(polynomial("x^3")?, 0.5);
    let fit = run(&cubic, &[0.0, 1e-6, 50.0])?;
    assert_eq!(fit.status, Status::Stalled);
    assert!(fit.model.moments.len() == 2);
    let fit = run(&erf.clone().max_steps(3), &[0.0, 50.0])?;
    assert_eq!(fit.status, Status::IterationLimit);
    let two = |x: f64| Covariances::new(faer::mat![[1.0, x], [x, 1.0]], faer::mat![[0.5], [0.5]]);
    let (w, b) = (
        Committee::new(faer::mat![[1.0, 2.0]], vec![1.0])?,
        Committee::new(faer::mat![[1.0]], vec![1.0])?,
    );
    let fit = erf.predict(&lesson(&two(3.0)?, &w, &b, &[1.0]), &mut unobserved);
    assert!(
        matches!(fit, Err(Error::Degenerate { .. })),
        "an indefinite covariance"
    );
    assert!(
        two(f64::NAN).is_err() && Committee::new(faer::mat![[f64::INFINITY]], vec![1.0]).is_err()
    );
    assert!(StudentActivation::polynomial(&Poly::parse("x*y", &mut Vars::new())?).is_err());
    assert!(polynomial("3").is_err() && polynomial("x^40").is_err());
    Ok(())
}
