//! Expressions from the command line, files and standard input; the field they are meant in.

use super::Reading;
use crate::context::Context;
use std::io::Read;
use wickring::Error;
use wickring::poly::{Budget, Order, Poly, Rational, Residue, Vars};

/// Texts longer than this are refused.
const MAX_BYTES: u64 = 1 << 28;
/// Terms of any intermediate result.
const MAX_TERMS: usize = 1 << 22;

/// What the operations of one command may cost.
pub fn budget(stop: &(dyn Fn() -> bool + Sync)) -> Budget<'_> {
    let budget = Budget::default().terms(MAX_TERMS).bits(1 << 31);
    budget.work(1 << 34).stop(stop)
}

type P = Poly<Rational>;

/// Where coefficients live.
#[derive(Clone, Copy, PartialEq)]
pub enum Field {
    Integers,
    Rationals,
    /// `Q[i]`, the variables `i` and `I` standing for the imaginary unit.
    Complex,
    Prime(u64),
}

impl Field {
    /// The field that `--field` names.
    pub fn of(name: &str) -> Result<Self, Error> {
        let wrong = || {
            let what = format!("--field must be Z, Q, Qi, F2, F3, .. or Fp:P, got '{name}'");
            Error::invalid("poly", what)
        };
        match name {
            "Z" => Ok(Self::Integers),
            "Q" | "auto" => Ok(Self::Rationals),
            "Qi" => Ok(Self::Complex),
            _ => {
                let p = name.strip_prefix("Fp:").or_else(|| name.strip_prefix('F'));
                let p = p.ok_or_else(wrong)?;
                let p: u64 = p.parse().map_err(|_| wrong())?;
                // Refuses what is no prime, with a message that says so.
                Residue::new(0, p).map(|_| Self::Prime(p))
            }
        }
    }
}

/// Reads expressions one after the other with common variables.
pub struct Reader<'a> {
    pub vars: Vars,
    pub field: Field,
    context: &'a Context,
}

impl<'a> Reader<'a> {
    pub fn new(reading: &Reading, context: &'a Context) -> Result<Self, Error> {
        Self::with(&reading.vars, Field::of(&reading.field)?, context)
    }

    pub fn with(names: &[String], field: Field, context: &'a Context) -> Result<Self, Error> {
        let vars = match names {
            [] => Vars::new(),
            names => Vars::fixed(names.iter().map(|n| n.trim())),
        };
        Ok(Self {
            vars,
            field,
            context,
        })
    }

    /// The polynomial of an argument, reduced to the field.
    pub fn read(&mut self, argument: &str) -> Result<Poly<Rational>, Error> {
        let text = text_of(argument)?;
        let p = self.parse(&text).map_err(|e| located(e, argument))?;
        self.normal(p)
    }

    pub fn parse(&mut self, text: &str) -> Result<Poly<Rational>, Error> {
        let stop = || self.context.should_stop();
        Poly::parse_within(text, &mut self.vars, &budget(&stop))
    }

    /// The representative in the field: reduced modulo p, or modulo i^2 + 1.
    pub fn normal(&mut self, p: Poly<Rational>) -> Result<Poly<Rational>, Error> {
        match self.field {
            Field::Rationals => Ok(p),
            Field::Integers => {
                if let Some((_, c)) = p.iter().find(|(_, c)| !c.is_integer()) {
                    let what = format!("--field Z needs integer coefficients, got {c}");
                    return Err(Error::invalid("poly", what));
                }
                Ok(p)
            }
            Field::Prime(q) => {
                let image = p.modulo(q)?.to_integers();
                Ok(image.map(|c| Rational::from(c.clone())))
            }
            Field::Complex => {
                let named = |name: &str| self.vars.names().iter().position(|n| n == name);
                let units: Vec<P> = ["i", "I"]
                    .into_iter()
                    .filter_map(named)
                    .map(P::variable)
                    .collect();
                let square = |unit: &P| &(unit * unit) + &P::constant(Rational::from(1));
                let mut relations: Vec<P> = units.iter().map(square).collect();
                if let [i, other] = units.as_slice() {
                    relations.push(i - other);
                }
                let stop = || self.context.should_stop();
                let rest = p.div_rem(&relations, &Order::Lex, &budget(&stop))?;
                Ok(rest.1)
            }
        }
    }
}

/// The argument itself, or what the file that it names holds.
pub fn text_of(argument: &str) -> Result<String, Error> {
    let read = |from: &mut dyn Read, name: &str| {
        let mut text = String::new();
        from.take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(|e| Error::file(name, "", format!("cannot be read: {e}")))?;
        if text.len() as u64 > MAX_BYTES {
            return Err(Error::limit("poly", "bytes", MAX_BYTES));
        }
        Ok(text)
    };
    if argument == "-" {
        return read(&mut std::io::stdin().lock(), "standard input");
    }
    match argument.strip_prefix('@') {
        None => Ok(argument.to_owned()),
        Some(path) => {
            let file = std::fs::File::open(path);
            let mut file =
                file.map_err(|e| Error::file(path, "", format!("cannot be opened: {e}")))?;
            read(&mut file, path)
        }
    }
}

/// The same error with the file that the text came from.
pub fn located(e: Error, argument: &str) -> Error {
    match (e, argument.strip_prefix('@')) {
        (Error::Parse { at, expected, .. }, Some(path)) => {
            Error::file(path, format!("byte {at}"), format!("expected {expected}"))
        }
        (e, _) => e,
    }
}
