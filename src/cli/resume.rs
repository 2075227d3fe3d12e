//! Fits that are interrupted and go on: their places, checkpoints and Ctrl-C.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hbdc::{
    CheckpointError, Checkpoints, OptimiserState, OutputError, PlaceLock, Stage, StepInfo, Watcher,
};

use super::args::{FitArgs, MessageFormat};
use super::progress::Reporter;
use super::{Exit, Failure, input, place_failure};

/// How long a fit may take to come to a place where its state can be saved.
const PATIENCE: Duration = Duration::from_millis(700);
const CHECK_EVERY: Duration = Duration::from_millis(10);

/// Takes the place of a fit for this process.
pub fn lock(folder: &Path, format: MessageFormat) -> Result<PlaceLock, Failure> {
    let lock = PlaceLock::take(folder).map_err(place_failure)?;
    if let Some(fault) = lock.unavailable() {
        let place = folder.display();
        input::note(
            &format!("nothing can be locked here ({fault}): let no other hbdc write to {place}"),
            format,
        );
    }
    Ok(lock)
}

/// Where a fit without `--out` goes, given the model's name with `.fit`: the first name that is
/// free, or with `--resume` the last one with a checkpoint that no other process goes on with.
pub fn default_place(
    first: &Path,
    args: &FitArgs,
    format: MessageFormat,
) -> Result<(PathBuf, PlaceLock), Failure> {
    let numbered = |k: usize| match k {
        1 => first.to_path_buf(),
        k => PathBuf::from(format!("{}-{k}", first.display())),
    };
    let locked = |folder: PathBuf| lock(&folder, format).map(|lock| (folder, lock));
    let is_unfinished = |folder: &Path| Checkpoints::folder(folder).exists();
    let is_taken =
        |folder: &Path| folder.exists() || is_unfinished(folder) || PlaceLock::is_held(folder);
    if args.resume {
        let taken = (1..).map(numbered).take_while(|folder| is_taken(folder));
        let unfinished: Vec<PathBuf> = taken.filter(|folder| is_unfinished(folder)).collect();
        let idle = unfinished.iter().rfind(|folder| !PlaceLock::is_held(folder));
        if let Some(folder) = idle.or(unfinished.last()) {
            return locked(folder.clone());
        }
    }
    if args.force {
        return locked(numbered(1));
    }
    // What looks free may be taken by a process that begins at the same time.
    let mut free = (1..).map(numbered).filter(|folder| !is_taken(folder));
    loop {
        let folder = free.next().expect("numbers do not end");
        match PlaceLock::take(&folder) {
            Err(OutputError::InUse(..)) => {}
            Ok(_) if folder.exists() || is_unfinished(&folder) => {}
            Ok(lock) => return Ok((folder, lock)),
            Err(error) => return Err(place_failure(error)),
        }
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
        if !matches!(stage, Stage::Start | Stage::Measure) {
            self.signals.reach(Reached::Steps);
        }
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
        // At the end it was kept already.
        if self.signals.reached() < Reached::Optimum {
            self.save(state);
        }
    }

    fn optimised(&mut self, state: &OptimiserState) {
        if self.save(state) {
            self.signals.reach(Reached::Optimum);
        }
    }
}

impl Session<'_> {
    /// Whether it could be saved.
    fn save(&mut self, state: &OptimiserState) -> bool {
        self.signals.is_saving.store(true, Ordering::SeqCst);
        let saved = self.checkpoints.save(state);
        self.signals.is_saving.store(false, Ordering::SeqCst);
        saved.inspect_err(|error| self.warn(error)).is_ok()
    }

    /// A fit goes on without checkpoints; the user is told once, and again at the end.
    fn warn(&mut self, error: &OutputError) {
        if !self.has_warned || self.signals.stop.load(Ordering::SeqCst) {
            let note = format!("no checkpoint was saved: {error}");
            self.reporter.aside(|| input::note(&note, self.format));
        }
        self.has_warned = true;
    }
}

/// How far a fit came, as far as it matters to who interrupts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// It looks for a start.
    #[default]
    Nothing,
    /// It takes steps.
    Steps,
    /// The approximation is found and saved; measurements and files are left.
    Optimum,
    /// The fit folder is in its place.
    End,
}

/// What Ctrl-C sets, and what it finds.
#[derive(Clone, Default)]
pub struct Signals {
    /// Asks the fit to save its state and to end.
    pub stop: Arc<AtomicBool>,
    /// A checkpoint is being written, which is worth waiting for.
    is_saving: Arc<AtomicBool>,
    reached: Arc<Mutex<Reached>>,
}

impl Signals {
    /// Listens to Ctrl-C. The first asks the fit to end; where nothing comes of that soon, there
    /// is nothing to save (the search for a start), all is saved (the final measurements), or a
    /// step takes too long to wait for, and the process ends after `last_words`. The second ends
    /// it at once.
    pub fn listen(last_words: impl Fn(Reached) + Send + 'static) -> Result<Signals, Failure> {
        let signals = Signals::default();
        let on_signal = signals.clone();
        let last_words = Arc::new(Mutex::new(last_words));
        let handler = move || {
            if on_signal.stop.swap(true, Ordering::SeqCst) {
                exit();
            }
            let (waiting, last_words) = (on_signal.clone(), last_words.clone());
            std::thread::spawn(move || {
                waiting.wait();
                // Nobody reaches anything from here on.
                let reached = waiting.reached.lock().expect("no thread panics");
                if *reached < Reached::End {
                    last_words.lock().expect("no thread panics")(*reached);
                    exit();
                }
            });
        };
        ctrlc::set_handler(handler)
            .map_err(|fault| Failure::usage(format!("no handler for Ctrl-C: {fault}")))?;
        Ok(signals)
    }

    /// Lets the fit come to a place where its state can be saved.
    fn wait(&self) {
        let asked = Instant::now();
        let is_worth_it = || asked.elapsed() < PATIENCE && self.reached() < Reached::Optimum;
        while is_worth_it() || self.is_saving.load(Ordering::SeqCst) {
            std::thread::sleep(CHECK_EVERY);
        }
    }

    /// Notes how far the fit came.
    pub fn reach(&self, reached: Reached) {
        *self.reached.lock().expect("no thread panics") = reached;
    }

    /// Takes the last words from Ctrl-C, and tells how far the fit came.
    pub fn end(&self) -> Reached {
        std::mem::replace(&mut *self.reached.lock().expect("no thread panics"), Reached::End)
    }

    /// How far it came.
    pub fn reached(&self) -> Reached {
        *self.reached.lock().expect("no thread panics")
    }
}

/// What is left of a fit that was interrupted, and how to go on.
pub fn interrupted(reached: Reached, folder: &Path, format: MessageFormat) {
    let checkpoints = Checkpoints::folder(folder);
    let place = checkpoints.display();
    let note = match (reached, checkpoints.exists()) {
        (Reached::Nothing, false) => {
            "interrupted in the search for a start: there was nothing to save yet".to_owned()
        }
        (_, false) => "interrupted: nothing was saved yet".to_owned(),
        (Reached::Optimum | Reached::End, true) => format!(
            "interrupted after the last step: the approximation is kept in {place}, and --resume \
             goes on with what is left, its measurement"
        ),
        (_, true) => format!("interrupted; --resume goes on from {place}"),
    };
    input::note(&note, format);
}

fn exit() -> ! {
    std::process::exit(Exit::Interrupted as i32)
}
