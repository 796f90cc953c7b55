//! `wickring scheme canonical`: invariants, and whether two schemes are equivalent.

use super::files::{in_file, one};
use crate::commands::verify::files::read_target;
use crate::context::{Context, Outcome};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wickring::Error;
use wickring::scheme::{
    EquivalenceSearch, Invariants, Scheme, SchemeField, Target, Verdict, equivalent_modulo_two,
    examine_until, invariants,
};

/// What does not change under equivalence: types of products, shared vectors, dimensions of the family, the stabiliser and the
/// orbit. With a second file: are the two equivalent modulo 2 (sizes up to 5), and by which matrices?
///
/// Exit 0 for invariants, and for schemes that are equivalent; 1 for schemes that are not; 3 when the search was given up.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wickring scheme canonical laderman.m\n  \
    wickring scheme canonical strassen.json winograd.json --json")]
pub struct CanonicalArgs {
    /// The scheme.
    file: PathBuf,
    /// A scheme to compare with.
    other: Option<PathBuf>,
    /// The tensor they are: matmul:N,M,P, polymul:A,B, another name, or a file; by default what the file says, else a guess.
    #[arg(long, visible_alias = "target")]
    tensor: Option<String>,
    /// The scheme of that name, where the file has several.
    #[arg(long)]
    name: Option<String>,
}

fn exact(
    path: &Path,
    name: Option<&str>,
    target: Option<&Target>,
    context: &Context,
) -> Result<(Scheme, Target), Error> {
    let scheme = one(path, name)?;
    let found = examine_until(&scheme, target, SchemeField::Auto, context.deadline())
        .map_err(|e| in_file(path, e))?;
    if found.verdict != Verdict::Exact {
        let problem = format!(
            "is not {} over {}: wickring verify says more",
            found.target.name(),
            found.field
        );
        return Err(Error::file(path, "", problem));
    }
    let mut scheme = found.scheme;
    scheme.modulo_two |= found.field == "mod 2";
    Ok((scheme, found.target))
}

/// Runs the comparison.
pub fn run(args: &CanonicalArgs, context: &Context) -> Result<Outcome, Error> {
    let target = args.tensor.as_deref().map(read_target).transpose()?;
    let (scheme, target) = exact(&args.file, args.name.as_deref(), target.as_ref(), context)?;
    let own = invariants(&scheme, &target, context.deadline(), true)
        .map_err(|e| in_file(&args.file, e))?;
    let Some(other) = &args.other else {
        let text = format!(
            "{}: {} in {} terms\n{}",
            args.file.display(),
            target.name(),
            scheme.rank(),
            words(&own)
        );
        let mut value = record(&own);
        value["target"] = json!(target.name());
        value["rank"] = json!(scheme.rank());
        context.emit(&value, &text);
        return Ok(Outcome::Certified);
    };
    let (second, _) = exact(other, None, Some(&target), context)?;
    let found = equivalent_modulo_two(&scheme, &second, &target, context.deadline())?;
    let (value, text, end) = match found {
        EquivalenceSearch::Equivalent(e) => {
            let matrix = |m: &Vec<Vec<u8>>| {
                let row = |r: &Vec<u8>| r.iter().map(u8::to_string).collect::<String>();
                m.iter().map(row).collect::<Vec<_>>().join("/")
            };
            let [p, q, s] = e.matrices.each_ref().map(matrix);
            let turned = match (e.transposed, e.shifts) {
                (false, 0) => String::new(),
                (t, k) => format!(
                    "; the second scheme {}shifted {k} times",
                    if t { "transposed and " } else { "" }
                ),
            };
            let text = format!("EQUIVALENT modulo 2: P = {p}, Q = {q}, S = {s}{turned}\n");
            let value = json!({
                "verdict": "EQUIVALENT", "modulus": 2, "transposed": e.transposed, "shifts": e.shifts,
                "p": e.matrices[0], "q": e.matrices[1], "s": e.matrices[2], "products": e.products,
            });
            (value, text, Outcome::Certified)
        }
        EquivalenceSearch::Different(why) => {
            let text = format!("NOT EQUIVALENT modulo 2: {why}\n");
            (
                json!({ "verdict": "NOT EQUIVALENT", "modulus": 2, "reason": why }),
                text,
                Outcome::Refuted,
            )
        }
        EquivalenceSearch::Undecided => (
            json!({ "verdict": "UNDECIDED" }),
            "UNDECIDED: too many partial matches\n".to_owned(),
            Outcome::NotCertified,
        ),
    };
    context.emit(&value, &text);
    Ok(end)
}

fn words(found: &Invariants) -> String {
    let shown = |n: Option<usize>| n.map_or("not computed".to_owned(), |n| n.to_string());
    let shared = found.shared.each_ref().map(|m| {
        let list: Vec<String> = m
            .iter()
            .map(|(times, count)| format!("{count} x {times}"))
            .collect();
        list.join(", ")
    });
    let [a, b, c] = shared;
    format!(
        "types of products     {}\nvectors (how many x how often)  a: {a}; b: {b}; c: {c}\nrank of the derivative {}\n\
         family dimension      {}\nstabiliser dimension  {}\norbit dimension       {}\nranks modulo          {}\n",
        found.type_polynomial(),
        shown(found.jacobian_rank),
        shown(found.family_dimension),
        shown(found.stabiliser_dimension),
        shown(found.orbit_dimension),
        found.prime
    )
}

fn record(found: &Invariants) -> Value {
    let shared: Vec<Value> = found
        .shared
        .iter()
        .map(|m| {
            m.iter()
                .map(|(times, count)| json!([times, count]))
                .collect()
        })
        .collect();
    let types: Vec<Value> = found
        .types
        .iter()
        .map(|(ranks, count)| json!([ranks, count]))
        .collect();
    json!({
        "type_polynomial": found.type_polynomial(), "types": types, "shared": shared,
        "jacobian_rank": found.jacobian_rank, "family_dimension": found.family_dimension,
        "stabiliser_dimension": found.stabiliser_dimension, "orbit_dimension": found.orbit_dimension,
        "prime": found.prime,
    })
}
