//! Learn a narrow relu network from noisy samples and read its report: `cargo run --release --example learn_relu`.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use wickring::learn::relu::ReluLearner;
use wickring::planted::relu::{Story, draw};

fn main() -> Result<(), wickring::Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    // Six abs neurons in one plane whose moments of degree below six all vanish, seen through some noise.
    let truth = Story::Star.plant(20, 6, &mut rng)?;
    let (x, y) = draw(&truth, 8000, 0.05, &mut rng)?;

    let fit = ReluLearner::new().learn(x.as_ref(), &y, &mut rng)?;
    let (network, report) = (&fit.model.network, &fit.model.report);
    let (fresh, values) = draw(&truth, 5000, 0.0, &mut rng)?;
    let found = network.evaluate(fresh.as_ref())?;
    let gap: f64 = found
        .iter()
        .zip(&values)
        .map(|(a, b)| (a - b).powi(2))
        .sum();
    let size: f64 = values.iter().map(|v| v * v).sum();

    let mut out = std::io::stdout().lock();
    let text = format!(
        "{}: {} neurons, noise {:.4}, held-out error {:.2} of what the noise explains\n\
         error on fresh samples {:.2e}, expected {:.2e}\n",
        fit.status,
        network.neurons().len(),
        report.noise,
        report.above_noise,
        gap / size,
        report.expected_error,
    );
    // A closed pipe is no reason to fail.
    let _ = std::io::Write::write_all(&mut out, text.as_bytes());
    Ok(())
}
