//! One trait that every learner implements, so that the suite, the command line and other languages drive them all
//! alike. A new learner adds one line here.

use super::mixture::{
    AutoMixture, AutoModel, Diffusion, Em, EmModel, InMemory, MaskedEm, MaskedModel, MomentMethod,
    MomentModel, ScoreModel,
};
use super::polynomial::{LearnedPolynomial, Polynomial};
use super::relu::{Learned, ReluLearner};
use super::two_layer::{LearnedTwoLayer, TwoLayerLearner};
use super::{Dictionary, FewOutputs, Quadratic, RadialMap, RadialQuadratic};
use crate::Error;
use crate::fit::Fit;
use crate::io::samples::Samples;
use crate::run::Run;
use crate::tensor::{Factor, QuadraticMap};
use faer::MatRef;

/// Rows of inputs and their targets.
///
/// # Example
/// ```
/// use wickring::learn::relu::ReluLearner;
/// use wickring::learn::{Labelled, Learn};
/// use wickring::planted::relu::{Story, draw};
/// use wickring::run::Run;
/// let mut run = Run::seeded(1);
/// let truth = Story::Separated.plant(3, 1, run.parts().0)?;
/// let (x, y) = draw(&truth, 200, 0.0, run.parts().0)?;
/// let data = Labelled { inputs: x.as_ref(), targets: &y };
/// let learned = ReluLearner::new().fit(&data, &mut run)?.converged()?;
/// assert_eq!(learned.network.neurons().len(), 1);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Labelled<'a> {
    /// One input a row.
    pub inputs: MatRef<'a, f64>,
    /// The target of each row.
    pub targets: &'a [f64],
}

/// A learner: samples of type `D` in, a model and evidence out.
///
/// # Example
/// ```
/// use wickring::io::samples::Samples;
/// use wickring::laws::learn::quadratic_maps::random_quadratic_map;
/// use wickring::learn::{Learn, Quadratic};
/// use wickring::run::Run;
///
/// let mut run = Run::seeded(7);
/// let hidden = random_quadratic_map(6, 3, false, run.parts().0)?;
/// let samples = Samples::from_rows(6, hidden.sample(20_000, run.parts().0))?;
/// let model = Quadratic::new().fit(&samples, &mut run)?.converged()?;
/// assert!(model.distance(&hidden)? < 0.1);
/// # Ok::<(), wickring::Error>(())
/// ```
pub trait Learn<D: ?Sized> {
    /// The model that it learns.
    type Model;

    /// Learns from `data`, drawing from and watched by `run`.
    ///
    /// # Errors
    /// Those of the learner's own verb.
    fn fit(&self, data: &D, run: &mut Run<'_>) -> Result<Fit<Self::Model>, Error>;
}

/// Registers a learner: its type, its data, its model, and the call.
macro_rules! registered {
    ($learner:ty, $data:ty, $model:ty, |$me:ident, $d:ident, $rng:ident, $watch:ident| $call:expr) => {
        impl Learn<$data> for $learner {
            type Model = $model;

            fn fit(&self, data: &$data, run: &mut Run<'_>) -> Result<Fit<$model>, Error> {
                let ($me, $d) = (self, data);
                #[allow(unused_mut, unused_variables)]
                let ($rng, mut $watch) = run.parts();
                $call
            }
        }
    };
}

registered!(Quadratic, Samples, QuadraticMap, |m, d, rng, watch| m
    .learn(d, rng, &mut watch));
registered!(FewOutputs, Samples, QuadraticMap, |m, d, rng, watch| m
    .learn(d, rng, &mut watch));
registered!(RadialQuadratic, Samples, RadialMap, |m, d, rng, watch| m
    .learn(d, rng, &mut watch));
registered!(
    Polynomial,
    Samples,
    LearnedPolynomial,
    |m, d, rng, watch| m.learn(d, rng, &mut watch)
);
registered!(ReluLearner, Labelled<'_>, Learned, |m, d, rng, watch| m
    .learn_observed(d.inputs, d.targets, rng, &mut watch));
registered!(
    TwoLayerLearner,
    Labelled<'_>,
    LearnedTwoLayer,
    |m, d, rng, watch| m.learn_observed(d.inputs, d.targets, rng, &mut watch)
);
registered!(Dictionary, MatRef<'_, f64>, Factor, |m, d, rng, watch| m
    .learn(*d, rng));
registered!(
    AutoMixture,
    MatRef<'_, f64>,
    AutoModel,
    |m, d, rng, watch| m.learn_observed(*d, rng, &mut watch)
);
registered!(
    MaskedEm,
    MatRef<'_, f64>,
    MaskedModel,
    |m, d, rng, watch| m.learn_observed(*d, rng, &mut watch)
);
registered!(Em, MatRef<'_, f64>, EmModel, |m, d, rng, watch| m
    .learn_observed(*d, rng, &mut watch));
registered!(
    MomentMethod,
    MatRef<'_, f64>,
    MomentModel,
    |m, d, rng, watch| m.learn_observed(*d, rng, &mut watch)
);
registered!(
    Diffusion,
    MatRef<'_, f64>,
    ScoreModel,
    |m, d, rng, watch| {
        let dim = d.ncols();
        let rows: Vec<f64> = (0..d.nrows() * dim)
            .map(|i| d[(i / dim, i % dim)])
            .collect();
        m.learn_from(&mut InMemory { rows: &rows, dim }, rng, &mut watch)
    }
);
