//! What every command shares: the common flags, where text goes, how it is interrupted.

use crate::doors::Door;
pub use crate::flags::{Common, Missing, ProgressKind};
use crate::interrupt;
use crate::page::{self, Part};
use crate::plot::{Figure, save};
use crate::progress::Meter;
use crate::report::{Cost, complain, fail, print, print_object};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use wickring::Error;
use wickring::io::samples::{Samples, Selection};
use wickring::io::{source, write_whole};
use wickring::run::Checkpoint;

/// How a command ended when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done and certified.
    Certified,
    /// The claim is false.
    Refuted,
    /// Nothing was claimed that could be true or false.
    NoClaim,
    /// Not certified, or not converged within the budget.
    NotCertified,
}

impl Outcome {
    /// The exit code of the contract.
    pub fn code(self) -> u8 {
        match self {
            Self::Certified => 0,
            Self::Refuted => 1,
            Self::NoClaim => 2,
            Self::NotCertified => 3,
        }
    }
}

/// The common flags together with the clock and the interrupt flag.
pub struct Context {
    /// The flags as given.
    pub common: Common,
    deadline: Option<Instant>,
    door: Door,
    start: Instant,
    /// Pictures for the page of `--report`.
    pictures: Mutex<Vec<Part>>,
    notes: Mutex<Vec<String>>,
    missing: Mutex<Option<usize>>,
}

impl Context {
    /// Checks the flags, sizes the thread pool and listens for Ctrl-C and for the wish to terminate.
    pub fn new(common: Common, door: Door, start: Instant) -> Result<Self, Error> {
        let deadline = match common.max_seconds {
            None => None,
            Some(s) if s > 0.0 && s < 1e9 => Some(start + Duration::from_secs_f64(s)),
            Some(s) => {
                return Err(Error::invalid(
                    "--max-seconds",
                    format!("must be a positive number of seconds below 1e9, got {s}"),
                ));
            }
        };
        if let Some(n) = common.threads {
            if n == 0 || n > 1024 {
                return Err(Error::invalid(
                    "--threads",
                    format!("must be in 1..=1024, got {n}"),
                ));
            }
            // A second initialisation cannot happen: this is the only one.
            let _ = rayon::ThreadPoolBuilder::new()
                .num_threads(n)
                .build_global();
        }
        if let Some(path) = &common.plot {
            let known = path.extension().is_some_and(|e| e == "svg" || e == "png");
            if !known {
                return Err(Error::file(
                    path.as_path(),
                    "",
                    "--plot writes .svg or .png",
                ));
            }
        }
        if let Some(path) = &common.report
            && path.extension().is_none_or(|e| e != "html")
        {
            return Err(Error::file(path.as_path(), "", "--report writes .html"));
        }
        interrupt::listen();
        Ok(Self {
            common,
            deadline,
            door,
            start,
            pictures: Mutex::default(),
            notes: Mutex::default(),
            missing: Mutex::default(),
        })
    }

    /// The generator that `--seed` stands for.
    pub fn rng(&self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.common.seed)
    }

    /// Whether the user or the clock asked to stop.
    pub fn should_stop(&self) -> bool {
        interrupt::asked() || self.deadline.is_some_and(|d| Instant::now() >= d)
    }

    /// When the clock asks to stop.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Runs work that does not look at the clock itself, and gives it up when it is time to stop.
    ///
    /// # Errors
    /// Those of the work; `Stopped` when the user or the clock asked for it; `Backend` when it broke.
    pub fn within<T: Send + 'static>(
        &self,
        op: &'static str,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, answer) = std::sync::mpsc::channel();
        // Nobody waits for the thread: the process ends when it is given up.
        std::thread::spawn(move || sender.send(work()));
        loop {
            match answer.recv_timeout(Duration::from_millis(20)) {
                Ok(found) => return found,
                Err(RecvTimeoutError::Timeout) if self.should_stop() => {
                    return Err(Error::Stopped { op });
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let routine = "a thread of its own";
                    return Err(Error::Backend { op, routine });
                }
            }
        }
    }

    /// The observer for long work: shows progress and passes on the wish to stop.
    pub fn meter(&self) -> Meter<'_> {
        Meter::new(self)
    }

    /// The sample in files and folders, with the columns and the array asked for; with `--missing mask` its entries may be NaN. That
    /// it looks transposed is noted.
    ///
    /// # Errors
    /// As [`Samples::open_selected`].
    pub fn samples<P: AsRef<Path>>(&self, paths: &[P]) -> Result<Samples, Error> {
        let samples = self.rows(paths, &self.common.columns)?;
        self.suspect(&samples);
        Ok(samples)
    }

    /// The same with other columns, and without suspicion: what the rows are is known.
    ///
    /// # Errors
    /// As [`Samples::open_selected`].
    pub fn rows<P: AsRef<Path>>(&self, paths: &[P], columns: &[String]) -> Result<Samples, Error> {
        let selection = Selection {
            columns: columns.to_vec(),
            name: self.name()?.map(str::to_owned),
            gaps: self.common.missing == Missing::Mask,
        };
        Samples::open_selected(paths, &selection)
    }

    /// Inputs and targets, of which `--name X,y` picks the arrays, or `target` the column of the one table of both.
    ///
    /// # Errors
    /// As [`Samples::open_selected`]; `InvalidInput` for one name or more than two.
    pub fn pair<P: AsRef<Path>>(
        &self,
        (inputs, targets): (&[P], &[P]),
        target: Option<&str>,
    ) -> Result<(Samples, Samples), Error> {
        if let Some(target) = target {
            return self.parted(inputs, target);
        }
        let (x, y) = match &self.common.name[..] {
            [] => (None, None),
            [x, y] => (Some(x.clone()), Some(y.clone())),
            _ => {
                let requirement =
                    "must name two arrays, that of the inputs and that of the targets: X,y";
                return Err(Error::invalid("--name", requirement));
            }
        };
        let open = |paths: &[P], name, columns: &[String]| {
            let columns = columns.to_vec();
            let gaps = false;
            Samples::open_selected(
                paths,
                &Selection {
                    columns,
                    name,
                    gaps,
                },
            )
        };
        let inputs = open(inputs, x, &self.common.columns)?;
        self.suspect(&inputs);
        Ok((inputs, open(targets, y, &[])?))
    }

    /// The columns of one table: those of `--columns`, else all others, and the target.
    fn parted<P: AsRef<Path>>(
        &self,
        paths: &[P],
        target: &str,
    ) -> Result<(Samples, Samples), Error> {
        let targets = Samples::open_columns(paths, &[target.to_owned()])?;
        let mut columns = self.common.columns.clone();
        if columns.is_empty() {
            let all = Samples::open(paths)?;
            let number = all.names().iter().position(|n| n == target);
            let number = number.or_else(|| target.parse().ok());
            let others = (0..all.columns()).filter(|&k| Some(k) != number);
            // A number would be taken for the name of another column where names are numbers.
            let named = all.names().iter().any(|n| n.parse::<usize>().is_ok());
            let word = |k: usize| match all.names().get(k).filter(|_| named) {
                Some(name) => name.clone(),
                None => k.to_string(),
            };
            columns = others.map(word).collect();
        }
        if columns.iter().any(|c| c == target) || columns.is_empty() {
            let what = format!("{target} is among the inputs, or there is no other column");
            return Err(Error::invalid("--target", what));
        }
        let inputs = Samples::open_columns(paths, &columns)?;
        self.suspect(&inputs);
        Ok((inputs, targets))
    }

    /// The one array of `--name`.
    ///
    /// # Errors
    /// `InvalidInput` for several.
    pub fn name(&self) -> Result<Option<&str>, Error> {
        match &self.common.name[..] {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => Err(Error::invalid("--name", "must name one array here")),
        }
    }

    fn suspect(&self, samples: &Samples) {
        if samples.looks_transposed() {
            let (n, d) = (samples.rows(), samples.columns());
            self.note(format!(
                "{n} rows of {d} columns look transposed: rows are samples, columns are variables"
            ));
        }
    }

    /// A line at the end of the result, for people and as one of `notes`.
    pub fn note(&self, line: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if !notes.contains(&line) {
            notes.push(line);
        }
    }

    /// A report for a file, with the lines so far as its `notes`.
    pub fn with_notes(&self, mut report: serde_json::Value) -> serde_json::Value {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if !notes.is_empty() {
            report["notes"] = serde_json::json!(*notes);
        }
        report
    }

    /// Whether entries of the input may be missing.
    pub fn masks(&self) -> bool {
        self.common.missing == Missing::Mask || self.common.mask.is_some()
    }

    /// Remembers how many entries of the tensor are missing.
    pub fn count_missing(&self, entries: usize) {
        *self.missing.lock().unwrap_or_else(PoisonError::into_inner) = Some(entries);
    }

    /// How many entries of the tensor are missing, where that was counted.
    pub fn missing(&self) -> Option<usize> {
        *self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The report beside `--out`: never the same file.
    pub fn report_path(out: &Path) -> PathBuf {
        match out
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("json"))
        {
            true => out.with_extension("report.json"),
            false => out.with_extension("json"),
        }
    }

    /// The checkpoint of `--resume FILE`: what that file holds, kept there from now on.
    ///
    /// # Errors
    /// `File` when it cannot be read, or is no whole checkpoint.
    pub fn checkpoint<'p>(&self, path: Option<&'p Path>) -> Result<Checkpoint<'p>, Error> {
        let Some(path) = path else {
            return Ok(Checkpoint::none());
        };
        let known = path.symlink_metadata().is_ok();
        let bytes = known.then(|| source::bytes(path)).transpose()?;
        let text = bytes.map(|b| String::from_utf8_lossy(&b).into_owned());
        let keep = move |text: &str| write_whole(path, text.as_bytes());
        let damaged = |e: Error| Error::file(path, "--resume", e.problem());
        Checkpoint::kept(text.as_deref(), keep).map_err(damaged)
    }

    /// `--out`, or an error that says that it is needed.
    pub fn out(&self, command: &'static str) -> Result<&Path, Error> {
        let missing = || Error::invalid(command, "--out PATH is required");
        self.common.out.as_deref().ok_or_else(missing)
    }

    /// `--out`, where it names a certificate and the command's result is what it prints.
    pub fn certificate(&self) -> Option<&Path> {
        let out = self.common.out.as_deref();
        out.filter(|out| self.door.prints_to_out && crate::args::names_certificate(out))
    }

    /// Draws what `--plot` and `--report` ask for; without them nothing is computed.
    ///
    /// # Errors
    /// Those of the figures; `File` when the picture cannot be written.
    pub fn draw(&self, figures: impl FnOnce() -> Result<Vec<Figure>, Error>) -> Result<(), Error> {
        if self.common.plot.is_none() && self.common.report.is_none() {
            return Ok(());
        }
        let figures = figures()?;
        if let Some(path) = &self.common.plot {
            save(path, &figures)?;
        }
        if self.common.report.is_some() {
            let parts = figures.iter().map(Part::picture);
            let parts = parts.collect::<Result<Vec<_>, Error>>()?;
            let mut kept = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend(parts);
        }
        Ok(())
    }

    /// Writes the page that `--report` asks for.
    fn report(&self, json: &serde_json::Value, text: &str) -> Result<(), Error> {
        let Some(path) = &self.common.report else {
            return Ok(());
        };
        let mut kept = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
        let pictures = std::mem::take(&mut *kept);
        let page = page::of_fit(self.door.command, json, text, pictures);
        write_whole(path, page.html().as_bytes())
    }

    /// Prints the result: the JSON object with `--json`, else the text, else (with `--quiet`) nothing. Commands
    /// whose result is what they print write it to `--out` as well: the object as `.json`, the text as `.txt`.
    /// That `--out` cannot be written is told when the command has ended.
    pub fn emit(&self, json: &serde_json::Value, text: &str) {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut json, mut text) = (json.clone(), text.to_owned());
        if !notes.is_empty() {
            json["notes"] = serde_json::json!(*notes);
            text += &notes
                .iter()
                .map(|n| format!("note: {n}\n"))
                .collect::<String>();
        }
        if let Err(e) = self.report(&json, &text) {
            fail(e);
            return;
        }
        if let Some(out) = self
            .common
            .out
            .as_deref()
            .filter(|_| self.door.prints_to_out && self.certificate().is_none())
        {
            // Time and memory differ from run to run; files do not.
            let object = out.extension().is_some_and(|e| e == "json");
            let content = if object {
                format!("{json}\n")
            } else {
                text.clone()
            };
            if let Err(e) = write_whole(out, content.as_bytes()) {
                fail(e);
                return;
            }
        }
        if self.common.json {
            Cost::since(self.start).add_to(&mut json);
            print_object(&json);
        } else if !self.common.quiet {
            print(&text);
        }
    }

    /// A line of human text on standard output, while work goes on.
    pub fn say(&self, line: &str) {
        if !self.common.json && !self.common.quiet {
            print(&format!("{line}\n"));
        }
    }

    /// A line about the progress of the work on standard error, where progress is wanted.
    pub fn step(&self, line: &str) {
        use std::io::{IsTerminal, Write};
        let wanted = match self.common.progress {
            ProgressKind::Auto => !self.common.quiet && std::io::stderr().is_terminal(),
            ProgressKind::Plain => true,
            ProgressKind::None => false,
        };
        if wanted {
            let (mut err, seconds) = (std::io::stderr().lock(), self.start.elapsed().as_secs_f64());
            let _ = writeln!(err, "{seconds:7.1} s  {line}");
        }
    }

    /// A warning on standard error, unless `--quiet`.
    pub fn warn(&self, line: &str) {
        if !self.common.quiet {
            complain(&format!("warning: {line}"));
        }
    }
}
