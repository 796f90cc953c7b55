//! What this process has cost so far, where the system tells it (Linux). Shared by the programs beside it.

#![allow(dead_code)] // each program needs a part

/// Processor time in seconds, in ticks of a hundredth.
pub fn seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / 100.0)
}

/// Processor time of all threads in seconds, in nanoseconds where the system keeps them.
pub fn fine_seconds() -> Option<f64> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let of = |task: std::fs::DirEntry| -> Option<f64> {
        let stat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse().ok()
    };
    let total: f64 = tasks.flatten().filter_map(of).sum();
    Some(total / 1e9)
}

/// Bytes of memory that are held (`VmRSS`) or were held at most (`VmHWM`).
pub fn memory(key: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with(key))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024.0)
}
