//! One block of points through a compiled program.

#[cfg(target_arch = "x86_64")]
use super::lanes::{Eight, Four};
use super::lanes::{Lanes, Portable};
use super::numbers::{Complex, Interval, Number, Real};
use crate::poly::evaluation::batch::Machine;
use crate::poly::evaluation::compiled::{Program, SET, Step};

/// Points of one block.
pub(crate) const POINTS: usize = 64;

/// One part of the numbers of a block.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Block(pub [f64; POINTS]);

impl Block {
    pub(crate) const ZERO: Self = Self([0.0; POINTS]);
}

/// What the numbers of a program are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Real,
    Complex,
    Interval,
}

/// The instructions to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Level {
    /// The best that this processor has.
    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if super::level::has_avx512() {
                return Self::Avx512;
            }
            if super::level::has_avx2() {
                return Self::Avx2;
            }
        }
        Self::Portable
    }
}

/// Runs the steps from one place to another, the first of which multiply up the powers too, on the block of points in the machine, which was made for it, and tells whether all
/// coordinates are finite.
///
/// # Panics
/// When the machine was made for another program.
pub(crate) fn run_block(
    kind: Kind,
    program: &Program,
    steps: (usize, usize),
    machine: &mut Machine,
) -> bool {
    run_at(Level::detect(), kind, program, steps, machine)
}

fn run_at(
    level: Level,
    kind: Kind,
    program: &Program,
    steps: (usize, usize),
    machine: &mut Machine,
) -> bool {
    match level {
        // SAFETY: the instructions were just detected.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512(kind, program, steps, machine) },
        // SAFETY: the instructions were just detected.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2(kind, program, steps, machine) },
        Level::Portable => match kind {
            Kind::Real => whole::<Real<Portable>, 4>(program, steps, machine),
            Kind::Complex => whole::<Complex<Portable>, 2>(program, steps, machine),
            Kind::Interval => whole::<Interval<Portable>, 1>(program, steps, machine),
        },
    }
}

// The second number: as many vectors as keep two sums and one variable in the registers.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512(kind: Kind, program: &Program, steps: (usize, usize), machine: &mut Machine) -> bool {
    match kind {
        Kind::Real => whole::<Real<Eight>, 8>(program, steps, machine),
        Kind::Complex => whole::<Complex<Eight>, 4>(program, steps, machine),
        Kind::Interval => whole::<Interval<Eight>, 2>(program, steps, machine),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(kind: Kind, program: &Program, steps: (usize, usize), machine: &mut Machine) -> bool {
    match kind {
        Kind::Real => whole::<Real<Four>, 4>(program, steps, machine),
        Kind::Complex => whole::<Complex<Four>, 2>(program, steps, machine),
        Kind::Interval => whole::<Interval<Four>, 1>(program, steps, machine),
    }
}

#[inline(always)]
fn whole<N: Number, const W: usize>(
    program: &Program,
    steps: (usize, usize),
    machine: &mut Machine,
) -> bool {
    let mut finite = true;
    for at in (0..POINTS).step_by(W * N::Lanes::COUNT) {
        if steps.0 == 0 {
            finite &= columns::<N, W>(program, machine, at);
        }
        run::<N, W>(program, steps, machine, at);
    }
    finite
}

/// `W` vectors of numbers from their parts. Here and below loops run over `0..W` and no closure or function
/// of the standard library is handed a vector: such a function is not always compiled into its caller.
#[inline(always)]
fn load<N: Number, const W: usize>(parts: &[Block], at: usize) -> [N; W] {
    let mut values = [N::constant(&[0.0; 2]); W];
    for i in 0..W {
        values[i] = N::load(parts, at + i * N::Lanes::COUNT);
    }
    values
}

#[inline(always)]
fn store<N: Number, const W: usize>(values: [N; W], parts: &mut [Block], at: usize) {
    for i in 0..W {
        values[i].store(parts, at + i * N::Lanes::COUNT);
    }
}

/// `values = values * powers + more`.
#[inline(always)]
fn advance<N: Number, const W: usize>(values: &mut [N; W], powers: [N; W], more: [N; W]) {
    for i in 0..W {
        values[i] = values[i].mul_add(powers[i], more[i]);
    }
}

/// `outer = inner` for `SET`, else `outer = outer * power + inner`.
#[inline(always)]
fn close<N: Number, const W: usize>(
    outer: &mut [N; W],
    inner: [N; W],
    (powers, p): (&[Block], u32),
    at: usize,
) {
    match p {
        SET => *outer = inner,
        p => advance(outer, load(&powers[p as usize * N::PARTS..], at), inner),
    }
}

/// Looks whether the coordinates are finite and multiplies up the powers.
#[inline(always)]
fn columns<N: Number, const W: usize>(program: &Program, machine: &mut Machine, at: usize) -> bool {
    assert!(at + W * N::Lanes::COUNT <= POINTS);
    // Zero, or no number once there was an infinity or no number.
    let mut test = N::Lanes::splat(0.0);
    for (n, power) in program.powers.iter().enumerate() {
        let (below, own) = machine.powers.split_at_mut(n * N::PARTS);
        if power.exponent == 1 {
            let x: [N; W] = load(own, at);
            for i in 0..W {
                test = x[i].finite(test);
            }
        } else if !program.powers_given {
            let [f, g] = power.factors;
            let mut x: [N; W] = load(&below[f as usize * N::PARTS..], at);
            let y: [N; W] = load(&below[g as usize * N::PARTS..], at);
            for i in 0..W {
                x[i] = x[i].mul(y[i]);
            }
            store(x, own, at);
        }
    }
    let mut seen = [0.0; 8];
    test.store(&mut seen);
    seen.iter().all(|x| *x == 0.0)
}

/// The program itself, compiled once for each set of instructions.
#[inline(always)]
fn run<N: Number, const W: usize>(
    program: &Program,
    (from, to): (usize, usize),
    machine: &mut Machine,
    at: usize,
) {
    assert!(at + W * N::Lanes::COUNT <= POINTS);
    let Machine { powers, sums, out } = machine;
    let powers = &powers[..];
    let numbers = |first: u32, len: u32| {
        &program.coefficients[first as usize * N::PARTS..][..len as usize * N::PARTS]
    };
    let x: [N; W] = load(&powers[program.inner as usize * N::PARTS..], at);
    // The polynomial in the last variable, and the sum around it.
    let mut t = [N::constant(&[0.0; 2]); W];
    let mut s = t;
    for step in &program.steps[from..to] {
        match *step {
            Step::Row { first, len, power } => {
                horner(&mut t, x, numbers(first, len));
                close(&mut s, t, (powers, power), at);
            }
            Step::Start { first, len } => horner(&mut t, x, numbers(first, len)),
            Step::Jump { power, first, len } => {
                let (one, rest) = numbers(first, len).split_at(N::PARTS);
                let c = [N::constant(one); W];
                advance(&mut t, load(&powers[power as usize * N::PARTS..], at), c);
                for c in rest.chunks_exact(N::PARTS) {
                    advance(&mut t, x, [N::constant(c); W]);
                }
            }
            Step::Scale { power } => scale(&mut t, (powers, power), at),
            Step::Close { power } => close(&mut s, t, (powers, power), at),
            Step::ScaleSum { power } => scale(&mut s, (powers, power), at),
            Step::Keep { to } => store(s, &mut sums[to as usize * N::PARTS..], at),
            Step::Join { from, power } => {
                let mut outer: [N; W] = load(&sums[from as usize * N::PARTS..], at);
                advance(
                    &mut outer,
                    load(&powers[power as usize * N::PARTS..], at),
                    s,
                );
                s = outer;
            }
            Step::Plus { power, first } => {
                let c = [N::constant(numbers(first, 1)); W];
                advance(&mut s, load(&powers[power as usize * N::PARTS..], at), c);
            }
            Step::Term { power, first } => {
                let mut c = [N::constant(numbers(first, 1)); W];
                advance(&mut c, load(&powers[power as usize * N::PARTS..], at), s);
                s = c;
            }
            Step::Output { k } => {
                store(s, &mut out[k as usize * N::PARTS..], at);
            }
        }
    }
}

/// A polynomial in the last variable, of coefficients without gaps.
#[inline(always)]
fn horner<N: Number, const W: usize>(t: &mut [N; W], x: [N; W], coefficients: &[f64]) {
    let (one, rest) = coefficients.split_at(N::PARTS);
    *t = [N::constant(one); W];
    for c in rest.chunks_exact(N::PARTS) {
        advance(t, x, [N::constant(c); W]);
    }
}

/// `values = values * power`.
#[inline(always)]
fn scale<N: Number, const W: usize>(values: &mut [N; W], (powers, p): (&[Block], u32), at: usize) {
    let y: [N; W] = load(&powers[p as usize * N::PARTS..], at);
    for i in 0..W {
        values[i] = values[i].mul(y[i]);
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Level, POINTS, run_at};
    use crate::poly::evaluation::batch::{Machine, programs_of_every_kind};

    /// Every set of instructions that this processor has gives the bits of the portable path.
    #[test]
    fn all_instructions_agree_to_the_last_bit() {
        let mut levels = vec![Level::Portable, Level::detect()];
        #[cfg(target_arch = "x86_64")]
        if super::super::level::has_avx2() {
            levels.push(Level::Avx2);
        }
        for (kind, program, machine) in programs_of_every_kind() {
            let results = levels.iter().map(|&level| {
                let mut machine: Machine = machine.clone();
                assert!(run_at(
                    level,
                    kind,
                    &program,
                    (0, program.steps.len()),
                    &mut machine
                ));
                let bits = machine.out.iter().flat_map(|b| b.0.map(f64::to_bits));
                bits.collect::<Vec<u64>>()
            });
            let results: Vec<_> = results.collect();
            assert!(results.windows(2).all(|w| w[0] == w[1]), "{kind:?}");
            let parts = if kind == Kind::Real { 1 } else { 2 };
            assert_eq!(results[0].len() % (parts * POINTS), 0);
            assert_ne!(results[0][0], results[0][1]);
        }
    }
}
