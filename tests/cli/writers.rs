//! Every command that writes, on small inputs: the rows of the tables in `outside` and `determinism`.
#![allow(clippy::unwrap_used)]

use super::outside::{Folder, Run};
use std::collections::BTreeMap;
use std::path::PathBuf;
use wickring::laws::planted::{gaussian, gaussian_cp};
use wickring::tensor::Tensor;

/// A command line; `OUT` stands for the name of its output.
pub struct Writer {
    pub line: &'static str,
    pub out: &'static str,
    /// Whether its output holds no rounded numbers: equal bytes at every level of vector instructions.
    pub exact: bool,
}

const fn writer(line: &'static str, out: &'static str) -> Writer {
    Writer {
        line,
        out,
        exact: false,
    }
}

const fn exact(line: &'static str, out: &'static str) -> Writer {
    Writer {
        exact: true,
        ..writer(line, out)
    }
}

pub const WRITERS: &[Writer] = &[
    writer("decompose cp t.npy --rank 2 --out OUT", "o.npz"),
    writer("decompose ring t.npy --rank 2 --out OUT", "o.npz"),
    writer("decompose symmetric cube.npy --rank 1 --out OUT", "o.npz"),
    writer("decompose train t.npy --tol 1e-3 --out OUT", "o.npz"),
    writer("decompose tucker t.npy --tol 1e-3 --out OUT", "o.npz"),
    writer("decompose orthogonal four.npy --rank 1 --out OUT", "o.npz"),
    exact("decompose exact k.npy --rank 3 --out OUT", "o.json"),
    writer("learn quadratic rows.npy --out OUT", "o.json"),
    writer(
        "learn mixture rows.npy --components 2 --method em --out OUT",
        "o.json",
    ),
    writer(
        "learn two-layer --inputs x.npy --targets y.npy --activation x^2 --neurons 1 --out OUT",
        "o.json",
    ),
    writer(
        "learn relu --inputs x.npy --targets y.npy --neurons 1 --out OUT",
        "o.json",
    ),
    writer("sample m.json -n 5 --out OUT", "o.csv"),
    writer("predict relu.json --input x.npy --out OUT", "o.csv"),
    writer("moments add rows.npy --third --out OUT", "o.bin"),
    exact("map pce m.json --out OUT", "o.json"),
    exact("poly expand (x+y)^3 --out OUT", "o.txt"),
    exact("poly factor x^6-y^6 --out OUT", "o.certificate.json"),
    exact("scheme convert s.json OUT", "o.exp"),
    exact("scheme reduce s.json --out OUT", "o.json"),
    exact("scheme program s.json --out OUT", "o.py"),
    exact(
        "scheme search --tensor matmul:2,2,2 --flips 1000 --out OUT",
        "o.json",
    ),
    writer("convert rows.npy OUT", "o.csv"),
];

impl Writer {
    /// Its arguments when it writes to `out`.
    pub fn args(&self, out: &str) -> Vec<String> {
        let words = self.line.split(' ');
        let named = words.map(|w| if w == "OUT" { out } else { w }.to_owned());
        named.chain(["--quiet".to_owned()]).collect()
    }

    /// Runs it in a folder.
    pub fn run(&self, at: &Folder, more: &[&str]) -> Run {
        let args = self.args(self.out);
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        args.extend(more);
        at.run(&args)
    }
}

/// A quadratic map without a linear part, of one normal.
pub const MODEL: &str = r#"{"schema":"wickring/quadratic-map/1","latent_dim":1,"output_dim":1,
    "quadratic":[[[1.0]]],"linear":[[0.0]],"constant":[0.0]}"#;

const RELU: &str = r#"{"schema":"wickring/relu-network/1","input_dim":3,"constant":0.5,"linear":[0.0,1.0,0.0],
    "neurons":[{"coefficient":1.0,"weight":[1.0,0.0,0.0],"activation":"relu"}]}"#;

/// Rows of three quadratic forms of two normals.
pub fn rows(n: usize) -> Vec<f64> {
    let rng = &mut super::outside::rng(7);
    let row = |_| {
        let (x, y) = (gaussian(rng), gaussian(rng));
        [x * x + 0.5 * x * y, y * y - x * y, x * y + 0.3 * x * x]
    };
    (0..n).flat_map(row).collect()
}

/// A folder with the inputs of every writer.
pub fn prepared(name: &str) -> Folder {
    let at = Folder::new(name);
    let rng = &mut super::outside::rng(3);
    let write = |name: &str, t: &Tensor| {
        wickring::io::npy::write(&at.path(name), t.view()).unwrap();
    };
    write(
        "t.npy",
        &gaussian_cp(&[3, 4, 3], 2, rng).unwrap().to_dense().unwrap(),
    );
    let power = |order: usize| {
        let v = [1.0, -0.5, 2.0];
        Tensor::from_fn(&vec![3; order], |i| i.iter().map(|&k| v[k]).product()).unwrap()
    };
    write("cube.npy", &power(3));
    write("four.npy", &power(4));
    let product = |i: &[usize]| f64::from(u8::from(i[0] + i[1] == i[2]));
    write("k.npy", &Tensor::from_fn(&[2, 2, 3], product).unwrap());
    at.array("rows.npy", &[400, 3], &rows(400));
    let x: Vec<f64> = (0..600).map(|_| gaussian(rng)).collect();
    let y: Vec<f64> = x.chunks(3).map(|x| (x[0] + x[1]).powi(2)).collect();
    at.array("x.npy", &[200, 3], &x);
    at.array("y.npy", &[200], &y);
    std::fs::write(at.path("m.json"), MODEL).unwrap();
    std::fs::write(at.path("relu.json"), RELU).unwrap();
    // Two numbers multiplied by one product.
    std::fs::write(
        at.path("s.json"),
        r#"{"n":[1,1,1],"m":1,"u":[[1]],"v":[[1]],"w":[[1]]}"#,
    )
    .unwrap();
    at
}

/// Names and contents of the files of a folder, links followed.
pub fn contents(at: &Folder) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(at.path("")).unwrap();
    let files = entries.map(|e| e.unwrap().path()).filter(|p| p.is_file());
    files
        .map(|p| {
            let bytes = std::fs::read(&p).unwrap();
            (p.file_name().unwrap().into(), bytes)
        })
        .collect()
}
