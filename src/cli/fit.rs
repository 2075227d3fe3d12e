//! `hbdc fit`

use std::path::{Path, PathBuf};
use std::time::Duration;

use hbdc::{
    Checkpoints, CompileOptions, Coupling, Covariance, Encoder, Family, Fit, FitConfig, FitError,
    OutputError, PlaceLock, Score, Scores, check_place, fit_from, write_fit,
};

use super::args::{
    CouplingArg, CovarianceArg, EncoderArg, FamilyArg, FitArgs, Input, MessageFormat, ProgressArg,
};
use super::progress::{self, Limits, Reporter};
use super::resume::{self, Reached, Session, Signals};
use super::{Exit, Failure, Outcome, counted, input, place_failure, print};

/// Fits, writes the fit folder, prints the globals and the verdict.
pub fn run(args: &FitArgs, format: MessageFormat) -> Outcome {
    let (folder, lock) = place(args, format)?;
    let model = input::model(&args.model, &CompileOptions::default(), format)?;
    let data = input::bind(&model, &args.input, format)?;
    let mut config = config(args);
    if let Some(path) = &args.test {
        let input = Input { data: Some(path.clone()), ..args.input.clone() };
        config = config.test(input::bind_like(&model, &input, &data, format)?);
    }
    let interval = args.checkpoint_seconds.map(Duration::from_secs_f64);
    let mut checkpoints = Checkpoints::new(&folder, &model, &data, &config, interval);
    let state = resume::state(&checkpoints, args, format)?;
    let style = progress::style(args.progress, format);
    if matches!(style, ProgressArg::Plain | ProgressArg::Bar) && format == MessageFormat::Text {
        anstream::eprintln!(
            "fitting {} to {} branches, {} rows of {}",
            args.model.display(),
            data.n_branches(),
            data.n_rows_total(),
            data.source_name()
        );
    }
    let (steps, seconds) = config.limits();
    let reporter = Reporter::new(style, Limits { steps, seconds });
    let (bar, place, locked) = (reporter.bar(), folder.clone(), lock.path().to_path_buf());
    let signals = Signals::listen(move |reached| {
        bar.finish_and_clear();
        resume::interrupted(reached, &place, format);
        // The lock itself goes with the process.
        let _ = std::fs::remove_file(&locked);
    })?;
    let mut session = Session {
        reporter,
        checkpoints: &mut checkpoints,
        signals: &signals,
        format,
        has_warned: false,
    };
    let config = config.stop(signals.stop.clone());
    let fitted = fit_from(&model, &data, &config, state, &mut session);
    session.reporter.finish();
    let fit = fitted.map_err(|error| match error {
        FitError::Data(error) => input::data_failure(&error, Some(model.source()), format),
        FitError::Interrupted => interrupted(&signals, &folder, format),
        FitError::Memory(error) => Failure::coded("memory", error),
        error => Failure::coded("fit", error),
    })?;
    write_fit(&folder, &model, &fit, args.force)
        .map_err(|error| not_written(error, &signals, &folder, format))?;
    signals.reach(Reached::End);
    if let Err(error) = checkpoints.remove() {
        input::note(&format!("what is not needed any more is still there: {error}"), format);
    }
    print(&report(&fit, &folder))?;
    match fit.verdict().believable || args.allow_poor_fit {
        true => Ok(()),
        false => Err(Failure::silent(Exit::PoorFit)),
    }
}

fn config(args: &FitArgs) -> FitConfig {
    let mut config = FitConfig::default().seed(args.seed).draws(args.draws as usize);
    config = approximation(config, args.family, args.covariance, args.encoder);
    if let Some(coupling) = args.coupling {
        config = config.coupling(match coupling {
            CouplingArg::Noise => Coupling::Noise,
            CouplingArg::Theta => Coupling::Theta,
        });
    }
    config = config.log_likelihood(args.log_likelihood);
    if let Some(threads) = args.threads {
        config = config.threads(threads as usize);
    }
    if let Some(batch) = args.batch {
        config = config.batch(batch as usize);
    }
    if let Some(particles) = args.particles {
        config = config.particles(particles as usize);
    }
    config = config.importance_samples(args.importance_samples as usize);
    if let Some(step_size) = args.step_size {
        config = config.step_size(step_size);
    }
    if let Some(max_steps) = args.max_steps {
        config = config.max_steps(max_steps as usize);
    }
    if let Some(max_seconds) = args.max_seconds {
        config = config.max_seconds(max_seconds);
    }
    if let Some(tolerance) = args.tolerance {
        config = config.tolerance(tolerance);
    }
    if let Some(bytes) = args.input.max_memory {
        config = config.max_memory(bytes);
    }
    if let Some(fraction) = args.holdout {
        config = config.holdout(fraction);
    }
    if let Some(fraction) = args.holdout_branches {
        config = config.holdout_branches(fraction);
    }
    config
}

/// Settings with this approximation.
pub fn approximation(
    config: FitConfig,
    family: FamilyArg,
    covariance: Option<CovarianceArg>,
    encoder: EncoderArg,
) -> FitConfig {
    let config = config.family(match family {
        FamilyArg::Amortized => Family::Amortized,
        FamilyArg::Branch => Family::Branch,
        FamilyArg::Joint => Family::Joint,
    });
    let config = config.encoder(match encoder {
        EncoderArg::Newton => Encoder::Newton,
        EncoderArg::Sites => Encoder::Sites,
        EncoderArg::Pooled => Encoder::Pooled,
    });
    match covariance {
        None => config,
        Some(covariance) => config.covariance(match covariance {
            CovarianceArg::Prior => Covariance::Prior,
            CovarianceArg::Dense => Covariance::Dense,
            CovarianceArg::Block => Covariance::Block,
            CovarianceArg::Diagonal => Covariance::Diagonal,
        }),
    }
}

/// Where the fit goes, with the right to write there; decided before anything is computed.
fn place(args: &FitArgs, format: MessageFormat) -> Result<(PathBuf, PlaceLock), Failure> {
    let (folder, lock) = match &args.out {
        Some(folder) => {
            check_place(folder, args.force).map_err(place_failure)?;
            (folder.clone(), resume::lock(folder, format)?)
        }
        None => {
            let stem = args.model.file_stem().unwrap_or(args.model.as_os_str()).to_string_lossy();
            let first = PathBuf::from(format!("{stem}.fit"));
            resume::default_place(&first, args, format)?
        }
    };
    // Another process may have ended its fit just before.
    check_place(&folder, args.force).map_err(place_failure)?;
    resume::check_unfinished(&folder, args)?;
    Ok((folder, lock))
}

/// Ends with 130, and says how to go on if there is a checkpoint.
fn interrupted(signals: &Signals, folder: &Path, format: MessageFormat) -> Failure {
    resume::interrupted(signals.end(), folder, format);
    Failure::silent(Exit::Interrupted)
}

/// A fit that could not be written is not lost: its last state is saved.
fn not_written(
    error: OutputError,
    signals: &Signals,
    folder: &Path,
    format: MessageFormat,
) -> Failure {
    if signals.reached() == Reached::Optimum {
        let place = Checkpoints::folder(folder);
        input::note(
            &format!(
                "the approximation is kept in {}: the same command with --resume writes it again",
                place.display()
            ),
            format,
        );
    }
    place_failure(error)
}

/// What is printed at the end.
fn report(fit: &Fit, folder: &Path) -> String {
    let (elbo, se) = fit.elbo();
    let mut text = format!("\n{}\n", fit.posterior().summary());
    text.push_str(&format!("ELBO {elbo:.3} ± {se:.3} nats\n"));
    if let Some((bound, se, samples)) = fit.importance_weighted_bound() {
        text.push_str(&format!("bound of {samples} weighted draws {bound:.3} ± {se:.3} nats\n"));
    }
    if let Some((evidence, se, ess)) = fit.log_evidence() {
        let percent = 100.0 * ess;
        let percent = if percent < 1.0 { "below 1".to_string() } else { format!("{percent:.0}") };
        text.push_str(&format!(
            "log evidence by importance weights {evidence:.3} ± {se:.3}, \
             relative effective size {percent} %\n"
        ));
    }
    match (fit.effective_draws(), fit.is_corrected()) {
        (Some(_), true) => text.push_str("the summaries are corrected by these weights\n"),
        (Some(draws), false) => text.push_str(&format!(
            "the summaries are those of the approximation itself: the weighted draws are worth \
             {draws:.0}, too few or too uneven to correct it\n",
        )),
        (None, _) => {}
    }
    if let Some(scores) = fit.scores() {
        text.push_str(&scored(scores));
    }
    let (steps, seconds) = (fit.steps(), fit.seconds());
    text.push_str(&format!("{steps} steps in {seconds:.1} s; written to {}\n", folder.display()));
    let verdict = fit.verdict();
    match verdict.reasons.as_slice() {
        [] => text.push_str("verdict: believable\n"),
        reasons => {
            text.push_str("verdict: do not believe this fit\n");
            reasons.iter().for_each(|reason| text.push_str(&format!("  - {reason}\n")));
        }
    }
    if !verdict.notes.is_empty() {
        text.push_str("know besides:\n");
        verdict.notes.iter().for_each(|note| text.push_str(&format!("  - {note}\n")));
    }
    text
}

/// What is printed of data that were not fitted.
fn scored(scores: &Scores) -> String {
    let line = |what: &str, score: Score| {
        let Score { log_likelihood, se, n_rows, n_branches } = score;
        let per_row = log_likelihood / n_rows.max(1) as f64;
        format!(
            "{what} log likelihood {log_likelihood:.2} ± {se:.2}, {per_row:.4} per row \
             ({} of {})\n",
            counted(n_rows, "row", "rows"),
            counted(n_branches, "branch", "branches")
        )
    };
    let seen = scores.seen().map(|score| line("held-out", score));
    let new = scores.new_ones().map(|score| line("new branches:", score));
    seen.into_iter().chain(new).collect()
}
