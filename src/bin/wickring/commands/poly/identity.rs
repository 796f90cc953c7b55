//! `wickring poly eq` over the rationals: multiplied out where that is cheap, by random points otherwise.

use super::input::{Reader, located, text_of};
use super::{Two, proof};
use crate::context::{Context, Outcome};
use serde_json::{Value, json};
use wickring::Error;
use wickring::certify::{Claim, Expression};
use wickring::poly::Budget;
use wickring::poly::identity::{IdentityProof, IdentityTest, IdentityVerdict, Program, Witness};

pub fn eq(args: &Two, mut reader: Reader<'_>, context: &Context) -> Result<Outcome, Error> {
    let mut read = |argument: &str| {
        let text = text_of(argument)?;
        let program = Program::parse(&text, &mut reader.vars).map_err(|e| located(e, argument))?;
        Ok::<_, Error>((program, text))
    };
    let ((left, left_text), (right, right_text)) = (read(&args.left)?, read(&args.right)?);
    let stop = || context.should_stop();
    let budget = Budget::default().terms(1 << 20).work(1 << 30);
    let budget = budget.bits(1 << 30).stop(&stop);
    let test = IdentityTest::default().exact(budget);
    let verdict = test.prove(&left, &right, &mut context.rng())?;
    match verdict {
        IdentityVerdict::Equal(IdentityProof::Expanded { .. }) => {
            proof::write(reader.field, context, || {
                let sides = [
                    Expression::parse(&left_text)?,
                    Expression::parse(&right_text)?,
                ];
                let about = format!("{left_text:.200} = {right_text:.200}");
                Ok(Claim::equal(&sides[0], &sides[1]).about(about))
            })?
        }
        IdentityVerdict::Equal(IdentityProof::SchwartzZippel { .. }) => {
            let why = "the sides are too large to multiply out and were compared at random points";
            proof::refuse(context, why)?;
        }
        IdentityVerdict::Different(_) if context.certificate().is_some() => {
            context.warn("no certificate is written: the sides differ");
        }
        IdentityVerdict::Different(_) => {}
    }
    let (outcome, json, text) = match verdict {
        IdentityVerdict::Equal(IdentityProof::Expanded { terms }) => (
            Outcome::Certified,
            json!({ "equal": true, "difference": "0", "proof": "expanded", "terms": terms }),
            "EQUAL\n".to_owned(),
        ),
        IdentityVerdict::Equal(IdentityProof::SchwartzZippel {
            primes,
            points,
            error_log2,
        }) => (
            Outcome::Certified,
            json!({
                "equal": true, "proof": "schwartz-zippel", "error_log2": error_log2, "primes": texts(&primes),
                "points": points.iter().map(|x| texts(x)).collect::<Vec<_>>(),
                "variables": reader.vars.names(),
            }),
            format!(
                "EQUAL at {} random points modulo primes of 62 bits, too large to multiply out\n\
                 a difference would pass with probability at most 2^{error_log2:.1}\n",
                primes.len()
            ),
        ),
        IdentityVerdict::Different(witness) => {
            let (json, text) = refuted(&witness, &left, &right, &reader, &budget)?;
            (Outcome::Refuted, json, text)
        }
    };
    context.emit(&json, &text);
    Ok(outcome)
}

fn refuted(
    witness: &Witness,
    left: &Program,
    right: &Program,
    reader: &Reader<'_>,
    budget: &Budget<'_>,
) -> Result<(Value, String), Error> {
    Ok(match witness {
        Witness::Coefficient { .. } => {
            let difference = &left.expand(budget)? - &right.expand(budget)?;
            let shown = difference.display(&reader.vars).to_string();
            let text = format!("DIFFERENT: left - right = {shown}\n");
            (
                json!({ "equal": false, "difference": shown, "proof": "expanded" }),
                text,
            )
        }
        Witness::Point {
            prime,
            point,
            left,
            right,
        } => {
            let names = reader.vars.names().iter();
            let at: Vec<String> = names
                .zip(point)
                .map(|(name, x)| format!("{name} = {x}"))
                .collect();
            let text = format!(
                "DIFFERENT: modulo {prime}, at {}, left is {left} and right is {right}\n",
                at.join(", ")
            );
            let json = json!({
                "equal": false, "proof": "point", "prime": prime.to_string(), "point": texts(point),
                "left": left.to_string(), "right": right.to_string(),
                "variables": reader.vars.names(),
            });
            (json, text)
        }
    })
}

/// Numbers of 62 bits as texts: many readers of JSON round them.
fn texts(numbers: &[u64]) -> Vec<String> {
    numbers.iter().map(u64::to_string).collect()
}
