//! A peer in a process of its own: requests and answers are lines of JSON.

use super::Answer;
use crate::context::Context;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use wickring::Error;
use wickring::io::write_whole;

/// A peer has this long for one answer, its start included.
const PATIENCE: Duration = Duration::from_secs(60);

/// A peer that runs.
pub struct Worker {
    /// What it says of itself.
    pub version: String,
    child: Child,
    requests: ChildStdin,
    answers: Receiver<String>,
}

/// What a peer answered: seconds of processor time and the answer, or what went wrong, in its words.
pub type Found = Result<(f64, Answer), String>;

impl Worker {
    /// Starts `script` for `peer`; `Ok(Err(reason))` when the peer is not there.
    ///
    /// # Errors
    /// `File` when the script cannot be written.
    pub fn start(
        peer: &str,
        script: &str,
        folder: &Path,
        threads: usize,
        context: &Context,
    ) -> Result<Result<Self, String>, Error> {
        // Not the name of the package: Python would import the script in its place.
        let path = folder.join(format!("bench-{peer}.py"));
        write_whole(&path, script.as_bytes())?;
        let python = std::env::var_os("WICKRING_PYTHON").unwrap_or_else(|| "python3".into());
        let shown = python.to_string_lossy().into_owned();
        let mut command = Command::new(&python);
        command.arg(&path).arg(peer);
        for name in ["OMP", "OPENBLAS", "MKL", "NUMEXPR"] {
            command.env(format!("{name}_NUM_THREADS"), threads.to_string());
        }
        command
            .env("BENCH_THREADS", threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(e) => return Ok(Err(format!("{shown} cannot be started: {e}"))),
        };
        let (Some(requests), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Ok(Err(format!("{shown} cannot be talked to")));
        };
        let (sender, answers) = channel();
        // Ends with the child, whose output it reads.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut worker = Self {
            version: String::new(),
            child,
            requests,
            answers,
        };
        let hello = worker
            .line(context)
            .unwrap_or_else(|why| Some(Value::from(why)));
        Ok(match hello {
            Some(hello) => match hello["version"].as_str() {
                Some(version) => {
                    worker.version = version.to_owned();
                    Ok(worker)
                }
                None => Err(match hello["absent"].as_str() {
                    Some(why) => format!("{shown}: {why}"),
                    None => format!("{shown} says {hello}"),
                }),
            },
            None => Err("stopped while it was starting".to_owned()),
        })
    }

    /// The answer to a request; `None` when the user or the clock asked to stop.
    pub fn ask(&mut self, request: &Value, context: &Context) -> Option<Found> {
        let sent = writeln!(self.requests, "{request}").and_then(|()| self.requests.flush());
        if let Err(e) = sent {
            return Some(Err(format!("does not listen: {e}")));
        }
        let line = match self.line(context) {
            Ok(line) => line?,
            Err(why) => return Some(Err(why)),
        };
        if let Some(why) = line["error"].as_str() {
            return Some(Err(why.to_owned()));
        }
        let answer = match (
            line["exact"].as_str(),
            line["residual"].as_f64(),
            line["log_likelihood"].as_f64(),
        ) {
            (Some(digest), _, _) => Answer::Exact(digest.to_owned()),
            (_, Some(residual), _) => Answer::Residual(residual),
            (_, _, Some(value)) => Answer::LogLikelihood(value),
            _ => return Some(Err(format!("answers {line}"))),
        };
        match line["seconds"].as_f64() {
            Some(seconds) if seconds > 0.0 => Some(Ok((seconds, answer))),
            _ => Some(Err(format!("tells no time: {line}"))),
        }
    }

    /// The next line; `Ok(None)` when the user or the clock asked to stop.
    fn line(&mut self, context: &Context) -> Result<Option<Value>, String> {
        let asked = Instant::now();
        loop {
            match self.answers.recv_timeout(Duration::from_millis(50)) {
                Ok(line) => return serde_json::from_str(&line).map(Some).map_err(|_| line),
                Err(RecvTimeoutError::Disconnected) => return Err("ended without an answer".into()),
                Err(RecvTimeoutError::Timeout) if context.should_stop() => return Ok(None),
                Err(RecvTimeoutError::Timeout) if asked.elapsed() > PATIENCE => {
                    return Err(format!("no answer within {} s", PATIENCE.as_secs()));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
