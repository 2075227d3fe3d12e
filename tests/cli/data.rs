//! `hbdc data` and `hbdc check`, and diagnostics as text and JSON.

use serde_json::Value;

use super::{csv, scores};
use crate::program::{Bench, shipped};

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
