//! What surrounds a result: the object of an error, time and memory, and standard output itself.

use serde_json::{Value, json};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use wickring::Error;

/// Whether something could not be written to standard output, though its reader was still there.
static LOST: AtomicBool = AtomicBool::new(false);
/// Whether an object was printed with `--json`.
static PRINTED: AtomicBool = AtomicBool::new(false);

/// What failed while a result was handed out, to be told at the end.
static FAILED: Mutex<Option<Error>> = Mutex::new(None);

/// Remembers that a result could not be written; the first such error is told.
pub fn fail(e: Error) {
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    failed.get_or_insert(e);
}

/// What [`fail`] was told.
pub fn failed() -> Option<Error> {
    FAILED.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Writes to standard output. A closed pipe is no fault: its reader has seen enough. Any other failure is told
/// once and makes the exit code 2.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(e) = out.write_all(text.as_bytes()).and_then(|()| out.flush())
        && e.kind() != ErrorKind::BrokenPipe
        && !LOST.swap(true, Ordering::SeqCst)
    {
        complain(&format!("standard output: cannot be written: {e}"));
    }
}

/// Whether a part of standard output was lost.
pub fn lost() -> bool {
    LOST.load(Ordering::SeqCst)
}

/// Prints the one object of `--json`.
pub fn print_object(value: &Value) {
    PRINTED.store(true, Ordering::SeqCst);
    print(&format!("{value}\n"));
}

/// Prints the object of an error, unless an object was printed before it.
pub fn print_error(error: &Value) {
    if !PRINTED.load(Ordering::SeqCst) {
        print_object(&json!({ "error": error }));
    }
}

/// One clear line on standard error.
pub fn complain(line: &str) {
    let line: String = line
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let _ = writeln!(std::io::stderr().lock(), "wickring: {line}");
}

/// An error in the words of the command that was given: its own name or that of an option, never that of a function.
pub fn words(e: &Error, command: &str) -> String {
    let line = match e.op() {
        Some("wickring") | None => e.problem(),
        Some(option) if option.starts_with("--") => format!("{option}: {}", e.problem()),
        Some(_) => format!("{command}: {}", e.problem()),
    };
    match e {
        // Exit code 3, where a user looks for the best so far.
        Error::Degenerate { .. }
        | Error::NotConverged { .. }
        | Error::Stopped { .. }
        | Error::LimitExceeded { .. } => format!("{line}; there is no result to write"),
        _ => line,
    }
}

/// What `{"error": ..}` holds.
pub fn describe(e: &Error, command: &str) -> Value {
    let kind = match e {
        Error::InvalidInput { .. } => "invalid-input",
        Error::Shape { .. } => "shape",
        Error::Parse { .. } => "parse",
        Error::File { .. } => "file",
        Error::NonFinite { .. } => "not-finite",
        Error::Degenerate { .. } => "degenerate",
        Error::Overflow { .. } => "overflow",
        Error::LimitExceeded { .. } => "limit",
        Error::Stopped { .. } => "stopped",
        Error::NotConverged { .. } => "not-converged",
        _ => "internal",
    };
    let (file, place) = match e {
        Error::File { path, place, .. } => (json!(path.to_string_lossy()), json!(place)),
        Error::Parse { at, .. } => (Value::Null, json!(format!("byte {at}"))),
        Error::NonFinite { index, .. } => (Value::Null, json!(format!("entry {index}"))),
        _ => (Value::Null, Value::Null),
    };
    json!({ "kind": kind, "message": words(e, command), "file": file, "place": place })
}

/// The object of an error that is not one of the library.
pub fn plain(kind: &str, message: &str) -> Value {
    json!({ "kind": kind, "message": message, "file": Value::Null, "place": Value::Null })
}

/// What a run has cost so far.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Time on the wall, in seconds.
    pub seconds: f64,
    /// Time of all processors, in seconds; `None` where the system does not say.
    pub cpu_seconds: Option<f64>,
    /// The most memory that was resident, in bytes; `None` where the system does not say.
    pub peak_bytes: Option<u64>,
}

impl Cost {
    /// The cost since `start`.
    pub fn since(start: Instant) -> Self {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self {
            seconds: start.elapsed().as_secs_f64(),
            cpu_seconds: cpu_seconds(&stat),
            peak_bytes: peak_bytes(&status),
        }
    }

    /// The same as one line for people.
    pub fn line(self) -> String {
        let unknown = || "unknown".to_owned();
        let cpu = self
            .cpu_seconds
            .map_or_else(unknown, |s| format!("{s:.2} s"));
        let peak = self.peak_bytes;
        let peak = peak.map_or_else(unknown, |b| format!("{:.1} MB", b as f64 / 1e6));
        let (seconds, threads) = (self.seconds, rayon::current_num_threads());
        format!(
            "took {seconds:.3} s with {threads} threads, processor time {cpu}, most memory {peak}"
        )
    }

    /// Adds the three figures to an object.
    pub fn add_to(self, value: &mut Value) {
        if let Value::Object(object) = value {
            object.insert("seconds".into(), json!(self.seconds));
            object.insert("cpu_seconds".into(), json!(self.cpu_seconds));
            object.insert("peak_bytes".into(), json!(self.peak_bytes));
        }
    }
}

/// User and system time are fields 14 and 15, in ticks of which Linux reports 100 a second whatever its clock;
/// the name in field 2 may hold blanks and brackets.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some((ticks()? + ticks()?) as f64 / 100.0)
}

fn peak_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Paths as text: JSON has no others, and a name need not be text.
pub fn shown(paths: &[PathBuf]) -> Vec<String> {
    let text = |p: &PathBuf| p.to_string_lossy().into_owned();
    paths.iter().map(text).collect()
}
