//! What `wickring bench` prints: one row a case, ratios, and who answered better.

use super::Answer;
use super::peer::Found;
use crate::context::{Context, Outcome};
use serde_json::{Value, json};
use wickring::Error;

/// Relative residuals below this are an exact decomposition.
const EXACT: f64 = 1e-6;
/// Residuals whose ratio, and likelihoods whose difference, is this near to 1 and 0 say the same.
const NEAR: f64 = 1e-3;

/// How two answers to the same problem compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agreement {
    /// They say the same.
    Same,
    /// Ours is better.
    Ours,
    /// The other one is better.
    Theirs,
    /// Exact answers that differ, or answers to different questions.
    Differ,
}

impl Agreement {
    fn of(ours: &Answer, theirs: &Answer) -> Self {
        let order = |better: bool| if better { Self::Ours } else { Self::Theirs };
        match (ours, theirs) {
            (Answer::Exact(a), Answer::Exact(b)) if a == b => Self::Same,
            (Answer::Residual(a), Answer::Residual(b)) => {
                let both = *a <= EXACT && *b <= EXACT;
                match both || (a - b).abs() <= NEAR * a.max(*b) {
                    true => Self::Same,
                    false => order(a < b || !b.is_finite()),
                }
            }
            (Answer::LogLikelihood(a), Answer::LogLikelihood(b)) => match (a - b).abs() <= NEAR {
                true => Self::Same,
                false => order(a > b),
            },
            _ => Self::Differ,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Ours => "wickring better",
            Self::Theirs => "peer better",
            Self::Differ => "DIFFER",
        }
    }
}

/// One case: the least times of both sides and their last answers.
pub struct Row {
    case: String,
    ours: f64,
    theirs: f64,
    answer: Option<Answer>,
    other: Option<Answer>,
    failed: Option<String>,
}

impl Row {
    /// A row without times.
    pub fn new(case: &str) -> Self {
        Self {
            case: case.to_owned(),
            ours: f64::INFINITY,
            theirs: f64::INFINITY,
            answer: None,
            other: None,
            failed: None,
        }
    }

    /// One run of ours.
    pub fn ours(&mut self, seconds: f64, answer: Answer) {
        self.ours = self.ours.min(seconds);
        self.answer = Some(answer);
    }

    /// One run of the peer.
    pub fn theirs(&mut self, found: Found) {
        match found {
            Ok((seconds, answer)) => {
                self.theirs = self.theirs.min(seconds);
                self.other = Some(answer);
            }
            Err(why) => self.failed = Some(why),
        }
    }

    fn agreement(&self) -> Option<Agreement> {
        let both = self.answer.as_ref().zip(self.other.as_ref());
        both.map(|(a, b)| Agreement::of(a, b))
    }

    /// How many times faster we were.
    fn ratio(&self) -> Option<f64> {
        (self.theirs.is_finite() && self.ours > 0.0).then(|| self.theirs / self.ours)
    }

    fn line(&self) -> String {
        let figures = |a: &Option<Answer>| match a {
            Some(Answer::Residual(x)) => format!("{x:.1e}"),
            Some(Answer::LogLikelihood(x)) => format!("{x:.4}"),
            _ => String::new(),
        };
        let (a, b) = (figures(&self.answer), figures(&self.other));
        let shown = match (a.is_empty() || b.is_empty(), self.agreement()) {
            (_, None) => format!("peer failed: {}", self.failed.as_deref().unwrap_or("")),
            (true, Some(agreement)) => agreement.words().to_owned(),
            (false, Some(agreement)) => format!("{} ({a}, {b})", agreement.words()),
        };
        let theirs = match self.theirs.is_finite() {
            true => format!("{:.2}", 1e3 * self.theirs),
            false => "-".to_owned(),
        };
        let ratio = self.ratio().map_or("-".to_owned(), |r| format!("{r:.2}"));
        let (case, ours) = (&self.case, 1e3 * self.ours);
        format!("  {case:<44} {ours:>10.2} {theirs:>10} {ratio:>8}  {shown}")
    }

    fn object(&self) -> Value {
        let shown = |a: &Option<Answer>| match a {
            Some(Answer::Exact(text)) => json!({ "exact": text }),
            Some(Answer::Residual(x)) => json!({ "rel_residual": x }),
            Some(Answer::LogLikelihood(x)) => json!({ "log_likelihood": x }),
            None => Value::Null,
        };
        json!({
            "case": self.case,
            "seconds": self.ours,
            "peer_seconds": self.theirs.is_finite().then_some(self.theirs),
            "ratio": self.ratio(),
            "answer": shown(&self.answer),
            "peer_answer": shown(&self.other),
            "agreement": self.agreement().map(Agreement::words),
            "peer_error": self.failed,
        })
    }
}

/// A peer that is not there.
pub struct Skipped {
    area: &'static str,
    peer: &'static str,
    package: &'static str,
    reason: String,
}

impl Skipped {
    /// A peer that cannot be used, and why.
    pub fn new(
        area: &'static str,
        peer: &'static str,
        package: &'static str,
        reason: String,
    ) -> Self {
        Self {
            area,
            peer,
            package,
            reason,
        }
    }

    fn remedy(&self) -> String {
        format!("pip install {}", self.package)
    }
}

struct Group {
    area: &'static str,
    peer: &'static str,
    version: String,
    rows: Vec<Row>,
}

/// Everything that was compared.
pub struct Table {
    /// Whether the user or the clock ended it before its time.
    pub stopped: bool,
    seed: u64,
    threads: usize,
    groups: Vec<Group>,
    skipped: Vec<Skipped>,
}

impl Table {
    /// An empty table.
    pub fn new(seed: u64, threads: usize) -> Self {
        Self {
            stopped: false,
            seed,
            threads,
            groups: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// Remembers a peer that is not there.
    pub fn skip(&mut self, skipped: Skipped) {
        self.skipped.push(skipped);
    }

    /// Rows that follow belong to this peer.
    pub fn open(&mut self, area: &'static str, peer: &'static str, version: &str) {
        self.groups.push(Group {
            area,
            peer,
            version: version.to_owned(),
            rows: Vec::new(),
        });
    }

    /// One more row.
    pub fn add(&mut self, row: Row, context: &Context) {
        if let Some(group) = self.groups.last_mut() {
            context.step(&format!("{} {}: {}", group.area, group.peer, row.case));
            group.rows.push(row);
        }
    }

    /// Prints everything.
    ///
    /// # Errors
    /// None of its own.
    pub fn finish(self, context: &Context) -> Result<Outcome, Error> {
        let rows = || self.groups.iter().flat_map(|g| &g.rows);
        let compared = rows().filter(|r| r.agreement().is_some()).count();
        let differ = rows().any(|r| r.agreement() == Some(Agreement::Differ));
        let status = match (self.stopped, compared) {
            (true, _) => "stopped",
            (_, 0) => "undecided",
            _ => "converged",
        };
        context.emit(&self.object(status), &self.text(compared));
        Ok(match (differ, self.stopped || compared == 0) {
            (true, _) => Outcome::Refuted,
            (_, true) => Outcome::NotCertified,
            _ => Outcome::Certified,
        })
    }

    fn text(&self, compared: usize) -> String {
        let threads = match self.threads {
            1 => "one thread".to_owned(),
            n => format!("{n} threads"),
        };
        let mut text = format!(
            "milliseconds of processor time, {threads} each, the least of alternating runs, seed {}\n",
            self.seed
        );
        for g in &self.groups {
            let (area, peer) = (g.area, format!("{} {}", g.peer, g.version));
            text += &format!(
                "{area}, beside {peer}\n  {:<44} {:>10} {:>10} {:>8}  answers\n",
                "case", "wickring", g.peer, "ratio"
            );
            g.rows.iter().for_each(|r| text += &(r.line() + "\n"));
            if let Some(mean) = geometric_mean(&g.rows) {
                text += &format!(
                    "  {:<44} {:>10} {:>10} {mean:>8.2}\n",
                    "geometric mean", "", ""
                );
            }
        }
        for s in &self.skipped {
            text += &format!(
                "{}: {} is skipped ({}); {}\n",
                s.area,
                s.peer,
                s.reason,
                s.remedy()
            );
        }
        if self.stopped {
            text += "STOPPED: the table is not complete\n";
        } else if compared == 0 {
            text += "nothing was compared: install a peer, or name another Python with WICKRING_PYTHON\n";
        }
        text
    }

    fn object(&self, status: &str) -> Value {
        let group = |g: &Group| {
            let rows: Vec<Value> = g.rows.iter().map(Row::object).collect();
            json!({
                "area": g.area, "peer": g.peer, "version": g.version, "cases": rows,
                "geometric_mean": geometric_mean(&g.rows),
            })
        };
        let skipped = |s: &Skipped| json!({ "area": s.area, "peer": s.peer, "reason": s.reason, "install": s.remedy() });
        json!({
            "status": status,
            "seed": self.seed,
            "threads": self.threads,
            "areas": self.groups.iter().map(group).collect::<Vec<_>>(),
            "skipped": self.skipped.iter().map(skipped).collect::<Vec<_>>(),
        })
    }
}

/// The geometric mean of the ratios, over cases that both sides answered.
fn geometric_mean(rows: &[Row]) -> Option<f64> {
    let logs: Vec<f64> = rows.iter().filter_map(|r| Some(r.ratio()?.ln())).collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}
