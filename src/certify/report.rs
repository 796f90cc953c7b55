//! What a check may cost and what it finds.

/// Limits of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the certificate in bytes.
    pub bytes: usize,
    /// Word operations, and 64 for each term stored.
    pub steps: u64,
}

impl Default for Limits {
    /// 64 MB of text and 2^28 steps: about a minute and one gigabyte at most.
    fn default() -> Self {
        Self {
            bytes: 1 << 26,
            steps: 1 << 28,
        }
    }
}

/// What became of one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind of claim.
    pub kind: String,
    /// The producer's words about it, not checked.
    pub about: String,
    /// Whether the claim is true.
    pub holds: bool,
    /// What was found to be true, or what is wrong.
    pub reason: String,
}

/// What became of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Who wrote it, by its own account.
    pub producer: String,
    /// The files that it was made from and their SHA-256, as stated.
    pub inputs: Vec<(String, String)>,
    /// One finding for each claim, in order; never empty.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether every claim is true.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|f| f.holds)
    }
}
