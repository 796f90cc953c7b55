//! When learners say `converged`: how often of planted truths, how often of what they cannot hold.
//!
//!     status_record run FILE.csv SECONDS FAMILY planted|zoo [MOST] [FOLDER]    appends cases until either runs out
//!     status_record table FILE.csv                                             the table of BENCHMARKS.md
//!     status_record show FAMILY planted|zoo CASE [FOLDER]                      one case with all its checks
//!
//! Built by `cargo build --release --no-default-features --features bench,learn --example status_record`. Case `k` of a family
//! depends on nothing but `k`; a file that holds cases already is gone on with. `FOLDER` holds real data, `.npy` or `.csv`,
//! which take turns with the laws of the zoo. Columns: day, family, role, case, kind, rows, status, `error`, `seen`, seconds,
//! first check that fails. Of planted truths `error` is the distance to the truth (in statistical floors for quadratic maps,
//! relative for networks); of what can be drawn from it is Kolmogorov's distance between 20000 draws of the model and of the
//! truth, the greatest over columns and directions, and `seen` the distance that so many rows show nine times in ten.

#[path = "../process.rs"]
mod process;

mod maps;
mod mixtures;
mod networks;
mod table;
mod zoo;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::io::Write;
use std::path::{Path, PathBuf};
use wickring::fit::Fit;
use wickring::{Error, Status};

/// What became of a case.
pub struct Seen {
    kind: String,
    rows: usize,
    status: &'static str,
    error: f64,
    why: String,
    checks: Vec<String>,
}

impl Seen {
    /// Of a fit or its refusal; `error` is asked only of a model.
    fn of<M>(
        kind: String,
        rows: usize,
        fit: Result<Fit<M>, Error>,
        error: impl FnOnce(&Fit<M>) -> Option<f64>,
    ) -> Self {
        match fit {
            Ok(fit) => Self {
                kind,
                rows,
                status: fit.status.name(),
                error: error(&fit).unwrap_or(f64::NAN),
                why: fit.evidence.first_failure().map_or(String::new(), |c| {
                    format!("{} {:.3e} > {:.3e}", c.key, c.measured, c.allowed)
                }),
                checks: (fit.evidence.checks.iter())
                    .map(|c| {
                        format!(
                            "{} {:?}: {:.4e} <= {:.4e}  {}",
                            c.key, c.role, c.measured, c.allowed, c.label
                        )
                    })
                    .collect(),
            },
            Err(e) => Self {
                kind,
                rows,
                status: "refused",
                error: f64::NAN,
                why: e.to_string().replace([',', '\n'], ";"),
                checks: Vec::new(),
            },
        }
    }
}

/// One case: family, whether it is planted, its number, real data.
fn case(family: &str, planted: bool, number: u64, folder: Option<&Path>) -> Result<Seen, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(0x5741_7475 ^ u64::from(planted) << 40);
    let stream = FAMILIES.iter().position(|f| *f == family).unwrap_or(99);
    rng.set_stream((stream as u64) << 32 | number);
    match family {
        "two-layer" | "relu" => networks::case(family, planted, number, &mut rng),
        "em" | "auto" | "diffusion" | "moments" => {
            mixtures::case(family, planted, (number, folder), &mut rng)
        }
        _ => maps::case(family, planted, (number, folder), &mut rng),
    }
}

/// Every family of learners and flags.
pub const FAMILIES: [&str; 12] = [
    "quadratic",
    "quadratic-noise-auto",
    "quadratic-noise-known",
    "quadratic-rounded",
    "quadratic-radial",
    "polynomial",
    "two-layer",
    "relu",
    "em",
    "auto",
    "diffusion",
    "moments",
];

fn run(words: &[String]) -> Result<(), Error> {
    let word = |k: usize| words.get(k).map_or("", String::as_str);
    let (file, family, role) = (PathBuf::from(word(0)), word(2), word(3));
    let seconds: f64 = word(1).parse().unwrap_or(60.0);
    let most: usize = word(4).parse().unwrap_or(usize::MAX);
    let folder = words.get(5).map(PathBuf::from);
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    let start = format!(",{family},{role},");
    let done = before.lines().filter(|l| l.contains(&start)).count();
    let day = day();
    let mut out = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)
        .map_err(|e| Error::invalid("status_record", e.to_string()))?;
    let clock = || process::seconds().unwrap_or(f64::INFINITY);
    for number in done..most {
        let begun = clock();
        if begun > seconds {
            break;
        }
        let seen = case(family, role == "planted", number as u64, folder.as_deref())?;
        let detectable = 2.53 / (seen.rows as f64).sqrt();
        let line = format!(
            "{day},{family},{role},{number},{},{},{},{:.4e},{detectable:.3},{:.2},{}\n",
            seen.kind,
            seen.rows,
            seen.status,
            seen.error,
            clock() - begun,
            seen.why
        );
        out.write_all(line.as_bytes())
            .map_err(|e| Error::invalid("status_record", e.to_string()))?;
    }
    Ok(())
}

/// The date of today, UTC.
fn day() -> String {
    let seconds = std::time::UNIX_EPOCH.elapsed().map_or(0, |d| d.as_secs());
    // Days to dates after Howard Hinnant, chrono-compatible low-level date algorithms.
    let z = (seconds / 86_400) as i64 + 719_468;
    let era = z / 146_097;
    let of_era = z - era * 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let part = (5 * of_year + 2) / 153;
    let (day, month) = (
        of_year - (153 * part + 2) / 5 + 1,
        if part < 10 { part + 3 } else { part - 9 },
    );
    format!(
        "{}-{month:02}-{day:02}",
        year + era * 400 + i64::from(month <= 2)
    )
}

fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |k: usize| words.get(k).map_or("", String::as_str);
    match word(0) {
        "run" => run(&words[1..]),
        "table" => {
            let text = std::fs::read_to_string(word(1))
                .map_err(|e| Error::invalid("status_record", e.to_string()))?;
            write!(std::io::stdout(), "{}", table::of(&text)).ok();
            Ok(())
        }
        "show" => {
            let number = word(3).parse().unwrap_or(0);
            let folder = words.get(4).map(PathBuf::from);
            let seen = case(word(1), word(2) == "planted", number, folder.as_deref())?;
            let mut out = std::io::stdout();
            writeln!(
                out,
                "{} n={} {} error {:.3e} {}",
                seen.kind, seen.rows, seen.status, seen.error, seen.why
            )
            .ok();
            seen.checks.iter().for_each(|c| {
                writeln!(out, "  {c}").ok();
            });
            Ok(())
        }
        other => Err(Error::invalid(
            "status_record",
            format!("run, table or show, got '{other}'"),
        )),
    }
}

/// Whether a fit may be built upon.
pub fn accepted(status: &str) -> bool {
    status == Status::Converged.name()
}
