//! `wickring poly ...`: exact polynomial algebra.

pub(crate) mod algebra;
pub(crate) mod gaussian;
pub(crate) mod groebner;
pub(crate) mod identity;
pub(crate) mod input;
pub(crate) mod operations;
pub(crate) mod proof;
pub(crate) mod solve;
use crate::context::{Context, Outcome};
use algebra::{divide, eq, expand, factor, gcd, roots};
use clap::{Args, Subcommand};
use groebner::groebner;
use operations::{compose, discriminant, eval, resultant};
use solve::solve;
use wickring::Error;

/// What to do with polynomials. `eq`, `expand`, `divide`, `factor`, `solve --prove` and `groebner --contains` write
/// a certificate of their result to `--out NAME.certificate.json`.
#[derive(Subcommand)]
pub enum Poly {
    /// Whether two expressions are the same polynomial: exit 0 if so, 1 if not.
    ///
    /// Over Q expressions too large to multiply out are compared at random points modulo random primes of 62 bits: a
    /// difference found there is certain, equality wrong with probability at most 2^-100, and the bound is printed.
    Eq(Two),
    /// Multiply out.
    Expand(One),
    /// Moments of a polynomial of Gaussian, spherical or independent variables, exactly.
    Moment(self::gaussian::Moments),
    /// Cumulants of a polynomial of Gaussian, spherical or independent variables, exactly.
    Cumulant(self::gaussian::Moments),
    /// Expansion in Hermite polynomials, and back.
    Hermite(self::gaussian::Hermite),
    /// Divide by one or several polynomials: quotients and remainder.
    Divide(Divide),
    /// Greatest common divisor, verified by exact division.
    Gcd(Many),
    /// Irreducible factors over Q, or modulo a prime in one variable.
    Factor(One),
    /// Groebner basis over Q or modulo a prime, re-checked by Buchberger's criterion; elimination, membership, saturation.
    Groebner(Groebner),
    /// Real roots of a polynomial in one variable, isolated exactly.
    Roots(Roots),
    /// The resultant of two polynomials in one of their variables: zero where they have a common root or both lose degree.
    Resultant(Resultant),
    /// The discriminant of a polynomial in one of its variables: zero where a root is double.
    Discriminant(Discriminant),
    /// The value at a point; variables without a value stay.
    Eval(Eval),
    /// Put polynomials in the place of variables.
    Compose(Compose),
    /// Real zeros of as many polynomials as variables, by Newton's method; with --prove each in a ball that holds
    /// exactly one. Exit 3 when a given start leads to none, or nothing is proved.
    Solve(Solve),
}

/// How expressions are read.
#[derive(Args)]
pub struct Reading {
    /// Coefficients: Z, Q, F2, F3, .. or Fp:P for a prime P; eq and expand also over Qi (i or I is the imaginary unit).
    #[arg(long, default_value = "Q", value_name = "FIELD")]
    pub field: String,
    /// The variables in order, separated by commas; by default in the order in which they are read.
    #[arg(long, value_name = "X,Y,..", value_delimiter = ',')]
    pub vars: Vec<String>,
}

/// One expression.
#[derive(Args)]
pub struct One {
    /// A polynomial such as '(x + 1/2)^3 - y'; @FILE reads a file, - standard input.
    #[arg(allow_hyphen_values = true)]
    pub expr: String,
    #[command(flatten)]
    pub reading: Reading,
}

/// Two expressions.
#[derive(Args)]
pub struct Two {
    /// Left-hand side; @FILE reads a file, - standard input.
    #[arg(allow_hyphen_values = true)]
    pub left: String,
    /// Right-hand side.
    #[arg(allow_hyphen_values = true)]
    pub right: String,
    #[command(flatten)]
    pub reading: Reading,
}

/// Several expressions.
#[derive(Args)]
pub struct Many {
    /// The polynomials (after -- when one begins with a minus sign); @FILE reads a file, - standard input.
    #[arg(required = true)]
    pub exprs: Vec<String>,
    #[command(flatten)]
    pub reading: Reading,
}

/// A dividend and divisors.
#[derive(Args)]
pub struct Divide {
    /// The dividend; @FILE reads a file, - standard input.
    #[arg(allow_hyphen_values = true)]
    pub dividend: String,
    /// The divisors (after -- when one begins with a minus sign): the first whose leading term fits is used.
    #[arg(required = true)]
    pub divisors: Vec<String>,
    /// Monomial order: lex, deglex or degrevlex.
    #[arg(long, default_value = "lex")]
    pub order: String,
    /// Exit with 1 when the remainder is not zero.
    #[arg(long)]
    pub exact: bool,
    #[command(flatten)]
    pub reading: Reading,
}

/// Generators of an ideal.
#[derive(Args)]
pub struct Groebner {
    /// The generators (after -- when one begins with a minus sign). @FILE reads polynomials separated by ';' or one a line, or a system in the format of
    /// PHCpack (a number of equations, then polynomials that end in ';').
    #[arg(required = true)]
    pub exprs: Vec<String>,
    /// Monomial order: lex, deglex, degrevlex, block:K (the first K variables before all others) or weight:W1,W2,...
    #[arg(long, default_value = "degrevlex")]
    pub order: String,
    /// Coefficients: Q, F2, F3, .. or Fp:P for a prime P.
    #[arg(long, default_value = "Q", value_name = "FIELD")]
    pub field: String,
    /// Also find and check cofactors over the generators: slower, and certain.
    #[arg(long, conflicts_with_all = ["eliminate", "saturate", "radical"])]
    pub certify: bool,
    /// Is this polynomial in the ideal? Exit 0 if so, 1 if not.
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true, conflicts_with_all = ["eliminate", "saturate", "radical"])]
    pub contains: Option<String>,
    /// Does some power of this polynomial lie in the ideal? Exit 0 if so, 1 if not.
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true, conflicts_with_all = ["eliminate", "saturate"])]
    pub radical: Option<String>,
    /// The basis (degrevlex) of the members without these variables.
    #[arg(long, value_name = "X,Y,..", value_delimiter = ',', conflicts_with_all = ["saturate", "order"])]
    pub eliminate: Vec<String>,
    /// The basis (degrevlex) of the polynomials of which some power of this one times them lies in the ideal.
    #[arg(
        long,
        value_name = "EXPR",
        allow_hyphen_values = true,
        conflicts_with = "order"
    )]
    pub saturate: Option<String>,
    /// The variables in order, separated by commas; by default in the order in which they are read.
    #[arg(long, value_name = "X,Y,..", value_delimiter = ',')]
    pub vars: Vec<String>,
}

/// A polynomial in one variable.
#[derive(Args)]
pub struct Roots {
    /// The polynomial; @FILE reads a file, - standard input.
    #[arg(allow_hyphen_values = true)]
    pub expr: String,
    /// Isolating intervals are at most 2^-BITS wide, and at most that much of the root.
    #[arg(long, default_value_t = 53)]
    pub bits: u32,
}

/// Two polynomials and the variable that goes.
#[derive(Args)]
#[command(after_help = "Example:\n  wickring poly resultant 'x^2 + y^2 - 1' 'x - y' --by x")]
pub struct Resultant {
    /// The first polynomial; @FILE reads a file, - standard input.
    #[arg(allow_hyphen_values = true)]
    pub left: String,
    /// The second polynomial.
    #[arg(allow_hyphen_values = true)]
    pub right: String,
    /// The variable that is eliminated; may be left out where only one occurs.
    #[arg(long, value_name = "X")]
    pub by: Option<String>,
    /// The variables in order, separated by commas; by default in the order in which they are read.
    #[arg(long, value_name = "X,Y,..", value_delimiter = ',')]
    pub vars: Vec<String>,
}

/// A polynomial and one of its variables.
#[derive(Args)]
#[command(after_help = "Example:\n  wickring poly discriminant 'a*x^2 + b*x + c' --by x")]
pub struct Discriminant {
    /// The polynomial; @FILE reads a file, - standard input.
    #[arg(allow_hyphen_values = true)]
    pub expr: String,
    /// The variable whose roots are meant; may be left out where only one occurs.
    #[arg(long, value_name = "X")]
    pub by: Option<String>,
    /// The variables in order, separated by commas; by default in the order in which they are read.
    #[arg(long, value_name = "X,Y,..", value_delimiter = ',')]
    pub vars: Vec<String>,
}

/// A polynomial and a point.
#[derive(Args)]
#[command(after_help = "Example:\n  wickring poly eval 'x^2*y - 3' --at x=1/2,y=8")]
pub struct Eval {
    /// The polynomial; @FILE reads a file, - standard input.
    #[arg(allow_hyphen_values = true)]
    pub expr: String,
    /// Values, integers, fractions or decimals (read exactly): x=1/2,y=-0.25.
    #[arg(
        long,
        value_name = "X=1,Y=2",
        required = true,
        allow_hyphen_values = true
    )]
    pub at: Vec<String>,
    #[command(flatten)]
    pub reading: Reading,
}

/// A polynomial and what stands for its variables.
#[derive(Args)]
#[command(after_help = "Example:\n  wickring poly compose 'x^2 - y' --put x=a+b --put y=a*b")]
pub struct Compose {
    /// The polynomial; @FILE reads a file, - standard input.
    #[arg(allow_hyphen_values = true)]
    pub expr: String,
    /// NAME=EXPRESSION, once for each variable that is replaced; all at the same time.
    #[arg(
        long,
        value_name = "X=EXPR",
        required = true,
        allow_hyphen_values = true
    )]
    pub put: Vec<String>,
    #[command(flatten)]
    pub reading: Reading,
}

/// A square system.
#[derive(Args)]
pub struct Solve {
    /// The polynomials (after -- when one begins with a minus sign); @FILE reads several, as for groebner.
    #[arg(required = true)]
    pub exprs: Vec<String>,
    /// Where Newton's method starts, a value for each variable; may be repeated. By default 64 random points.
    #[arg(long, value_name = "X=1,Y=2")]
    pub start: Vec<String>,
    /// Prove, by Krawczyk's test in integers, that exactly one zero lies within a radius of each point, which is printed;
    /// --out NAME.certificate.json writes the proofs.
    #[arg(long)]
    pub prove: bool,
    /// The variables in order, separated by commas; by default in the order in which they are read.
    #[arg(long, value_name = "X,Y,..", value_delimiter = ',')]
    pub vars: Vec<String>,
}

/// Runs `wickring poly`.
pub fn run(command: &Poly, context: &Context) -> Result<Outcome, Error> {
    match command {
        Poly::Eq(args) => eq(args, context),
        Poly::Expand(args) => expand(args, context),
        Poly::Moment(args) => self::gaussian::moment(args, context),
        Poly::Cumulant(args) => self::gaussian::cumulant(args, context),
        Poly::Hermite(args) => self::gaussian::hermite(args, context),
        Poly::Divide(args) => divide(args, context),
        Poly::Gcd(args) => gcd(args, context),
        Poly::Factor(args) => factor(args, context),
        Poly::Groebner(args) => groebner(args, context),
        Poly::Roots(args) => roots(args, context),
        Poly::Solve(args) => solve(args, context),
        Poly::Resultant(args) => resultant(args, context),
        Poly::Discriminant(args) => discriminant(args, context),
        Poly::Eval(args) => eval(args, context),
        Poly::Compose(args) => compose(args, context),
    }
}
