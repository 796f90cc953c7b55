//! Files made from bytes, well formed but for a few values: depths of the readers that arbitrary bytes do not reach.

use super::broken::{Broken, check};
use super::bytes::Bytes;
use crate::io::model::ModelFile;
use crate::learn::Predictor;
use crate::learn::mixture::{Chain, MixtureModel};
use crate::poly::Rational;
use crate::scheme::{
    Cost, Residual, Scheme, SchemeField, SchemeText, Target, Verdict, examine, find_faults,
    read_models,
};
use faer::Mat;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Kinds of model files; the first three have no condition beyond their shapes.
const KINDS: usize = 7;
const UNCONDITIONAL: usize = 3;

fn row(n: usize, bytes: &mut Bytes<'_>) -> Value {
    (0..n).map(|_| bytes.finite()).collect()
}

fn rows(m: usize, n: usize, bytes: &mut Bytes<'_>) -> Value {
    (0..m).map(|_| row(n, bytes)).collect()
}

/// A symmetric matrix.
fn form(n: usize, bytes: &mut Bytes<'_>) -> Value {
    let mut all = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let x = bytes.finite();
            (all[i][j], all[j][i]) = (x, x);
        }
    }
    json!(all)
}

/// A model file of one of the kinds, as its schema asks for it.
fn drawn(kind: usize, bytes: &mut Bytes<'_>) -> Value {
    let (n, m) = (1 + bytes.below(3), 1 + bytes.below(3));
    match kind {
        0 => json!({"schema": "wickring/quadratic-map/1", "latent_dim": n, "output_dim": m,
            "quadratic": (0..m).map(|_| form(n, bytes)).collect::<Value>(), "linear": rows(m, n, bytes),
            "constant": row(m, bytes)}),
        1 => {
            let neuron = |bytes: &mut Bytes<'_>| {
                json!({"coefficient": bytes.finite(), "weight": row(n, bytes),
                "offset": bytes.finite(), "activation": "relu"})
            };
            json!({"schema": "wickring/relu-network/1", "input_dim": n, "constant": bytes.finite(),
                "linear": row(n, bytes), "neurons": (0..m).map(|_| neuron(bytes)).collect::<Value>()})
        }
        2 => {
            let monomial = |bytes: &mut Bytes<'_>| json!([row_of_powers(n, bytes), bytes.finite()]);
            json!({"schema": "wickring/polynomial-map/1", "latent_dim": n, "output_dim": m, "degree": 3 * n,
                "outputs": (0..m).map(|_| json!([monomial(bytes)])).collect::<Value>()})
        }
        3 => {
            json!({"schema": "wickring/two-layer/1", "input_dim": n, "activation": row(1 + bytes.below(5), bytes),
            "weights": rows(m, n, bytes)})
        }
        4 => {
            let component = |bytes: &mut Bytes<'_>| {
                json!({"weight": f64::from(1 + bytes.byte()) / 256.0,
                "mean": row(n, bytes), "covariance": form(n, bytes)})
            };
            json!({"schema": "wickring/mixture/1", "dim": n, "noise": bytes.finite(),
                "components": (0..m).map(|_| component(bytes)).collect::<Value>()})
        }
        5 => {
            json!({"weights": row(m, bytes), "factors": (0..3).map(|_| rows(n, m, bytes)).collect::<Value>()})
        }
        _ => {
            let core = |bytes: &mut Bytes<'_>| (0..m).map(|_| rows(n, m, bytes)).collect::<Value>();
            json!({"cores": (0..3).map(|_| core(bytes)).collect::<Value>()})
        }
    }
}

fn row_of_powers(n: usize, bytes: &mut Bytes<'_>) -> Value {
    (0..n).map(|_| bytes.below(4)).collect()
}

/// Changes one value somewhere in a tree, chosen by the bytes.
fn edit(tree: &mut Value, bytes: &mut Bytes<'_>) {
    let here = bytes.below(4) == 3;
    match tree {
        Value::Object(all) if !here && !all.is_empty() => {
            let key = all.keys().nth(bytes.below(all.len())).cloned();
            if let Some(value) = key.and_then(|key| all.get_mut(&key)) {
                edit(value, bytes);
            }
        }
        Value::Array(all) if !here && !all.is_empty() => {
            let at = bytes.below(all.len());
            match bytes.below(8) {
                0 => drop(all.remove(at)),
                1 => all.push(all[at].clone()),
                _ => edit(&mut all[at], bytes),
            }
        }
        _ => {
            *tree = match bytes.below(10) {
                0 => Value::Null,
                1 => json!(u64::MAX),
                2 => json!(-1),
                3 => json!(bytes.finite()),
                4 => json!("1/3"),
                5 => json!([]),
                6 => json!({"a": [1]}),
                7 => json!(1u64 << bytes.below(63)),
                8 => json!(f64::MAX),
                _ => json!(bytes.below(5)),
            }
        }
    }
}

/// A model file made from bytes, with up to three values changed, through every reader of models: what is read is written
/// back as the same, evaluates to finite numbers of the right shape, and can be sampled.
///
/// # Errors
/// [`Broken`] with the text of the file.
pub fn fuzz_model_files(data: &[u8]) -> Result<(), Broken> {
    let mut bytes = Bytes::new(data);
    let (kind, edits) = (bytes.below(KINDS), bytes.below(4));
    let mut tree = drawn(kind, &mut bytes);
    (0..edits).for_each(|_| edit(&mut tree, &mut bytes));
    let text = tree.to_string();
    let law = "files::fuzz_model_files";
    let _ = read_models(&text);
    let Ok(file) = ModelFile::from_json(&text) else {
        return check(law, edits > 0 || kind >= 5, || text);
    };
    let again = ModelFile::from_json(&file.to_json());
    check(law, again.as_ref() == Ok(&file), || text.clone())?;
    if let Ok(model) = MixtureModel::from_body(&file.body)
        && model.dim() <= 8
    {
        let _ = model.sample(3, Chain::default(), &mut ChaCha8Rng::seed_from_u64(1));
        let _ = model.score(&vec![0.5; model.dim()]);
    }
    let Ok(function) = Predictor::from_model(&file) else {
        return check(law, edits > 0 || kind >= UNCONDITIONAL, || text);
    };
    if function.inputs() > 64 {
        return Ok(());
    }
    let x = Mat::from_fn(2, function.inputs(), |i, j| (i + 1) as f64 - j as f64);
    // An overflow is told as one.
    function.evaluate(x.as_ref()).map_or(Ok(()), |y| {
        let sound = y.len() == 2 * function.outputs() && y.iter().all(|v| v.is_finite());
        check(law, sound, || text)
    })
}

/// A number of the sizes that schemes have.
fn entry(bytes: &mut Bytes<'_>) -> Rational {
    match bytes.below(8) {
        0..=3 => Rational::from(0),
        4 | 5 => Rational::from(if bytes.below(2) == 0 { 1 } else { -1 }),
        6 => Rational::from(bytes.small()),
        _ => format!("{}/{}", bytes.small(), 1 + bytes.below(6))
            .parse()
            .unwrap_or_default(),
    }
}

/// The entries of `sum_r a_r (x) b_r (x) c_r` by the definition.
fn slowly(factors: &[Vec<Vec<Rational>>], rank: usize) -> BTreeMap<usize, Rational> {
    let (a, b, c) = (&factors[0], &factors[1], &factors[2]);
    let mut found = BTreeMap::new();
    for i in 0..a.len() {
        for j in 0..b.len() {
            for k in 0..c.len() {
                let mut sum = Rational::from(0);
                for r in 0..rank {
                    sum = sum + a[i][r].clone() * b[j][r].clone() * c[k][r].clone();
                }
                if sum != Rational::from(0) {
                    found.insert((i * b.len() + j) * c.len() + k, sum);
                }
            }
        }
    }
    found
}

/// A scheme made from bytes: it is exactly the tensor that the definition makes of it, in as many places wrong as the
/// definition finds against the product of matrices, and reads back from every form that holds it.
///
/// # Errors
/// [`Broken`] with the factors.
pub fn fuzz_drawn_schemes(data: &[u8]) -> Result<(), Broken> {
    let mut bytes = Bytes::new(data);
    let [n, m, p] = [(); 3].map(|()| 1 + bytes.below(2));
    let rank = 1 + bytes.below(4);
    let sizes = [n * m, m * p, n * p];
    let factors = sizes.map(|s| -> Vec<Vec<Rational>> {
        (0..s)
            .map(|_| (0..rank).map(|_| entry(&mut bytes)).collect())
            .collect()
    });
    let (law, shown) = ("files::fuzz_drawn_schemes", || {
        format!("{n} {m} {p}: {factors:?}")
    });
    let made = slowly(&factors, rank);
    let itself = Target::Dense(sizes.to_vec(), made.clone());
    let Ok(own) = Scheme::from_rationals(&factors, itself.clone()) else {
        return check(law, false, shown);
    };
    let verdict = examine(&own, None, SchemeField::Auto).map(|f| f.verdict);
    check(law, verdict == Ok(Verdict::Exact), shown)?;
    let matrices = Target::Matmul([n, m, p]);
    let mut wanted = BTreeMap::new();
    for (i, j, k) in (0..n * m * p).map(|at| (at / p / m, at / p % m, at % p)) {
        let at = ((i * m + j) * (m * p) + j * p + k) * (n * p) + i * p + k;
        wanted.insert(at, Rational::from(1));
    }
    let places = (0..sizes.iter().product()).filter(|at| made.get(at) != wanted.get(at));
    let product = Scheme {
        target: Some(matrices.clone()),
        ..own
    };
    let found = Residual::of(&product, &matrices).map(|r| r.wrong_entries());
    check(law, found == Ok(places.count()), shown)?;
    let _ = Cost::of(&product, &matrices);
    if let Ok(found) = examine(&product, None, SchemeField::Auto) {
        let _ = find_faults(&found.scheme, &found.residual);
    }
    let names = [
        "json", "reduced", "exp", "m", "mpl", "tables", "flat", "slp", "sms",
    ];
    for name in names {
        // A form that does not hold it says so; the writer reads back what it wrote.
        let text = SchemeText::parse(name).and_then(|form| form.write(&product, "scheme"));
        let holds = name != "json" || text.is_ok();
        check(law, holds, shown)?;
    }
    Ok(())
}
