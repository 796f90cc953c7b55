//! `wickring.Moments`: sums of rows that add up, the same bits for any split.

use crate::arrays::{checked, from_tensor, rows};
use crate::error::OrRaise;
use crate::model::matrix;
use numpy::{PyArray1, PyArray2, PyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use wickring::Error;
use wickring::io::samples::Samples;
use wickring::io::{source, write_whole};
use wickring::stats::{MomentSummary, Moments as Sums};

/// Rows that are read from files at a time.
const BLOCK: usize = 8192;

/// An accumulator of means, covariances and third cumulants of numbered rows.
#[pyclass(frozen, module = "wickring._native")]
pub struct Moments {
    sums: Mutex<Sums>,
}

impl Moments {
    fn of(sums: Sums) -> Self {
        let sums = Mutex::new(sums);
        Self { sums }
    }

    fn lock(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy, taken without the interpreter's lock, which another holder of the mutex may be waiting for.
    fn copied(&self, py: Python<'_>) -> Sums {
        py.detach(|| self.lock().clone())
    }

    fn summary(&self, py: Python<'_>) -> PyResult<MomentSummary> {
        py.detach(|| self.lock().summary()).or_raise(py)
    }
}

#[pymethods]
impl Moments {
    #[new]
    #[pyo3(signature = (columns, third = false))]
    fn new(py: Python<'_>, columns: usize, third: bool) -> PyResult<Self> {
        Sums::new(columns, third).or_raise(py).map(Self::of)
    }
    /// Adds rows, the first of which has the number `first_row` in the whole sample.
    fn add(&self, first_row: u64, x: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = x.py();
        let x = checked(x)?;
        let data = rows(&x)?;
        let columns = x.shape()[1];
        py.detach(|| {
            let mut sums = self.lock();
            if columns != sums.columns() {
                let expected = format!("rows of {} entries", sums.columns());
                return Err(Error::shape("Moments.add", expected, columns.to_string()));
            }
            // A refused block leaves nothing behind.
            let mut next = sums.clone();
            next.add(first_row, data)?;
            *sums = next;
            Ok(())
        })
        .or_raise(py)
    }
    /// The accumulator of all rows of files and folders, read block by block.
    #[classmethod]
    #[pyo3(signature = (paths, third = false))]
    fn of_files(
        _: &Bound<'_, PyType>,
        py: Python<'_>,
        paths: Vec<PathBuf>,
        third: bool,
    ) -> PyResult<Self> {
        let work = || {
            let samples = Samples::open(&paths)?;
            let mut sums = Sums::new(samples.columns(), third)?;
            let mut row = 0;
            for chunk in samples.chunks(BLOCK) {
                let chunk = chunk?;
                sums.add(row, &chunk.data)?;
                row += chunk.rows() as u64;
            }
            Ok(sums)
        };
        py.detach(work).or_raise(py).map(Self::of)
    }
    fn __add__(&self, py: Python<'_>, other: &Self) -> PyResult<Self> {
        let (mut sums, other) = (self.copied(py), other.copied(py));
        py.detach(|| sums.merge(&other)).or_raise(py)?;
        Ok(Self::of(sums))
    }
    fn __radd__(&self, py: Python<'_>, other: &Self) -> PyResult<Self> {
        other.__add__(py, self)
    }
    fn __eq__(&self, py: Python<'_>, other: &Self) -> bool {
        self.copied(py) == other.copied(py)
    }
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        let wide = |_| PyValueError::new_err("more rows than a length can say: see count");
        usize::try_from(self.copied(py).count()).map_err(wide)
    }
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes = py.detach(|| self.lock().to_bytes());
        PyBytes::new(py, &bytes)
    }
    #[classmethod]
    fn from_bytes(_: &Bound<'_, PyType>, py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        Sums::from_bytes(data).or_raise(py).map(Self::of)
    }
    /// Writes the file that `wickring moments` reads, whole or not at all.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let sums = self.copied(py);
        py.detach(|| write_whole(&path, &sums.to_bytes()))
            .or_raise(py)
    }
    /// Reads a file of `wickring moments`.
    #[classmethod]
    fn load(_: &Bound<'_, PyType>, py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let work = || Sums::from_bytes(&source::bytes(&path)?);
        py.detach(work).or_raise(py).map(Self::of)
    }
    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let bytes = slf.get().to_bytes(slf.py());
        Ok((slf.get_type().getattr("from_bytes")?, (bytes,)))
    }
    #[getter]
    fn columns(&self, py: Python<'_>) -> usize {
        py.detach(|| self.lock().columns())
    }
    #[getter]
    fn count(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.lock().count())
    }
    #[getter]
    fn mean<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        Ok(PyArray1::from_slice(py, self.summary(py)?.mean()))
    }
    /// Unbiased, `d x d`.
    #[getter]
    fn covariance<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let c = self.summary(py)?.covariance();
        let d = c.nrows();
        let data = (0..d * d).map(|i| c[(i / d, i % d)]).collect();
        matrix(py, d, data)
    }
    /// Unbiased, `d x d x d`; `None` without the third order.
    #[getter]
    fn third_cumulants<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Option<Bound<'py, PyArrayDyn<f64>>>> {
        let third = self.summary(py)?.third_cumulants();
        third.map(|t| from_tensor(py, t)).transpose()
    }
}
