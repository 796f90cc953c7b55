//! `wickring scheme program`: a scheme as code.

use super::files::{in_file, one};
use crate::commands::verify::files::read_target;
use crate::context::{Context, Outcome};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;
use wickring::Error;
use wickring::io::write_whole;
use wickring::scheme::{ProgramLanguage, SchemeField, SchemeProgram, Verdict, examine_until};

/// A straight-line program that multiplies matrices in blocks: Python, C, Rust, LaTeX or plain assignments. What is
/// printed is read again and must be the same scheme.
///
/// The language is that of the ending of --out (.py, .c, .rs, .tex, .slp), or --language.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wickring scheme program winograd.json --out winograd.py\n  \
    wickring scheme program 333.json --language c")]
pub struct ProgramArgs {
    /// The scheme.
    file: PathBuf,
    /// The tensor it is: matmul:N,M,P, polymul:A,B, another name, or a file; by default what the file says, else a guess.
    #[arg(long, visible_alias = "target")]
    tensor: Option<String>,
    /// The scheme of that name, where the file has several.
    #[arg(long)]
    name: Option<String>,
    /// The language; by default that of the ending of --out, else slp.
    #[arg(long, value_enum)]
    language: Option<Word>,
    /// Eliminations of common sums that are tried; 0 prints the scheme as it is.
    #[arg(long, default_value_t = 64)]
    tries: u64,
}

/// A language by name.
#[derive(Clone, Copy, ValueEnum)]
pub enum Word {
    Python,
    C,
    Rust,
    Latex,
    Slp,
}

impl Word {
    fn language(self) -> ProgramLanguage {
        match self {
            Self::Python => ProgramLanguage::Python,
            Self::C => ProgramLanguage::C,
            Self::Rust => ProgramLanguage::Rust,
            Self::Latex => ProgramLanguage::Latex,
            Self::Slp => ProgramLanguage::Slp,
        }
    }
}

/// Prints the program.
pub fn run(args: &ProgramArgs, context: &Context) -> Result<Outcome, Error> {
    let target = args.tensor.as_deref().map(read_target).transpose()?;
    let out = context.common.out.as_deref();
    let ending = out
        .and_then(|o| o.extension())
        .map(|e| e.to_string_lossy().into_owned());
    let of_ending = ending.as_deref().and_then(ProgramLanguage::of_extension);
    let language = match (args.language.map(Word::language), of_ending, out) {
        (Some(asked), Some(other), Some(out)) if asked != other => {
            let problem = format!(
                "ends like another language than --language, whose files end in .{}",
                asked.extension()
            );
            return Err(Error::file(out, "--out", problem));
        }
        (Some(asked), ..) => asked,
        (None, Some(found), _) => found,
        (None, None, _) => ProgramLanguage::Slp,
    };
    let scheme = one(&args.file, args.name.as_deref())?;
    let examined = examine_until(
        &scheme,
        target.as_ref(),
        SchemeField::Rationals,
        context.deadline(),
    );
    let examined = examined.map_err(|e| in_file(&args.file, e))?;
    if examined.verdict != Verdict::Exact {
        let problem = format!(
            "is not {} over the rationals: wickring verify says more",
            examined.target.name()
        );
        return Err(Error::file(args.file.as_path(), "", problem));
    }
    let mut scheme = examined.scheme;
    scheme.target = Some(examined.target);
    let program = match args.tries {
        0 => SchemeProgram::plain(&scheme)?,
        tries => SchemeProgram::eliminated_while(
            &scheme,
            tries.min(1 << 20),
            context.common.seed,
            &mut || !context.should_stop(),
        )?,
    };
    let text = program.print(language)?;
    let additions: usize = program.additions().iter().sum();
    let value = json!({
        "target": program.target().name(), "language": language.extension(), "products": program.products(),
        "additions": additions, "scalings": program.scalings(), "program": text, "out": out.map(|p| p.to_string_lossy()),
    });
    match out {
        Some(out) => {
            write_whole(out, text.as_bytes())?;
            let line = format!(
                "{}: {} products, {additions} additions, {} scalings\nwrote {}\n",
                program.target().name(),
                program.products(),
                program.scalings(),
                out.display()
            );
            context.emit(&value, &line);
        }
        None => context.emit(&value, &text),
    }
    Ok(Outcome::Certified)
}
