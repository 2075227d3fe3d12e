//! What can be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Hierarchical Bayesian models, compiled and fitted by amortized variational inference
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
pub struct Args {
    /// How diagnostics are written to standard error
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub message_format: MessageFormat,
    #[command(subcommand)]
    pub command: Command,
}

/// Diagnostics for people, or one JSON object a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fit a model; writes a fit folder, prints the globals and a verdict
    Fit(FitArgs),
    /// Say what is wrong with a model, and with data for it
    Check(CheckArgs),
    /// Show how each name of a model was bound to data
    Data(DataArgs),
    /// The log density of a model at given points, as JSON
    Density(DensityArgs),
    /// The posterior of branches, seen or new, from their rows, and of cells that are empty
    Predict(PredictArgs),
    /// Draws of the globals of a fit, or of one of its branches, as CSV
    Draws(DrawsArgs),
    /// Draw the outcomes of a model, from its prior, a fit or at given values; writes CSV
    Simulate(SimulateArgs),
    /// Check a model and its fits on data drawn from its priors; prints a table of ranks
    Calibrate(CalibrateArgs),
    /// Show what the compiler made of a model
    Dump(DumpArgs),
}

/// Where data come from; the same for every command.
#[derive(Clone, Debug, clap::Args)]
pub struct Input {
    /// Rows in long form: CSV with a header, or Parquet if it ends in .parquet; - is CSV from standard
    /// input
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// CSV or Parquet with one row per branch: its own values; branches without rows count too
    #[arg(long, value_name = "FILE")]
    pub branches: Option<PathBuf>,
    /// CSV or Parquet of a table of the model, one row per key; once for each table
    #[arg(long, value_name = "NAME=FILE")]
    pub table: Vec<String>,
    /// Set whole data: a number, a JSON array, or @FILE.json
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// What to do with rows that lack a value (default: an error)
    #[arg(long, value_enum)]
    pub na: Option<Missing>,
    /// Refuse, before the work, what would hold more memory than this: 800MB, 1.5GiB
    #[arg(long, value_name = "SIZE", value_parser = hbdc::parse_size)]
    pub max_memory: Option<u64>,
}

/// What to do with missing values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Missing {
    /// Drop the rows and say how many
    Drop,
}

#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The model file
    pub model: PathBuf,
    #[command(flatten)]
    pub input: Input,
}

#[derive(Debug, clap::Args)]
pub struct DataArgs {
    /// The model file
    pub model: PathBuf,
    #[command(flatten)]
    pub input: Input,
}

#[derive(Debug, clap::Args)]
pub struct DensityArgs {
    /// The model file
    pub model: PathBuf,
    #[command(flatten)]
    pub input: Input,
    /// JSON with the points, on the constrained scale
    #[arg(long, value_name = "FILE", required_unless_present = "unconstrained")]
    pub at: Option<PathBuf>,
    /// Unconstrained positions as raw little-endian f64, one after another: globals in order of
    /// declaration, then the locals branch by branch; log-Jacobians are included
    #[arg(long, value_name = "FILE", conflicts_with_all = ["at", "jacobian"])]
    pub unconstrained: Option<PathBuf>,
    /// Add the gradient, in the shape of the point: in the unknowns as declared, without Jacobian
    #[arg(long)]
    pub gradient: bool,
    /// Add the log-Jacobian of the constraints to the log density
    #[arg(long)]
    pub jacobian: bool,
    /// Evaluate the value and its unconstrained gradient so often, and say how long one takes, and how
    /// long each function takes for all branches on one thread (`passes_s`)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub repeat: Option<u32>,
    /// Evaluate with the reference interpreter instead of machine code
    #[arg(long)]
    pub interpret: bool,
}

#[derive(Debug, clap::Args)]
pub struct PredictArgs {
    /// The fit folder
    pub fit: PathBuf,
    #[command(flatten)]
    pub input: Input,
    /// The folder for branches.csv and predictions.csv (default: the data's name with .predicted)
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Draws for each branch (default: 200 to 2000, fewer for more branches)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(20..=1_000_000))]
    pub draws: Option<u32>,
    /// The same seed gives the same draws (default: that of the fit)
    #[arg(long)]
    pub seed: Option<u64>,
    /// Threads (default: all)
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: Option<u32>,
}

#[derive(Debug, clap::Args)]
pub struct DrawsArgs {
    /// The fit folder
    pub fit: PathBuf,
    /// Draws of the locals of this branch: a=1,b=2, or the value where the key is one column
    #[arg(long, value_name = "KEY")]
    pub branch: Option<String>,
    /// With --branch: the rows of the fit, where their file was moved
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// With --branch: the file of branches of the fit, where it was moved
    #[arg(long, value_name = "FILE")]
    pub branches: Option<PathBuf>,
    /// Number of draws (default: those behind the summary)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub draws: Option<u32>,
    /// The same seed gives the same draws (default: that of the fit)
    #[arg(long)]
    pub seed: Option<u64>,
    /// Where they go (default: standard output)
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct SimulateArgs {
    /// The model file
    pub model: PathBuf,
    #[command(flatten)]
    pub input: Input,
    /// JSON with values of the unknowns, of which the first point is taken (default: they are
    /// drawn from their priors)
    #[arg(long, value_name = "FILE")]
    pub at: Option<PathBuf>,
    /// Fit folder of the model: the unknowns are one draw from its posterior, given the rows
    #[arg(long, value_name = "FIT", conflicts_with = "at")]
    pub from: Option<PathBuf>,
    /// The same seed gives the same draws
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where the rows go (default: standard output)
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Where the branches go, with values drawn for them, if there is a file of branches
    #[arg(long, value_name = "FILE")]
    pub out_branches: Option<PathBuf>,
    /// Where the values of the unknowns go, as JSON that density reads
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct CalibrateArgs {
    /// The model file
    pub model: PathBuf,
    /// Keys and covariates; columns that the model draws need not be there
    #[command(flatten)]
    pub input: Input,
    /// Data sets that are drawn and fitted
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(20..=100_000))]
    pub simulations: u32,
    /// The same seed gives the same ranks
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where the ranks go, as CSV with one row a simulation (default: nowhere)
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Do not show progress
    #[arg(long)]
    pub quiet: bool,
    /// Threads (default: all)
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: Option<u32>,
    /// Where the parameters of the approximation come from
    #[arg(long, value_enum, default_value = "amortized")]
    pub family: FamilyArg,
    /// How its parts vary together (default: prior for amortized, dense otherwise)
    #[arg(long, value_enum)]
    pub covariance: Option<CovarianceArg>,
    /// What computes the posterior of a branch from its data, for amortized
    #[arg(long, value_enum, default_value = "newton")]
    pub encoder: EncoderArg,
    /// Limit of optimisation steps of each fit
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_steps: Option<u32>,
}

#[derive(Debug, clap::Args)]
pub struct DumpArgs {
    /// The model file
    pub model: PathBuf,
    /// What to show
    #[arg(long, value_enum, default_value = "ir")]
    pub stage: Stage,
    /// Print how long each stage took, up to the first gradient on a few made-up rows, in place
    /// of the dump
    #[arg(long)]
    pub timings: bool,
    /// With --timings and the stages clif and asm: set whole data, as for fit
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

/// A stage of the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// The tree, printed as text again
    Ast,
    /// The functions of the model
    Ir,
    /// The functions that inference calls
    Gradient,
    /// What machine code does for each of them, in words: why a model is fast or slow
    Work,
    /// These in Cranelift's intermediate language, for a few made-up rows
    Clif,
    /// These in instructions of this machine, for a few made-up rows
    Asm,
}

#[derive(Debug, clap::Args)]
pub struct FitArgs {
    /// The model file
    pub model: PathBuf,
    #[command(flatten)]
    pub input: Input,
    /// The fit folder (default: the model's name with .fit, then .fit-2, …)
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace an existing fit folder, and drop what is left of an unfinished fit
    #[arg(long)]
    pub force: bool,
    /// How progress is shown (default: bar on a terminal, else plain)
    #[arg(long, value_enum)]
    pub progress: Option<ProgressArg>,
    /// Draws of the globals behind the summary
    #[arg(long, value_name = "N", default_value_t = 20_000,
          value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub draws: u32,
    /// Add the log likelihood of each row to the draws, for leave-one-out estimates
    #[arg(long)]
    pub log_likelihood: bool,
    /// The same seed gives the same fit
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Threads (default: all)
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: Option<u32>,
    /// Where the parameters of the approximation come from
    #[arg(long, value_enum, default_value = "amortized")]
    pub family: FamilyArg,
    /// How its parts vary together (default: prior for amortized, dense otherwise)
    #[arg(long, value_enum)]
    pub covariance: Option<CovarianceArg>,
    /// How a dense covariance writes its means (default: noise)
    #[arg(long, value_enum)]
    pub coupling: Option<CouplingArg>,
    /// What computes the posterior of a branch from its data, for amortized
    #[arg(long, value_enum, default_value = "newton")]
    pub encoder: EncoderArg,
    /// Branches a step
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: Option<u32>,
    /// Draws of the globals a step
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub particles: Option<u32>,
    /// Draws of each branch's locals for one of the globals; above one, they are importance-weighted: a
    /// bound closer to the evidence, at so many times the work
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub importance_samples: u32,
    /// Adam's step size, in units of the posterior's width
    #[arg(long, value_parser = positive)]
    pub step_size: Option<f64>,
    /// Limit of optimisation steps
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_steps: Option<u32>,
    /// Limit of seconds for the optimisation, over all runs of a fit that is resumed
    #[arg(long, value_parser = positive)]
    pub max_seconds: Option<f64>,
    /// Gain in nats below which the fit has converged [default: 0.02, or 0.00002 for each row
    /// where that is more, but at most 0.045 for each global]
    #[arg(long, value_parser = positive)]
    pub tolerance: Option<f64>,
    /// Share of each branch's rows to keep out and score: the last ones where rows have an order, else
    /// at random
    #[arg(long, value_name = "FRACTION", value_parser = share)]
    pub holdout: Option<f64>,
    /// Share of the branches, drawn at random, to keep out and score as new ones
    #[arg(long, value_name = "FRACTION", value_parser = share)]
    pub holdout_branches: Option<f64>,
    /// CSV or Parquet with the columns of --data whose rows are scored: given their branch's other rows where
    /// that is fitted, as new branches where it is not
    #[arg(long, value_name = "FILE", conflicts_with_all = ["holdout", "holdout_branches"])]
    pub test: Option<PathBuf>,
    /// Go on from the last checkpoint in DIR.checkpoint, with the same model, data and flags;
    /// limits and threads may differ. Without a checkpoint the fit begins at its start
    #[arg(long)]
    pub resume: bool,
    /// Seconds between checkpoints (default: 60, more where saving takes long)
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub checkpoint_seconds: Option<f64>,
    /// Exit with 0 even if the fit should not be believed
    #[arg(long)]
    pub allow_poor_fit: bool,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressArg {
    /// A bar; plain where standard error is no terminal
    Bar,
    /// A line now and then
    Plain,
    /// One JSON object a line
    Json,
    /// Nothing
    None,
}

/// Where the parameters of the approximation come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FamilyArg {
    /// The model's prior times a Gaussian site from each branch's own data; no free parameters
    /// per branch
    Amortized,
    /// Free parameters for each branch
    Branch,
    /// One Gaussian of everything, for small problems
    Joint,
}

/// How the parts of the approximation vary together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CovarianceArg {
    /// Each branch has the model's own prior times a Gaussian site
    Prior,
    /// Gaussians whose means are linear in the globals
    Dense,
    /// Branches are independent of the globals
    Block,
    /// All elements are independent
    Diagonal,
}

/// How a dense covariance writes its means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CouplingArg {
    /// Linear in the noise behind the globals
    Noise,
    /// Linear in the globals
    Theta,
}

/// What computes the posterior of a branch from its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EncoderArg {
    /// Newton's expansion of the branch's density, moved by a small network
    Newton,
    /// A sum of learned Gaussian factors, one for each row
    Sites,
    /// A network over the mean of learned features of the rows
    Pooled,
}

fn share(text: &str) -> Result<f64, String> {
    match positive(text) {
        Ok(x) if x < 1.0 => Ok(x),
        _ => Err("a share between 0 and 1 is wanted, such as 0.1".to_string()),
    }
}

/// Seconds that fit a clock.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if (0.0..=1e9).contains(&x) => Ok(x),
        _ => Err("a number of seconds is wanted".to_string()),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() && x > 0.0 => Ok(x),
        _ => Err("a positive number is wanted".to_string()),
    }
}
