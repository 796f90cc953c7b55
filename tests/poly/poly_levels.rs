//! Every set of instructions gives the same bytes: the same work in processes with different caps.

use std::process::Command;
use wickring::poly::{Budget, Compiled, Integer, Poly};

/// What the child prints before its digest.
const MARK: &str = "digest of all answers: ";

fn digest(text: &str) -> u64 {
    // FNV-1a.
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// `(1 + x + 2 y + 3 z)^k` with coefficients of up to `bits` bits.
fn factor(k: u32, bits: usize) -> Result<Poly<Integer>, wickring::Error> {
    let variable = |v: usize| Poly::variable(v).scale(&Integer::from(v as i64 - 4));
    let sum = Poly::sum([
        Poly::constant(1.into()),
        variable(0),
        variable(1),
        variable(2),
    ]);
    let power = sum.pow_within(k, &Budget::default())?;
    let big = (Integer::from(1) << bits) - Integer::from(1);
    Ok(power.map(|c| c * &big - Integer::from(7)))
}

/// Products, quotients and values that take the vector paths where there are any.
fn answers() -> Result<String, wickring::Error> {
    let budget = Budget::default();
    let mut all = String::new();
    for (k, bits) in [(3, 1), (9, 1), (9, 20), (12, 40), (7, 150), (6, 700)] {
        let (a, b) = (factor(k, bits)?, factor(k + 1, bits / 2 + 1)?);
        let product = a.mul_within(&b, &budget)?;
        let modular = a
            .map(|c| c * c)
            .mul_mod(&b.map(|c| c * c), 32_003, &budget)?;
        let quotient = product.divide_exact(&b, &budget)?;
        assert_eq!(quotient.as_ref(), Some(&a));
        all += &format!("{product:?} {modular:?}");
    }
    let p = factor(5, 3)?.map(|c| f64::from(i32::try_from(c).unwrap_or(1)));
    let program = Compiled::with_derivatives(&p)?;
    let column = |s: f64| -> Vec<f64> { (0..300).map(|i| (f64::from(i) * s).sin()).collect() };
    let columns = [column(0.7), column(1.1), column(1.3)];
    let values = program.eval_batch(&columns.each_ref().map(Vec::as_slice))?;
    let bits = values.iter().flatten().map(|v| v.to_bits());
    all += &format!("{:?}", bits.collect::<Vec<_>>());
    Ok(all)
}

/// Prints its digest where the parent reads it; alone it only checks that there are answers.
#[test]
fn answers_of_one_level() -> Result<(), wickring::Error> {
    let answers = answers()?;
    assert!(answers.len() > 10_000);
    #[allow(clippy::print_stdout)]
    {
        println!("{MARK}{:016x}", digest(&answers));
    }
    Ok(())
}

#[test]
fn every_level_gives_the_same_bytes() -> std::io::Result<()> {
    let program = std::env::current_exe()?;
    let mut seen = Vec::new();
    for (level, threads) in [
        ("scalar", "1"),
        ("avx2", "1"),
        ("avx512", "1"),
        ("avx512", "3"),
        ("scalar", "2"),
    ] {
        let child = Command::new(&program)
            .args([
                "--exact",
                "poly_levels::answers_of_one_level",
                "--nocapture",
            ])
            .env("WICKRING_SIMD", level)
            .env("RAYON_NUM_THREADS", threads)
            .output()?;
        let text = String::from_utf8_lossy(&child.stdout).into_owned();
        let found = text.split(MARK).nth(1).map(|rest| rest[..16].to_owned());
        assert!(child.status.success() && found.is_some(), "{level}: {text}");
        seen.extend(found);
    }
    assert!(seen.windows(2).all(|w| w[0] == w[1]), "{seen:?}");
    Ok(())
}
