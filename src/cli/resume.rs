//! Fits that are interrupted and go on: checkpoints and Ctrl-C.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hbdc::{CheckpointError, Checkpoints, OptimiserState, OutputError, Stage, StepInfo, Watcher};

use super::args::{FitArgs, MessageFormat};
use super::progress::Reporter;
use super::{Exit, Failure, input};

/// How long a fit may take to come to a place where its state can be saved.
const PATIENCE: Duration = Duration::from_millis(700);
const CHECK_EVERY: Duration = Duration::from_millis(10);

/// Where a fit without `--out` goes, given the model's name with `.fit`: the first name that is
/// free, or with `--resume` the last one with a checkpoint.
pub fn default_folder(first: &Path, force: bool, resume: bool) -> PathBuf {
    let numbered = |k: usize| match k {
        1 => first.to_path_buf(),
        k => PathBuf::from(format!("{}-{k}", first.display())),
    };
    let is_unfinished = |folder: &Path| Checkpoints::folder(folder).exists();
    let is_taken = |k: &usize| numbered(*k).exists() || is_unfinished(&numbered(*k));
    let taken = (1..).take_while(is_taken).map(numbered);
    if resume && let Some(folder) = taken.filter(|folder| is_unfinished(folder)).last() {
        return folder;
    }
    match force {
        true => numbered(1),
        false => (1..).find(|k| !is_taken(k)).map(numbered).expect("numbers do not end"),
    }
}

/// Refuses to begin anew where an unfinished fit is.
pub fn check_unfinished(folder: &Path, args: &FitArgs) -> Result<(), Failure> {
    let checkpoints = Checkpoints::folder(folder);
    if args.resume || args.force || !checkpoints.exists() {
        return Ok(());
    }
    let message = format!("{} holds an unfinished fit", checkpoints.display());
    Err(Failure::usage(message).help("go on with it with --resume, or begin anew with --force"))
}

/// The state to go on from with `--resume`; without it, what an earlier fit left is removed.
pub fn state(
    checkpoints: &Checkpoints,
    args: &FitArgs,
    format: MessageFormat,
) -> Result<Option<OptimiserState>, Failure> {
    if !args.resume {
        checkpoints.remove().map_err(Failure::usage)?;
        return Ok(None);
    }
    let found = checkpoints.latest().map_err(|error| {
        let help = match error {
            CheckpointError::Other(..) => {
                "give the same model, data and settings, or begin anew with --force instead of \
                 --resume"
            }
            CheckpointError::Unreadable(..) => "begin anew with --force instead of --resume",
        };
        Failure::usage(error).help(help)
    })?;
    let Some(found) = found else {
        input::note("there is no checkpoint; the fit begins at its start", format);
        return Ok(None);
    };
    for why in found.passed_over {
        input::note(&format!("passed over {why}"), format);
    }
    input::note(&format!("going on after {} steps", found.step), format);
    Ok(Some(found.state))
}

/// Shows progress and saves checkpoints.
pub struct Session<'a> {
    pub reporter: Reporter,
    pub checkpoints: &'a mut Checkpoints,
    pub signals: &'a Signals,
    pub format: MessageFormat,
    /// Whether a failure to save was told.
    pub has_warned: bool,
}

impl Watcher for Session<'_> {
    fn stage(&mut self, stage: Stage) {
        self.reporter.show_stage(stage);
    }

    fn row(&mut self, row: &StepInfo) -> ControlFlow<()> {
        self.reporter.show_step(row);
        ControlFlow::Continue(())
    }

    fn wants_state(&mut self) -> bool {
        self.checkpoints.is_due()
    }

    fn keep(&mut self, state: &OptimiserState) {
        self.signals.is_saving.store(true, Ordering::SeqCst);
        let saved = self.checkpoints.save(state);
        self.signals.is_saving.store(false, Ordering::SeqCst);
        if let Err(error) = saved {
            self.warn(&error);
        }
    }
}

impl Session<'_> {
    /// A fit goes on without checkpoints; the user is told once, and again at the end.
    fn warn(&mut self, error: &OutputError) {
        if !self.has_warned || self.signals.stop.load(Ordering::SeqCst) {
            let note = format!("no checkpoint was saved: {error}");
            self.reporter.aside(|| input::note(&note, self.format));
        }
        self.has_warned = true;
    }
}

/// What Ctrl-C sets.
#[derive(Clone, Default)]
pub struct Signals {
    /// Asks the fit to save its state and to end.
    pub stop: Arc<AtomicBool>,
    /// A checkpoint is being written, which is worth waiting for.
    is_saving: Arc<AtomicBool>,
}

impl Signals {
    /// Listens to Ctrl-C. The first asks the fit to end; where nothing comes of that soon,
    /// there is nothing to save (the search for a start, the final measurements) or too little
    /// to wait for, and the process ends. The second ends it at once.
    pub fn listen() -> Result<Signals, Failure> {
        let signals = Signals::default();
        let on_signal = signals.clone();
        let handler = move || {
            if on_signal.stop.swap(true, Ordering::SeqCst) {
                exit();
            }
            let waiting = on_signal.clone();
            std::thread::spawn(move || {
                std::thread::sleep(PATIENCE);
                while waiting.is_saving.load(Ordering::SeqCst) {
                    std::thread::sleep(CHECK_EVERY);
                }
                exit();
            });
        };
        ctrlc::set_handler(handler)
            .map_err(|fault| Failure::usage(format!("no handler for Ctrl-C: {fault}")))?;
        Ok(signals)
    }
}

fn exit() -> ! {
    std::process::exit(Exit::Interrupted as i32)
}
