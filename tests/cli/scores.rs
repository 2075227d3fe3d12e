//! Scores of data that were not fitted: `--test`, `--holdout-branches`.

use crate::program::{Bench, shipped};

/// The rats model, with the rows that are for the test, by rat and day, in a file of their own.
fn bench(is_test: impl Fn(u32, u32) -> bool) -> (Bench, String) {
    let bench = Bench::new();
    let rows = std::fs::read_to_string(shipped("rats.csv")).expect("the data are there");
    let (header, body) = rows.split_once('\n').expect("a header");
    let part = |test: bool| {
        let is_own = |line: &&str| {
            let cells: Vec<&str> = line.split(',').collect();
            let number = |k: usize| cells[k].parse().expect("a number");
            is_test(number(0), number(1)) == test
        };
        let own: Vec<&str> = body.lines().filter(is_own).collect();
        format!("{header}\n{}\n", own.join("\n"))
    };
    bench.write("fitted.csv", part(false));
    bench.write("test.csv", part(true));
    let words = format!(
        "fit {} --data fitted.csv --max-steps 200 --allow-poor-fit --progress none",
        shipped("rats.hbd")
    );
    (bench, words)
}

#[test]
fn rows_of_a_file_are_scored_given_their_branch_or_as_new() {
    // The last of each rat's five rows, and all rows of the last five rats.
    let (bench, words) = bench(|rat, day| day == 36 || rat > 25);
    let run = bench.run(&format!("{words} --test test.csv")).ends_with(0);
    assert!(run.stdout.contains("(25 rows of 25 branches)"), "{}", run.stdout);
    assert!(run.stdout.contains("new branches: log likelihood"), "{}", run.stdout);
    let test = &bench.json("rats.fit/fit.json")["test"];
    assert_eq!((&test["n_rows"], &test["n_branches"]), (&50.into(), &30.into()));
    assert_eq!((&test["seen"]["n_rows"], &test["new"]["n_rows"]), (&25.into(), &25.into()));
    let scores = bench.read("rats.fit/scores.csv");
    let lines: Vec<&str> = scores.lines().collect();
    assert_eq!(lines[0], "rat,new,n_rows,log_likelihood,se");
    assert_eq!(lines.len(), 31);
    assert!(lines[1].starts_with("1,0,1,-") && lines[30].starts_with("30,1,5,-"), "{scores}");
}

#[test]
fn whole_branches_are_held_out() {
    let (bench, words) = bench(|_, _| false);
    let run = bench.run(&format!("{words} --holdout-branches 0.1")).ends_with(0);
    assert!(run.stdout.contains("(15 rows of 3 branches)"), "{}", run.stdout);
    let fit = bench.json("rats.fit/fit.json");
    assert_eq!((&fit["n_branches"], &fit["n_rows"]), (&27.into(), &135.into()));
    assert_eq!(fit["test"]["seen"], serde_json::Value::Null);
    bench.run(&format!("{words} --holdout-branches 0.1 --test test.csv")).ends_with(2);
}

#[test]
fn rows_without_an_outcome_are_not_scored() {
    let model = "data { branch g { rows N; vector[N] y MISSING; } }\n\
                 global { real mu ~ normal(0, 5); }\n\
                 local { real b ~ normal(mu, 1); y ~ normal(b, 1); }\n";
    let bench = Bench::new();
    bench.write("given.hbd", model.replace("MISSING", ""));
    bench.write("gaps.hbd", model.replace("MISSING", "missing"));
    bench.write("fitted.csv", "g,y\n1,0.5\n1,1\n2,-1\n2,0.2\n3,2\n");
    bench.write("test.csv", "g,y\n1,\n1,0.1\n2,\n8,\n9,1\n9,\n9,2\n");
    bench.write("nothing.csv", "g,y\n1,\n9,\n");
    let fit = |model: &str, more: &str| {
        let words = "--data fitted.csv --progress none --allow-poor-fit --max-steps 50 --test";
        bench.run(&format!("fit {model}.hbd {words} {more}"))
    };
    let refused = fit("given", "test.csv").ends_with(1).stderr;
    assert!(
        refused.contains("test.csv:2, column `y`, branch g = 1: the cell is empty"),
        "{refused}"
    );
    fit("given", "test.csv --na drop --out dropped").ends_with(0);
    let run = fit("gaps", "test.csv --out gaps").ends_with(0);
    assert!(run.stdout.contains("(1 row of 1 branch)"), "{}", run.stdout);
    assert!(run.stdout.contains("(2 rows of 1 branch)"), "{}", run.stdout);
    // An empty cell has no term, so both are the same.
    let figures = |path: &str| -> Vec<f64> {
        let numbers = |line: &str| line.split(',').map(str::parse).collect::<Vec<_>>();
        let text = bench.read(path);
        text.lines().skip(1).flat_map(numbers).map(|number| number.expect("a number")).collect()
    };
    let (dropped, gaps) = (figures("dropped/scores.csv"), figures("gaps/scores.csv"));
    assert_eq!(dropped.len(), 10, "{dropped:?}");
    assert!(dropped.iter().zip(&gaps).all(|(a, b)| (a - b).abs() < 1e-9), "{dropped:?} {gaps:?}");
    let refused = fit("gaps", "nothing.csv").ends_with(1).stderr;
    assert!(refused.contains("no row of nothing.csv has an outcome to score"), "{refused}");
}
