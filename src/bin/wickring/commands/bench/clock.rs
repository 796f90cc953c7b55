//! Processor time of this process, fine enough for short runs.

use super::Answer;
use std::time::Instant;
use wickring::Error;

/// Runs of one case go on for this long, in seconds on the wall; at least one.
const LEAST: f64 = 0.1;

/// Seconds of processor time of one run, on average over as many as fill a tenth of a second, and the last answer.
///
/// # Errors
/// What the work returns.
pub fn timed(work: &mut dyn FnMut() -> Result<Answer, Error>) -> Result<(f64, Answer), Error> {
    let (wall, start) = (Instant::now(), processor());
    let mut runs = 0u32;
    loop {
        let answer = work()?;
        runs += 1;
        if wall.elapsed().as_secs_f64() < LEAST {
            continue;
        }
        // Where the system does not tell processor time, the wall has to do.
        let spent = match (start, processor()) {
            (Some(before), Some(after)) => after - before,
            _ => wall.elapsed().as_secs_f64(),
        };
        return Ok((spent / f64::from(runs), answer));
    }
}

/// Nanoseconds on a processor of every thread that lives, as the scheduler of Linux counts them. No thread of ours
/// ends between two readings: the pool stays.
fn processor() -> Option<f64> {
    let mut total = 0u64;
    for task in std::fs::read_dir("/proc/self/task").ok()?.flatten() {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        total += text.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    (total > 0).then_some(total as f64 * 1e-9)
}
