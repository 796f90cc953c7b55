//! Every command of `docs/COOKBOOK.md` that takes at most 1.2 seconds there ends as the page says.
//!
//! The page makes its data with NumPy; data of the same kind and shape are written here.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::outside::{Folder, rng};
use rand_chacha::rand_core::Rng;
use std::fmt::Write;

const PAGE: &str = include_str!("../../docs/COOKBOOK.md");

/// A command of the page: its words, the seconds that it took and the exit code.
struct Recipe {
    words: Vec<String>,
    seconds: f64,
    code: i32,
}

/// Words as a shell splits them, single quotes included.
fn split(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(k, part)| match k % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

/// The commands under a heading: `    wickring ...  # 0.1 s, exit 3: words`.
fn recipes(heading: &str) -> Vec<Recipe> {
    let (_, part) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
    let part = part.split("\n## ").next().unwrap();
    let lines = part.lines().filter_map(|l| l.strip_prefix("    wickring "));
    let recipe = |line: &str| {
        let (command, remark) = line
            .split_once("  # ")
            .unwrap_or_else(|| panic!("no time: {line}"));
        let (seconds, _) = remark.split_once(" s").unwrap();
        let code = remark
            .split_once("exit ")
            .map_or("0", |(_, rest)| &rest[..1]);
        Recipe {
            words: split(command),
            seconds: seconds
                .parse()
                .unwrap_or_else(|_| panic!("no time: {line}")),
            code: code.parse().unwrap(),
        }
    };
    lines.map(recipe).collect()
}

fn cook(at: &Folder, heading: &str) {
    let all = recipes(heading);
    assert!(all.len() >= 20, "{heading}: {}", all.len());
    let mut wrong = Vec::new();
    for recipe in all.iter().filter(|r| r.seconds <= 1.2) {
        let words: Vec<&str> = recipe.words.iter().map(String::as_str).collect();
        let run = at.run(&words);
        let explained = run.code == 0 || !run.err.is_empty() || !run.out.is_empty();
        if run.code != recipe.code || !explained {
            let line = recipe.words.join(" ");
            wrong.push(format!("{line}: exit {}\n{}{}", run.code, run.out, run.err));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Normal numbers, roughly: sums of uniform ones.
fn normal(rng: &mut impl Rng) -> f64 {
    let one = |rng: &mut dyn Rng| rng.next_u64() as f64 / u64::MAX as f64 - 0.5;
    (0..12).map(|_| one(rng)).sum()
}

fn peak(x: f64, middle: f64, width: f64) -> f64 {
    (-0.5 * ((x - middle) / width).powi(2)).exp()
}

/// Spectra: emission of 16 and excitation of 10 wavelengths, 12 samples of three substances.
fn fluorescence(at: &Folder) {
    let r = &mut rng(7);
    let em: Vec<f64> = (0..16)
        .map(|j| 300.0 + 200.0 * f64::from(j) / 15.0)
        .collect();
    let ex: Vec<f64> = (0..10)
        .map(|k| 240.0 + 100.0 * f64::from(k) / 9.0)
        .collect();
    let spectra = |x: f64| {
        [
            peak(x, 340.0, 22.0),
            peak(x, 410.0, 30.0),
            peak(x, 450.0, 26.0),
        ]
    };
    let excited = |x: f64| {
        [
            peak(x, 275.0, 14.0),
            peak(x, 300.0, 20.0),
            peak(x, 255.0, 10.0) + 0.6 * peak(x, 320.0, 12.0),
        ]
    };
    std::fs::create_dir(at.path("scans")).unwrap();
    for i in 0..12 {
        let amount: Vec<f64> = (0..3).map(|_| 1.0 + normal(r).powi(2)).collect();
        let mut text = String::new();
        ex.iter().for_each(|x| write!(text, ",{x:.1}").unwrap());
        for &y in &em {
            write!(text, "\n{y:.1}").unwrap();
            for &x in &ex {
                let terms = spectra(y).into_iter().zip(excited(x)).zip(&amount);
                let clean: f64 = terms.map(|((b, c), a)| 100.0 * a * b * c).sum();
                match (y - x).abs() < 18.0 {
                    true => text.push(','),
                    false => write!(text, ",{:.4}", clean + 0.3 * normal(r)).unwrap(),
                }
            }
        }
        std::fs::write(at.path(&format!("scans/s{i}.csv")), text + "\n").unwrap();
    }
    let known: Vec<f64> = em.iter().flat_map(|&y| spectra(y)).collect();
    at.array("spectra.npy", &[16, 3], &known);
}

/// Counts of 12 x 10 x 8 with two components, their mask, and chromatograms that shift from run to run.
fn counts_and_runs(at: &Folder) {
    let r = &mut rng(8);
    let mut factor = |n: usize| (0..2 * n).map(|_| normal(r).powi(2)).collect::<Vec<f64>>();
    let (a, b, c) = (factor(12), factor(10), factor(8));
    let r = &mut rng(9);
    let mut counts = Vec::new();
    for at in 0..960 {
        let (i, j, k) = (at / 80, at / 8 % 10, at % 8);
        let mean: f64 = (0..2)
            .map(|q| 6.0 * a[2 * i + q] * b[2 * j + q] * c[2 * k + q])
            .sum();
        counts.push((mean + mean.sqrt() * normal(r)).round().max(0.0));
    }
    at.array("counts.npy", &[12, 10, 8], &counts);
    let seen: Vec<f64> = (0..960).map(|_| f64::from(normal(r) > -1.3)).collect();
    at.array("measured.npy", &[12, 10, 8], &seen);
    let mut text = String::new();
    for (at, x) in counts.iter().enumerate().filter(|(_, x)| **x > 0.0) {
        let (i, j, k) = (at / 80, at / 8 % 10, at % 8);
        writeln!(text, "{} {} {} {x}", i + 1, j + 1, k + 1).unwrap();
    }
    std::fs::write(at.path("counts.tns"), text).unwrap();
    for run in 0..4u8 {
        let shift = f64::from(run) - 1.5;
        let entry = |at: usize| {
            let (t, m) = ((at / 12) as f64, (at % 12) as f64);
            let first = peak(t, 9.0 + shift, 2.0) * peak(m, 3.0, 2.0);
            let second = peak(t, 18.0 + shift, 2.5) * peak(m, 8.0, 2.0);
            (1.0 + f64::from(run)) * first + (3.0 - 0.5 * f64::from(run)) * second
        };
        let clean: Vec<f64> = (0..360).map(|k| entry(k) + 0.002 * normal(r)).collect();
        at.array(&format!("run{run}.npy"), &[30, 12], &clean);
    }
}

#[test]
fn chemometrics() {
    let at = Folder::new("cook-chemometrics");
    fluorescence(&at);
    counts_and_runs(&at);
    cook(&at, "Chemometrics");
}

/// Outputs of a quadratic map of two hidden inputs, and a covariance as pandas writes it.
fn outputs(at: &Folder) {
    let r = &mut rng(10);
    let mut samples = "drag,lift,temp,mass\n".to_owned();
    let q = [
        [1.0, 0.3, -0.5],
        [0.2, 1.0, 0.4],
        [-0.6, 0.2, 0.9],
        [0.5, -0.7, 0.1],
    ];
    let mut fresh = samples.clone();
    for row in 0..5000 {
        let (x, y) = (normal(r), normal(r));
        let z = q.map(|[a, b, c]| (a * x * x + 2.0 * b * x * y + c * y * y).to_string());
        writeln!(
            if row < 4000 { &mut samples } else { &mut fresh },
            "{}",
            z.join(",")
        )
        .unwrap();
    }
    std::fs::write(at.path("samples.csv"), samples).unwrap();
    std::fs::write(at.path("new.csv"), fresh).unwrap();
    std::fs::write(at.path("cov.csv"), ",x,y\nx,2.0,0.5\ny,0.5,1.0\n").unwrap();
}

/// Inputs and outputs of a relu network and of a sum of cubes.
fn network(at: &Folder) {
    let r = &mut rng(11);
    let mut table = "x0,x1,x2,x3,y,cube\n".to_owned();
    for _ in 0..1500 {
        let x: Vec<f64> = (0..4).map(|_| normal(r)).collect();
        let (u, v) = (0.8 * x[0] + 0.6 * x[1], 0.6 * x[2] - 0.8 * x[3]);
        let (y, cube) = (
            1.5 * u.max(0.0) - 2.0 * v.max(0.0) + 0.5,
            u.powi(3) + v.powi(3),
        );
        writeln!(table, "{},{},{},{},{y},{cube}", x[0], x[1], x[2], x[3]).unwrap();
    }
    std::fs::write(at.path("train.csv"), table).unwrap();
}

/// Three clusters.
fn flowers(at: &Folder) {
    let r = &mut rng(12);
    let mut flowers = "length,width\n".to_owned();
    for k in 0..600 {
        let middle = [[0.0, 0.0], [6.0, 1.0], [0.0, 7.0]][k % 3];
        let (x, y) = (middle[0] + normal(r), middle[1] + normal(r));
        writeln!(flowers, "{x},{y}").unwrap();
    }
    std::fs::write(at.path("flowers.csv"), flowers).unwrap();
}

fn strassen(at: &Folder) {
    let strassen = "(a11+a22)*(b11+b22)*(c11+c22)\n(a21+a22)*b11*(c12-c22)\na11*(b12-b22)*(c21+c22)\n\
        a22*(b21-b11)*(c11+c12)\n(a11+a12)*b22*(c21-c11)\n(a21-a11)*(b11+b12)*c22\n(a12-a22)*(b21+b22)*c11\n";
    std::fs::write(at.path("strassen.exp"), strassen).unwrap();
    let bad = strassen.replace("(c11+c12)", "(c11-c12)");
    std::fs::write(at.path("bad.exp"), bad).unwrap();
    let program = "m1 = (a11 + a22)*(b11 + b22)\nm2 = (a21 + a22)*b11\nm3 = a11*(b12 - b22)\nm4 = a22*(b21 - b11)\n\
        m5 = (a11 + a12)*b22\nm6 = (a21 - a11)*(b11 + b12)\nm7 = (a12 - a22)*(b21 + b22)\nc11 = m1 + m4 - m5 + m7\n\
        c12 = m3 + m5\nc21 = m2 + m4\nc22 = m1 - m2 + m3 + m6\n";
    std::fs::write(at.path("program.txt"), program).unwrap();
}

#[test]
fn uncertainty() {
    let at = Folder::new("cook-uncertainty");
    outputs(&at);
    network(&at);
    flowers(&at);
    cook(&at, "Uncertainty quantification");
}

#[test]
fn schemes() {
    let at = Folder::new("cook-schemes");
    strassen(&at);
    cook(&at, "Schemes");
}

#[test]
fn readme() {
    let at = Folder::new("cook-readme");
    fluorescence(&at);
    counts_and_runs(&at);
    outputs(&at);
    network(&at);
    strassen(&at);
    for (from, to) in [
        ("new.csv", "new-samples.csv"),
        ("cov.csv", "covariance.csv"),
        ("strassen.exp", "scheme.exp"),
    ] {
        std::fs::rename(at.path(from), at.path(to)).unwrap();
    }
    std::fs::create_dir(at.path("catalogue")).unwrap();
    std::fs::copy(at.path("scheme.exp"), at.path("catalogue/strassen.exp")).unwrap();
    std::fs::write(
        at.path("best_known_ranks.csv"),
        "format,ZT,Z,Q\n2x2x2,7,7,7\n",
    )
    .unwrap();
    let page = include_str!("../../README.md");
    let part = page.split_once("### Chemometrics").unwrap().1;
    let part = part.split_once("### All commands").unwrap().0;
    let lines: Vec<&str> = part
        .lines()
        .filter_map(|l| l.strip_prefix("    wickring "))
        .collect();
    assert!(lines.len() > 20, "{}", lines.len());
    let mut wrong = Vec::new();
    for line in lines {
        let words = split(line);
        let run = at.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        // Time limits and criteria that disagree end with exit code 3.
        let early = line.contains("--max-seconds") || line.contains("1..4");
        if run.code != 0 && !(early && run.code == 3) {
            wrong.push(format!("{line}: exit {}\n{}{}", run.code, run.out, run.err));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let shown = at.run(
        &split("verify scheme.exp --tensor matmul:2,2,2")
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>(),
    );
    assert!(shown.out.lines().all(|l| page.contains(l)), "{}", shown.out);
}
