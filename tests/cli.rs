//! The commands as a user runs them: what they print, write and end with.

#[path = "cli/after.rs"]
mod after;
#[path = "cli/calibrate.rs"]
mod calibrate;
#[path = "cli/data_flags.rs"]
mod data_flags;
#[path = "cli/density.rs"]
mod density;
mod program;
#[path = "cli/scores.rs"]
mod scores;

use std::fs;
use std::path::Path;

use program::{Bench, names, shipped};
use serde_json::Value;

const FIT_FILES: [&str; 6] =
    ["branches.csv", "draws.zarr", "fit.json", "posterior", "summary.csv", "trace.csv"];

/// `fit` of a shipped model with its data.
fn fit_of(name: &str) -> String {
    let (model, data) = (shipped(&format!("{name}.hbd")), shipped(&format!("{name}.csv")));
    format!("fit {model} --data {data} --progress none")
}

/// A model of scores of groups, and data for it.
fn scores() -> Bench {
    let bench = Bench::new();
    bench.write(
        "scores.hbd",
        "data {\n  real scale;\n  branch group {\n    rows N;\n    vector[N] y;\n  }\n}\n\
         global { real mu ~ normal(0, 5); }\n\
         local {\n  real b ~ normal(mu, 1);\n  y ~ normal(b, scale);\n}\n",
    );
    bench.write("scores.csv", "group,y\n10,1.5\n9,2\n10,2.5\n9,\n9,3\n");
    bench
}

fn csv(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split(',').collect()).collect()
}

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

#[test]
fn data_says_how_names_were_bound() {
    let bench = Bench::new();
    let (model, data) = (shipped("rats.hbd"), shipped("rats.csv"));
    let run = bench.run(&format!("data {model} --data {data}")).ends_with(0);
    let expected = "\
name    type       level  from             smallest  largest
xbar    real       whole  computed or set  22        22
day     vector[N]  row    column day       8         36
weight  vector[N]  row    column weight    132       376
age     vector[N]  row    computed or set  -14       14

30 branches by rat, 150 rows; rows per branch: 5 to 5, median 5
";
    assert_eq!(run.stdout, expected);
    assert_eq!(run.stderr, "");
}

#[test]
fn data_can_be_set_dropped_and_piped() {
    let bench = scores();
    let run = bench.run("data scores.hbd --data scores.csv --set scale=2").ends_with(1);
    let expected = "error[missing-value]: scores.csv:5, column `y`, branch group = 9: ";
    assert!(run.stderr.starts_with(expected), "{}", run.stderr);

    let run = bench.run("data scores.hbd --data scores.csv --set scale=2 --na drop").ends_with(0);
    assert_eq!(run.stderr, "note: 1 row with missing values dropped\n");
    assert!(run.stdout.contains("2 branches by group, 4 rows"), "{}", run.stdout);
    assert!(run.stdout.contains("scale  real       whole  computed or set  2"), "{}", run.stdout);

    bench.write("scale.json", "2");
    let words = "data scores.hbd --data - --set scale=@scale.json --na drop";
    let piped = bench.run_with_input(words, &bench.read("scores.csv")).ends_with(0);
    assert_eq!(piped.stdout, run.stdout);

    let run = bench.run("data scores.hbd --data scores.csv --na drop").ends_with(1);
    assert!(run.stderr.contains("give it with `--set scale=VALUE`"), "{}", run.stderr);
    bench.run("data scores.hbd --data scores.csv --set scale").ends_with(2);
    bench.run("data scores.hbd --data scores.csv --set scale=wide").ends_with(2);
}

#[test]
fn whole_number_keys_are_in_the_order_of_numbers() {
    let bench = scores();
    let words = "fit scores.hbd --data scores.csv --set scale=2 --na drop --progress none";
    bench.run(words).ends_with(0);
    let branches = bench.read("scores.fit/branches.csv");
    let keys: Vec<Vec<&str>> = csv(&branches).iter().map(|row| row[..2].to_vec()).collect();
    assert_eq!(keys, [["group", "n_rows"], ["9", "2"], ["10", "2"]]);
}

#[test]
fn check_is_silent_when_all_is_well() {
    let bench = Bench::new();
    for name in ["eight_schools", "rats", "ratings", "seeds", "sleepstudy"] {
        let run = bench.run(&format!("check {}", shipped(&format!("{name}.hbd")))).ends_with(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "{name}");
    }
    let (model, data) = (shipped("seeds.hbd"), shipped("seeds.csv"));
    let run = bench.run(&format!("check {model} --data {data}")).ends_with(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}

#[test]
fn diagnostics_are_text_or_json_lines() {
    let bench = scores();
    let bad = bench.read("scores.hbd").replace("normal(mu, 1)", "normal(nu, 1)");
    bench.write("bad.hbd", bad.replace("normal(b, scale)", "normal(b, scales)"));
    let run = bench.run("check bad.hbd").ends_with(1);
    assert!(run.stderr.contains("bad.hbd:10:"), "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}'), "no colour unless to a terminal");

    let run = bench.run("check bad.hbd --message-format json").ends_with(1);
    let lines: Vec<Value> =
        run.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(lines.len(), 2, "{}", run.stderr);
    for line in &lines {
        assert_eq!(line["severity"], "error");
        assert!(line["code"].is_string() && line["message"].is_string(), "{line}");
    }
    let of_all = [
        ("check scores.hbd --data scores.csv --set scale=1", 1, "missing-value"),
        ("check none.hbd", 2, "usage"),
        ("check latin.hbd", 1, "encoding"),
    ];
    bench.write("latin.hbd", b"data { }\n// caf\xe9\n");
    for (words, code, expected) in of_all {
        let run = bench.run(&format!("{words} --message-format json")).ends_with(code);
        let line: Value = serde_json::from_str(run.stderr.trim_end()).expect(&run.stderr);
        assert_eq!(line["code"], expected, "{words}");
    }
}

#[test]
fn densities_agree_with_the_reference() {
    for name in ["eight_schools", "rats", "seeds"] {
        let bench = Bench::new();
        let (model, data) = (shipped(&format!("{name}.hbd")), shipped(&format!("{name}.csv")));
        let at = format!("{}/tests/reference/{name}/density.json", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(&at).expect("a reference");
        let reference: Value = serde_json::from_str(&text).expect("JSON");
        let expected = reference["points"].as_array().expect("points");
        for backend in ["", "--interpret"] {
            let words = format!("density {model} --data {data} --at {at} {backend}");
            let run = bench.run(&words).ends_with(0);
            let found: Value = serde_json::from_str(&run.stdout).expect("JSON");
            assert_eq!(found["points"].as_array().map(Vec::len), Some(expected.len()));
            for (k, expected) in expected.iter().enumerate() {
                for part in ["log_global", "log_local", "log_density"] {
                    let [a, b] =
                        [&found["points"][k], expected].map(|p| p[part].as_f64().expect(part));
                    let error = (a - b).abs() / b.abs().max(1.0);
                    assert!(error < 1e-8, "{name} {backend} {k} {part}: {a} {b}");
                }
            }
        }
    }
}

#[test]
fn points_of_another_shape_are_refused() {
    let bench = Bench::new();
    let (model, data) = (shipped("eight_schools.hbd"), shipped("eight_schools.csv"));
    let points = [
        "{",
        r#"{"points": [{"globals": {"mu": 1, "sigma": 2}, "locals": {}}]}"#,
        r#"{"points": [{"globals": {"mu": 1, "tau": 2}, "locals": {"theta": [1, 2]}}]}"#,
    ];
    for text in points {
        bench.write("points.json", text);
        let run = bench.run(&format!("density {model} --data {data} --at points.json"));
        let run = run.ends_with(1);
        assert!(run.stderr.starts_with("error[points]: points.json: "), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    bench.run(&format!("density {model} --data {data} --at none.json")).ends_with(2);
}

#[test]
fn every_stage_can_be_dumped() {
    let bench = Bench::new();
    let model = shipped("eight_schools.hbd");
    let dump = |stage| bench.run(&format!("dump {model} --stage {stage}")).ends_with(0).stdout;
    // The tree as text is a model again, with the same tree.
    bench.write("again.hbd", dump("ast"));
    assert_eq!(bench.run("dump again.hbd --stage ast").ends_with(0).stdout, dump("ast"));
    let (ir, gradient) = (dump("ir"), dump("gradient"));
    assert!(ir.contains("local") && gradient.contains("gradient"), "{ir}\n{gradient}");
    assert_eq!(bench.run(&format!("dump {model}")).ends_with(0).stdout, ir);
    // Every function that inference calls is listed on its way to machine code.
    for stage in ["clif", "asm"] {
        let (listing, functions) = (dump(stage), dump("gradient").matches("\nfunction ").count());
        assert!(listing.matches("\n; ").count() >= functions, "{stage}\n{listing}");
    }
    assert!(dump("clif").contains("function u0:0(i64)"));
    // In words it says what is quick and what goes step by step.
    let work =
        |model| bench.run(&format!("dump {} --stage work", shipped(model))).ends_with(0).stdout;
    let ratings = work("ratings.hbd");
    assert!(
        ratings.contains("log1p_exp of [N]") && ratings.contains("product of [N, 19]"),
        "{ratings}"
    );
    let tracking = work("tracking.hbd");
    assert!(
        tracking.contains("step by step") && tracking.contains("for t of at most T - 1 steps"),
        "{tracking}"
    );
    let needs_size = "data { int K; branch g { real y; } } global { vector[K] m ~ normal(0, 1); } \
                      local { real z ~ normal(sum(m), 1); y ~ normal(z, 1); }";
    bench.write("sized.hbd", needs_size);
    bench.run("dump sized.hbd --stage asm --set K=3").ends_with(0);
    let run = bench.run("dump sized.hbd --stage asm").ends_with(1);
    assert!(run.stderr.contains("`K`"), "{}", run.stderr);
}

#[test]
fn timings_reach_the_first_gradient_without_data() {
    let bench = scores();
    let stages = ["parse", "check", "lower", "differentiate", "code", "gradient", "total"];
    let check = |words: &str| {
        let run = bench.run(&format!("dump {words} --timings")).ends_with(0);
        let mut milliseconds = Vec::new();
        for (line, stage) in run.stdout.lines().zip(stages) {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!([words[0], words[2]], [stage, "ms"], "{line}");
            milliseconds.push(words[1].parse::<f64>().expect("a number"));
        }
        let total = milliseconds.pop().expect("a total");
        assert!((milliseconds.iter().sum::<f64>() - total).abs() < 0.01, "{}", run.stdout);
        assert_eq!(run.stdout.lines().count(), stages.len());
    };
    for name in ["eight_schools", "rats", "ratings", "seeds", "sleepstudy"] {
        check(&shipped(&format!("{name}.hbd")));
    }
    check("scores.hbd --set scale=1");
    let run = bench.run("dump scores.hbd --timings").ends_with(1);
    assert!(run.stderr.contains("`--set scale=VALUE`"), "{}", run.stderr);
}

#[test]
fn wrong_usage_ends_with_2() {
    let bench = scores();
    for words in [
        "",
        "frobnicate",
        "fit",
        "fit scores.hbd",
        "fit scores.hbd --data scores.csv --draws many",
        "fit scores.hbd --data scores.csv --threads 0",
        "fit scores.hbd --data scores.csv --holdout 1",
        "fit scores.hbd --data scores.csv --tolerance -1",
        "fit scores.hbd --data scores.csv --family mean-field",
        "dump scores.hbd --stage asm2",
        "density scores.hbd --data scores.csv",
    ] {
        let run = bench.run(words).ends_with(2);
        assert!(!run.stderr.is_empty() && run.stdout.is_empty(), "{words}");
    }
    assert_eq!(bench.names(), ["scores.csv", "scores.hbd"]);
    assert!(bench.run("--version").ends_with(0).stdout.starts_with("hbdc "));
    assert!(bench.run("fit --help").ends_with(0).stdout.contains("--holdout"));
}

/// What `simulate` is given: a file of rows with columns of every kind, a table, the model's
/// files.
fn wards() -> Bench {
    let bench = Bench::new();
    bench.write(
        "wards.hbd",
        "data {\n  factor nurse;\n  factor shift from (\"nurse\", \"day\");\n  \
         table drugs by drug { real strength; }\n  branch ward {\n    rows N by day;\n    \
         array[N] index(drugs) drug;\n    vector[N] night from \"shift\" == \"night\";\n    \
         array[N] int healed from \"state\" == \"well\";\n    vector[N] score;\n  }\n}\n\
         global {\n  real mu ~ normal(0, 1);\n  real<lower=0> tau ~ normal(0, 1);\n  \
         vector[size(nurse)] c ~ normal(0, 1);\n  vector[size(shift)] d ~ normal(0, 1);\n  \
         real total = sum(c) + sum(d);\n}\n\
         local {\n  real a ~ normal(mu + total, tau);\n  \
         healed ~ bernoulli_logit(a + drugs.strength[drug] .* night);\n  score ~ normal(a, 1);\n}\n",
    );
    bench.write(
        "wards.csv",
        "ward,day,nurse,note,drug,shift,state,score\nB,2,Ann,\"late, again\",x,night,well,1\n\
         A,3,Bob,,y,day,ill,2\nB,1,Ann,,y,day,ill,3\nA,1,Cid,,x,night,well,4\n",
    );
    bench.write("drugs.csv", "drug,strength\ny,0.5\nx,1.5\n");
    bench
}

const WARDS: &str = "wards.hbd --table drugs=drugs.csv";

#[test]
fn what_simulate_writes_binds_again_and_its_truth_is_a_point() {
    let bench = wards();
    // Where all are ill nobody is `well`, and a comparison that never holds is refused.
    let is_mixed = |seed: &u32| {
        let run =
            bench.run(&format!("simulate {WARDS} --data wards.csv --seed {seed}")).ends_with(0);
        run.stdout.contains("well") && run.stdout.contains("ill")
    };
    let seed = (1..50).find(is_mixed).expect("a mixed one");
    let words = format!("simulate {WARDS} --data wards.csv --seed {seed}");
    bench.run(&format!("{words} --out a.csv --truth a.json")).ends_with(0);
    let (before, after) = (bench.read("wards.csv"), bench.read("a.csv"));
    let outcomes = ["state", "score"].map(|name| {
        before.lines().next().expect("a header").split(',').position(|c| c == name).expect("there")
    });
    for (before, after) in before.lines().skip(1).zip(after.lines().skip(1)) {
        // The quoted comma counts as one cell more, so both lines are cut in the same way.
        let (before, after): (Vec<&str>, Vec<&str>) =
            (before.split(',').collect(), after.split(',').collect());
        assert_eq!(before.len(), after.len());
        let extra = before.len() - 8;
        for (k, (old, new)) in before.iter().zip(&after).enumerate() {
            let is_outcome = outcomes.iter().any(|&outcome| outcome + extra == k);
            assert!(is_outcome || old == new, "{old} became {new}");
        }
        assert!(["well", "ill"].contains(&after[6 + extra]), "{after:?}");
    }
    bench.run(&format!("check {WARDS} --data a.csv")).ends_with(0);
    let run = bench.run(&format!("density {WARDS} --data a.csv --at a.json")).ends_with(0);
    let answer: Value = serde_json::from_str(&run.stdout).expect("the answer is JSON");
    assert!(answer["points"][0]["log_density"].is_f64(), "{answer}");

    // From the truth on: the same unknowns, other outcomes.
    let again = format!("simulate {WARDS} --data a.csv --at a.json --seed 99 --truth b.json");
    let run = bench.run(&again).ends_with(0);
    assert_eq!(bench.json("a.json"), bench.json("b.json"));
    assert_ne!(run.stdout, after);
    assert_eq!(run.stdout.lines().next(), after.lines().next());
}

#[test]
fn simulate_names_what_it_gives_and_what_it_needs() {
    let bench = wards();
    bench.write(
        "given.hbd",
        "data { branch ward { rows N; vector[N] score; real half = mean(score) / 2; } }\n\
         global { real mu ~ normal(0, 1); }\n\
         local { real a ~ normal(mu, 1); score ~ normal(a + half, 1); }\n",
    );
    let run = bench.run("simulate given.hbd --data wards.csv").ends_with(0);
    assert!(run.stderr.contains("note: `score` keeps its values"), "{}", run.stderr);
    assert_eq!(run.stdout, bench.read("wards.csv"));

    bench.write(
        "flat.hbd",
        "data { branch ward { rows N; vector[N] score; } }\n\
         global { real mu; /* allow */ }\n\
         local { real a ~ normal(mu, 1); score ~ normal(a, 1); }\n",
    );
    let run = bench.run("simulate flat.hbd --data wards.csv").ends_with(1);
    assert!(run.stderr.contains("flat.hbd:2:"), "{}", run.stderr);
    assert!(run.stderr.contains("`mu` has no value to go on with"), "{}", run.stderr);
    bench.write(
        "at.json",
        "{\"points\": [{\"globals\": {\"mu\": 900}, \"locals\": {\"a\": [-700, 700]}}]}",
    );
    let run = bench.run("simulate flat.hbd --data wards.csv --at at.json").ends_with(0);
    // Ward A, on the second and the fourth line, has the first local.
    let last =
        |line: &str| -> f64 { line.rsplit(',').next().expect("a cell").parse().expect("a number") };
    let scores: Vec<f64> = run.stdout.lines().skip(1).map(last).collect();
    assert!(scores[1] < -600.0 && scores[3] < -600.0, "{scores:?}");
    assert!(scores[0] > 600.0 && scores[2] > 600.0, "{scores:?}");
}

#[test]
fn values_drawn_for_branches_go_to_the_file_of_branches() {
    let bench = wards();
    bench.write(
        "beds.hbd",
        "data { branch ward { rows N; vector[N] score; real beds; } }\n\
         global { real mu ~ normal(0, 1); }\n\
         local { real a ~ normal(mu, 1); beds ~ normal(50 + a, 1); score ~ normal(a, 1); }\n",
    );
    bench.write("beds.csv", "ward,beds,name\nB,0,east\nC,0,north\nA,0,west\n");
    let words = "simulate beds.hbd --data wards.csv --branches beds.csv";
    let run = bench.run(words).ends_with(2);
    assert!(run.stderr.contains("--out-branches"), "{}", run.stderr);
    bench.run(&format!("{words} --out a.csv --out-branches b.csv")).ends_with(0);
    let written = bench.read("b.csv");
    let rows = csv(&written);
    assert_eq!(rows[0], ["ward", "beds", "name"]);
    assert_eq!([rows[1][2], rows[2][2], rows[3][2]], ["east", "north", "west"]);
    assert!(rows[1..].iter().all(|row| row[1].parse::<f64>().expect("a number") > 30.0));
    bench.run("check beds.hbd --data a.csv --branches b.csv").ends_with(0);
}
