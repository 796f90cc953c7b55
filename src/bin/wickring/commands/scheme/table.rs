//! `wickring scheme table`: what stands in many files, side by side.

use super::files::expand;
use crate::commands::verify::files::{load, read_target, read_text};
use crate::context::{Context, Outcome};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::io::write_whole;
use wickring::scheme::{
    Cost, KnownRanks, Scheme, SchemeField, SchemeProgram, Target, Verdict, examine_until,
    invariants,
};

/// A table of schemes: file, format, size, rank, verdict, ring, additions as written and with common sums taken out, types of
/// products, and the best known rank.
///
/// Files that cannot be read have a row with the reason, and those that the time did not suffice for one that says NOT
/// REACHED. --out writes the table as .csv, .json or .txt. Exit 3 if it ended early, 2 if a file cannot be read or claims
/// nothing that could be checked (NO CLAIM), else 1 if a scheme is wrong.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wickring scheme table catalogue --best best_known_ranks.csv --out table.csv\n  \
    wickring scheme table '*.exp' a.json --json")]
pub struct TableArgs {
    /// Files, folders or patterns.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The tensor they are; by default what each file says, else a guess.
    #[arg(long, visible_alias = "target")]
    tensor: Option<String>,
    /// A table of best known ranks (CSV: format,ZT,Z,Q).
    #[arg(long, visible_alias = "compare")]
    best: Option<PathBuf>,
    /// Eliminations of common sums for each scheme; 0 leaves the count out.
    #[arg(long, default_value_t = 4)]
    tries: u64,
}

const COLUMNS: [&str; 11] = [
    "file",
    "name",
    "format",
    "size",
    "rank",
    "verdict",
    "ring",
    "additions",
    "reduced",
    "types",
    "best",
];

/// Makes the table.
pub fn run(args: &TableArgs, context: &Context) -> Result<Outcome, Error> {
    let target = args.tensor.as_deref().map(read_target).transpose()?;
    let best = args.best.as_deref().map(|path| {
        KnownRanks::parse(&read_text(path)?).map_err(|e| Error::file(path, "", e.problem()))
    });
    let best = best.transpose()?;
    let (mut rows, mut seen) = (Vec::new(), BTreeSet::new());
    let mut worst = Outcome::Certified;
    let mut stopped = false;
    for file in expand(&args.files)? {
        // What is finished counts; the rest is named.
        if stopped || context.should_stop() {
            stopped = true;
            rows.push(not_reached(&file));
            continue;
        }
        let loaded = match load(std::slice::from_ref(&file)) {
            Ok(loaded) => loaded,
            Err(e) => {
                rows.push(json!({ "file": file.to_string_lossy(), "format": ending(&file), "verdict": "UNREADABLE", "error": e.problem() }));
                worst = worse(worst, Outcome::NoClaim);
                continue;
            }
        };
        for one in loaded {
            // The three files of an SMS scheme are one.
            if !seen.insert(one.path.clone()) {
                continue;
            }
            for scheme in &one.schemes {
                let made = row(
                    &one.path,
                    scheme,
                    target.as_ref(),
                    best.as_ref(),
                    args.tries,
                    context,
                );
                match made {
                    Ok((row, outcome)) => {
                        worst = worse(worst, outcome);
                        rows.push(row);
                    }
                    Err(Error::Stopped { .. }) => {
                        stopped = true;
                        rows.push(not_reached(&one.path));
                    }
                    Err(e) => return Err(e),
                }
            }
        }
    }
    if rows.is_empty() {
        let problem = "holds no scheme: expected files that end in .json, .exp, .m, .mpl, .txt, .slp, .sms or .npz";
        return Err(Error::file(args.files[0].as_path(), "", problem));
    }
    let text = aligned(&rows);
    if let Some(out) = &context.common.out {
        let ending = out
            .extension()
            .map(|e| e.to_string_lossy().to_ascii_lowercase())
            .unwrap_or_default();
        let content = match ending.as_str() {
            "json" => format!("{}\n", json!({ "schemes": rows })),
            "txt" => text.clone(),
            _ => csv(&rows),
        };
        write_whole(out, content.as_bytes())?;
    }
    context.emit(
        &json!({ "schemes": rows, "out": context.common.out.as_deref().map(Path::to_string_lossy) }),
        &text,
    );
    // A table that ends early has no verdict on the whole.
    Ok(if stopped {
        Outcome::NotCertified
    } else {
        worst
    })
}

/// The row of a file that the time did not suffice for.
fn not_reached(path: &Path) -> Value {
    json!({ "file": path.to_string_lossy(), "format": ending(path), "verdict": "NOT REACHED" })
}

fn ending(path: &Path) -> Option<String> {
    let ending = path.extension();
    ending.map(|e| e.to_string_lossy().into_owned())
}

fn row(
    path: &Path,
    scheme: &Scheme,
    target: Option<&Target>,
    best: Option<&KnownRanks>,
    tries: u64,
    context: &Context,
) -> Result<(Value, Outcome), Error> {
    let mut row = json!({
        "file": path.to_string_lossy(), "name": scheme.name, "format": ending(path), "rank": scheme.rank(),
    });
    let found = match examine_until(scheme, target, SchemeField::Auto, context.deadline()) {
        Ok(found) => found,
        Err(e @ Error::Stopped { .. }) => return Err(e),
        Err(e) => {
            row["verdict"] = json!("NO CLAIM");
            row["error"] = json!(e.problem());
            return Ok((row, Outcome::NoClaim));
        }
    };
    let (verdict, outcome) = match found.verdict {
        Verdict::Exact => ("EXACT", Outcome::Certified),
        Verdict::Border { .. } => ("BORDER", Outcome::Certified),
        _ if found.target_guessed => ("NO CLAIM", Outcome::NoClaim),
        _ => ("WRONG", Outcome::Refuted),
    };
    row["verdict"] = json!(verdict);
    row["size"] = json!(found.target.name());
    row["ring"] = json!(found.field);
    row["additions"] = json!(Cost::of(&found.scheme, &found.target).additions);
    if found.verdict != Verdict::Exact {
        return Ok((row, outcome));
    }
    let mut exact = found.scheme;
    exact.target = Some(found.target.clone());
    exact.modulo_two |= found.field == "mod 2";
    let mut cut = false;
    if tries > 0 {
        let program = SchemeProgram::eliminated_while(&exact, tries.min(1 << 16), 0, &mut || {
            cut |= context.should_stop();
            !cut
        });
        if let Ok(program) = program {
            row["reduced"] = json!(program.additions().iter().sum::<usize>());
        }
    }
    if cut {
        // Fewer additions may be possible: what stands here is what the time sufficed for.
        row["reduced_cut_short"] = json!(true);
        row["error"] = json!(
            "the time ended while common sums were taken out: reduced is what was found until then"
        );
    }
    if let Ok(found) = invariants(&exact, &found.target, context.deadline(), false) {
        row["types"] = json!(found.type_polynomial());
    }
    if let (Some(table), Target::Matmul(dims)) = (best, &found.target) {
        row["best"] = json!(table.best(*dims, &found.field));
    }
    Ok((row, outcome))
}

/// What the table as a whole says: what could not be judged weighs most, then a wrong scheme.
fn worse(a: Outcome, b: Outcome) -> Outcome {
    let weight = |o: &Outcome| match o {
        Outcome::Certified => 0,
        Outcome::NotCertified => 1,
        Outcome::Refuted => 2,
        Outcome::NoClaim => 3,
    };
    if weight(&b) > weight(&a) { b } else { a }
}

fn cell(row: &Value, column: &str) -> String {
    match &row[column] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn aligned(rows: &[Value]) -> String {
    // Types are long, and stand at the end of the line.
    let columns = [
        "file",
        "name",
        "size",
        "rank",
        "verdict",
        "ring",
        "additions",
        "reduced",
        "best",
        "types",
    ];
    let mut table: Vec<Vec<String>> = vec![columns.map(str::to_owned).to_vec()];
    for row in rows {
        let mut line: Vec<String> = columns.iter().map(|c| cell(row, c)).collect();
        if let Some(error) = row["error"].as_str() {
            line[9] = error.to_owned();
        }
        table.push(line);
    }
    let widths: Vec<usize> = (0..columns.len())
        .map(|k| {
            table
                .iter()
                .map(|l| l[k].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for line in table {
        let cells = line.iter().zip(&widths).filter(|(_, w)| **w > 0);
        let padded: Vec<String> = cells.map(|(c, w)| format!("{c:w$}")).collect();
        text += padded.join("  ").trim_end();
        text += "\n";
    }
    text
}

fn csv(rows: &[Value]) -> String {
    let quoted = |cell: String| match cell.contains([',', '"', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    };
    let mut text = format!("{},error\n", COLUMNS.join(","));
    for row in rows {
        let cells = COLUMNS
            .iter()
            .chain(&["error"])
            .map(|c| quoted(cell(row, c)));
        text += &cells.collect::<Vec<_>>().join(",");
        text += "\n";
    }
    text
}
