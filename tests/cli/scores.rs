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
