//! Decompositions: an array in, a dictionary with the model and what was measured out.

use crate::arrays::{array, factors, fit, from_tensor, tensor, view};
use crate::error::OrRaise;
use crate::observe::watched;
use num_complex::Complex;
use numpy::{
    Element, PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArrayDyn,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::ops::ControlFlow;
use wickring::Error;
use wickring::decomp::{
    Cp, CpMasked, CpMethod, CpNonnegative, Decompose, Overcomplete, RankTable, RingAuto,
    RingCompletion, SymmetricMethod, TtSvd, Tucker, Waring, rank_table, rank_table_masked,
    rank_table_nonnegative,
};
use wickring::fit::Fit;
use wickring::poly::Ring as Coefficients;
use wickring::run::{Progress, Run};
use wickring::tensor::{
    CpTensor, Scalar, SparseTensor, SymmetricCp, Tensor, TensorRing, TensorView,
};

type Real<'py> = PyReadonlyArrayDyn<'py, f64>;
type Imaginary<'py> = PyReadonlyArrayDyn<'py, Complex<f64>>;
type Watcher<'a> = &'a mut dyn FnMut(&Progress) -> ControlFlow<()>;

/// Who watches, until when, and where randomness comes from.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct How {
    pub seed: u64,
    pub progress: Option<Py<PyAny>>,
    pub timeout: Option<f64>,
}

/// Options that several engines share; `None` leaves the engine's own choice.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    pub(crate) starts: Option<usize>,
    pub(crate) max_iter: Option<usize>,
    pub(crate) tol: Option<f64>,
}

/// The ranks to try, and how many in a row that are not credible end the search.
#[derive(Clone, Copy, FromPyObject)]
pub struct Ranks(usize, usize, usize);

macro_rules! with_options {
    ($engine:expr, $o:expr, $starts:ident, $iterations:ident) => {{
        let mut engine = $engine;
        if let Some(n) = $o.starts {
            engine = engine.$starts(n);
        }
        if let Some(n) = $o.max_iter {
            engine = engine.$iterations(n);
        }
        if let Some(tol) = $o.tol {
            engine = engine.tol(tol);
        }
        engine
    }};
}

pub(crate) use with_options;

fn cp_engine(rank: usize, method: CpMethod, options: &Options) -> Cp {
    with_options!(
        Cp::new(rank).method(method),
        options,
        starts,
        max_iterations
    )
}

/// The chosen fit, and the table that it was chosen from.
type Chosen<T> = (Fit<CpTensor<T>>, Option<RankTable<T>>);

fn choose<T: Clone>(table: RankTable<T>) -> Result<Chosen<T>, Error> {
    let row = table.rows.get(table.chosen.unwrap_or(0));
    let fit = row.map(|r| r.fit.clone());
    Ok((fit.ok_or(Error::Stopped { op: "cp" })?, Some(table)))
}

fn cp_any<T: wickring::linalg::Scalar + Coefficients>(
    t: TensorView<'_, T>,
    ranks: Ranks,
    engine: &Cp,
    seed: u64,
    watch: Watcher<'_>,
) -> Result<Chosen<T>, Error> {
    let Ranks(low, high, patience) = ranks;
    let mut run = Run::seeded(seed);
    let (rng, _) = run.parts();
    if low == high {
        return Ok((engine.decompose_observed(t, rng, watch)?, None));
    }
    choose(rank_table(t, engine, (low..=high, patience), rng, watch)?)
}

fn cp_real(
    t: TensorView<'_>,
    ranks: Ranks,
    (nonneg, masked): (bool, bool),
    (engine, options): (&Cp, &Options),
    seed: u64,
    watch: Watcher<'_>,
) -> Result<Chosen<f64>, Error> {
    if !nonneg && !masked {
        return cp_any(t, ranks, engine, seed, watch);
    }
    let Ranks(low, high, patience) = ranks;
    let mut run = Run::seeded(seed);
    let (rng, _) = run.parts();
    let mask = masked.then(|| CpMasked::mask_of(t));
    let mask = mask.as_ref().map(Tensor::view);
    let range = (low..=high, patience);
    if nonneg {
        let engine = with_options!(CpNonnegative::new(low), options, starts, max_iterations);
        if low < high {
            let engine = engine.starts(options.starts.unwrap_or(10));
            return choose(rank_table_nonnegative(t, mask, &engine, range, rng, watch)?);
        }
        let fit = match mask {
            Some(mask) => engine.decompose_masked(t, mask, rng, watch)?,
            None => engine.decompose_observed(t, rng, watch)?,
        };
        return Ok((fit, None));
    }
    let engine = with_options!(CpMasked::new(low), options, starts, max_iterations);
    let mask = mask.unwrap_or(t);
    if low < high {
        return choose(rank_table_masked(t, mask, &engine, range, rng, watch)?);
    }
    Ok((engine.decompose_observed(t, mask, rng, watch)?, None))
}

fn cp_answer<'py, T: Element + Scalar>(
    py: Python<'py>,
    (found, table): Chosen<T>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = fit(py, &found)?;
    let weights = PyArray1::from_vec(py, found.model.weights().to_vec());
    dict.set_item("weights", weights)?;
    dict.set_item("factors", factors(py, found.model.factors())?)?;
    let Some(table) = table else {
        return Ok(dict);
    };
    let rows = PyList::empty(py);
    for row in &table.rows {
        let line = PyDict::new(py);
        line.set_item("rank", row.fit.model.rank())?;
        line.set_item("status", row.fit.status.name())?;
        line.set_item("rel_residual", row.fit.evidence.rel_residual)?;
        line.set_item("split_half", row.split_half)?;
        line.set_item("kruskal_slack", row.kruskal_slack)?;
        rows.append(line)?;
    }
    let ranks = PyDict::new(py);
    ranks.set_item("rows", rows)?;
    ranks.set_item("chosen", table.chosen)?;
    ranks.set_item("other", table.other)?;
    ranks.set_item("agreed", table.agreed)?;
    ranks.set_item("reason", &table.reason)?;
    dict.set_item("ranks", ranks)?;
    Ok(dict)
}

fn method(name: &str) -> PyResult<CpMethod> {
    match name {
        "auto" => Ok(CpMethod::Auto),
        "als" => Ok(CpMethod::Als),
        "nls" => Ok(CpMethod::Nls),
        "algebraic" => Ok(CpMethod::Algebraic),
        _ => Err(PyValueError::new_err(
            "method: one of auto, als, nls, algebraic",
        )),
    }
}

#[pyfunction]
pub fn cp<'py>(
    py: Python<'py>,
    x: Real<'py>,
    ranks: Ranks,
    flags: (bool, bool),
    engine: &str,
    options: Options,
    how: How,
) -> PyResult<Bound<'py, PyDict>> {
    let (t, engine) = (view(&x)?, cp_engine(ranks.0, method(engine)?, &options));
    let found = watched(py, how.progress, how.timeout, |watch| {
        cp_real(t, ranks, flags, (&engine, &options), how.seed, watch)
    })?;
    cp_answer(py, found)
}

#[pyfunction]
pub fn cp_complex<'py>(
    py: Python<'py>,
    x: Imaginary<'py>,
    ranks: Ranks,
    engine: &str,
    options: Options,
    how: How,
) -> PyResult<Bound<'py, PyDict>> {
    let (t, engine) = (view(&x)?, cp_engine(ranks.0, method(engine)?, &options));
    let found = watched(py, how.progress, how.timeout, |watch| {
        cp_any(t, ranks, &engine, how.seed, watch)
    })?;
    cp_answer(py, found)
}

/// A sparse tensor: `coordinates` has a row for each value; entries that are not there are zeros.
#[pyfunction]
pub fn cp_sparse<'py>(
    py: Python<'py>,
    coordinates: PyReadonlyArray2<'py, i64>,
    values: PyReadonlyArray1<'py, f64>,
    shape: Vec<usize>,
    rank: usize,
    options: Options,
    how: How,
) -> PyResult<Bound<'py, PyDict>> {
    if !coordinates.is_c_contiguous() || coordinates.shape()[1] != shape.len() {
        return Err(PyValueError::new_err(
            "coordinates: a C-ordered array with a column for each mode is needed",
        ));
    }
    let negative = |_| PyValueError::new_err("coordinates: indices from 0 are needed");
    let indices: Result<Vec<usize>, _> = coordinates
        .as_slice()?
        .iter()
        .map(|&i| usize::try_from(i))
        .collect();
    let (indices, values) = (indices.map_err(negative)?, values.as_slice()?.to_vec());
    let engine = cp_engine(rank, CpMethod::Als, &options);
    let found = watched(py, how.progress, how.timeout, |watch| {
        let t = SparseTensor::from_coordinates(&shape, &indices, values, |a, b| a + b)?;
        engine.decompose_sparse(&t, Run::seeded(how.seed).parts().0, watch)
    })?;
    cp_answer(py, (found, None))
}

fn cores<'py, T: Element + Scalar>(
    py: Python<'py>,
    cores: Vec<Tensor<T>>,
) -> PyResult<Bound<'py, PyList>> {
    let all: PyResult<Vec<_>> = cores.into_iter().map(|c| from_tensor(py, c)).collect();
    PyList::new(py, all?)
}

fn ring_any<'py, T: Element + Scalar>(
    py: Python<'py>,
    t: TensorView<'_, T>,
    ranks: Option<Vec<usize>>,
    options: &Options,
    how: How,
) -> PyResult<Bound<'py, PyDict>> {
    let engine = ranks.map_or_else(RingAuto::auto, |r| RingAuto::new(&r));
    let engine = with_options!(engine, options, starts, max_sweeps);
    let found = watched(py, how.progress, how.timeout, |watch| {
        engine.decompose_observed(t, Run::seeded(how.seed).parts().0, watch)
    })?;
    let dict = fit(py, &found)?;
    dict.set_item("cores", cores(py, found.model.into_cores())?)?;
    Ok(dict)
}

#[pyfunction]
pub fn ring<'py>(
    py: Python<'py>,
    x: Real<'py>,
    ranks: Option<Vec<usize>>,
    options: Options,
    how: How,
) -> PyResult<Bound<'py, PyDict>> {
    let t = view(&x)?;
    let observed: Vec<bool> = t.as_slice().iter().map(|x| !x.is_nan()).collect();
    if observed.iter().all(|o| *o) {
        return ring_any(py, t, ranks, &options, how);
    }
    let engine = ranks.map_or_else(RingCompletion::auto, |r| RingCompletion::new(&r));
    let mut engine = engine.starts(options.starts.unwrap_or(5));
    engine = engine.max_sweeps(options.max_iter.unwrap_or(500));
    let found = watched(py, how.progress, how.timeout, |watch| {
        engine.decompose(t, &observed, Run::seeded(how.seed).parts().0, watch)
    })?;
    let dict = fit(py, &found)?;
    dict.set_item("cores", cores(py, found.model.into_cores())?)?;
    Ok(dict)
}

#[pyfunction]
pub fn ring_complex<'py>(
    py: Python<'py>,
    x: Imaginary<'py>,
    ranks: Option<Vec<usize>>,
    options: Options,
    how: How,
) -> PyResult<Bound<'py, PyDict>> {
    ring_any(py, view(&x)?, ranks, &options, how)
}

#[pyfunction]
pub fn train<'py>(
    py: Python<'py>,
    x: Real<'py>,
    tol: f64,
    max_rank: Option<usize>,
) -> PyResult<Bound<'py, PyDict>> {
    let t = view(&x)?;
    let engine = max_rank.map_or(TtSvd::new(tol), |r| TtSvd::new(tol).max_rank(r));
    let found = py.detach(|| engine.decompose(t)).or_raise(py)?;
    let dict = fit(py, &found)?;
    dict.set_item("cores", cores(py, found.model.cores().to_vec())?)?;
    Ok(dict)
}

#[pyfunction]
pub fn tucker<'py>(
    py: Python<'py>,
    x: Real<'py>,
    ranks: Vec<usize>,
    options: Options,
) -> PyResult<Bound<'py, PyDict>> {
    let t = view(&x)?;
    let mut engine = Tucker::new(&ranks);
    engine = options
        .max_iter
        .map_or(engine.clone(), |n| engine.max_sweeps(n));
    engine = options.tol.map_or(engine.clone(), |x| engine.tol(x));
    let found = py.detach(|| engine.decompose(t)).or_raise(py)?;
    let dict = fit(py, &found)?;
    dict.set_item("core", from_tensor(py, found.model.core().to_tensor())?)?;
    dict.set_item("factors", factors(py, found.model.factors())?)?;
    Ok(dict)
}

#[pyfunction]
pub fn symmetric<'py>(
    py: Python<'py>,
    x: Real<'py>,
    rank: usize,
    engine: &str,
    options: Options,
    how: How,
) -> PyResult<Bound<'py, PyDict>> {
    let t = view(&x)?;
    let crowded = t.order() >= 3 && rank > t.dims().first().copied().unwrap_or(0);
    let waring = with_options!(Waring::new(rank), options, starts, max_iterations);
    let over = || -> Overcomplete {
        let mut engine = Overcomplete::new(rank);
        engine = options.starts.map_or(engine.clone(), |n| engine.starts(n));
        options.tol.map_or(engine.clone(), |x| engine.tol(x))
    };
    let engine: Box<dyn Symmetric + Send + Sync> = match engine {
        "auto" if crowded => Box::new(over()),
        "overcomplete" => Box::new(over()),
        "lbfgs" => Box::new(waring.method(SymmetricMethod::Lbfgs)),
        "auto" | "waring" => Box::new(waring),
        _ => {
            return Err(PyValueError::new_err(
                "method: one of auto, waring, lbfgs, overcomplete",
            ));
        }
    };
    let found = watched(py, how.progress, how.timeout, |watch| {
        engine.run(t, &mut Run::seeded(how.seed).observed(watch))
    })?;
    let dict = fit(py, &found)?;
    let model = &found.model;
    dict.set_item("weights", PyArray1::from_vec(py, model.weights().to_vec()))?;
    let v = model.vectors();
    dict.set_item(
        "vectors",
        array(py, &[v.rows(), v.cols()], v.as_slice().to_vec())?,
    )?;
    dict.set_item("order", model.order())?;
    Ok(dict)
}

/// The engines of [`symmetric`] alike.
trait Symmetric {
    fn run(&self, t: TensorView<'_>, run: &mut Run<'_>) -> Result<Fit<SymmetricCp>, Error>;
}

impl<D: for<'a> Decompose<TensorView<'a>, Model = SymmetricCp>> Symmetric for D {
    fn run(&self, t: TensorView<'_>, run: &mut Run<'_>) -> Result<Fit<SymmetricCp>, Error> {
        self.fit(&t, run)
    }
}

/// Everything that a sum of rank-one terms says of itself.
#[pyfunction]
pub fn cp_dense<'py>(
    py: Python<'py>,
    weights: Vec<f64>,
    parts: Vec<Real<'py>>,
) -> PyResult<Bound<'py, numpy::PyArrayDyn<f64>>> {
    let model = crate::arrays::cp_model(py, weights, &parts)?;
    from_tensor(py, py.detach(|| model.to_dense()).or_raise(py)?)
}

#[pyfunction]
pub fn cp_dense_complex<'py>(
    py: Python<'py>,
    weights: Vec<Complex<f64>>,
    parts: Vec<Imaginary<'py>>,
) -> PyResult<Bound<'py, numpy::PyArrayDyn<Complex<f64>>>> {
    let model = crate::arrays::cp_model(py, weights, &parts)?;
    from_tensor(py, py.detach(|| model.to_dense()).or_raise(py)?)
}

#[pyfunction]
pub fn ring_dense<'py>(
    py: Python<'py>,
    parts: Vec<Real<'py>>,
) -> PyResult<Bound<'py, numpy::PyArrayDyn<f64>>> {
    let all = parts.iter().map(tensor).collect::<PyResult<Vec<_>>>()?;
    let model = TensorRing::new(all).or_raise(py)?;
    from_tensor(py, py.detach(|| model.to_dense()).or_raise(py)?)
}

#[pyfunction]
pub fn ring_dense_complex<'py>(
    py: Python<'py>,
    parts: Vec<Imaginary<'py>>,
) -> PyResult<Bound<'py, numpy::PyArrayDyn<Complex<f64>>>> {
    let all = parts.iter().map(tensor).collect::<PyResult<Vec<_>>>()?;
    let model = TensorRing::new(all).or_raise(py)?;
    from_tensor(py, py.detach(|| model.to_dense()).or_raise(py)?)
}
