//! Which instructions may be used: what the processor has, capped by the environment.
//!
//! `WICKRING_SIMD=scalar`, `avx2` or `avx512` caps the level for a whole process, so that every path can be tested and measured on
//! one machine; the variable is read once. Results are the same bytes at every level. Any other value is no cap.

use std::sync::OnceLock;

/// Sets of instructions, each with all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// What every processor has.
    Scalar,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512 F.
    Avx512,
    /// AVX-512 F, DQ and IFMA (52-bit multiplication).
    Ifma,
}

impl Level {
    /// The cap that a value of the variable stands for.
    fn cap(value: Option<&str>) -> Self {
        match value.map(str::trim) {
            Some("scalar") => Self::Scalar,
            Some("avx2") => Self::Avx2,
            _ => Self::Ifma,
        }
    }

    /// The best that this processor has.
    fn detected() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                let more = is_x86_feature_detected!("avx512dq");
                return match more && is_x86_feature_detected!("avx512ifma") {
                    true => Self::Ifma,
                    false => Self::Avx512,
                };
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Self::Avx2;
            }
        }
        Self::Scalar
    }

    /// The level of this process.
    pub(crate) fn current() -> Self {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            let value = std::env::var("WICKRING_SIMD").ok();
            Self::detected().min(Self::cap(value.as_deref()))
        })
    }
}

/// Whether this process uses AVX-512 F.
pub(crate) fn has_avx512() -> bool {
    Level::current() >= Level::Avx512
}

/// Whether this process uses AVX2 and FMA.
pub(crate) fn has_avx2() -> bool {
    Level::current() >= Level::Avx2
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn caps_are_read_from_their_names() {
        assert_eq!(Level::cap(Some("scalar")), Level::Scalar);
        assert_eq!(Level::cap(Some(" avx2 ")), Level::Avx2);
        assert_eq!(Level::cap(Some("avx512")), Level::Ifma);
        assert_eq!(Level::cap(Some("anything")), Level::Ifma);
        assert_eq!(Level::cap(None), Level::Ifma);
        assert!(Level::current() <= Level::detected());
    }
}
