//! The wickring side of `benches/peers/cp_vs_peers.py`: timings and factors for tensors in files.
//!
//! `cp_peers cp RANK OUT_DIR FILE.npy ..` prints milliseconds and residual for each file and writes the factors;
//! `cp_peers mttkrp RANK REPEATS FILE.npy` prints the least milliseconds for all modes;
//! `cp_peers symmetric RANK FILE.npy ..` prints milliseconds, residual and status for each file.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::error::Error;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;
use wickring::decomp::{Cp, Waring};
use wickring::io::{npy, npz};
use wickring::laws::planted::gaussian_cp;
use wickring::tensor::{CpTensor, Factor, Tensor, mttkrp_all};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [command, rank, rest @ ..] = args.as_slice() else {
        return Err("usage: cp_peers cp|mttkrp|symmetric RANK ..".into());
    };
    let rank: usize = rank.parse()?;
    match (command.as_str(), rest) {
        ("cp", [out, files @ ..]) => files
            .iter()
            .try_for_each(|f| decompose(rank, Path::new(out), &PathBuf::from(f))),
        ("mttkrp", [repeats, file]) => products(rank, repeats.parse()?, Path::new(file)),
        ("symmetric", files) => files.iter().try_for_each(|f| symmetric(rank, Path::new(f))),
        _ => Err("usage: cp_peers cp|mttkrp|symmetric RANK ..".into()),
    }
}

fn decompose(rank: usize, out: &Path, file: &Path) -> Result<(), Box<dyn Error>> {
    let t = npy::read(file)?;
    let clock = Instant::now();
    let fit = Cp::new(rank).decompose(t.view(), &mut ChaCha8Rng::seed_from_u64(0))?;
    let ms = clock.elapsed().as_secs_f64() * 1e3;
    save(
        &fit.model,
        &out.join(file.with_extension("npz").file_name().ok_or("no name")?),
    )?;
    let residual = fit.evidence.rel_residual;
    writeln!(stdout(), "{ms} {residual} {}", fit.status.name())?;
    Ok(())
}

fn save(model: &CpTensor, path: &Path) -> Result<(), Box<dyn Error>> {
    let matrix = |f: &Factor| Tensor::from_vec(&[f.rows(), f.cols()], f.as_slice().to_vec());
    let mut arrays = vec![(
        "weights".to_owned(),
        Tensor::from_vec(&[model.rank()], model.weights().to_vec())?,
    )];
    for (m, f) in model.factors().iter().enumerate() {
        arrays.push((format!("factor_{m}"), matrix(f)?));
    }
    let views: Vec<_> = arrays.iter().map(|(n, t)| (n.as_str(), t.view())).collect();
    Ok(npz::write(path, &views)?)
}

fn products(rank: usize, repeats: usize, file: &Path) -> Result<(), Box<dyn Error>> {
    let t = npy::read(file)?;
    let model: CpTensor = gaussian_cp(t.dims(), rank, &mut ChaCha8Rng::seed_from_u64(1))?;
    let mut best = f64::INFINITY;
    for _ in 0..repeats {
        let clock = Instant::now();
        let all = mttkrp_all(t.view(), model.factors())?;
        best = best.min(clock.elapsed().as_secs_f64() * 1e3);
        drop(all);
    }
    writeln!(stdout(), "{best}")?;
    Ok(())
}

fn symmetric(rank: usize, file: &Path) -> Result<(), Box<dyn Error>> {
    let t = npy::read(file)?;
    let clock = Instant::now();
    let fit = Waring::new(rank).decompose(t.view(), &mut ChaCha8Rng::seed_from_u64(0))?;
    let ms = clock.elapsed().as_secs_f64() * 1e3;
    let residual = fit.evidence.rel_residual;
    writeln!(stdout(), "{ms} {residual} {}", fit.status.name())?;
    Ok(())
}
