//! Reference posteriors of hbdc models, by the no-U-turn sampler.
//!
//! Draws from `Evaluator::log_density_gradient`, the unconstrained log density with its Jacobians,
//! by `nuts-rs`, and writes summaries of everything reported. The density is hbdc's own, but it
//! is held to 1e-9 by scripts apart from it (`tests/reference/*/points.json`,
//! `tests/oracle/models.py`), and the sampler shares no code with inference. So what is drawn here is
//! an oracle for fits. Where chains do not agree or diverge, the file says so: `trusted`.
//!
//!     cargo run --release --manifest-path tests/oracle/nuts/Cargo.toml -- \
//!         models/eight_schools.hbd --data models/eight_schools.csv --scale theta=mu,tau \
//!         --out tests/reference/eight_schools/posterior.json
//!
//! `--scale theta=mu,tau` samples (theta − mu) / tau in place of theta. It changes the coordinates
//! of the sampler, not the posterior, and takes away the funnels that it cannot enter.

mod density;
mod diagnostics;
mod labels;
mod report;
mod scale;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Parser;
use hbdc::{BoundData, Dataset, SetValue, Source, compile};
use nuts_rs::rand::rngs::ChaCha8Rng;
use nuts_rs::rand::{RngExt, SeedableRng};
use nuts_rs::{Chain, CpuMath, DiagNutsSettings, LowRankNutsSettings, Settings};

use density::LogDensity;
use scale::Scale;

/// Attempts at a random start with a finite density, for each chain.
const STARTS: usize = 1000;

/// Draws the posterior of a model and writes a reference
#[derive(Debug, Parser)]
pub struct Args {
    /// The model file
    model: PathBuf,
    /// Data, as for hbdc
    #[arg(long)]
    data: PathBuf,
    /// File of branches, as for hbdc
    #[arg(long)]
    branches: Option<PathBuf>,
    /// Tables, as for hbdc
    #[arg(long, value_name = "NAME=FILE")]
    table: Vec<String>,
    /// Settings, as for hbdc
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Sample LOCAL in units of SCALE about MEAN (a global, or 0); unconstrained elements
    #[arg(long, value_name = "LOCAL=MEAN,SCALE")]
    scale: Vec<String>,
    /// Chains
    #[arg(long, default_value_t = 4)]
    chains: usize,
    /// Steps before draws are kept, in each chain
    #[arg(long, default_value_t = 2000)]
    warmup: u64,
    /// Draws kept of each chain
    #[arg(long, default_value_t = 10_000)]
    draws: u64,
    /// Acceptance rate that step sizes aim at
    #[arg(long, default_value_t = 0.95)]
    accept: f64,
    /// Doublings of a trajectory at most
    #[arg(long, default_value_t = 10)]
    depth: u64,
    /// Seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Starts are uniform within this of zero, unconstrained
    #[arg(long, default_value_t = 2.0)]
    radius: f64,
    /// Start all chains at the same place
    #[arg(long)]
    same_start: bool,
    /// Variables whose first indices are labels that mean nothing: chains are renumbered to agree
    #[arg(long, value_delimiter = ',')]
    exchangeable: Vec<String>,
    /// Learn correlations with the step sizes (a mass matrix of low rank), not variances alone
    #[arg(long)]
    low_rank: bool,
    /// A remark for the file
    #[arg(long)]
    note: Option<String>,
    /// Where the summaries go
    #[arg(long)]
    out: PathBuf,
}

/// What one chain left.
pub struct Sampled {
    /// Unconstrained positions in the model's own coordinates, one a draw.
    pub positions: Vec<Vec<f64>>,
    /// Divergent trajectories after the warm-up.
    pub divergences: usize,
    /// Trajectories that ended at the limit of their length.
    pub cut: usize,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let text = std::fs::read_to_string(&args.model)?;
    let model = compile(&Source::new(args.model.display().to_string(), text));
    let model = model.map_err(|error| anyhow::anyhow!(error.render(false)))?;
    let data = bind(&args, &model)?;
    let mut evaluator = model.evaluator(&data)?;
    let scales = args.scale.iter().map(|typed| Scale::parse(typed, &evaluator));
    let scales = scales.collect::<Result<Vec<_>>>()?;
    let mut chains = Vec::with_capacity(args.chains);
    for chain in 0..args.chains {
        let density = LogDensity::new(evaluator.clone(), scales.clone());
        let sampled = match args.low_rank {
            true => sample(&args, low_rank(&args), chain, density),
            false => sample(&args, diagonal(&args), chain, density),
        };
        let sampled = sampled.with_context(|| format!("chain {}", chain + 1))?;
        eprintln!(
            "chain {}: {} divergences, {} trajectories cut",
            chain + 1,
            sampled.divergences,
            sampled.cut
        );
        chains.push(sampled);
    }
    let report = report::Report::of(&mut evaluator, &chains, &args.exchangeable)?;
    let text = report.json(&args, &chains);
    std::fs::write(&args.out, text)?;
    eprintln!("{}", report.headline());
    Ok(())
}

fn bind(args: &Args, model: &hbdc::CompiledModel) -> Result<BoundData> {
    let mut dataset = Dataset::read_csv(&args.data)?;
    if let Some(path) = &args.branches {
        dataset = dataset.branches(Dataset::read_csv(path)?);
    }
    for table in &args.table {
        let (name, path) = table.split_once('=').context("--table NAME=FILE is wanted")?;
        dataset = dataset.table(name, Dataset::read_csv(path)?);
    }
    for setting in &args.set {
        let (name, value) = setting.split_once('=').context("--set NAME=VALUE is wanted")?;
        dataset = dataset.set(name, SetValue::parse(value)?);
    }
    Ok(dataset.bind(model.schema())?)
}

fn diagonal(args: &Args) -> DiagNutsSettings {
    let mut settings = DiagNutsSettings {
        num_tune: args.warmup,
        num_draws: args.draws,
        maxdepth: args.depth,
        ..DiagNutsSettings::default()
    };
    let step_size = &mut settings.adapt_options.step_size_settings;
    step_size.target_accept = args.accept;
    settings
}

fn low_rank(args: &Args) -> LowRankNutsSettings {
    let mut settings = LowRankNutsSettings {
        num_tune: args.warmup,
        num_draws: args.draws,
        maxdepth: args.depth,
        ..LowRankNutsSettings::default()
    };
    settings.adapt_options.step_size_settings.target_accept = args.accept;
    settings
}

fn sample<S: Settings>(
    args: &Args,
    settings: S,
    chain: usize,
    mut density: LogDensity,
) -> Result<Sampled> {
    let start_seed = if args.same_start { 0 } else { chain as u64 };
    let start = start(args, start_seed, &mut density)?;
    let back = density.clone();
    let stream = args.seed.wrapping_mul(1_000_003) + chain as u64;
    let mut random = ChaCha8Rng::seed_from_u64(stream);
    let mut sampler = settings.new_chain(chain as u64, CpuMath::new(density), &mut random)?;
    sampler.set_position(&start)?;
    let longest = (1u64 << args.depth) - 1;
    let mut sampled = Sampled { positions: Vec::new(), divergences: 0, cut: 0 };
    for draw in 0..args.warmup + args.draws {
        let (position, progress) = sampler.draw()?;
        if draw >= args.warmup {
            sampled.divergences += usize::from(progress.diverging);
            sampled.cut += usize::from(progress.num_steps >= longest);
            sampled.positions.push(back.to_model(&position));
        }
    }
    Ok(sampled)
}

/// A random place of finite density.
fn start(args: &Args, chain: u64, density: &mut LogDensity) -> Result<Vec<f64>> {
    let mut random = ChaCha8Rng::seed_from_u64(args.seed.wrapping_mul(7_919) + chain);
    for _ in 0..STARTS {
        let n = density.dimension();
        let position: Vec<f64> =
            (0..n).map(|_| random.random_range(-args.radius..args.radius)).collect();
        let mut gradient = vec![0.0; n];
        let value = density.value(&position, &mut gradient);
        if value.is_finite() && gradient.iter().all(|slope| slope.is_finite()) {
            return Ok(position);
        }
    }
    bail!("no finite density within {} of zero", args.radius)
}
