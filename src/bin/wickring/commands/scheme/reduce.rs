//! `wickring scheme reduce`: fewer additions.

use super::files::{in_file, one, tell, write_texts};
use crate::commands::verify::files::read_target;
use crate::context::{Context, Outcome};
use crate::report::shown;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use wickring::scheme::{ProgramLanguage, Reduce, SchemeText};
use wickring::{Error, Status};

/// Fewer additions: common sums are computed once, and equivalent schemes (flips, sandwiching) are visited with the
/// reduced number of additions as cost.
///
/// --out F.json writes the reduced form of the catalogues (u_fresh, v_fresh, w_fresh), F.slp, .py, .c, .rs and .tex the
/// program, other endings the scheme without common sums. Exit 3 when --additions was not reached.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wickring scheme reduce strassen.json --additions 15 --out winograd.json\n  \
    wickring scheme reduce 333.json --steps 4000000 --max-seconds 60 --out 333_reduced.json")]
pub struct ReduceArgs {
    /// The scheme.
    file: PathBuf,
    /// The tensor it is: matmul:N,M,P, polymul:A,B, another name, or a file; by default what the file says, else a guess.
    #[arg(long, visible_alias = "target")]
    tensor: Option<String>,
    /// The scheme of that name, where the file has several.
    #[arg(long)]
    name: Option<String>,
    /// Stop at so many additions.
    #[arg(long)]
    additions: Option<usize>,
    /// Equivalent schemes that each walker visits; 0 keeps the scheme.
    #[arg(long, default_value_t = Reduce::default().steps)]
    steps: u64,
    /// Walkers.
    #[arg(long, default_value_t = Reduce::default().walkers)]
    walkers: usize,
}

/// Runs the reduction.
pub fn run(args: &ReduceArgs, context: &Context) -> Result<Outcome, Error> {
    let target = args.tensor.as_deref().map(read_target).transpose()?;
    let scheme = one(&args.file, args.name.as_deref())?;
    let reduce = Reduce {
        steps: args.steps,
        walkers: args.walkers,
        additions: args.additions,
        seed: context.common.seed,
    };
    let mut meter = context.meter();
    let found = reduce.reduce(&scheme, target.as_ref(), &mut |p| meter.step(p));
    let found = found.map_err(|e| in_file(&args.file, e))?;
    drop(meter);
    let mut written = Vec::new();
    if let Some(out) = &context.common.out {
        let ending = out
            .extension()
            .map(|e| e.to_string_lossy().into_owned())
            .unwrap_or_default();
        let stem = out
            .file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default();
        let texts = match (
            ending.as_str(),
            ProgramLanguage::of_extension(&ending),
            SchemeText::of_extension(&ending),
        ) {
            ("json", ..) => vec![found.program.to_reduced_json()?],
            (_, Some(language), _) => vec![found.program.print(language)?],
            (_, None, Some(form)) => form.write(&found.scheme, &stem)?,
            _ => vec![found.program.print(ProgramLanguage::Slp)?],
        };
        written = write_texts(out, &texts)?;
    }
    let additions = found.program.additions();
    let total: usize = additions.iter().sum();
    let name = found.program.target().name();
    let mut text = format!(
        "{name} in {} products: {} additions as written, {} with common sums, now {total} ({} + {} + {}), {} scalings\n\
         {} equivalent schemes visited, {}\n",
        found.program.products(),
        found.naive_before,
        found.reduced_before,
        additions[0],
        additions[1],
        additions[2],
        found.program.scalings(),
        found.visited,
        found.status
    );
    if let Some(why) = found.stayed.filter(|_| args.steps > 0) {
        text += &format!("the scheme itself was kept: {why}\n");
    }
    let value = json!({
        "target": name, "rank": found.program.products(), "field": found.scheme.field(),
        "additions_naive": found.naive_before, "additions_before": found.reduced_before, "additions": total,
        "additions_by_factor": additions, "scalings": found.program.scalings(), "visited": found.visited,
        "stayed": found.stayed, "status": found.status.name(), "out": shown(&written),
    });
    context.emit(&value, &(text + &tell(context, &written)));
    Ok(match found.status {
        Status::Converged => Outcome::Certified,
        _ => Outcome::NotCertified,
    })
}
