//! `hbdc fit`: what it writes, prints and ends with.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{FIT_FILES, csv, fit_of};
use crate::program::{Bench, names};

#[test]
fn a_fit_writes_its_folder_and_reports() {
    let bench = Bench::new();
    let run = bench.run(&fit_of("eight_schools")).ends_with(0);
    assert!(run.stdout.contains("verdict: believable"), "{}", run.stdout);
    assert!(run.stdout.contains("written to eight_schools.fit"), "{}", run.stdout);
    assert_eq!(bench.names(), ["eight_schools.fit"]);
    assert_eq!(names(&bench.path("eight_schools.fit")), FIT_FILES);

    let summary = bench.read("eight_schools.fit/summary.csv");
    let rows = csv(&summary);
    assert_eq!(rows[0], ["name", "level", "mean", "sd", "q5", "q50", "q95"]);
    assert_eq!([rows[1][0], rows[2][0]], ["mu", "tau"]);
    assert_eq!(rows.len(), 3);

    let branches = bench.read("eight_schools.fit/branches.csv");
    let rows = csv(&branches);
    let of_theta = ["mean", "sd", "q5", "q50", "q95"].map(|what| format!("theta.{what}"));
    assert_eq!(rows[0][..2], ["school", "n_rows"]);
    assert_eq!(rows[0][2..], of_theta);
    let keys: Vec<&str> = rows[1..].iter().map(|row| row[0]).collect();
    assert_eq!(keys, ["A", "B", "C", "D", "E", "F", "G", "H"]);
    for row in &rows[1..] {
        let figures: Vec<f64> = row[1..].iter().map(|x| x.parse().expect("a number")).collect();
        assert!(figures[3] < figures[4] && figures[4] < figures[5], "{row:?}");
    }

    let trace = bench.read("eight_schools.fit/trace.csv");
    let rows = csv(&trace);
    assert_eq!(rows[0], ["step", "seconds", "elbo", "elbo_se", "step_size", "grad_norm"]);
    let steps: Vec<u64> = rows[1..].iter().map(|row| row[0].parse().expect("a step")).collect();
    assert!(!steps.is_empty() && steps.is_sorted(), "{steps:?}");
}

#[test]
fn progress_goes_to_standard_error_in_the_form_asked_for() {
    let bench = Bench::new();
    let fit = fit_of("eight_schools").replace(" --progress none", "");
    let fit = format!("{fit} --max-steps 60 --allow-poor-fit");
    // Standard error is no terminal here, so there is no bar.
    for flags in ["", " --progress bar", " --progress plain"] {
        let run = bench.run(&format!("{fit}{flags}")).ends_with(0);
        let lines: Vec<&str> = run.stderr.lines().collect();
        assert!(lines[0].starts_with("fitting ") && lines[1] == "looking for a start", "{lines:?}");
        assert!(lines[2].ends_with(" phase") && lines[3].ends_with("cycle 1, settling"));
        assert_eq!(*lines.last().expect("lines"), "measuring");
    }
    for flags in [" --progress none", " --message-format json"] {
        assert_eq!(bench.run(&format!("{fit}{flags}")).ends_with(0).stderr, "", "{flags}");
    }
    let run = bench.run(&format!("{fit} --progress json")).ends_with(0);
    let is_event = |line: &&str| line.starts_with('{');
    let events: Vec<Value> = run
        .stderr
        .lines()
        .filter(is_event)
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let stages: Vec<&str> = events.iter().filter_map(|event| event["stage"].as_str()).collect();
    assert_eq!(stages[..3], ["start", "flat", "decay"]);
    assert_eq!(*stages.last().expect("stages"), "measure");
    let decay = events.iter().find(|event| event["stage"] == "decay").expect("a decay");
    for key in ["cycle", "from", "steps"] {
        assert!(decay[key].is_u64(), "{key}: {decay}");
    }
    let step = events.iter().rfind(|event| event["event"] == "step").expect("a look");
    assert!(step["step"].as_u64().is_some_and(|step| step <= 60), "{step}");
    for key in ["seconds", "elbo", "elbo_se", "step_size", "grad_norm", "steps_per_second"] {
        assert!(step[key].is_f64(), "{key}: {step}");
    }
    assert!(step["seconds_left_at_most"].as_f64().is_some_and(|left| left >= 0.0), "{step}");
}

#[test]
fn fit_json_has_the_documented_keys_and_types() {
    let bench = Bench::new();
    bench.run(&format!("{} --seed 7 --threads 1", fit_of("eight_schools"))).ends_with(0);
    let fit = bench.json("eight_schools.fit/fit.json");
    for key in ["model_hash", "data_hash"] {
        let hash = fit[key].as_str().expect(key);
        assert!(hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{hash}");
    }
    let counts = [("version", 1), ("seed", 7), ("threads", 1), ("n_branches", 8)];
    for (key, expected) in
        counts.into_iter().chain([("n_rows", 8), ("n_global", 2), ("n_local", 1)])
    {
        assert_eq!(fit[key].as_u64(), Some(expected), "{key}");
    }
    let texts = [("family", "amortized"), ("covariance", "prior"), ("encoder", "newton")];
    for (key, expected) in texts {
        assert_eq!(fit[key], expected, "{key}");
    }
    assert!(fit["steps"].as_u64().is_some_and(|steps| steps > 0));
    assert!(fit["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    assert!(fit["peak_rss_bytes"].is_null() || fit["peak_rss_bytes"].as_u64().is_some());
    assert!(fit["elbo"]["value"].is_f64() && fit["elbo"]["se"].is_f64());
    assert_eq!(fit["verdict"]["believable"], true);
    assert_eq!(fit["verdict"]["reasons"], Value::Array(Vec::new()));
    assert!(fit.as_object().is_some_and(|fit| fit.contains_key("test")) && fit["test"].is_null());
    assert!(fit["khat"]["global"].is_f64());
    for key in ["median", "max", "above_threshold"] {
        assert!(fit["khat"]["branches"][key].is_f64(), "{key}");
    }
    let gap = &fit["amortization_gap"];
    assert!(gap["per_branch"].is_f64() && gap["se"].is_f64());
    assert!(fit["checks"]["global"]["worst"]["z"].is_f64());
    assert_eq!(fit["verdict"]["notes"], Value::Array(Vec::new()));
}

#[test]
fn default_folders_are_numbered_and_named_ones_are_kept() {
    let bench = Bench::new();
    let quick = format!("{} --max-steps 5 --allow-poor-fit", fit_of("eight_schools"));
    for _ in 0..3 {
        bench.run(&quick).ends_with(0);
    }
    let expected = ["eight_schools.fit", "eight_schools.fit-2", "eight_schools.fit-3"];
    assert_eq!(bench.names(), expected);

    fs::create_dir(bench.path("mine")).expect("a folder");
    bench.write("mine/notes.txt", "do not lose");
    let refused = bench.run(&format!("{quick} --out mine")).ends_with(2);
    let text =
        "error: mine exists already\n  help: choose another --out, or replace it with --force\n";
    assert_eq!(refused.stderr, text);
    // What is no fit folder is not replaced at all.
    let refused = bench.run(&format!("{quick} --out mine --force")).ends_with(2);
    assert!(refused.stderr.contains("mine exists and is not a fit folder"), "{}", refused.stderr);
    assert_eq!(bench.read("mine/notes.txt"), "do not lose");

    let before = bench.read("eight_schools.fit/fit.json");
    bench.run(&format!("{quick} --seed 2 --out eight_schools.fit")).ends_with(2);
    assert_eq!(bench.read("eight_schools.fit/fit.json"), before);
    bench.write("eight_schools.fit/left-over", "");
    bench.run(&format!("{quick} --seed 2 --out eight_schools.fit --force")).ends_with(0);
    assert_eq!(bench.json("eight_schools.fit/fit.json")["seed"], 2);
    assert_eq!(names(&bench.path("eight_schools.fit")), FIT_FILES);
    assert_eq!(bench.names().len(), 4, "nothing unfinished is left: {:?}", bench.names());
}

/// All files of a fit but for what may differ between equal fits.
fn comparable(folder: &Path) -> Vec<String> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("a file of the fit");
    let mut fit: Value = serde_json::from_str(&read("fit.json")).expect("JSON");
    for key in ["seconds", "threads", "peak_rss_bytes"] {
        fit.as_object_mut().expect("an object").remove(key);
    }
    let trace = read("trace.csv");
    let without_seconds = csv(&trace).into_iter().map(|mut row| {
        row.remove(1);
        row.join(",")
    });
    let trace = without_seconds.collect::<Vec<_>>().join("\n");
    vec![fit.to_string(), trace, read("summary.csv"), read("branches.csv")]
}

#[test]
fn the_same_seed_gives_the_same_fit_on_any_number_of_threads() {
    let bench = Bench::new();
    for family in ["amortized", "branch"] {
        let words = format!(
            "{} --seed 3 --max-steps 150 --allow-poor-fit --draws 2000 --family {family}",
            fit_of("rats")
        );
        for threads in 1..=3 {
            bench.run(&format!("{words} --threads {threads} --out {family}{threads}")).ends_with(0);
        }
        let one = comparable(&bench.path(&format!("{family}1")));
        for threads in 2..=3 {
            let other = comparable(&bench.path(&format!("{family}{threads}")));
            for (a, b) in one.iter().zip(&other) {
                assert!(a == b, "{family}, {threads} threads:\n{a}\n{b}");
            }
        }
    }
}

#[test]
fn a_fit_that_should_not_be_believed_ends_with_3() {
    let bench = Bench::new();
    let words = format!("{} --max-steps 5", fit_of("eight_schools"));
    let run = bench.run(&words).ends_with(3);
    assert!(run.stdout.contains("verdict: do not believe this fit\n  - "), "{}", run.stdout);
    let fit = bench.json("eight_schools.fit/fit.json");
    assert_eq!(fit["verdict"]["believable"], false);
    let reasons = fit["verdict"]["reasons"].as_array().expect("a list");
    assert!(reasons.iter().any(|reason| reason.as_str().is_some_and(|r| r.contains("limit"))));
    bench.run(&format!("{words} --allow-poor-fit")).ends_with(0);
}

#[test]
fn held_out_rows_are_scored() {
    let bench = Bench::new();
    let run = bench.run(&format!("{} --holdout 0.2", fit_of("rats"))).ends_with(0);
    assert!(run.stdout.contains("held-out log likelihood"), "{}", run.stdout);
    let test = &bench.json("rats.fit/fit.json")["test"];
    assert_eq!(test["n_rows"], 30, "one row of the five of each rat");
    assert!(test["log_likelihood"].is_f64() && test["se"].is_f64());
}

#[test]
fn nothing_can_be_held_out_of_branches_of_one_row() {
    let bench = Bench::new();
    let run = bench.run(&format!("{} --holdout 0.2", fit_of("eight_schools"))).ends_with(1);
    let expected = "error[hold-out]: no branch has two rows, so none can be held out";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
    assert!(bench.names().is_empty());
}
