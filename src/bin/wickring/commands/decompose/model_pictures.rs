//! Pictures of trains, Tucker and PARAFAC2 models: what each direction carries, bases, profiles.

use crate::plot::{COLOURS, Figure, Mark, Series};
use faer::Mat;
use num_complex::Complex;
use wickring::Error;
use wickring::linalg;
use wickring::poly::Ring;
use wickring::tensor::{Factor, Parafac2Model, Scalar, TensorTrain, TuckerTensor};

/// Modes of at most this many indices are drawn as bars: few indices are mostly categories.
const CATEGORIES: usize = 12;
/// Trains of greater ranks are shown by their ranks alone.
const MOST_RANK: usize = 256;
/// Singular values below this share of the greatest are rounding.
const ROUNDING: f64 = 1e-14;

/// How much of the tensor each direction of each mode carries, and the bases.
pub fn tucker<T: linalg::Scalar + Ring + Scalar>(model: &TuckerTensor<T>) -> Vec<Figure> {
    let ranks = model.ranks().to_vec();
    let core = model.core();
    let mut squares: Vec<Vec<f64>> = ranks.iter().map(|&r| vec![0.0; r]).collect();
    for (at, x) in core.as_slice().iter().enumerate() {
        let (mut rest, size) = (at, x.to_complex().norm_sqr());
        for (m, &r) in ranks.iter().enumerate() {
            squares[m][rest % r] += size;
            rest /= r;
        }
    }
    let total: f64 = squares.first().map_or(0.0, |s| s.iter().sum());
    let share = |x: f64| (x / total.max(f64::MIN_POSITIVE)).sqrt();
    let lines = squares.iter().enumerate().take(COLOURS.len());
    let lines = lines.map(|(m, s)| {
        let points = s.iter().enumerate().map(|(k, &x)| (k as f64, share(x)));
        Series::new(format!("mode {m}"), Mark::Line, points.collect())
    });
    let mut all = vec![Figure {
        title: "what each direction carries: norm of its part of the core".into(),
        x: "direction".into(),
        y: "share of the norm".into(),
        log_y: true,
        series: lines.collect(),
        ..Figure::default()
    }];
    let bases = model.factors().iter().enumerate();
    all.extend(bases.map(|(m, f)| columns(&format!("mode {m}: basis"), "direction", f)));
    all
}

/// The ranks between the modes, and the singular values there.
pub fn train<T: Scalar>(model: &TensorTrain<T>) -> Result<Vec<Figure>, Error> {
    let cores = model.cores();
    let mut ranks = model.ranks();
    ranks.push(1);
    let bonds = cores.len().saturating_sub(1);
    let names: Vec<String> = (0..bonds).map(|k| format!("{k} | {}", k + 1)).collect();
    if bonds == 0 {
        let entries = cores[0].as_slice().iter().enumerate();
        let entries = entries.map(|(i, x)| (i as f64, x.to_complex().re));
        let series = vec![Series::new("", Mark::Line, entries.collect())];
        return Ok(vec![Figure {
            title: "the only core".into(),
            x: "index".into(),
            y: "entry".into(),
            series,
            ..Figure::default()
        }]);
    }
    let heights = (0..bonds).map(|k| (k as f64, ranks[k + 1] as f64));
    let mut all = vec![Figure {
        title: "rank between neighbouring modes".into(),
        x: "modes".into(),
        y: "rank".into(),
        categories: names.clone(),
        series: vec![Series::new("", Mark::Bars, heights.collect())],
        ..Figure::default()
    }];
    if ranks.iter().all(|&r| r <= MOST_RANK) {
        let values = singular_values(model)?;
        let shown = bonds.min(COLOURS.len());
        let series = values.iter().zip(&names).take(shown).map(|(v, name)| {
            let points = v.iter().enumerate().map(|(k, &x)| (k as f64, x));
            Series::new(format!("modes {name}"), Mark::Line, points.collect())
        });
        let all_of = match bonds > shown {
            true => format!("; {shown} of {bonds} cuts are drawn"),
            false => String::new(),
        };
        all.push(Figure {
            title: format!("singular values of the model at each cut{all_of}"),
            x: "number".into(),
            y: "share of the norm".into(),
            log_y: true,
            series: series.collect(),
            ..Figure::default()
        });
    }
    Ok(all)
}

/// At each cut of a train whose cores are orthogonal to the left, as [`wickring::decomp::TtSvd`] makes them: the singular
/// values are roots of the eigenvalues of the Gram matrix of what stands to the right.
fn singular_values<T: Scalar>(model: &TensorTrain<T>) -> Result<Vec<Vec<f64>>, Error> {
    type C = Complex<f64>;
    let cores = model.cores();
    let mut gram = Mat::from_fn(1, 1, |_, _| C::new(1.0, 0.0));
    let mut all = Vec::new();
    for core in cores.iter().skip(1).rev() {
        let [r, n, s] = *core.dims() else {
            return Err(Error::shape("--plot", "cores of order three", "another"));
        };
        let entries = core.as_slice();
        let mut next = Mat::from_fn(r, r, |_, _| C::new(0.0, 0.0));
        for i in 0..n {
            let slice = Mat::from_fn(r, s, |a, b| entries[a + r * (i + n * b)].to_complex());
            next += &slice * &gram * slice.adjoint();
        }
        gram = next;
        let (values, _) = <C as linalg::Scalar>::hermitian_eigen("--plot", gram.as_ref())?;
        let roots = values.iter().rev().map(|x| x.max(0.0).sqrt());
        all.push(roots.collect::<Vec<f64>>());
    }
    all.reverse();
    let square: f64 = all.first().map_or(0.0, |v| v.iter().map(|x| x * x).sum());
    let norm = square.sqrt().max(f64::MIN_POSITIVE);
    for values in &mut all {
        values.iter_mut().for_each(|x| *x /= norm);
        values.retain(|x| *x > ROUNDING);
    }
    Ok(all)
}

/// The common components, the loadings of the slices, and each component's profile in each slice.
pub fn parafac2(model: &Parafac2Model) -> Vec<Figure> {
    let mut all = vec![
        columns("common components", "component", model.shared()),
        columns(
            "how much of each component is in each slice",
            "component",
            model.loadings(),
        ),
    ];
    let slices = model.bases().len();
    let shown = slices.min(COLOURS.len());
    let all_of = match slices > shown {
        true => format!("; {shown} of {slices} slices are drawn"),
        false => String::new(),
    };
    let profiles: Vec<Factor> = (0..shown).map(|k| model.components(k)).collect();
    for r in 0..model.rank().min(COLOURS.len()) {
        let lines = profiles.iter().enumerate().map(|(k, f)| {
            let points = f.column(r).iter().enumerate();
            let points = points.map(|(i, &x)| (i as f64, x));
            Series::new(format!("slice {k}"), Mark::Line, points.collect())
        });
        all.push(Figure {
            title: format!("profile of component {r} in each slice{all_of}"),
            x: "row".into(),
            y: "entry".into(),
            series: lines.collect(),
            ..Figure::default()
        });
    }
    all
}

/// The columns of a factor, as bars where the indices are few; of complex ones the moduli.
fn columns<T: Scalar>(title: &str, word: &str, f: &Factor<T>) -> Figure {
    let shown = f.cols().min(COLOURS.len());
    let all_of = match f.cols() > shown {
        true => format!("; {shown} of {} are drawn", f.cols()),
        false => String::new(),
    };
    let few = f.rows() <= CATEGORIES;
    let mark = if few { Mark::Bars } else { Mark::Line };
    let value = |x: &T| match T::COMPLEX {
        true => x.to_complex().norm(),
        false => x.to_complex().re,
    };
    let line = |r: usize| {
        let points = f.column(r).iter().enumerate();
        let points = points.map(|(i, x)| (i as f64, value(x)));
        Series::new(format!("{word} {r}"), mark, points.collect())
    };
    let names = (0..f.rows()).map(|i| i.to_string());
    Figure {
        title: format!("{title}{all_of}"),
        x: "index".into(),
        y: if T::COMPLEX { "modulus" } else { "entry" }.into(),
        categories: if few { names.collect() } else { Vec::new() },
        series: (0..shown).map(line).collect(),
        ..Figure::default()
    }
}

#[cfg(test)]
mod tests {
    use super::singular_values;
    use wickring::Error;
    use wickring::decomp::TtSvd;
    use wickring::linalg::thin_svd;
    use wickring::tensor::Tensor;

    #[test]
    fn singular_values_of_a_train_are_those_of_its_unfoldings() -> Result<(), Error> {
        let dims = [3, 4, 2, 3];
        let t = Tensor::from_fn(&dims, |i| {
            ((1 + i[0] + 3 * i[1]) as f64).sin() + ((i[2] * i[3] + i[0]) as f64).cos()
        })?;
        let train = TtSvd::new(0.0).decompose(t.view())?.model;
        let found = singular_values(&train)?;
        let mut rows = 1;
        for (k, values) in found.iter().enumerate() {
            rows *= dims[k];
            let unfolding = faer::MatRef::from_column_major_slice(t.as_slice(), rows, 72 / rows);
            let expected = thin_svd("test", unfolding)?.s;
            let norm = expected.iter().map(|x| x * x).sum::<f64>().sqrt();
            for (x, y) in values.iter().zip(&expected) {
                // Roots of eigenvalues: half of the digits near zero.
                assert!((x - y / norm).abs() < 1e-7, "cut {k}: {x} {y}");
            }
        }
        assert_eq!(found.len(), 3);
        Ok(())
    }
}
