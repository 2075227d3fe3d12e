//! `hbdc calibrate`

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use hbdc::{
    CalibrateConfig, CalibrateError, CalibrateStep, Calibration, CompileOptions, CompiledModel,
    FitConfig, FitError, calibrate,
};

use super::args::{CalibrateArgs, MessageFormat};
use super::data::table;
use super::simulate::simulate_failure;
use super::{Exit, Failure, Outcome, fit, input, print, write_new};

/// Seconds between two lines of progress.
const PAUSE: f64 = 2.0;

/// Draws data sets from the priors, fits each, and says whether the posteriors are calibrated.
pub fn run(args: &CalibrateArgs, format: MessageFormat) -> Outcome {
    if let Some(path) = args.out.as_deref().filter(|path| path.symlink_metadata().is_ok()) {
        return Err(taken(path));
    }
    let model = input::model(&args.model, &CompileOptions::default(), format)?;
    let dataset = input::dataset(&args.input, format)?;
    let stop = Arc::new(AtomicBool::new(false));
    let on_signal = stop.clone();
    ctrlc::set_handler(move || on_signal.store(true, Ordering::Relaxed))
        .map_err(|fault| Failure::usage(format!("no handler for Ctrl-C: {fault}")))?;
    let config = CalibrateConfig {
        simulations: args.simulations as usize,
        seed: args.seed,
        fit: config(args).stop(stop.clone()),
    };
    let mut reporter = Reporter { quiet: args.quiet, start: Instant::now(), last: 0.0 };
    let mut progress = |step: CalibrateStep| {
        reporter.show(step);
        match stop.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let found = calibrate(&model, &dataset, &config, &mut progress);
    let found = found.map_err(|error| match error {
        CalibrateError::NoFits if stop.load(Ordering::Relaxed) => {
            input::note(
                "interrupted before the first fit was done: there is nothing to show",
                format,
            );
            Failure::silent(Exit::Interrupted)
        }
        error => failure(&error, &model, format),
    })?;
    let reasons = found.reasons();
    // What was found is shown even if it cannot be written.
    print(&report(&found, &reasons))?;
    if let Some(path) = &args.out {
        write_new(path, found.ranks_csv().as_bytes())?;
    }
    match (found.is_interrupted(), reasons.is_empty()) {
        (true, _) => Err(Failure::silent(Exit::Interrupted)),
        (false, false) => Err(Failure::silent(Exit::PoorFit)),
        (false, true) => Ok(()),
    }
}

fn config(args: &CalibrateArgs) -> FitConfig {
    let config = FitConfig::default();
    let mut config = fit::approximation(config, args.family, args.covariance, args.encoder);
    if let Some(threads) = args.threads {
        config = config.threads(threads as usize);
    }
    if let Some(max_steps) = args.max_steps {
        config = config.max_steps(max_steps as usize);
    }
    config
}

fn taken(path: &Path) -> Failure {
    Failure::usage(format!("{} exists already", path.display()))
        .help("files that exist are never overwritten: name another or move it away")
}

fn failure(error: &CalibrateError, model: &CompiledModel, format: MessageFormat) -> Failure {
    match error {
        CalibrateError::Simulate(error) => simulate_failure(error, model, format),
        CalibrateError::Fit(FitError::Data(error)) => {
            input::data_failure(error, Some(model.source()), format)
        }
        error => Failure::coded("calibrate", error),
    }
}

/// Lines on standard error now and then.
struct Reporter {
    quiet: bool,
    start: Instant,
    last: f64,
}

impl Reporter {
    fn show(&mut self, step: CalibrateStep) {
        let seconds = self.start.elapsed().as_secs_f64();
        let CalibrateStep { done, simulations, rejected } = step;
        if self.quiet || (seconds - self.last < PAUSE && done < simulations) {
            return;
        }
        self.last = seconds;
        let fits = if rejected == 1 { "fit" } else { "fits" };
        anstream::eprintln!(
            "{done} of {simulations} simulations in {seconds:.0} s, {rejected} {fits} rejected by \
             their own verdict"
        );
    }
}

/// What is printed at the end.
fn report(found: &Calibration, reasons: &[String]) -> String {
    let header = ["name", "p", "p ecdf", "mean rank", "in 50 %", "in 90 %", ""].map(String::from);
    let mut rows = vec![header];
    rows.extend(found.quantities().iter().map(|quantity| {
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        let p = quantity.p_chi_square.map_or_else(|| "-".to_string(), probability);
        let mark = if quantity.is_rejected { "not uniform" } else { "" };
        [
            quantity.name.clone(),
            p,
            probability(quantity.p_ecdf),
            format!("{:.3}", quantity.mean_rank),
            percent(quantity.coverage_50),
            percent(quantity.coverage_90),
            mark.to_string(),
        ]
    }));
    let mut text = table(&rows);
    let n = found.believable().len();
    let n_rejected = found.believable().iter().filter(|believable| !**believable).count();
    text.push_str(&format!(
        "\n{n} simulations ranked; their own verdict rejects {n_rejected} of the fits, which count \
         as all do\n"
    ));
    if found.n_failed() > 0 {
        text.push_str(&format!("{} more could not be fitted\n", found.n_failed()));
    }
    match reasons {
        [] => text.push_str("verdict: no fault found\n"),
        reasons => {
            text.push_str("verdict: not calibrated\n");
            reasons.iter().for_each(|reason| text.push_str(&format!("  - {reason}\n")));
        }
    }
    text
}

fn probability(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_string() } else { format!("{p:.3}") }
}
