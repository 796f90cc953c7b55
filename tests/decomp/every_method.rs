//! Laws that hold for every registered decomposition, driven through the trait alone.
#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;
use wickring::decomp::{
    Constraint, Cp, CpConstrained, CpLoss, CpNonnegative, Decompose, EntryLoss, ExactCp,
    Overcomplete, RingAls, RingAuto, RingNls, RingSampledAls, RingSvd, TtSvd, Tucker, Waring,
};
use wickring::run::{Progress, Run};
use wickring::tensor::{Tensor, TensorView};
use wickring::{Error, Status};

/// Whole numbers of rank one, symmetric: every method can represent it.
fn cube() -> Tensor {
    Tensor::from_fn(&[3, 3, 3], |i| i.iter().map(|&k| (k + 1) as f64).product()).unwrap()
}

fn laws<M: for<'a> Decompose<TensorView<'a>>>(name: &str, method: &M) {
    let t = cube();
    let run = |seed| {
        method
            .fit(&t.view(), &mut Run::seeded(seed))
            .map_err(|e| format!("{name}: {e}"))
    };
    let fit = run(1).unwrap();
    assert!(
        fit.evidence.rel_residual <= 1e-6,
        "{name}: {}",
        fit.evidence.rel_residual
    );
    assert_eq!(
        fit.history,
        run(1).unwrap().history,
        "{name}: same seed, same run"
    );
    let keys: Vec<_> = fit.evidence.checks.iter().map(|c| c.key).collect();
    assert!(keys.iter().all(|k| k.contains('.')), "{name}: {keys:?}");
    let failed = fit.evidence.first_failure().is_some();
    assert!(!(failed && fit.status == Status::Converged), "{name}");

    let mut bad = t.clone();
    bad.as_mut_slice()[5] = f64::NAN;
    let refused = method.fit(&bad.view(), &mut Run::seeded(1)).map(|_| ());
    assert!(
        matches!(refused, Err(Error::NonFinite { index: 5, .. })),
        "{name}: {refused:?}"
    );

    // A wish to stop from the first step ends in the best so far, or in nothing, never in a converged guess
    // that the same method would not have reached at once.
    let mut stop = |_: &Progress| ControlFlow::Break(());
    match method.fit(&t.view(), &mut Run::seeded(1).observed(&mut stop)) {
        Ok(fit) => assert!(
            fit.status == Status::Stopped || fit.evidence.rel_residual <= 1e-6,
            "{name}"
        ),
        Err(e) => assert!(matches!(e, Error::Stopped { .. }), "{name}: {e}"),
    }
}

#[test]
fn every_method_keeps_the_laws() {
    laws("cp", &Cp::new(1));
    laws("cp nonnegative", &CpNonnegative::new(1));
    let unimodal = CpConstrained::new(1).constrain(1, Constraint::Unimodal);
    laws("cp constrained", &unimodal);
    laws("cp poisson", &CpLoss::new(1, EntryLoss::Poisson));
    laws("cp gamma", &CpLoss::new(1, EntryLoss::Gamma));
    laws("cp huber", &CpLoss::new(1, EntryLoss::Huber(2.0)));
    laws("tucker", &Tucker::new(&[1, 1, 1]));
    laws("tucker within", &Tucker::within(1e-9));
    laws("waring", &Waring::new(1));
    laws("overcomplete", &Overcomplete::new(1));
    laws("exact", &ExactCp::new(1));
    laws("ring", &RingAuto::new(&[1, 1, 1]));
    laws("ring als", &RingAls::new(&[1, 1, 1]));
    laws("ring nls", &RingNls::new(&[1, 1, 1]));
    laws("ring sampled", &RingSampledAls::new(&[1, 1, 1]));
    laws("ring svd", &RingSvd::new(&[1, 1, 1]));
    laws("train", &TtSvd::new(1e-9));
    laws("train of ranks", &TtSvd::with_ranks(&[1]));
}
