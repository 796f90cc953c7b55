//! Laws of straight-line programs and identity testing.

use super::algebra::small_poly;
use crate::Error;
use crate::laws::broken::{Broken, check};
use crate::laws::bytes::Bytes;
use crate::poly::identity::{
    BlackBox, Height, IdentityProof, IdentityTest, IdentityVerdict, Node, Program, Witness,
};
use crate::poly::{Budget, Poly, Rational, Residue, Ring, Vars};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

type P = Poly<Rational>;

/// A prime that no small denominator contains.
const PRIME: u64 = 2_305_843_009_213_693_951;

fn budget() -> Budget<'static> {
    Budget::default().terms(1 << 12).work(1 << 20).bits(1 << 20)
}

/// A test that never multiplies out.
fn by_points() -> IdentityTest<'static> {
    IdentityTest::default().exact(Budget::default().terms(0))
}

/// A program of a few steps, with shared parts.
pub fn small_program(bytes: &mut Bytes<'_>) -> Result<Program, Error> {
    let mut program = Program::new();
    let mut nodes: Vec<Node> = Vec::new();
    for i in 0..2 {
        nodes.push(program.variable(i)?);
    }
    for _ in 0..2 + bytes.below(9) {
        let mut any = |n: usize| nodes[bytes.below(n)];
        let (a, b) = (any(nodes.len()), any(nodes.len()));
        let node = match bytes.below(5) {
            0 => {
                let c = Rational::new(bytes.small(), 1 + bytes.below(4) as i64);
                program.constant(c.unwrap_or_default())?
            }
            1 => program.add(a, b)?,
            2 => program.sub(a, b)?,
            3 => program.mul(a, b)?,
            _ => program.power(a, bytes.below(4) as u32)?,
        };
        nodes.push(node);
    }
    program.finish(nodes[nodes.len() - 1 - bytes.below(2)])?;
    Ok(program)
}

/// A program has the values of the polynomial that it multiplies out to, over Q and modulo a prime, and its bounds hold.
///
/// # Errors
/// [`Broken`] with the program.
pub fn programs_are_polynomials(program: &Program, point: [i64; 2]) -> Result<(), Broken> {
    let law = "identity::programs_are_polynomials";
    let case = || format!("{program:?} at {point:?}");
    let expanded = match program.expand(&budget()) {
        Ok(p) => p,
        Err(Error::LimitExceeded { .. } | Error::Overflow { .. }) => return Ok(()),
        Err(e) => return check(law, false, || format!("{e}: {}", case())),
    };
    let point = point.map(Rational::from);
    check(law, program.eval(&point) == Ok(expanded.eval(&point)), case)?;
    let image = |x: &Rational| Residue::new(0, PRIME).map(|zero| zero + residue(x));
    let residues: Result<Vec<Residue>, Error> = point.iter().map(image).collect();
    let integers: Vec<u64> = point.iter().map(|x| to_word(&residue(x))).collect();
    let modular = program.value_mod(&integers, PRIME, &Budget::default());
    let direct = expanded.value_mod(&integers, PRIME, &Budget::default());
    check(law, modular == direct, case)?;
    let in_ring = residues.and_then(|x| program.eval_in(&x, fraction));
    let value = in_ring.ok().flatten().map(|r| to_word(&r));
    check(law, value == modular.ok().flatten(), case)?;
    check(
        law,
        program.degree_bound() >= expanded.total_degree().into(),
        case,
    )?;
    within_height(&expanded, program.height(), law)?;
    within_height(&expanded, BlackBox::height(&expanded), law)
}

/// `D f` is integral for a `D` of the promised bits, and its coefficients add up to less than promised.
fn within_height(f: &P, height: Height, law: &'static str) -> Result<(), Broken> {
    let mut common = Rational::from(1);
    for (_, c) in f.iter() {
        let scaled = c * common.clone();
        common *= &Rational::from(scaled.denominator());
    }
    let sum = f.iter().fold(Rational::from(0), |s, (_, c)| {
        s + (c * common.clone()).abs()
    });
    // The least denominator is allowed; any multiple of it that the bound stands for only makes both larger together.
    let bits = |x: &Rational| Height::of(x).numerator;
    let room = height.denominator + 1;
    let ok = bits(&common) <= room && bits(&sum) <= height.numerator;
    check(law, ok, || format!("{f:?} against {height:?}"))
}

fn residue(x: &Rational) -> Residue {
    fraction(x).unwrap_or_else(|| Residue::from_i64(0))
}

fn fraction(x: &Rational) -> Option<Residue> {
    let of = |n: crate::poly::Integer| {
        let p = crate::poly::Integer::from(PRIME);
        let r = ((n % &p) + &p) % &p;
        u64::try_from(&r)
            .ok()
            .and_then(|r| Residue::new(r, PRIME).ok())
    };
    of(x.numerator())?.checked_div(&of(x.denominator())?)
}

fn to_word(r: &Residue) -> u64 {
    u64::try_from(&r.to_integer()).unwrap_or(u64::MAX)
}

/// Equality is found, by terms and by points, and so is difference, with a witness that holds.
///
/// # Errors
/// [`Broken`] with the case.
pub fn equality_is_decided(f: &P, g: &P, seed: u64) -> Result<(), Broken> {
    let law = "identity::equality_is_decided";
    let case = || format!("{f:?}, {g:?}");
    let product = f * g;
    let (Ok(left), Ok(right)) = (Program::from_poly(f), Program::from_poly(g)) else {
        return check(law, false, case);
    };
    let rng = || ChaCha8Rng::seed_from_u64(seed);
    for test in [IdentityTest::default(), by_points()] {
        let verdict = test.prove(&Times(&left, &right), &product, &mut rng());
        let equal = match &verdict {
            Ok(IdentityVerdict::Equal(IdentityProof::Expanded { terms })) => {
                *terms == product.len()
            }
            Ok(IdentityVerdict::Equal(IdentityProof::SchwartzZippel { error_log2, .. })) => {
                *error_log2 <= -100.0
            }
            _ => false,
        };
        check(law, equal, || format!("{}: {verdict:?}", case()))?;
        // One more in one coefficient.
        let other = &product + &P::monomial(&[1, 2], Rational::from(1));
        let verdict = test.prove(&product, &other, &mut rng());
        let found = match &verdict {
            Ok(IdentityVerdict::Different(Witness::Coefficient {
                exponents,
                left,
                right,
            })) => {
                left != right
                    && product.coefficient(exponents) == *left
                    && other.coefficient(exponents) == *right
            }
            Ok(IdentityVerdict::Different(Witness::Point {
                prime,
                point,
                left,
                right,
            })) => {
                let value = |p: &P| p.value_mod(point, *prime, &Budget::default());
                left != right
                    && value(&product) == Ok(Some(*left))
                    && value(&other) == Ok(Some(*right))
            }
            _ => false,
        };
        check(law, found, || format!("{}: {verdict:?}", case()))?;
    }
    Ok(())
}

/// The product of two programs as a black box that cannot be multiplied out.
struct Times<'a>(&'a Program, &'a Program);

impl BlackBox for Times<'_> {
    fn nvars(&self) -> usize {
        self.0.nvars().max(self.1.nvars())
    }
    fn degree_bound(&self) -> u128 {
        self.0.degree_bound() + self.1.degree_bound()
    }
    fn height(&self) -> Height {
        self.0.height().product(self.1.height())
    }
    fn value_mod(&self, point: &[u64], p: u64, budget: &Budget<'_>) -> Result<Option<u64>, Error> {
        let (a, b) = (
            self.0.value_mod(point, p, budget)?,
            self.1.value_mod(point, p, budget)?,
        );
        let times = |a: u64, b: u64| (u128::from(a) * u128::from(b) % u128::from(p)) as u64;
        Ok(a.zip(b).map(|(a, b)| times(a, b)))
    }
}

/// Text read as a program multiplies out to the same text read as a polynomial.
///
/// # Errors
/// [`Broken`] with the text.
pub fn texts_are_read_alike(text: &str) -> Result<(), Broken> {
    let law = "identity::texts_are_read_alike";
    let (mut one, mut two) = (Vars::new(), Vars::new());
    let direct = P::parse_within(text, &mut one, &budget());
    let program = Program::parse(text, &mut two);
    let case = || format!("{text}: {direct:?} and {program:?}");
    match (&direct, &program) {
        (Err(Error::LimitExceeded { .. } | Error::Overflow { .. }), _) => Ok(()),
        (Ok(p), Ok(program)) => match program.expand(&budget()) {
            Ok(q) => check(law, *p == q && one == two, case),
            Err(Error::LimitExceeded { .. } | Error::Overflow { .. }) => Ok(()),
            Err(e) => check(law, false, || format!("{e}: {}", case())),
        },
        (Err(Error::Parse { at, .. }), Err(Error::Parse { at: there, .. })) => {
            check(law, at == there, case)
        }
        _ => check(law, false, case),
    }
}

/// Any bytes as a program and as text.
///
/// # Errors
/// [`Broken`] with the case.
pub fn fuzz_poly_identity(data: &[u8]) -> Result<(), Broken> {
    texts_are_read_alike(&String::from_utf8_lossy(&data[..data.len().min(200)]))?;
    let mut bytes = Bytes::new(data);
    if let Ok(program) = small_program(&mut bytes) {
        programs_are_polynomials(&program, [bytes.small(), bytes.small()])?;
    }
    let (f, g) = (small_poly(&mut bytes), small_poly(&mut bytes));
    equality_is_decided(&f, &g, 1 + bytes.below(100) as u64)
}
