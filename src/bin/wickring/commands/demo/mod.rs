//! `wickring demo`: one page on data that it makes itself; exit 0 only if every claim on it was checked.

pub(crate) mod claims;
use super::learn::quadratic::{certificate, model_file, pictures};
use crate::context::{Context, Outcome};
use crate::page::{Page as Html, Part};
use crate::plot::save;
use claims::{Scheme, exact_identities, near_miss, strassen, w_border};
use clap::{Args, ValueEnum};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wickring::certify::{self, Certificate, Claim, Limits};
use wickring::decomp::Peirce;
use wickring::io::model::ModelFile;
use wickring::io::samples::Samples;
use wickring::io::{npy, write_whole};
use wickring::laws::learn::quadratic_maps::random_quadratic_map;
use wickring::laws::ring::planted::random_symmetric_ring;
use wickring::learn::Quadratic;
use wickring::run::unobserved;
use wickring::tensor::{QuadraticMap, SymmetricRing};
use wickring::{Error, Status};

/// One page: exact identities, verified schemes, a tensor ring, a learned map, and data that is refused.
///
/// Everything is made here from the seed; nothing is read or fetched. Exit 0 only if every claim on the page
/// was checked and holds, 1 otherwise. Writes a folder (wickring-demo, or --out) with the model, the samples,
/// a report, pictures, and a certificate that `wickring check` replays without any of this.
#[derive(Args)]
pub struct Demo {
    /// Break one claim on purpose, to see that the page notices.
    #[arg(long, value_enum)]
    sabotage: Option<Sabotage>,
}

/// What is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sabotage {
    /// One sign of Strassen's scheme.
    Sign,
    /// One coefficient of an exact identity.
    Identity,
    /// One entry of the learned model, after the learning.
    Model,
    /// One core of the tensor ring, after the decomposition.
    Ring,
}

/// One claim of the page: what was expected, what was found.
struct Line {
    text: String,
    verdict: String,
    holds: bool,
}

impl Line {
    fn new(text: impl Into<String>, verdict: impl Into<String>, holds: bool) -> Self {
        let (text, verdict) = (text.into(), verdict.into());
        Self {
            text,
            verdict,
            holds,
        }
    }
}

/// The page as it grows.
struct Page<'a> {
    context: &'a Context,
    sabotage: Option<Sabotage>,
    folder: PathBuf,
    certificate: Certificate,
    /// Heading and lines of each step.
    steps: Vec<(&'static str, Vec<Line>)>,
    /// Pictures of the page.
    pictures: Vec<Part>,
}

/// Runs `wickring demo`.
pub fn run(args: &Demo, context: &Context) -> Result<Outcome, Error> {
    let folder = context
        .common
        .out
        .clone()
        .unwrap_or_else(|| "wickring-demo".into());
    std::fs::create_dir_all(&folder)
        .map_err(|e| Error::file(folder.as_path(), "", format!("cannot be made: {e}")))?;
    let mut page = Page {
        context,
        sabotage: args.sabotage,
        folder,
        certificate: Certificate::new(),
        steps: Vec::new(),
        pictures: Vec::new(),
    };
    page.step("exact", Page::exact)?;
    page.step("verify", Page::verify)?;
    page.step("ring", Page::ring)?;
    page.step("learn", Page::learn)?;
    page.step("doubt", Page::doubt)?;
    page.finish()
}

impl Page<'_> {
    fn broken(&self, what: Sabotage) -> bool {
        self.sabotage == Some(what)
    }

    fn step(
        &mut self,
        name: &'static str,
        work: fn(&mut Self) -> Result<Vec<Line>, Error>,
    ) -> Result<(), Error> {
        let number = self.steps.len() + 1;
        let lines = work(self)?;
        for (i, line) in lines.iter().enumerate() {
            let head = if i == 0 {
                format!("[{number}/5] {name:<8}")
            } else {
                " ".repeat(15)
            };
            let mark = if line.holds {
                ""
            } else {
                "   <- NOT AS CLAIMED"
            };
            self.context.say(&format!(
                "{head:<15}{:<72} {}{mark}",
                line.text, line.verdict
            ));
        }
        self.steps.push((name, lines));
        Ok(())
    }

    /// Whether the independent checker finds the claim true.
    fn checked(claim: &Claim) -> Result<bool, Error> {
        let text = Certificate::new().claim(claim.clone()).to_json();
        Ok(certify::check(&text, Limits::default())?.holds())
    }

    fn exact(&mut self) -> Result<Vec<Line>, Error> {
        let mut lines = Vec::new();
        for (text, claim) in exact_identities(self.broken(Sabotage::Identity))? {
            let holds = Self::checked(&claim)?;
            lines.push(Line::new(
                text,
                if holds { "EXACT" } else { "WRONG" },
                holds,
            ));
            self.certificate = std::mem::take(&mut self.certificate).claim(claim);
        }
        Ok(lines)
    }

    fn verify(&mut self) -> Result<Vec<Line>, Error> {
        let mut lines = Vec::new();
        let mut expect = |scheme: &Scheme, right: bool, word: &str| -> Result<bool, Error> {
            let found = Self::checked(&scheme.claim)?;
            let verdict = if found { word } else { "WRONG" };
            lines.push(Line::new(scheme.text, verdict, found == right));
            Ok(found)
        };
        let genuine = strassen(self.broken(Sabotage::Sign));
        let flipped = strassen(true);
        let flipped = Scheme {
            text: "the same with one sign flipped",
            ..flipped
        };
        let (border, order) = (w_border(0), w_border(1));
        expect(&genuine, true, "EXACT")?;
        expect(&flipped, false, "EXACT")?;
        expect(&near_miss(), false, "EXACT")?;
        expect(&border, false, "EXACT")?;
        expect(&order, true, "BORDER, error O(x)")?;
        for scheme in [genuine, order] {
            self.certificate = std::mem::take(&mut self.certificate).claim(scheme.claim);
        }
        Ok(lines)
    }

    fn ring(&mut self) -> Result<Vec<Line>, Error> {
        let (rank, d) = (8, 36);
        let mut rng = ChaCha8Rng::seed_from_u64(self.context.common.seed ^ 0x52);
        let planted = random_symmetric_ring(d, rank, &mut rng)?;
        let t = planted.to_dense()?;
        let fit = Peirce::new(rank).decompose(planted.gram().as_ref(), t.view(), &mut rng)?;
        let model = match self.broken(Sabotage::Ring) {
            true => nudged(&fit.model)?,
            false => fit.model,
        };
        // Recomputed here, from the tensor and the model alone.
        let residual = model.rel_residual(t.view())?;
        let distance = model.align(&planted)?.distance;
        let good = residual <= 1e-10 && distance <= 1e-10 && fit.status == Status::Converged;
        let text = format!(
            "tensor {d}^3 as a symmetric ring of rank {rank}: residual {residual:.0e}, cores to {distance:.0e}, no restarts"
        );
        Ok(vec![Line::new(
            text,
            if good { "RECOVERED" } else { "WRONG" },
            good,
        )])
    }

    fn learn(&mut self) -> Result<Vec<Line>, Error> {
        let (r, d, n) = (3, 6, 20_000);
        let seed = self.context.common.seed;
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x1ea5);
        let hidden = random_quadratic_map(d, r, false, &mut rng)?;
        let path = self.folder.join("samples.npy");
        write_whole(
            &path,
            &npy::encode(&[n, d], false, &hidden.sample(n, &mut rng)),
        )?;
        let samples = Samples::open(&[&path])?;
        let mut fit = Quadratic::new().learn(&samples, &mut rng, &mut unobserved)?;
        let claims = certificate(&fit.model, &samples)?;
        if self.broken(Sabotage::Model) {
            let ring = nudged(fit.model.quadratic())?;
            let linear = vec![0.0; d * r];
            fit.model = QuadraticMap::new(ring, linear, fit.model.constant().to_vec())?;
        }
        let model = self.folder.join("model.json");
        model_file(&fit, &samples, seed).write(&model)?;

        // From here on only what stands in the files counts.
        let read = ModelFile::read(&model)?.quadratic_map()?;
        let distance = read.distance(&hidden)?;
        let floor = 1.5 * ((r as f64 + 3.0) / (2.0 * n as f64)).sqrt();
        let near = distance <= 2.0 * floor;
        let z = |key: &str| fit.evidence.check(key).map_or(f64::NAN, |c| c.measured);
        let tests = [
            z("quadratic.held-out-second"),
            z("quadratic.held-out-third"),
            z("quadratic.held-out-characteristic"),
        ];
        let accepted = fit.status == Status::Converged && tests.iter().all(|t| *t <= 7.0);
        let same = certificate(&read, &samples)?.to_json() == claims.to_json();
        let replayed = certify::check(&certificate(&read, &samples)?.to_json(), Limits::default())?;
        self.certificate = std::mem::take(&mut self.certificate).absorb(claims);
        let figures = pictures((&read, &[]), &samples, seed)?;
        save(&self.folder.join("outputs.svg"), &figures)?;
        let parts = figures.iter().map(Part::picture);
        self.pictures = parts.collect::<Result<_, Error>>()?;
        let latent = read.latent_dim() == r;
        Ok(vec![
            Line::new(
                format!(
                    "{n} samples of a hidden quadratic map: latent dimension {} found",
                    read.latent_dim()
                ),
                if latent { "FOUND" } else { "WRONG" },
                latent,
            ),
            Line::new(
                format!(
                    "relative distance to the truth {distance:.4} (at most {:.4})",
                    2.0 * floor
                ),
                if near { "NEAR" } else { "FAR" },
                near,
            ),
            Line::new(
                format!(
                    "held-out z-scores: k2 {:.1}, k3 {:.1}, characteristic function {:.1}",
                    tests[0], tests[1], tests[2]
                ),
                if accepted { "ACCEPT" } else { "REJECT" },
                accepted,
            ),
            Line::new(
                "model file read back: exact cumulants replayed over the rationals",
                if same && replayed.holds() {
                    "EXACT"
                } else {
                    "WRONG"
                },
                same && replayed.holds(),
            ),
        ])
    }

    fn doubt(&mut self) -> Result<Vec<Line>, Error> {
        let (r, d, n) = (3, 6, 20_000);
        let mut rng = ChaCha8Rng::seed_from_u64(self.context.common.seed ^ 0xd0);
        let hidden = random_quadratic_map(d, r, false, &mut rng)?;
        let bounded: Vec<f64> = (0..n * r)
            .map(|_| {
                let x: f64 = StandardNormal.sample(&mut rng);
                1.7 * x.tanh()
            })
            .collect();
        let z = hidden.eval(faer::MatRef::from_row_major_slice(&bounded, n, r))?;
        let rows = (0..n)
            .flat_map(|i| (0..d).map(move |a| (i, a)))
            .map(|at| z[at])
            .collect();
        let samples = Samples::from_rows(d, rows)?;
        let mut lines = Vec::new();
        let mut refused = |text: &str, samples: &Samples| {
            let (why, holds) = match Quadratic::new().learn(samples, &mut rng, &mut unobserved) {
                Err(e) => (e.problem(), true),
                Ok(fit) => match fit.evidence.first_failure() {
                    Some(e) => (
                        format!("{} {:.0}", e.label, e.measured),
                        fit.status != Status::Converged,
                    ),
                    None => ("nothing".into(), false),
                },
            };
            let why = shortened(&why, 60);
            lines.push(Line::new(
                format!("{text}: {why}"),
                if holds { "REFUSED" } else { "ACCEPTED" },
                holds,
            ));
        };
        refused("bounded inputs", &samples);
        let constant = Samples::from_rows(d, vec![2.5; n * d])?;
        refused("constant outputs", &constant);
        Ok(lines)
    }

    fn finish(self) -> Result<Outcome, Error> {
        let certificate = self.folder.join("certificate.json");
        let text = self.certificate.to_json();
        write_whole(&certificate, text.as_bytes())?;
        let replay = certify::check(&text, Limits::default())?;
        let holds = self
            .steps
            .iter()
            .flat_map(|(_, lines)| lines)
            .all(|l| l.holds)
            && replay.holds();
        let seed = self.context.common.seed;
        let page = html(&self.steps, holds, seed, self.pictures);
        write_whole(&self.folder.join("report.html"), page.as_bytes())?;
        let shown = self.folder.display();
        self.context.say(&format!(
            "wrote {shown}/: model.json report.html certificate.json outputs.svg samples.npy"
        ));
        self.context.say(&format!(
            "check them without me: wickring check {}",
            certificate.display()
        ));
        if self.context.common.json {
            self.context
                .emit(&page_json(&self.steps, holds, &self.folder), "");
        }
        Ok(if holds {
            Outcome::Certified
        } else {
            Outcome::Refuted
        })
    }
}

/// The first words of a text, at most so many characters.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out = String::new();
    for word in text.split_whitespace() {
        if out.chars().count() + word.chars().count() + 4 > most {
            break;
        }
        out += word;
        out += " ";
    }
    out + "..."
}

/// The ring with one entry a little off.
fn nudged(ring: &SymmetricRing) -> Result<SymmetricRing, Error> {
    let mut cores = ring.as_slice().to_vec();
    cores[0] += 0.2 * (1.0 + cores[0].abs());
    SymmetricRing::new(ring.rank(), cores)
}

fn page_json(steps: &[(&str, Vec<Line>)], holds: bool, folder: &Path) -> Value {
    let line = |l: &Line| json!({ "text": l.text, "verdict": l.verdict, "holds": l.holds });
    let steps: Vec<Value> = steps
        .iter()
        .map(|(name, lines)| json!({ "step": name, "lines": lines.iter().map(line).collect::<Vec<_>>() }))
        .collect();
    json!({ "holds": holds, "steps": steps, "folder": folder })
}

/// The page: every claim with what was found, the pictures, and how to check it without us.
fn html(steps: &[(&str, Vec<Line>)], holds: bool, seed: u64, pictures: Vec<Part>) -> String {
    let row = |name: &str, l: &Line| {
        let word = if l.holds {
            "as claimed"
        } else {
            "NOT AS CLAIMED"
        };
        let cells = vec![
            name.to_owned(),
            l.text.clone(),
            l.verdict.clone(),
            word.to_owned(),
        ];
        (cells, Some(l.holds))
    };
    let rows = steps
        .iter()
        .flat_map(|(name, lines)| lines.iter().map(|l| row(name, l)));
    let names = ["step", "claim", "found", ""].map(str::to_owned);
    let verdict = match holds {
        true => {
            "Every claim on this page was checked. WRONG and REFUSED are what was to be found for false claims."
        }
        false => "A claim on this page does not hold.",
    };
    let mut parts = vec![Part::Table(names.to_vec(), rows.collect())];
    parts.push(Part::Heading("Samples and the learned map".into()));
    parts.extend(pictures);
    parts.push(Part::Heading(
        "Check it without this program's algorithms".into(),
    ));
    parts.push(Part::Text(
        "The certificate is replayed by a small checker that shares no code with them.".into(),
    ));
    parts.push(Part::Command(format!(
        "wickring check certificate.json\nwickring demo --seed {seed}"
    )));
    let page = Html {
        title: "wickring demo".into(),
        verdict: verdict.into(),
        good: holds,
        parts,
    };
    page.html()
}
