//! `wickring scheme search`: schemes of small rank by walks in flip graphs.

use super::files::{in_file, one};
use crate::commands::verify::files::{read_target, read_text};
use crate::context::{Context, Outcome};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wickring::io::write_whole;
use wickring::scheme::{Found, Scheme, SchemeText, Search, SearchField, Target};
use wickring::{Error, Status};

/// Search for schemes of small rank: random walks in flip graphs with plus transitions, modulo 2 and then lifted, or
/// with entries -1, 0, 1.
///
/// The walks begin at the standard algorithm of --tensor, at a file, or at the sum of several files, schemes of blocks
/// that are laid side by side along one size. The result depends on the seed and the flips, not on threads. Exit 0 when
/// the rank asked for was reached (or none was asked for), else 3; what was best is written either way.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wickring scheme search --tensor matmul:3,3,3 --rank 23 --out laderman.json\n  \
    wickring scheme search --tensor matmul:4,4,4 --field F2 --rank 47 --max-seconds 60 --out f2.json\n  \
    wickring scheme search --resume f2.json --flips 1000000000 --rank 47 --out f2.json --force\n  \
    wickring scheme search 223.json 222.json --rank 18 --out 225.json")]
pub struct SearchArgs {
    /// A scheme to begin with, or schemes of blocks.
    files: Vec<PathBuf>,
    /// The tensor: matmul:N,M,P, polymul:A,B, another name (see the list in docs/SCHEMES.md), or a file.
    #[arg(long, visible_alias = "target")]
    tensor: Option<String>,
    /// F2 (modulo 2), Z or Q (modulo 2, then lifted), or ZT (entries -1, 0, 1 all the way).
    #[arg(long)]
    field: Option<String>,
    /// The rank that is enough; without it all flips are made.
    #[arg(long)]
    rank: Option<usize>,
    /// Flips of each walker, rounded up to whole rounds of some 100000; fewer than that make one shorter round.
    #[arg(long, default_value_t = Search::default().flips)]
    flips: u64,
    /// Walkers, each with one of four rules; 4 by default.
    #[arg(long)]
    walkers: Option<usize>,
    /// Go on from what an earlier search wrote.
    #[arg(long, conflicts_with_all = ["files", "walkers", "field", "tensor"])]
    resume: Option<PathBuf>,
}

/// Runs the search.
pub fn run(args: &SearchArgs, context: &Context) -> Result<Outcome, Error> {
    let target = args.tensor.as_deref().map(read_target).transpose()?;
    let mut search = Search {
        field: SearchField::parse(args.field.as_deref().unwrap_or("Z"))?,
        rank: args.rank,
        flips: args.flips,
        walkers: args.walkers.unwrap_or(Search::default().walkers),
        seed: context.common.seed,
    };
    let mut meter = context.meter();
    let mut watch = |p: &wickring::run::Progress| meter.step(p);
    let found = match (&args.resume, &args.files[..], &target) {
        (Some(path), ..) => {
            let saved: Value = serde_json::from_str(&read_text(path)?)
                .map_err(|e| Error::file(path.as_path(), "", e.to_string()))?;
            let state = &saved["search"];
            let field = state["field"].as_str();
            let field = field.ok_or_else(|| {
                Error::file(
                    path.as_path(),
                    "",
                    "is not what a search wrote: it has no state",
                )
            })?;
            search.field = SearchField::parse(field)?;
            let scheme = one(path, None)?;
            let tensor = match saved["tensor"].as_str() {
                Some(name) => read_target(name)?,
                None => scheme
                    .target
                    .clone()
                    .ok_or_else(|| Error::file(path.as_path(), "", "names no tensor"))?,
            };
            search
                .resume(&state.to_string(), &scheme, &tensor, &mut watch)
                .map_err(|e| in_file(path, e))?
        }
        (None, [], Some(target)) => search.standard(target, &mut watch)?,
        (None, [], None) => {
            let what = "needs --tensor, a file to begin with, or --resume";
            return Err(Error::invalid("scheme search", what));
        }
        (None, files, target) => {
            let schemes = files
                .iter()
                .map(|f| one(f, None))
                .collect::<Result<Vec<Scheme>, Error>>()?;
            search
                .from_schemes(&schemes, target.as_ref(), &mut watch)
                .map_err(|e| in_file(&files[0], e))?
        }
    };
    drop(meter);
    report(args, &found, context)
}

fn field_of(scheme: &Scheme) -> &'static str {
    if scheme.modulo_two {
        "mod 2"
    } else {
        scheme.field()
    }
}

fn object(scheme: &Scheme) -> Result<Value, Error> {
    let text = SchemeText::Json.write(scheme, "")?.remove(0);
    serde_json::from_str(&text).map_err(|e| Error::invalid("scheme search", e.to_string()))
}

fn report(args: &SearchArgs, found: &Found, context: &Context) -> Result<Outcome, Error> {
    let scheme = &found.scheme;
    let target = scheme.target.as_ref().map_or(String::new(), Target::name);
    let fewer = found.modulo_two.as_ref().map(Scheme::rank);
    if let Some(out) = &context.common.out {
        let mut value = object(scheme)?;
        value["status"] = json!(found.status.name());
        if let Some(tensor) = scheme
            .target
            .as_ref()
            .and_then(Target::spelled)
            .or_else(|| args.tensor.clone())
        {
            value["tensor"] = json!(tensor);
        }
        if let Some(modular) = &found.modulo_two {
            value["modulo_two"] = object(modular)?;
        }
        value["search"] = serde_json::from_str(&found.state).unwrap_or_default();
        write_whole(out, format!("{value}\n").as_bytes())?;
    }
    let field = field_of(scheme);
    let mut text = format!("{target} in {} terms over {field}", scheme.rank());
    if let Some(rank) = fewer {
        text += &format!("; in {rank} terms modulo 2 only, which did not lift");
    }
    let lifting = args.field.as_deref().unwrap_or("Z") != "F2" && args.resume.is_none();
    if scheme.modulo_two && lifting {
        text += "; nothing over Z was found";
    }
    if args.rank.is_some() && found.status != Status::Converged {
        text += &format!("; {} terms were not reached", args.rank.unwrap_or(0));
    }
    text += &format!(
        "\n{} flips, {} lifts tried, {}\n",
        found.flips, found.lifts, found.status
    );
    if let Some(out) = &context.common.out {
        text += &format!("wrote {}; judge it: wickring verify {0}\n", out.display());
    }
    let value = json!({
        "target": target, "rank": scheme.rank(), "field": field, "rank_modulo_two": fewer,
        "reached": args.rank.map(|r| found.status == Status::Converged && scheme.rank() <= r),
        "flips": found.flips, "lifts": found.lifts, "status": found.status.name(),
        "out": context.common.out.as_deref().map(Path::to_string_lossy),
    });
    context.emit(&value, &text);
    Ok(match found.status {
        Status::Converged => Outcome::Certified,
        _ => Outcome::NotCertified,
    })
}
