//! The table: cases by family and role, their statuses, and what was false.

use super::{FAMILIES, accepted};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Markdown; below it the kinds that were refused or accepted wrongly.
pub fn of(text: &str) -> String {
    let mut out = String::from(
        "| learner | planted | converged | undecided | refused | zoo | converged | of them off by more than the rows show |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let rows: Vec<Vec<&str>> = text.lines().map(|l| l.splitn(11, ',').collect()).collect();
    let rows: Vec<&Vec<&str>> = rows.iter().filter(|r| r.len() == 11).collect();
    let mut details = String::new();
    for family in FAMILIES {
        let of = |role: &str| -> Vec<&Vec<&str>> {
            let here = rows.iter().filter(|r| r[1] == family && r[2] == role);
            here.copied().collect()
        };
        let (planted, zoo) = (of("planted"), of("zoo"));
        let count = |set: &[&Vec<&str>], f: &dyn Fn(&Vec<&str>) -> bool| {
            set.iter().filter(|r| f(r)).count()
        };
        let good = |r: &Vec<&str>| accepted(r[6]);
        let open = |r: &Vec<&str>| r[6] == "undecided";
        let number = |s: &str| s.parse::<f64>().unwrap_or(f64::NAN);
        let far = |r: &Vec<&str>| accepted(r[6]) && !(number(r[7]) <= number(r[8]));
        let (yes, maybe) = (count(&planted, &good), count(&planted, &open));
        writeln!(
            out,
            "| {family} | {} | {yes} | {maybe} | {} | {} | {} | {} |",
            planted.len(),
            planted.len() - yes - maybe,
            zoo.len(),
            count(&zoo, &good),
            count(&zoo, &far),
        )
        .ok();
        for (role, set, wrong) in [
            ("planted, not converged", &planted, false),
            ("zoo, converged", &zoo, true),
        ] {
            let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
            for r in set {
                let entry = kinds.entry(r[4]).or_default();
                entry.1 += 1;
                entry.0 += usize::from(accepted(r[6]) == wrong);
            }
            let said: Vec<String> = (kinds.iter().filter(|(_, (k, _))| *k > 0))
                .map(|(name, (k, n))| format!("{name} {k} of {n}"))
                .collect();
            if !said.is_empty() {
                writeln!(details, "- {family}, {role}: {}", said.join("; ")).ok();
            }
        }
    }
    out + "\n" + &details
}
