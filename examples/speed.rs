//! Speed and memory on ratings of many users, drawn at known values of the globals.
//!
//!     cargo run --release --example speed -- 2000 20000
//!     cargo run --release --example speed -- 162541 --fit --threads 2
//!
//! For each number of users it writes ratings and films as CSV to a folder of the system's own for
//! such things, reads them again, evaluates the log density and its gradient on one thread and on
//! as many as `--threads` says, and with `--fit` fits the model. Prints rows of a markdown table.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use hbdc::{
    CompiledModel, Dataset, Evaluator, Fit, FitConfig, Source, compile, fit, peak_rss_bytes,
};

const MODEL: &str = "
data {
  table films by film { row_vector[10] x from cols(\"x*\"); }
  branch user { rows N; array[N] index(films) film; array[N] int<lower=0, upper=1> liked; }
}
global {
  vector[10] mu ~ normal(0, 1);
  vector<lower=0>[10] tau ~ normal(0, 1);
  cholesky_factor_corr[10] L ~ lkj_corr_cholesky(2);
  matrix[10, 10] S = diag_pre_multiply(tau, L);
}
local {
  vector[10] z ~ multi_normal_cholesky(mu, S);
  liked ~ bernoulli_logit(films.x[film] * z);
}";
const N_FILMS: usize = 10_000;
const N_TRAITS: usize = 10;
/// Tastes are independent, so that the truth is told by these two.
const TRUE_MU: f64 = 0.3;
const TRUE_TAU: f64 = 0.5;
const REPEATS: usize = 7;

struct Options {
    users: Vec<usize>,
    fits: bool,
    threads: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    let model = compile(&Source::new("speed.hbd", MODEL))?;
    println!(
        "| users | rows | reading, s | ns per row, one thread | {} threads | fit: s | steps | ELBO | \
         largest distance of mu and tau from the truth, sd | believed | peak, MiB |\n|{}",
        options.threads,
        "---|".repeat(11)
    );
    for &users in &options.users {
        let folder = write(users)?;
        println!("| {users} {}|", row(&model, &folder, &options)?);
        std::io::stdout().flush()?;
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options { users: vec![], fits: false, threads: 2 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--fit" => options.fits = true,
            "--threads" => {
                options.threads = arguments.next().ok_or("--threads wants a number")?.parse()?;
            }
            users => options.users.push(users.parse()?),
        }
    }
    Ok(options)
}

fn row(model: &CompiledModel, folder: &Path, options: &Options) -> Result<String, Box<dyn Error>> {
    let start = Instant::now();
    let films = Dataset::read_csv(folder.join("films.csv"))?;
    let data = Dataset::read_csv(folder.join("ratings.csv"))?.table("films", films);
    let data = data.bind(model.schema())?;
    let reading = start.elapsed().as_secs_f64();
    let n_rows = data.n_rows_total();
    let mut evaluator = model.evaluator(&data)?;
    let mut per_row = |threads| -> Result<f64, Box<dyn Error>> {
        Ok(gradient_seconds(&mut evaluator, threads)? / n_rows as f64 * 1e9)
    };
    let (one, many) = (per_row(1)?, per_row(options.threads)?);
    let fitted = match options.fits {
        true => {
            let config = FitConfig::default().seed(1).threads(options.threads);
            fit_cells(&fit(model, &data, &config)?)?
        }
        false => "| | | | ".to_string(),
    };
    let peak = peak_rss_bytes().map_or(0, |bytes| bytes >> 20);
    Ok(format!("| {n_rows} | {reading:.2} | {one:.1} | {many:.1} | {fitted} | {peak} "))
}

/// The median of several evaluations of value and gradient, in seconds.
fn gradient_seconds(evaluator: &mut Evaluator, threads: usize) -> Result<f64, Box<dyn Error>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let n = evaluator.dimension();
    let position: Vec<f64> = (0..n).map(|k| 0.3 * ((k * 7919) as f64).sin()).collect();
    let mut seconds = Vec::new();
    for _ in 0..REPEATS {
        let start = Instant::now();
        std::hint::black_box(pool.install(|| evaluator.log_density_gradient(&position))?);
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[REPEATS / 2])
}

fn fit_cells(fit: &Fit) -> Result<String, Box<dyn Error>> {
    let summary = fit.posterior().summary();
    let mut worst = 0.0_f64;
    for global in summary.rows() {
        let truth = match global.name.split('[').next() {
            Some("mu") => TRUE_MU,
            Some("tau") => TRUE_TAU,
            _ => continue,
        };
        worst = worst.max((global.mean - truth).abs() / global.sd);
    }
    let (elbo, se) = fit.elbo();
    let (seconds, steps) = (fit.seconds(), fit.steps());
    let believed = fit.verdict().believable;
    Ok(format!("{seconds:.0} | {steps} | {elbo:.1} ± {se:.1} | {worst:.1} | {believed}"))
}

/// Writes the two files; numbers of ratings are skewed, 20 to 4020 of them, and some films are
/// rated much more than others.
fn write(users: usize) -> Result<PathBuf, Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("hbdc-speed-{users}-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut numbers = Numbers(1);
    let films: Vec<[f64; N_TRAITS]> =
        (0..N_FILMS).map(|_| std::array::from_fn(|_| 0.6 * numbers.normal())).collect();
    let mut out = BufWriter::new(File::create(folder.join("films.csv"))?);
    let header: Vec<String> = (1..=N_TRAITS).map(|trait_| format!("x{trait_}")).collect();
    writeln!(out, "film,{}", header.join(","))?;
    for (film, x) in films.iter().enumerate() {
        let cells: Vec<String> = x.iter().map(f64::to_string).collect();
        writeln!(out, "{film},{}", cells.join(","))?;
    }
    out.flush()?;
    let mut out = BufWriter::new(File::create(folder.join("ratings.csv"))?);
    writeln!(out, "user,film,liked")?;
    for user in 0..users {
        let z: [f64; N_TRAITS] = std::array::from_fn(|_| TRUE_MU + TRUE_TAU * numbers.normal());
        let n_rows = 20 + ((3.65 + 1.3 * numbers.normal()).exp() as usize).min(4000);
        for _ in 0..n_rows {
            let u = numbers.uniform();
            let film = ((N_FILMS as f64).powf(u) - 1.0) as usize;
            let eta: f64 = films[film].iter().zip(&z).map(|(x, z)| x * z).sum();
            let liked = numbers.uniform() < 1.0 / (1.0 + (-eta).exp());
            writeln!(out, "{user},{film},{}", u8::from(liked))?;
        }
    }
    out.flush()?;
    Ok(folder)
}

/// Random numbers that need be no better than this (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}
