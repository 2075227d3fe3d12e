//! The commands as a user runs them: what they print, write and end with.

#[path = "cli/after.rs"]
mod after;
#[path = "cli/calibrate.rs"]
mod calibrate;
#[path = "cli/data.rs"]
mod data;
#[path = "cli/data_flags.rs"]
mod data_flags;
#[path = "cli/density.rs"]
mod density;
#[path = "cli/dump.rs"]
mod dump;
#[path = "cli/fit.rs"]
mod fit;
#[path = "cli/memory.rs"]
mod memory;
mod program;
#[path = "cli/scores.rs"]
mod scores;
#[path = "cli/simulate.rs"]
mod simulate;

use program::{Bench, shipped};

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
