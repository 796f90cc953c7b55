//! What every command shares: the common flags, where text goes, how it is interrupted.

use crate::args::Door;
use crate::progress::Meter;
use crate::report::{Cost, complain, fail, print, print_object};
use clap::{Args, ValueEnum};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wickring::Error;
use wickring::io::samples::Samples;
use wickring::io::{source, write_whole};
use wickring::run::Checkpoint;

/// Flags that every command takes.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Seed of all randomness: same seed, same bytes, whatever the number of threads.
    #[arg(long, global = true, default_value_t = 0)]
    pub seed: u64,
    /// Number of threads; all cores by default.
    #[arg(long, global = true)]
    pub threads: Option<usize>,
    /// Print one JSON object on standard output and nothing else.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but errors.
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Also say, on standard error, what the run cost: time, processor time, threads, memory.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Progress on standard error.
    #[arg(long, global = true, value_enum, default_value_t = ProgressKind::Auto)]
    pub progress: ProgressKind,
    /// Stop after this many seconds with the best model so far, marked "stopped".
    #[arg(long, global = true)]
    pub max_seconds: Option<f64>,
    /// Where to write the result.
    #[arg(long, global = true)]
    pub out: Option<PathBuf>,
    /// Read these columns of a table only: names of its header, or numbers from 0.
    #[arg(long, global = true, value_delimiter = ',', value_name = "A,B,..")]
    pub columns: Vec<String>,
    /// Let an output replace an input.
    #[arg(long, global = true)]
    pub force: bool,
    /// What to do with NaN or infinity in the input.
    #[arg(long, global = true, value_enum, default_value_t = Missing::Refuse)]
    pub missing: Missing,
    /// Draw a picture (.svg or .png) where one helps.
    #[arg(long, global = true)]
    pub plot: Option<PathBuf>,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum ProgressKind {
    /// A bar on a terminal, nothing elsewhere.
    Auto,
    /// One line per step.
    Plain,
    /// Nothing.
    None,
}

/// What to do with NaN or infinity in the input.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Missing {
    /// An error.
    Refuse,
    /// Entries that were not measured; only for commands that can work without them.
    Mask,
}

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

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The common flags together with the clock and the interrupt flag.
pub struct Context {
    /// The flags as given.
    pub common: Common,
    deadline: Option<Instant>,
    door: Door,
    start: Instant,
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
        let _ = ctrlc::set_handler(|| {
            // A second Ctrl-C means now.
            if INTERRUPTED.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
        });
        Ok(Self {
            common,
            deadline,
            door,
            start,
        })
    }

    /// The generator that `--seed` stands for.
    pub fn rng(&self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.common.seed)
    }

    /// Whether the user or the clock asked to stop.
    pub fn should_stop(&self) -> bool {
        INTERRUPTED.load(Ordering::SeqCst) || self.deadline.is_some_and(|d| Instant::now() >= d)
    }

    /// When the clock asks to stop.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The observer for long work: shows progress and passes on the wish to stop.
    pub fn meter(&self) -> Meter<'_> {
        Meter::new(self)
    }

    /// The sample in files and folders, with the columns asked for.
    ///
    /// # Errors
    /// As [`Samples::open_columns`].
    pub fn samples<P: AsRef<Path>>(&self, paths: &[P]) -> Result<Samples, Error> {
        Samples::open_columns(paths, &self.common.columns)
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
        let damaged = |e: Error| Error::file(path, "--resume", e.to_string());
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

    /// Prints the result: the JSON object with `--json`, else the text, else (with `--quiet`) nothing. Commands
    /// whose result is what they print write it to `--out` as well: the object as `.json`, the text as `.txt`.
    /// That `--out` cannot be written is told when the command has ended.
    pub fn emit(&self, json: &serde_json::Value, text: &str) {
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
                text.to_owned()
            };
            if let Err(e) = write_whole(out, content.as_bytes()) {
                fail(e);
                return;
            }
        }
        if self.common.json {
            let mut value = json.clone();
            Cost::since(self.start).add_to(&mut value);
            print_object(&value);
        } else if !self.common.quiet {
            print(text);
        }
    }

    /// A line of human text on standard output, while work goes on.
    pub fn say(&self, line: &str) {
        if !self.common.json && !self.common.quiet {
            print(&format!("{line}\n"));
        }
    }

    /// A warning on standard error, unless `--quiet`.
    pub fn warn(&self, line: &str) {
        if !self.common.quiet {
            complain(&format!("warning: {line}"));
        }
    }
}
