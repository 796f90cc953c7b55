//! Ctrl-C and the wish to terminate: the first asks the work to stop with the best so far, the second ends the process.

use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Listens from now on.
pub fn listen() {
    let _ = ctrlc::set_handler(|| {
        // A second one means now.
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    });
}

/// Whether the user asked to stop.
pub fn asked() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
