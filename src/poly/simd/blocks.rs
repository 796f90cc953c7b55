//! One block of points through a compiled program.

use crate::poly::compiled::{Machine, Step};

/// Points of one block: four vectors of eight, enough independent chains to hide the latency of a fused
/// multiply-add.
pub(crate) const LANES: usize = 32;

/// Runs the program on the loaded block.
pub(crate) fn run_block(steps: &[Step], machine: &mut Machine) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the instructions were just detected.
            unsafe { run_avx512(steps, machine) };
            return;
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the instructions were just detected.
            unsafe { run_avx2(steps, machine) };
            return;
        }
    }
    run(steps, machine);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,fma")]
fn run_avx512(steps: &[Step], machine: &mut Machine) {
    run(steps, machine);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2(steps: &[Step], machine: &mut Machine) {
    run(steps, machine);
}

/// The program itself, compiled once for each set of instructions: fused multiply-adds round alike in all.
#[inline(always)]
fn run(steps: &[Step], machine: &mut Machine) {
    let Machine { powers, sums, out } = machine;
    let Some(last) = powers.len().checked_sub(1) else {
        return;
    };
    let mut t = [0.0f64; LANES];
    for step in steps {
        match *step {
            Step::Start(c) => t = [c; LANES],
            Step::Next(power, c) => {
                let x = &powers[last][power as usize];
                for l in 0..LANES {
                    t[l] = t[l].mul_add(x[l], c);
                }
            }
            Step::Fold { from, power } => {
                let from = from as usize;
                let x = &powers[from][power as usize];
                if from == last {
                    let s = &mut sums[from - 1];
                    for l in 0..LANES {
                        s[l] = t[l].mul_add(x[l], s[l]);
                    }
                } else {
                    let inner = std::mem::replace(&mut sums[from], [0.0; LANES]);
                    let s = &mut sums[from - 1];
                    for l in 0..LANES {
                        s[l] = inner[l].mul_add(x[l], s[l]);
                    }
                }
            }
            Step::Raise { v, power } => {
                let x = &powers[v as usize][power as usize];
                for (s, x) in sums[v as usize].iter_mut().zip(x) {
                    *s *= x;
                }
            }
            Step::Output(k) => {
                out[k as usize] = if last == 0 {
                    t
                } else {
                    std::mem::replace(&mut sums[0], [0.0; LANES])
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LANES, Machine, Step, run, run_block};

    /// The detected instructions and the portable path give the same bits.
    #[test]
    fn vector_and_portable_programs_agree_to_the_last_bit() {
        let column = |s: f64| std::array::from_fn(|l| s * (l as f64 + 0.3).sin());
        let fresh = || Machine {
            powers: vec![
                vec![[1.0; LANES], column(1.7)],
                vec![[1.0; LANES], column(-0.9)],
            ],
            sums: vec![[0.0; LANES]; 2],
            out: vec![[0.0; LANES]],
        };
        let steps = [
            Step::Start(1.0 / 3.0),
            Step::Next(1, 0.1),
            Step::Fold { from: 1, power: 1 },
            Step::Raise { v: 0, power: 1 },
            Step::Start(0.7),
            Step::Fold { from: 1, power: 1 },
            Step::Output(0),
        ];
        let (mut a, mut b) = (fresh(), fresh());
        run(&steps, &mut a);
        run_block(&steps, &mut b);
        let bits = |m: &Machine| m.out[0].map(f64::to_bits);
        assert_eq!(bits(&a), bits(&b));
        assert_ne!(bits(&a), [0; LANES]);
    }
}
