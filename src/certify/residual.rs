//! Writing claims about data: residuals whose bound is computed in binary64, rounding included, and held-out rows.

use super::certificate::Claim;
use super::held_out::distance;
use super::numbers::{Budget, OP};
use super::rounded::{Core, Model, TensorData, absent};
use crate::Error;
use crate::poly::Rational;
use crate::tensor::{CpTensor, TensorRing, TensorView};
use serde_json::{Value, json};

/// Entries up to which a claim holds the tensor itself; of a larger one it holds the digest.
const HELD: usize = 1 << 17;

impl Claim {
    /// `||T - model|| <= bound ||T||` (Frobenius) with the least bound that binary64 proves, and that bound; `None`
    /// where binary64 gives none: the tensor is zero, or squares leave its range. Entries that are NaN are missing:
    /// both norms go over the others.
    ///
    /// Of a tensor with more than 2^17 entries the claim holds the digest, and [`check_with`](super::check_with)
    /// needs the tensor.
    ///
    /// # Errors
    /// `Shape` when the model has other sizes or fewer than two modes, `NonFinite`.
    ///
    /// # Complexity
    /// One product for each entry and component.
    ///
    /// # Example
    /// ```
    /// use wickring::certify::{Certificate, Claim, Limits, check};
    /// use wickring::tensor::{CpTensor, Factor, Tensor};
    /// let vector = Factor::new(2, 1, vec![0.1, 0.3])?;
    /// let model = CpTensor::new(vec![3.0], vec![vector.clone(), vector])?;
    /// let t = Tensor::from_vec(&[2, 2], vec![0.03, 0.09, 0.09, 0.27])?;
    /// let (claim, bound) = Claim::cp_rounded(&model, t.view())?.unwrap_or_else(|| unreachable!());
    /// assert!(bound < 1e-14);
    /// let text = Certificate::new().claim(claim).to_json();
    /// assert!(check(&text, Limits::default())?.holds());
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn cp_rounded(
        model: &CpTensor,
        tensor: TensorView<'_>,
    ) -> Result<Option<(Self, f64)>, Error> {
        let core = |f: &crate::tensor::Factor| Core {
            left: 1,
            size: f.rows(),
            right: f.cols(),
            entries: (0..f.rows() * f.cols())
                .map(|k| f.as_slice()[k / f.cols() + f.rows() * (k % f.cols())])
                .collect(),
        };
        let model = Model {
            weights: Some(model.weights().to_vec()),
            cores: model.factors().iter().map(core).collect(),
        };
        rounded(&model, &model_dims(&model), tensor)
    }

    /// The same for a ring or train.
    ///
    /// # Errors
    /// As [`Claim::cp_rounded`].
    ///
    /// # Complexity
    /// `R_0 R_1` products for each entry, and the partial products of the later cores.
    pub fn ring_rounded(
        ring: &TensorRing,
        tensor: TensorView<'_>,
    ) -> Result<Option<(Self, f64)>, Error> {
        let core = |g: &crate::tensor::Tensor| {
            let (left, size, right) = (g.dims()[0], g.dims()[1], g.dims()[2]);
            let at = |k: usize| {
                let (i, a, b) = (k / right / left, k / right % left, k % right);
                g.as_slice()[a + left * (i + size * b)]
            };
            let entries = (0..left * size * right).map(at).collect();
            Core {
                left,
                size,
                right,
                entries,
            }
        };
        let model = Model {
            weights: None,
            cores: ring.cores().iter().map(core).collect(),
        };
        rounded(&model, &model_dims(&model), tensor)
    }

    /// That held-out rows have the cumulants of a model, to within so many of their standard errors; and how many. The
    /// model's are those of claim `model` of the same certificate (from zero), of kind `gaussian-moments`, with these
    /// `values`; `sample` holds the columns of its polynomials, `rows x columns`, of which rows `i` with
    /// `mix(i) < threshold` are held out. `None` when fewer than two rows are, or there is no spread.
    pub fn held_out_cumulants(
        model: usize,
        values: &[(Vec<usize>, Rational)],
        columns: &[usize],
        sample: TensorData<'_>,
        threshold: u64,
    ) -> Option<(Self, f64)> {
        let fits = |a: &usize| *a < columns.len();
        let order = |index: &Vec<usize>| (1..=3).contains(&index.len()) && index.iter().all(fits);
        let [rows, width] = *sample.shape else {
            return None;
        };
        let whole = width == columns.len() && Some(sample.entries.len()) == rows.checked_mul(width);
        if rows == 0 || !whole || !values.iter().all(|(index, _)| order(index)) {
            return None;
        }
        let nearest: Vec<_> = values
            .iter()
            .map(|(i, v)| (i.clone(), v.to_f64()))
            .collect();
        // The last bits of the values are rounded by whoever reads them.
        let bound = distance(&sample, threshold, &nearest)?.model * (1.0 + 1e-6);
        let data = json!({
            "model": model, "columns": columns, "rows": rows, "sha256": sample.digest(),
            "threshold": format!("{threshold:016x}"), "bound": bound,
        });
        Some((Self::new("held-out-cumulants", data), bound))
    }

    /// Whether the claim holds the digest of its tensor instead of the tensor.
    pub fn names_tensor(&self) -> bool {
        self.data()["target"]["digest"].is_object()
    }
}

fn model_dims(model: &Model) -> Vec<usize> {
    model.cores.iter().map(|c| c.size).collect()
}

fn rounded(
    model: &Model,
    dims: &[usize],
    tensor: TensorView<'_>,
) -> Result<Option<(Claim, f64)>, Error> {
    let empty = model.cores.iter().any(|c| c.entries.is_empty());
    if dims != tensor.dims() || dims.len() < 2 || empty {
        let expected = format!(
            "a model of two modes or more with the sizes {:?}",
            tensor.dims()
        );
        return Err(Error::shape(OP, expected, format!("{dims:?}")));
    }
    let numbers = model.cores.iter().map(|c| &c.entries).chain(&model.weights);
    let bad = |all: &Vec<f64>| all.iter().position(|x| !x.is_finite());
    if let Some(index) = numbers.into_iter().find_map(bad) {
        return Err(Error::NonFinite { op: OP, index });
    }
    let entries = tensor.as_slice();
    if let Some(index) = entries.iter().position(|x| x.is_infinite()) {
        return Err(Error::NonFinite { op: OP, index });
    }
    let mut budget = Budget::new(OP, u64::MAX, None);
    let Some(bound) = model.relative_bound(entries, &mut budget)? else {
        return Ok(None);
    };
    let (held, missing) = (entries.len() <= HELD, absent(entries));
    let mut said = match held {
        true => json!({ "shape": dims, "entries": last_fastest(tensor) }),
        false => {
            let data = TensorData {
                shape: dims,
                entries,
            };
            json!({ "shape": dims, "sha256": data.digest() })
        }
    };
    if missing > 0 {
        said["missing"] = missing.into();
    }
    let target = match (held, missing) {
        (true, 0) => json!({ "dense": said }),
        (true, _) => json!({ "observed": said }),
        (false, _) => json!({ "digest": said }),
    };
    let name = if model.weights.is_some() {
        "cp"
    } else {
        "ring"
    };
    let cores: Vec<Value> = model.cores.iter().map(core_json).collect();
    let weights = model.weights.as_deref().unwrap_or_default();
    let data = json!({
        "model": name, "weights": weights, "cores": cores, "target": target, "bound": bound,
    });
    Ok(Some((Claim::new("rounded-residual", data), bound)))
}

fn core_json(core: &Core) -> Value {
    let row =
        |a: usize, i: usize| json!(core.entries[(i * core.left + a) * core.right..][..core.right]);
    let slice = |a: usize| (0..core.size).map(|i| row(a, i)).collect::<Value>();
    (0..core.left).map(slice).collect()
}

/// The entries as claims hold them.
fn last_fastest(tensor: TensorView<'_>) -> Vec<f64> {
    let mut order = vec![0];
    let mut stride = 1;
    let mut strides = Vec::new();
    for &n in tensor.dims() {
        strides.push((n, stride));
        stride *= n;
    }
    for (n, stride) in strides.into_iter().rev() {
        order = (0..n)
            .flat_map(|i| order.iter().map(move |at| at + i * stride))
            .collect();
    }
    order
        .into_iter()
        .map(|at: usize| tensor.as_slice()[at])
        .collect()
}
