//! Laws of tensor rings and trains as models: what every ring satisfies, whatever found it.

use crate::Error;
use crate::laws::broken::{Broken, check, within};
use crate::laws::bytes::Bytes;
use crate::tensor::{Scalar, Tensor, TensorRing, TensorTrain};
use faer::Mat;
use num_complex::Complex;

const EPS: f64 = f64::EPSILON;

/// A ring from bytes: 1 to 4 modes of size 1 to 4, ranks 1 to 3, entries of moderate size.
///
/// # Errors
/// Never for the sizes generated; the constructor's errors are passed on.
pub fn ring_from_bytes<T: Scalar>(bytes: &mut Bytes<'_>) -> Result<TensorRing<T>, Error> {
    let dims = Vec::from_iter((0..1 + bytes.below(4)).map(|_| 0));
    let dims: Vec<usize> = dims.iter().map(|_: &usize| 1 + bytes.below(4)).collect();
    like(bytes, &dims)
}

/// A ring of a given shape from bytes.
///
/// # Errors
/// As [`ring_from_bytes`].
pub fn like<T: Scalar>(bytes: &mut Bytes<'_>, dims: &[usize]) -> Result<TensorRing<T>, Error> {
    let ranks: Vec<usize> = dims.iter().map(|_| 1 + bytes.below(3)).collect();
    let mut cores = Vec::new();
    for (k, &n) in dims.iter().enumerate() {
        let shape = [ranks[k], n, ranks[(k + 1) % ranks.len()]];
        cores.push(Tensor::from_fn(&shape, |_| {
            let re = bytes.small() as f64 / 4.0;
            let im = bytes.small() as f64 / 8.0;
            T::from_complex(Complex::new(re, im))
        })?);
    }
    TensorRing::new(cores)
}

/// The product of the Frobenius norms of the cores: the scale of all rounding errors of a ring.
pub fn scale<T: Scalar>(ring: &TensorRing<T>) -> f64 {
    let norm = |g: &Tensor<T>| g.as_slice().iter().map(|x| x.squared()).sum::<f64>().sqrt();
    ring.cores().iter().map(norm).product()
}

/// Rounding allowed for `steps` chained operations on tensors of a scale.
fn slack<T: Scalar>(ring: &TensorRing<T>, steps: f64) -> f64 {
    let r = ring.ranks().into_iter().max().unwrap_or(1) as f64;
    // Each chained product of r terms loses at most r eps; complex products cost a factor of 4.
    16.0 * EPS * r * steps * ring.order() as f64 * scale(ring) + 1e-300
}

/// The definition, written out: the sum over all values of all bonds.
pub fn entry_by_definition<T: Scalar>(ring: &TensorRing<T>, index: &[usize]) -> T {
    let ranks = ring.ranks();
    let paths: usize = ranks.iter().product();
    let mut total = T::zero();
    for path in 0..paths {
        let (mut rest, mut bond) = (path, Vec::with_capacity(ranks.len()));
        for &r in &ranks {
            bond.push(rest % r);
            rest /= r;
        }
        let mut term = T::one();
        for (k, &i) in index.iter().enumerate() {
            let next = bond[(k + 1) % bond.len()];
            let value = ring.cores()[k].view().get(&[bond[k], i, next]).copied();
            term *= value.unwrap_or(T::zero());
        }
        total += term;
    }
    total
}

fn gap<T: Scalar>(x: &Tensor<T>, y: &Tensor<T>) -> f64 {
    if x.dims() != y.dims() {
        return f64::INFINITY;
    }
    let pairs = x.as_slice().iter().zip(y.as_slice());
    pairs.map(|(&a, &b)| (a - b).squared()).sum::<f64>().sqrt()
}

fn failed(law: &'static str) -> impl Fn(Error) -> Broken {
    move |e| Broken {
        law,
        measured: f64::NAN,
        allowed: 0.0,
        case: e.to_string(),
    }
}

/// Entries, restrictions and the dense tensor all equal the definition.
///
/// # Errors
/// [`Broken`].
pub fn evaluation_equals_definition<T: Scalar>(ring: &TensorRing<T>) -> Result<(), Broken> {
    let law = "ring_models::evaluation_equals_definition";
    let allowed = slack(ring, 4.0);
    let dense = ring.to_dense().map_err(failed(law))?;
    let slow = Tensor::from_fn(&ring.dims(), |i| entry_by_definition(ring, i));
    let slow = slow.map_err(failed(law))?;
    within(law, gap(&dense, &slow), allowed)?;
    let fast = Tensor::from_fn(&ring.dims(), |i| {
        ring.entry(i).unwrap_or(T::from_real(f64::NAN))
    });
    within(law, gap(&fast.map_err(failed(law))?, &slow), allowed)?;
    // Fix mode 0 at its last index.
    let last = ring.dims()[0] - 1;
    let mut fixed = vec![None; ring.order()];
    fixed[0] = Some(last);
    let part = ring.restrict(&fixed).map_err(failed(law))?;
    let expected = Tensor::from_fn(&ring.dims()[1..], |i| {
        let mut full = vec![last];
        full.extend_from_slice(i);
        entry_by_definition(ring, &full)
    });
    within(law, gap(&part, &expected.map_err(failed(law))?), allowed)?;
    let outside = ring.entry(&ring.dims()).is_none();
    check(law, outside, || "an index out of range has no entry".into())
}

/// Sum, multiple, entrywise product, inner product and norm agree with those of the dense tensors.
///
/// # Errors
/// [`Broken`].
pub fn arithmetic_equals_dense<T: Scalar>(
    x: &TensorRing<T>,
    y: &TensorRing<T>,
) -> Result<(), Broken> {
    let law = "ring_models::arithmetic_equals_dense";
    let fail = failed(law);
    let (dx, dy) = (x.to_dense().map_err(&fail)?, y.to_dense().map_err(&fail)?);
    let pairs = || dx.as_slice().iter().zip(dy.as_slice());
    let tensor = |v: Vec<T>| Tensor::from_vec(&x.dims(), v).map_err(failed(law));
    let entries = (dx.as_slice().len() as f64).sqrt();
    let both = slack(x, 8.0) + slack(y, 8.0);
    let sum = x.add(y).and_then(|s| s.to_dense()).map_err(&fail)?;
    let expected = tensor(pairs().map(|(&a, &b)| a + b).collect())?;
    within(law, gap(&sum, &expected), 2.0 * both)?;
    let product = x.hadamard(y).and_then(|s| s.to_dense()).map_err(&fail)?;
    let expected = tensor(pairs().map(|(&a, &b)| a * b).collect())?;
    let cross = 32.0 * (slack(x, 4.0) * scale(y) + slack(y, 4.0) * scale(x));
    within(law, gap(&product, &expected), cross)?;
    let inner = x.inner(y).map_err(&fail)?;
    let expected: T = pairs().map(|(&a, &b)| a.conjugate() * b).sum();
    within(law, (inner - expected).squared().sqrt(), cross * entries)?;
    let distance = x.distance(y).map_err(&fail)?;
    within(law, (distance - gap(&dx, &dy)).abs(), both)?;
    let square: f64 = dx.as_slice().iter().map(|a| a.squared()).sum();
    let norm_gap = (x.norm().powi(2) - square).abs();
    within(law, norm_gap, 64.0 * slack(x, 4.0) * scale(x) * entries)
}

/// A gauge move keeps the tensor, turning a ring turns it, and balancing keeps it.
///
/// # Errors
/// [`Broken`].
pub fn gauge_keeps_the_tensor<T: Scalar>(
    ring: &TensorRing<T>,
    bytes: &mut Bytes<'_>,
) -> Result<(), Broken> {
    let law = "ring_models::gauge_keeps_the_tensor";
    let fail = failed(law);
    // Diagonally dominant, so that every condition number is below 9: entries 0..1/4 off the diagonal of
    // at most 3 x 3, between 1 and 1.5 on it.
    let mut gauges = Vec::new();
    for r in ring.ranks() {
        gauges.push(Mat::from_fn(r, r, |i, j| {
            let x = f64::from(bytes.byte()) / 1024.0;
            T::from_real(if i == j { 1.0 + 2.0 * x } else { x })
        }));
    }
    let dense = ring.to_dense().map_err(&fail)?;
    let allowed = 81.0 * slack(ring, 8.0) * 9f64.powi(ring.order() as i32);
    let moved = ring.gauged(&gauges).and_then(|g| g.to_dense());
    within(law, gap(&moved.map_err(&fail)?, &dense), allowed)?;
    let balanced = ring.balanced().to_dense().map_err(&fail)?;
    within(law, gap(&balanced, &dense), slack(ring, 8.0))?;
    let turned = ring.rotated(1).to_dense().map_err(&fail)?;
    let m = ring.order();
    let expected = Tensor::from_fn(turned.dims(), |i| {
        let original: Vec<usize> = (0..m).map(|k| i[(k + m - 1) % m]).collect();
        let value = dense.view().get(&original).copied();
        value.unwrap_or(T::from_real(f64::NAN))
    });
    within(
        law,
        gap(&turned, &expected.map_err(&fail)?),
        slack(ring, 8.0),
    )
}

/// Rounding keeps its promise and never lengthens; a ring and its train are the same tensor; a train's norm
/// is that of its dense tensor.
///
/// # Errors
/// [`Broken`].
pub fn rounding_keeps_its_promise<T: Scalar>(
    ring: &TensorRing<T>,
    tolerance: f64,
) -> Result<(), Broken> {
    let law = "ring_models::rounding_keeps_its_promise";
    let fail = failed(law);
    let dense = ring.to_dense().map_err(&fail)?;
    let size = ring.norm();
    let floor = 64.0 * slack(ring, 16.0);
    let short = ring.round(tolerance).map_err(&fail)?;
    let moved = gap(&short.to_dense().map_err(&fail)?, &dense);
    within(law, moved, tolerance * size + floor)?;
    let shorter = short.ranks().iter().zip(ring.ranks()).all(|(a, b)| *a <= b);
    check(law, shorter, || {
        format!("ranks {:?} from {:?}", short.ranks(), ring.ranks())
    })?;
    let train = TensorTrain::from_ring(ring).map_err(&fail)?;
    within(law, gap(&train.to_dense().map_err(&fail)?, &dense), floor)?;
    let norm = train.norm().map_err(&fail)?;
    let exact: f64 = dense.as_slice().iter().map(|x| x.squared()).sum::<f64>();
    within(law, (norm - exact.sqrt()).abs(), floor)?;
    let short = train.round(tolerance).map_err(&fail)?;
    let moved = gap(&short.to_dense().map_err(&fail)?, &dense);
    within(law, moved, tolerance * norm + floor)?;
    let twice = train.add(&train.scaled(-T::one())).map_err(&fail)?;
    within(law, twice.norm().map_err(&fail)?, floor)
}

/// Where a canonical gauge exists it is a gauge, and its cores are isometric from the left.
///
/// # Errors
/// [`Broken`].
pub fn canonical_form_is_a_gauge<T: Scalar>(ring: &TensorRing<T>) -> Result<(), Broken> {
    let law = "ring_models::canonical_form_is_a_gauge";
    let fail = failed(law);
    let Ok(canonical) = ring.canonical() else {
        return Ok(());
    };
    // Fixed points with a ratio of 1e-13 are accepted, so their square roots may cost 1e6.5 of accuracy.
    let allowed = 1e7 * slack(ring, 8.0);
    let dense = ring.to_dense().map_err(&fail)?;
    let moved = gap(&canonical.to_dense().map_err(&fail)?, &dense);
    within(law, moved, allowed)?;
    for g in canonical.cores() {
        let m = g.view().as_matrix(2);
        let gram = T::adjoint_product(m, m);
        let c = gram[(0, 0)];
        let size = c.squared().sqrt();
        for (i, j) in (0..gram.nrows()).flat_map(|i| (0..=i).map(move |j| (i, j))) {
            let expected = if i == j { c } else { T::zero() };
            let off = (gram[(i, j)] - expected).squared().sqrt();
            within(law, off, 1e-5 * size + 1e-300)?;
        }
    }
    Ok(())
}

/// The fuzz body: all laws of the models on rings read from bytes, real and complex.
///
/// # Panics
/// If a law is broken; that is how a fuzzer is told.
pub fn fuzz_ring_models(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let tolerance = f64::from(bytes.byte()) / 512.0;
    let result = if bytes.byte().is_multiple_of(2) {
        all_laws::<f64>(&mut bytes, tolerance)
    } else {
        all_laws::<Complex<f64>>(&mut bytes, tolerance)
    };
    assert_eq!(result, Ok(()));
}

/// Every law of this module on rings read from bytes.
///
/// # Errors
/// [`Broken`].
pub fn all_laws<T: Scalar>(bytes: &mut Bytes<'_>, tolerance: f64) -> Result<(), Broken> {
    let fail = failed("ring_models::all_laws");
    let x = ring_from_bytes::<T>(bytes).map_err(&fail)?;
    let y = like::<T>(bytes, &x.dims()).map_err(&fail)?;
    evaluation_equals_definition(&x)?;
    arithmetic_equals_dense(&x, &y)?;
    gauge_keeps_the_tensor(&x, bytes)?;
    rounding_keeps_its_promise(&x, tolerance)?;
    canonical_form_is_a_gauge(&x)
}
