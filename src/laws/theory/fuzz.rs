//! Fuzz body of the theory: any small covariances, networks and options, accepted or refused, never believed
//! without evidence.

use super::averages::prox_is_minimal;
use crate::fit::Fit;
use crate::laws::broken::{Broken, check};
use crate::laws::bytes::Bytes;
use crate::poly::gaussian::Activation;
use crate::poly::{Poly, Vars};
use crate::run::unobserved;
use crate::theory::batch::{
    BatchLearner, BatchPoint, BatchSimulation, Hinge, Labels, Logistic, MarginLearner, MarginLoss,
    SquareLoss, SquaredHinge, Task, ridge,
};
use crate::theory::{
    Committee, Covariances, GaussianSource, Generator, Layer, Lesson, OnlineSgd, PairedSamples,
    SgdSimulation, Source, Stepping, StudentActivation,
};
use crate::{Error, Status};
use faer::Mat;

const LAW: &str = "theory::fuzz_theory";
const LOSSES: [&dyn MarginLoss; 4] = [&Logistic, &Hinge, &SquaredHinge, &SquareLoss];

/// Bytes as a problem: where it is accepted, results are finite and their evidence holds; nothing panics.
///
/// # Errors
/// [`Broken`] when something is called converged against its own evidence.
pub fn fuzz_theory(data: &[u8]) -> Result<(), Broken> {
    let mut bytes = Bytes::new(data);
    prox(&mut bytes)?;
    let inputs = match bytes.below(3) {
        0 => given(&mut bytes),
        1 => generated(&mut bytes),
        _ => sampled(&mut bytes),
    };
    let Ok((law, source)) = inputs else {
        return Ok(());
    };
    online(&law, source.as_ref(), &mut bytes)?;
    batch(&law, source.as_ref(), &mut bytes)
}

type Inputs = (Covariances, Box<dyn Source>);

fn matrix(rows: usize, columns: usize, bytes: &mut Bytes<'_>) -> Mat<f64> {
    Mat::from_fn(rows, columns, |_, _| bytes.finite())
}

/// Covariances as they come, made semidefinite for half of the inputs.
fn given(bytes: &mut Bytes<'_>) -> Result<Inputs, Error> {
    let (n, d) = (1 + bytes.below(4), 1 + bytes.below(3));
    let phi = matrix(n, d, bytes);
    let root = matrix(n, n, bytes);
    let omega = if bytes.byte().is_multiple_of(2) {
        &root * root.transpose() + &phi * phi.transpose()
    } else {
        root
    };
    let law = Covariances::new(omega, phi)?;
    let source = GaussianSource::new(&law)?;
    Ok((law, Box::new(source)))
}

fn generated(bytes: &mut Bytes<'_>) -> Result<Inputs, Error> {
    let names = ["relu", "abs", "sign", "step", "erf", "tanh", "sigmoid"];
    let mut below = 1 + bytes.below(3);
    let layers = (0..1 + bytes.below(2)).map(|_| {
        let name = bytes.below(names.len() + 1);
        let activation = match names.get(name).and_then(|n| Activation::from_name(n)) {
            Some(known) => known,
            None => Activation::Polynomial((0..4).map(|_| bytes.finite()).collect()),
        };
        let above = 1 + bytes.below(4);
        let weights = matrix(above, below, bytes);
        below = above;
        Layer {
            weights,
            activation,
        }
    });
    let generator = Generator::new(layers.collect())?;
    Ok((generator.law()?.covariances, Box::new(generator)))
}

fn sampled(bytes: &mut Bytes<'_>) -> Result<Inputs, Error> {
    let (n, d, p) = (1 + bytes.below(3), 1 + bytes.below(3), 1 + bytes.below(20));
    let (c, x) = (matrix(d, p, bytes), matrix(n, p, bytes));
    let source = PairedSamples::new(c, x)?;
    Ok((source.covariances()?, Box::new(source)))
}

fn prox(bytes: &mut Bytes<'_>) -> Result<(), Broken> {
    let loss = LOSSES[bytes.below(LOSSES.len())];
    // The domain that the law promises: steps of 1e-8 to 1e12.
    let v = 10f64.powi(bytes.below(21) as i32 - 8);
    prox_is_minimal(loss, bytes.finite().clamp(-1e12, 1e12), v)
}

fn online(law: &Covariances, source: &dyn Source, bytes: &mut Bytes<'_>) -> Result<(), Broken> {
    let neuron = match bytes.below(4) {
        0 => Ok(StudentActivation::erf()),
        1 => Ok(StudentActivation::linear()),
        kind => {
            let text = ["x^3 - 3*x", "1/2*x^2 + x"][kind - 2];
            Poly::parse(text, &mut Vars::new()).and_then(|p| StudentActivation::polynomial(&p))
        }
    };
    let (k, m) = (1 + bytes.below(3), 1 + bytes.below(2));
    let mut network = |units: usize, dim: usize| {
        let second = (0..units).map(|_| bytes.finite()).collect();
        Committee::new(matrix(units, dim, bytes), second)
    };
    let networks = (network(k, law.inputs()), network(m, law.latents()));
    let (Ok(neuron), (Ok(student), Ok(teacher))) = (neuron, networks) else {
        return Ok(());
    };
    let times = [0.0, bytes.finite().abs().min(20.0)];
    let lesson = Lesson {
        law,
        student: &student,
        teacher: &teacher,
        times: &times,
    };
    let method = match bytes.below(3) {
        0 => Stepping::Euler(0.5),
        1 => Stepping::RungeKutta4(0.5),
        _ => Stepping::Adaptive(1e-6),
    };
    let sgd = OnlineSgd::new(neuron, bytes.any_float())
        .rate_second(bytes.finite())
        .label_noise(bytes.finite())
        .method(method)
        .max_steps(200);
    if let Ok(fit) = sgd.predict(&lesson, &mut unobserved) {
        let converged = fit.status == Status::Converged;
        check(LAW, !converged || fit.evidence.holds(), || {
            format!("{:?}", fit.evidence)
        })?;
        let moments = &fit.model.moments;
        let finite = moments.iter().all(|m| m.error.is_finite());
        check(LAW, !converged || finite && moments.len() == 2, || {
            format!("{moments:?}")
        })?;
    }
    let plan = SgdSimulation {
        runs: 1,
        seed: 0,
        test_samples: 2,
    };
    // An error is an answer; only a panic is not.
    let _ = sgd.simulate(&lesson, source, plan, &mut unobserved);
    Ok(())
}

fn batch(law: &Covariances, source: &dyn Source, bytes: &mut Bytes<'_>) -> Result<(), Broken> {
    let theta: Vec<f64> = (0..law.latents()).map(|_| bytes.finite()).collect();
    let Ok(task) = Task::on_latents(law, &theta) else {
        return Ok(());
    };
    let alpha = 10f64.powi(bytes.below(9) as i32 - 4);
    let lambda = 10f64.powi(bytes.below(19) as i32 - 12);
    let loss = LOSSES[bytes.below(LOSSES.len())];
    let labels = match bytes.below(2) {
        0 => Labels::Signs,
        _ => Labels::Values(bytes.any_float()),
    };
    if let Ok(fit) = ridge(&task, labels, alpha, lambda) {
        believed(&fit)?;
    }
    let learner = MarginLearner::new(loss).max_iterations(60);
    if let Ok(fit) = learner.predict(&task, alpha, lambda) {
        believed(&fit)?;
    }
    let simulation = BatchSimulation {
        source,
        law,
        teacher: &theta,
        sets: 1,
        seed: 0,
        test_samples: 3,
    };
    let _ = simulation.run(BatchLearner::Margin(loss), 3, lambda, 0);
    let _ = simulation.run(BatchLearner::Ridge(labels), 3, lambda, 1);
    Ok(())
}

/// What is called converged is finite and has its evidence.
fn believed(fit: &Fit<BatchPoint>) -> Result<(), Broken> {
    let p = &fit.model;
    let finite = [p.v, p.q, p.m, p.error, p.train]
        .iter()
        .all(|x| x.is_finite());
    let holds = finite && fit.evidence.holds() && p.q >= 0.0 && p.v >= 0.0;
    check(LAW, fit.status != Status::Converged || holds, || {
        format!("{p:?} {:?}", fit.evidence)
    })
}
