//! `wickring experiment list`: what the papers claim, and the command that shows it here.

use crate::context::{Context, Outcome};
use serde_json::{Value, json};
use wickring::Error;

/// A claim of a paper.
pub struct PaperClaim {
    /// The paper, by its key in [`PAPERS`].
    pub paper: &'static str,
    /// What it says, in our words.
    pub says: &'static str,
    /// The command that shows it.
    pub command: &'static str,
    /// Files that the command reads and that you bring; empty when it makes its own data.
    pub needs: &'static str,
}

/// The papers: key, authors and title.
pub const PAPERS: [(&str, &str); 5] = [
    (
        "polynomial",
        "Chen, Li, Li, Zhang: Learning polynomial transformations",
    ),
    (
        "relu",
        "Chen, Dou, Goel, Klivans, Meka: Learning narrow one-hidden-layer ReLU networks",
    ),
    (
        "two-layer",
        "Mondelli, Montanari: On the connection between learning two-layers neural networks and tensor decomposition",
    ),
    (
        "equivalence",
        "Goldt, Loureiro, Reeves, Krzakala, Mezard, Zdeborova: The Gaussian equivalence of generative models for learning with shallow neural networks",
    ),
    (
        "mixture",
        "Gatmiry, Kelner, Lee: Learning mixtures of Gaussians using diffusion models",
    ),
];

const fn claim(
    paper: &'static str,
    says: &'static str,
    command: &'static str,
    needs: &'static str,
) -> PaperClaim {
    PaperClaim {
        paper,
        says,
        command,
        needs,
    }
}

/// Every claim with its command; a test parses each of them.
pub const CLAIMS: &[PaperClaim] = &[
    claim(
        "polynomial",
        "a quadratic map of a hidden Gaussian is learned from samples of its outputs, the error falling like n^(-1/2)",
        "experiment quadratic-story --latents 3,4 --perturbations 1 --dimensions 3 --outputs 6 --out quadratic.csv --plot quadratic.svg",
        "",
    ),
    claim(
        "polynomial",
        "a small random perturbation of any map is enough (smoothed analysis)",
        "experiment quadratic-story --latents 3 --samples 20000 --dimensions 3 --outputs 6 --perturbations 0.001,0.01,0.1,1 --out smoothed.csv --plot smoothed.svg",
        "",
    ),
    claim(
        "polynomial",
        "tensor rings are decomposed in polynomial time, by algebra and without restarts",
        "decompose ring tensor.npy --rank 4 --method algebraic --out ring.npz",
        "tensor.npy",
    ),
    claim(
        "polynomial",
        "the hidden inputs may follow any rotation-invariant law",
        "learn quadratic samples.npy --radial unknown --out model.json",
        "samples.npy",
    ),
    claim(
        "polynomial",
        "maps of constant degree are learned when their tensors have low rank",
        "learn polynomial samples.npy --degree 3 --out model.json",
        "samples.npy",
    ),
    claim(
        "polynomial",
        "polynomially many noisy samples are enough: the error that the information in them leaves is reported beside",
        "learn polynomial samples.npy --degree 3 --noise auto --out model.json",
        "samples.npy",
    ),
    claim(
        "relu",
        "sums of few ReLUs are learned whatever their signs and however near their directions",
        "experiment relu-story --out relu.csv --plot relu.svg",
        "",
    ),
    claim(
        "relu",
        "near neurons can be collapsed, so that condition numbers do not matter",
        "experiment relu-bars --networks 3 --only near --out near.csv",
        "",
    ),
    claim(
        "relu",
        "the error does not grow as two neurons come nearer, of equal signs or not (collapse at some scale)",
        "experiment relu-story --against angle --samples 20000 --out angles.csv --plot angles.svg",
        "",
    ),
    claim(
        "relu",
        "every constant number of neurons is learned, also where all low moments vanish",
        "experiment relu-story --against kinks --samples 20000 --networks 1 --out kinks.csv --plot kinks.svg",
        "",
    ),
    claim(
        "relu",
        "random contractions of moments alone find the neurons (correlational queries)",
        "learn relu --inputs x.npy --targets y.npy --csq-only --out relu.json",
        "x.npy y.npy",
    ),
    claim(
        "two-layer",
        "learning the network is as hard as decomposing the tensor of its weights",
        "experiment two-layer --out two-layer.csv --plot two-layer.svg",
        "",
    ),
    claim(
        "two-layer",
        "with many more than d^(3/2) neurons no fast method beats the mean of the targets",
        "experiment two-layer --dims 16,20 --ratios 0.6,0.8,1,1.2 --out hard.csv --plot hard.svg",
        "",
    ),
    claim(
        "two-layer",
        "between d^(3/2) and d^2 neurons the samples tell the network and no fast method finds it",
        "experiment two-layer --dims 12,20,30 --ratios 0.4,0.6,0.7,0.8 --oracle --networks 1 --starts 2 --max-seconds 500 --out window.csv --plot window.svg",
        "",
    ),
    claim(
        "equivalence",
        "one-pass gradient descent on generated inputs follows the equations of the equivalent Gaussian",
        "theory online-sgd --preset quick --simulate 3 --out online.csv --plot online.svg",
        "",
    ),
    claim(
        "equivalence",
        "so do ridge and logistic regression on full batches",
        "theory full-batch --preset quick --simulate 5 --out batch.csv --plot batch.svg",
        "",
    ),
    claim(
        "equivalence",
        "the equivalence holds for deep generators too",
        "theory online-sgd --preset deep --simulate 1 --out deep.csv --plot deep.svg",
        "",
    ),
    claim(
        "equivalence",
        "a trained generator needs only its two covariances",
        "theory full-batch --omega omega.npy --phi phi.npy --out trained.csv",
        "omega.npy phi.npy",
    ),
    claim(
        "mixture",
        "mixtures of Gaussians are learned by regression of the score, without algebra",
        "experiment mixture --cases discrete,close --samples 1000,4000 --out mixture.csv --plot mixture.svg",
        "",
    ),
    claim(
        "mixture",
        "so are continuous mixtures: circles, discs, curves in many dimensions",
        "experiment mixture --cases circle,disc,segments,curve10 --samples 4000 --no-em --out curves.csv --plot curves.svg",
        "",
    ),
    claim(
        "mixture",
        "the learned law is compared with held-out samples, and with what it was trained on",
        "experiment mixture-compare drawn.npy heldout.npy --training training.npy",
        "drawn.npy heldout.npy training.npy",
    ),
];

/// Runs `wickring experiment list`.
pub fn run(context: &Context) -> Result<Outcome, Error> {
    let mut text = String::new();
    for (paper, title) in PAPERS {
        text += &format!("{title}\n");
        for c in CLAIMS.iter().filter(|c| c.paper == paper) {
            let needs = match c.needs {
                "" => String::new(),
                files => format!("   (bring {files})"),
            };
            text += &format!("  - {}\n      wickring {}{needs}\n", c.says, c.command);
        }
    }
    let object = |c: &PaperClaim| -> Value {
        json!({ "paper": c.paper, "says": c.says, "command": c.command, "needs": c.needs })
    };
    let papers = PAPERS.map(|(key, title)| json!({ "key": key, "title": title }));
    let claims: Vec<Value> = CLAIMS.iter().map(object).collect();
    context.emit(&json!({ "papers": papers, "claims": claims }), &text);
    Ok(Outcome::Certified)
}

/// Adds one line that puts what the paper says beside what was found here, if anything was.
pub fn beside(json: &mut Value, text: &mut String, says: &str, here: &str) {
    let here = match here {
        "" => "nothing was finished",
        found => found,
    };
    json["paper_says"] = json!(says);
    json["here"] = json!(here);
    *text += &format!("the paper says: {says}\nhere: {here}\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_parses_and_every_paper_has_claims() {
        for c in CLAIMS {
            let words = std::iter::once("wickring").chain(c.command.split(' '));
            let parsed = crate::line::parser().try_get_matches_from(words);
            assert!(parsed.is_ok(), "{}: {}", c.command, parsed.unwrap_err());
            assert!(PAPERS.iter().any(|p| p.0 == c.paper), "{}", c.paper);
        }
        for (paper, _) in PAPERS {
            assert!(
                CLAIMS.iter().filter(|c| c.paper == paper).count() >= 2,
                "{paper}"
            );
        }
    }
}
