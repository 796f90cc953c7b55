//! Audit of a table of likelihoods: a model that contains another must not fit worse.

use super::covariance_kind::CovarianceKind;

/// One fitted mixture in a table.
///
/// See [`broken_nestings`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct TableEntry {
    /// Name of the family, ours or another program's.
    pub family: String,
    /// Number of components.
    pub components: usize,
    /// `sum log p` over the samples.
    pub log_likelihood: f64,
}

/// A fit that a simpler one beats, so its maximisation failed.
///
/// See [`broken_nestings`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokenNesting {
    /// Index of the failed fit in the table.
    pub failed: usize,
    /// Index of the best fit that it contains.
    pub beaten_by: usize,
    /// How much log-likelihood is missing at least, in nats.
    pub missing: f64,
}

/// Fits that are beaten by more than `slack` nats by a fit of the same samples that they contain.
///
/// A mixture with more components contains one with fewer (split a component into two equal halves), and a
/// family contains another as [`CovarianceKind::contains`] says; families of unknown name are compared with
/// themselves only. A likelihood below that of a contained model is no property of the data: the maximisation
/// stopped at a poorer local maximum. Every row is compared, so a table of `n` rows costs `O(n^2)`.
///
/// ```
/// use wickring::learn::mixture::{TableEntry, broken_nestings};
/// let row = |components, log_likelihood| TableEntry { family: "EEE".into(), components, log_likelihood };
/// // The reference fit of the Old Faithful data loses likelihood from three components to four.
/// let broken = broken_nestings(&[row(3, -1126.326), row(4, -1126.371)], 1e-3);
/// assert_eq!((broken.len(), broken[0].failed, broken[0].beaten_by), (1, 1, 0));
/// ```
pub fn broken_nestings(table: &[TableEntry], slack: f64) -> Vec<BrokenNesting> {
    let mut broken = Vec::new();
    for (failed, larger) in table.iter().enumerate() {
        let contained = table
            .iter()
            .enumerate()
            .filter(|(_, t)| contains(larger, t));
        let best = contained.max_by(|a, b| a.1.log_likelihood.total_cmp(&b.1.log_likelihood));
        if let Some((beaten_by, best)) = best {
            let missing = best.log_likelihood - larger.log_likelihood;
            if missing > slack {
                broken.push(BrokenNesting {
                    failed,
                    beaten_by,
                    missing,
                });
            }
        }
    }
    broken
}

fn contains(larger: &TableEntry, smaller: &TableEntry) -> bool {
    let same_family = larger.family == smaller.family;
    let families = (
        CovarianceKind::from_name(&larger.family),
        CovarianceKind::from_name(&smaller.family),
    );
    let nested = match families {
        (Some(l), Some(s)) => l.contains(s),
        _ => same_family,
    };
    nested && larger.components >= smaller.components && larger != smaller
}
