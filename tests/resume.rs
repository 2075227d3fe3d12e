//! A fit that was interrupted goes on with the same bits; threads, reruns and the order of
//! branches change none.

#[allow(dead_code)] // the tests of other commands use the rest
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hbdc::{
    BoundData, Checkpoints, Column, CompiledModel, Covariance, Dataset, Encoder, Family, Fit,
    FitConfig, FitError, OptimiserState, Source, Stage, StepInfo, Watcher, compile, fit, fit_from,
};
use program::{Bench, shipped};
use serde_json::Value;

const KILLS: usize = 24;

/// `fit` of a small shipped model into `folder`.
fn words(folder: &str, more: &str) -> String {
    let (model, data) = (shipped("eight_schools.hbd"), shipped("eight_schools.csv"));
    format!(
        "fit {model} --data {data} --progress none --draws 100 --max-steps 300 --out {folder} \
         --allow-poor-fit {more}"
    )
}

fn start(bench: &Bench, words: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_hbdc"))
        .args(words.split_whitespace())
        .current_dir(bench.path("."))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// Every file of a fit by its path, without what a clock or the machine decides.
fn files(bench: &Bench, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let (root, mut found) = (bench.path(folder), BTreeMap::new());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).expect("below").to_string_lossy().into_owned();
            found.insert(name, fs::read(&path).expect("a file"));
        }
    }
    let mut json: Value = serde_json::from_slice(&found["fit.json"]).expect("JSON");
    for key in ["seconds", "threads", "peak_rss_bytes"] {
        json[key] = Value::Null;
    }
    found.insert("fit.json".to_owned(), json.to_string().into_bytes());
    let trace = String::from_utf8(found["trace.csv"].clone()).expect("UTF-8");
    let without_seconds = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        [&cells[..1], &cells[2..]].concat().join(",")
    };
    let trace: Vec<String> = trace.lines().map(without_seconds).collect();
    found.insert("trace.csv".to_owned(), trace.join("\n").into_bytes());
    found
}

#[track_caller]
fn assert_same(bench: &Bench, one: &str, other: &str) {
    let (one, other) = (files(bench, one), files(bench, other));
    assert!(one.keys().eq(other.keys()), "{:?} {:?}", one.keys(), other.keys());
    for (name, bytes) in &one {
        assert!(*bytes == other[name], "{name} differs");
    }
}

#[test]
fn a_fit_that_is_killed_again_and_again_ends_with_the_same_files() {
    let bench = Bench::new();
    let began = Instant::now();
    bench.run(&words("whole", "")).ends_with(0);
    let duration = began.elapsed();
    let resumed = words("killed", "--resume --checkpoint-seconds 0.01");
    // Moments of a generator of Lehmer, spread over the length of a fit.
    let mut state = 20_261_123_u64;
    for _ in 0..KILLS {
        state = state * 48_271 % 0x7fff_ffff;
        let mut child = start(&bench, &resumed);
        std::thread::sleep(duration.mul_f64(state as f64 / 0x7fff_ffff as f64));
        child.kill().expect("a child can be killed");
        child.wait().expect("it ends");
        if bench.path("killed").exists() {
            assert_same(&bench, "whole", "killed");
            fs::remove_dir_all(bench.path("killed")).expect("a folder");
        }
    }
    bench.run(&resumed).ends_with(0);
    assert_same(&bench, "whole", "killed");
    assert!(!bench.path("killed.checkpoint").exists(), "checkpoints go when the fit is there");
}

/// Interrupts a process, and says when.
#[cfg(unix)]
fn press_ctrl_c(child: &Child) -> Instant {
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.expect("kill is there").success());
    Instant::now()
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_and_ends_soon() {
    let bench = Bench::new();
    bench.run(&words("whole", "--seed 3")).ends_with(0);
    let command = words("stopped", "--seed 3 --checkpoint-seconds 0.05");
    let mut child = start(&bench, &command);
    let checkpoints = bench.path("stopped.checkpoint");
    while !checkpoints.exists() && child.try_wait().expect("a child").is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let began = press_ctrl_c(&child);
    let code = child.wait().expect("it ends").code();
    assert_eq!(code, Some(130));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(!bench.path("stopped").exists(), "there is no fit by half");
    // Neither is it begun anew by accident, nor gone on with under other settings.
    let anew = bench.run(&command).ends_with(2).stderr;
    assert!(anew.contains("holds an unfinished fit"), "{anew}");
    let other = bench.run(&words("stopped", "--resume --seed 4")).ends_with(2).stderr;
    assert!(other.contains("seed was 3, now it is 4"), "{other}");
    bench.run(&format!("{command} --resume --threads 3")).ends_with(0);
    assert_same(&bench, "whole", "stopped");
}

/// `fit` of the same model into `folder`, of data that it waits for.
fn start_waiting(bench: &Bench, folder: &str, more: &str) -> Child {
    let model = shipped("eight_schools.hbd");
    let words = format!("fit {model} --data - --progress none --draws 100 --out {folder} {more}");
    let child = Command::new(env!("CARGO_BIN_EXE_hbdc"))
        .args(words.split_whitespace())
        .current_dir(bench.path("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let lock = bench.path(&format!(".{folder}.lock"));
    // The process writes its number once it has the lock.
    let number = child.id().to_string();
    while !fs::read_to_string(&lock).is_ok_and(|text| text == number) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

#[test]
fn one_place_takes_one_fit_at_a_time() {
    let bench = Bench::new();
    let mut first = start_waiting(&bench, "a.fit", "");
    for more in ["", "--resume", "--force"] {
        let refused = bench.run(&words("a.fit", more)).ends_with(2).stderr;
        let holder = format!("a.fit is in use by another hbdc, process {}", first.id());
        assert!(refused.contains(&holder), "{more}: {refused}");
        assert!(refused.contains("choose another --out"), "{more}: {refused}");
    }
    bench.run(&words("b.fit", "")).ends_with(0);
    let data = fs::read(shipped("eight_schools.csv")).expect("shipped data");
    first.stdin.take().expect("a pipe").write_all(&data).expect("it reads");
    let ended = first.wait_with_output().expect("it ends");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(bench.names(), ["a.fit", "b.fit"], "no lock is left");
}

#[test]
fn the_lock_of_a_process_that_was_killed_is_none() {
    let bench = Bench::new();
    let mut killed = start_waiting(&bench, "a.fit", "");
    killed.kill().expect("a child can be killed");
    killed.wait().expect("it ends");
    assert_eq!(bench.names(), [".a.fit.lock"], "its file is there");
    bench.run(&words("a.fit", "")).ends_with(0);
    assert_eq!(bench.names(), ["a.fit"]);
}

#[test]
fn fits_without_a_name_that_run_at_once_take_turns_with_numbers() {
    let bench = Bench::new();
    let mut first = start_waiting(&bench, "eight_schools.fit", "");
    let unnamed = words("x", "").replace("--out x", "");
    let second = bench.run(&unnamed).ends_with(0).stdout;
    assert!(second.contains("written to eight_schools.fit-2"), "{second}");
    // What is to go on is what nobody works on.
    fs::create_dir(bench.path("eight_schools.fit.checkpoint")).expect("a folder");
    let refused = bench.run(&format!("{unnamed} --resume")).ends_with(2).stderr;
    assert!(refused.contains("eight_schools.fit is in use"), "{refused}");
    fs::create_dir(bench.path("eight_schools.fit-3.checkpoint")).expect("a folder");
    let third = bench.run(&format!("{unnamed} --resume")).ends_with(0).stdout;
    assert!(third.contains("written to eight_schools.fit-3"), "{third}");
    first.kill().expect("a child can be killed");
    first.wait().expect("it ends");
}

/// Runs `words` until a stage begins, presses Ctrl-C, and gives what is said then.
#[cfg(unix)]
fn interrupted_in(bench: &Bench, words: &str, stage: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hbdc"))
        .args(words.split_whitespace())
        .current_dir(bench.path("."))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let begins = format!("{{\"event\":\"stage\",\"stage\":\"{stage}\"");
    let is_it = |line: std::io::Result<String>| line.expect("text").starts_with(&begins);
    assert!(lines.by_ref().any(is_it), "{stage} begins");
    let began = press_ctrl_c(&child);
    let said: Vec<String> = lines.map(|line| line.expect("text")).collect();
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{said:?}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    said.into_iter().filter(|line| !line.starts_with('{')).collect::<Vec<_>>().join("\n")
}

#[cfg(unix)]
#[test]
fn ctrl_c_after_the_last_step_keeps_the_approximation() {
    let bench = Bench::new();
    // Many draws, so that there is time to press.
    let command = |folder: &str, progress: &str| {
        words(folder, "").replace("--draws 100", "--draws 1000000").replace("none", progress)
    };
    bench.run(&command("whole", "none")).ends_with(0);
    let said = interrupted_in(&bench, &command("stopped", "json"), "measure");
    assert!(said.contains("interrupted after the last step"), "{said}");
    assert!(said.contains("kept in stopped.checkpoint, and --resume"), "{said}");
    assert_eq!(bench.names(), ["stopped.checkpoint", "whole"], "there is no fit by half");
    let resumed = format!("{} --resume", command("stopped", "json"));
    let run = bench.run(&resumed).ends_with(0);
    assert!(!run.stderr.contains("\"step\""), "it takes no more steps: {}", run.stderr);
    assert_same(&bench, "whole", "stopped");
    assert_eq!(bench.names(), ["stopped", "whole"]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_in_the_search_for_a_start_says_that_nothing_was_saved() {
    let bench = Bench::new();
    let mut rows = "g,y\n".to_owned();
    for row in 0..200_000 {
        rows.push_str(&format!("{},{}\n", row / 20, (row * 37 % 101) as f64 * 0.02));
    }
    bench.write("groups.hbd", MODEL);
    bench.write("groups.csv", rows);
    let command = "fit groups.hbd --data groups.csv --progress json";
    let said = interrupted_in(&bench, command, "start");
    assert!(said.contains("in the search for a start: there was nothing to save yet"), "{said}");
    assert_eq!(bench.names(), ["groups.csv", "groups.hbd"], "nothing is left");
}

const MODEL: &str = "\
data { branch g { rows N; vector[N] y; } }
global { real mu ~ normal(0, 5); real<lower=0> tau ~ normal(0, 2); }
local { real b ~ normal(mu, tau); y ~ student_t(4, b, 1); }
";

fn model() -> CompiledModel {
    compile(&Source::new("groups.hbd", MODEL)).expect("the model compiles")
}

/// Groups of ten rows, of which twenty make several shards; branches in this order in the file.
fn data(model: &CompiledModel, n: usize, order: impl Fn(usize) -> usize) -> BoundData {
    let (mut keys, mut ys) = (vec![], vec![]);
    for group in (0..n).map(order) {
        for row in 0..10 {
            keys.push(group as f64);
            ys.push((group * 7 % 11) as f64 * 0.3 + ((group * 10 + row) * 37 % 101) as f64 * 0.02);
        }
    }
    let columns =
        vec![("g".to_owned(), Column::Numbers(keys)), ("y".to_owned(), Column::Numbers(ys))];
    let data = Dataset::from_columns(columns).and_then(|data| data.bind(model.schema()));
    data.expect("the data fit")
}

/// All figures of a fit to the last bit.
fn bits(model: &CompiledModel, data: &BoundData, config: &FitConfig) -> Vec<u64> {
    let fit = fit(model, data, config).expect("the fit starts");
    let (elbo, se) = fit.elbo();
    let mut figures = vec![elbo, se];
    let branches = fit.posterior().branches();
    let locals = branches.branches().iter().flatten().flat_map(|branch| &branch.rows);
    figures.extend(fit.posterior().summary().rows().iter().chain(locals).flat_map(|r| r.figures()));
    figures.into_iter().map(f64::to_bits).collect()
}

/// Stops a fit after so many steps and keeps its state.
struct Stopper {
    left: usize,
    stop: Arc<AtomicBool>,
    state: String,
}

impl Watcher for Stopper {
    fn row(&mut self, _: &StepInfo) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn wants_state(&mut self) -> bool {
        self.left -= 1;
        self.stop.fetch_or(self.left == 0, Ordering::SeqCst);
        false
    }

    fn keep(&mut self, state: &OptimiserState) {
        // Floats are printed so that they can be read back to the bit.
        let text = format!("{state:?}");
        let parts = text.split(", ").filter(|part| !part.contains("seconds: "));
        self.state = parts.collect::<Vec<_>>().join(", ");
    }
}

/// The whole state after thirty steps and a look; none where the family is not available.
fn state_of(model: &CompiledModel, data: &BoundData, config: FitConfig) -> Option<String> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut stopper = Stopper { left: 33, stop: stop.clone(), state: String::new() };
    match fit_from(model, data, &config.stop(stop), None, &mut stopper) {
        Err(FitError::Interrupted) => Some(stopper.state),
        Err(FitError::Inference(_)) => None,
        other => panic!("the fit is stopped: {:?}", other.err()),
    }
}

#[test]
fn threads_reruns_and_the_order_of_branches_change_no_bit() {
    let model = model();
    let in_order = data(&model, 20, |k| k);
    let shuffled = data(&model, 20, |k| (k * 17 + 5) % 20);
    let mut available = 0;
    for family in [Family::Amortized, Family::Branch, Family::Joint] {
        for covariance in
            [Covariance::Prior, Covariance::Dense, Covariance::Block, Covariance::Diagonal]
        {
            let encoders = match family {
                Family::Amortized => &[Encoder::Newton, Encoder::Sites, Encoder::Pooled][..],
                _ => &[Encoder::Newton],
            };
            for &encoder in encoders {
                let config = FitConfig::default().family(family).covariance(covariance);
                let config = config.encoder(encoder).particles(2).batch(17);
                let what = format!("{family:?} {covariance:?} {encoder:?}");
                let Some(first) = state_of(&model, &in_order, config.clone().threads(1)) else {
                    continue;
                };
                available += 1;
                for threads in [1, 2, 3, 8] {
                    let again = state_of(&model, &in_order, config.clone().threads(threads));
                    assert!(again.as_ref() == Some(&first), "{what}: {threads} threads");
                }
                let again = state_of(&model, &shuffled, config);
                assert!(again.as_ref() == Some(&first), "{what}: shuffled branches");
            }
        }
    }
    assert!(available >= 2, "the default and the branch family are always there");
    // The measurements at the end, and the summaries.
    let config = FitConfig::default().max_steps(200).draws(100);
    let first = bits(&model, &in_order, &config.clone().threads(1));
    assert!(bits(&model, &in_order, &config.clone().threads(8)) == first, "threads");
    assert!(bits(&model, &shuffled, &config) == first, "shuffled branches");
}

/// Stops a fit as a stage begins, and keeps its state.
struct StopAt {
    stage: Stage,
    stop: Arc<AtomicBool>,
    state: Option<OptimiserState>,
}

impl Watcher for StopAt {
    fn stage(&mut self, stage: Stage) {
        self.stop.fetch_or(stage == self.stage, Ordering::SeqCst);
    }

    fn row(&mut self, _: &StepInfo) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn keep(&mut self, state: &OptimiserState) {
        self.state = Some(state.clone());
    }
}

/// The state of a fit that is stopped as `stage` begins.
fn stopped_at(
    stage: Stage,
    model: &CompiledModel,
    data: &BoundData,
    config: &FitConfig,
) -> Option<OptimiserState> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut watcher = StopAt { stage, stop: stop.clone(), state: None };
    let fitted = fit_from(model, data, &config.clone().stop(stop), None, &mut watcher);
    assert!(matches!(fitted, Err(FitError::Interrupted)), "{:?}", fitted.err());
    watcher.state
}

#[test]
fn a_fit_stopped_after_its_last_step_goes_on_with_the_same_bits() {
    let model = model();
    let data = data(&model, 5, |k| k);
    for (family, covariance) in
        [(Family::Amortized, Covariance::Prior), (Family::Joint, Covariance::Dense)]
    {
        let config = FitConfig::default().family(family).covariance(covariance);
        let config = config.max_steps(150).draws(100);
        let state = stopped_at(Stage::Measure, &model, &data, &config).expect("it is kept");
        let elbo = |fit: &Fit| [fit.elbo().0.to_bits(), fit.elbo().1.to_bits()];
        let whole = fit(&model, &data, &config).expect("the fit starts");
        let ignore = &mut |_: &StepInfo| ControlFlow::Continue(());
        let resumed = fit_from(&model, &data, &config, Some(state.clone()), ignore);
        let resumed = resumed.expect("the fit goes on");
        assert_eq!(elbo(&resumed), elbo(&whole), "{family:?}");
        assert_eq!(resumed.steps(), whole.steps());
        // A limit that ended it may be lifted.
        let config = config.max_steps(300);
        let longer = fit_from(&model, &data, &config, Some(state), ignore);
        assert!(longer.expect("the fit goes on").steps() > whole.steps());
    }
}

#[test]
fn a_fit_stopped_in_the_search_for_a_start_has_no_state() {
    let model = model();
    let data = data(&model, 5, |k| k);
    let config = FitConfig::default();
    assert!(stopped_at(Stage::Start, &model, &data, &config).is_none());
}

/// Saves after some steps, then ends the fit.
struct Saver<'a> {
    checkpoints: &'a mut Checkpoints,
    countdown: Vec<usize>,
    asked: usize,
}

impl Watcher for Saver<'_> {
    fn row(&mut self, _: &StepInfo) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn wants_state(&mut self) -> bool {
        self.asked += 1;
        self.countdown.contains(&self.asked)
    }

    fn keep(&mut self, state: &OptimiserState) {
        self.checkpoints.save(state).expect("it is saved");
    }
}

/// Checkpoints of a fit of three branches after two and after four steps, in `folder`.
fn two_checkpoints(folder: &Path) -> Checkpoints {
    let (model, config) = (model(), FitConfig::default().max_steps(60));
    let data = data(&model, 3, |k| k);
    let mut checkpoints = Checkpoints::new(&folder.join("fit"), &model, &data, &config, None);
    let countdown = vec![2, 4, 6];
    let mut saver = Saver { checkpoints: &mut checkpoints, countdown, asked: 0 };
    fit_from(&model, &data, &config, None, &mut saver).expect("the fit starts");
    checkpoints
}

#[test]
fn a_damaged_checkpoint_is_passed_over_for_the_one_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let checkpoints = two_checkpoints(folder.path());
    let latest = || checkpoints.latest().map(|found| found.expect("there is one"));
    let whole = latest().expect("both are whole");
    assert!(whole.passed_over.is_empty());
    let place = Checkpoints::folder(&folder.path().join("fit"));
    let names = program::names(&place);
    assert_eq!(names, ["checkpoint-2", "checkpoint-3"], "the last two are kept");
    let path = place.join(&names[1]);
    let bytes = fs::read(&path).expect("a file");
    let falls_back = |damaged: &[u8], what: &str| {
        fs::write(&path, damaged).expect("a file");
        let found = latest().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((found.step, found.passed_over.len()), (whole.step - 2, 1), "{what}");
    };
    // Every byte and length is tried on the frame itself; here those of its head, and some.
    for at in (0..100).chain((100..bytes.len()).step_by(97)) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        falls_back(&damaged, &format!("byte {at}"));
    }
    for length in (0..100).chain((100..bytes.len()).step_by(97)) {
        falls_back(&bytes[..length], &format!("{length} bytes"));
    }
    fs::write(place.join(&names[0]), b"").expect("a file");
    let error = checkpoints.latest().expect_err("none is whole").to_string();
    assert!(error.contains("holds no checkpoint that is whole"), "{error}");
}

#[test]
fn another_model_or_other_data_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    two_checkpoints(folder.path());
    let other_model = MODEL.replace("student_t(4,", "student_t(5,");
    let other_model = compile(&Source::new("groups.hbd", other_model)).expect("it compiles");
    let config = FitConfig::default().max_steps(90).tolerance(0.5);
    let other_data = data(&other_model, 4, |k| k);
    let place = folder.path().join("fit");
    let other = Checkpoints::new(&place, &other_model, &other_data, &config, None);
    let error = other.latest().expect_err("it is of another fit").to_string();
    for part in ["the model has changed", "the data have changed", "tolerance was automatic"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains("steps"), "limits may differ: {error}");
}
