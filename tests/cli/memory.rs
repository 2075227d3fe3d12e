//! `--max-memory`: what is refused and how, and that what a fit is said to hold is what it held.

use std::fmt::Write;

use crate::program::Bench;
use crate::scores;

/// Bytes that a refusal says would be held.
fn refused(text: &str) -> f64 {
    assert!(text.starts_with("error[memory]: "), "{text}");
    let amount = text.split(" hold about ").nth(1).expect("an amount").split(", and").next();
    let (number, unit) = amount.and_then(|amount| amount.split_once(' ')).expect("a unit");
    let factor = match unit {
        "MiB" => f64::from(1 << 20),
        "GiB" => f64::from(1 << 30),
        other => panic!("{other} in {text}"),
    };
    number.parse::<f64>().expect("a number") * factor
}

/// A fit is refused, with nothing left behind, until it may hold what it says, first to read its
/// data and then in all. What it holds then lies within a factor of 1.6 of that.
#[track_caller]
fn holds_what_it_said(bench: &Bench, words: &str) {
    let with_limit = |bytes: f64| format!("{words} --allow-poor-fit --max-memory {bytes:.0}B");
    let mut expected = 20e6;
    for _ in 0..3 {
        let run = bench.run(&with_limit(1.02 * expected));
        if run.code != 1 {
            run.ends_with(0);
            break;
        }
        assert!(!bench.path("a.fit").exists());
        expected = refused(&run.stderr);
    }
    bench.run(&with_limit(0.98 * expected).replace("a.fit", "b.fit")).ends_with(1);
    // Other systems do not tell.
    let Some(held) = bench.json("a.fit/fit.json")["peak_rss_bytes"].as_f64() else { return };
    let ratio = expected / held;
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    assert!(
        (1.0 / 1.6..1.6).contains(&ratio),
        "{:.1} MiB were expected, {:.1} MiB held: {ratio}",
        mib(expected),
        mib(held)
    );
}

const FIT: &str = "--out a.fit --progress none --max-steps 3 --max-seconds 1 --threads 2";

/// A hundred columns of numbers that have nothing in common.
#[test]
fn a_fit_of_many_values_holds_what_it_said() {
    let bench = Bench::new();
    bench.write(
        "wide.hbd",
        "data { branch g { rows N; matrix[N, 100] x from cols(\"x*\"); vector[N] y; } }
        global { real m ~ normal(0, 1); }
        local { real a ~ normal(m, 1); y ~ normal(a + x * rep_vector(0.01, 100), 1); }",
    );
    let mut rows = "g,y".to_string();
    (0..100).for_each(|k| write!(rows, ",x{k}").expect("memory takes text"));
    for row in 0..60_000_u32 {
        write!(rows, "\n{},{}", row / 20, row % 7).expect("memory takes text");
        (0..100).for_each(|k| {
            write!(rows, ",{}", (row * 37 + k * 11) % 10).expect("memory takes text");
        });
    }
    bench.write("wide.csv", rows);
    holds_what_it_said(&bench, &format!("fit wide.hbd --data wide.csv --draws 400 {FIT}"));
}

fn few_rows(n_branches: u32) -> String {
    let mut rows = "g,k,y".to_string();
    for row in 0..4 * n_branches {
        write!(rows, "\n{},{},{}", row / 4, row % 30, row % 7).expect("memory takes text");
    }
    rows
}

const EFFECTS: &str = "data { factor k; branch g { rows N; array[N] index(k) k; vector[N] y; } }
    global { real m ~ normal(0, 1); vector[size(k)] b ~ normal(0, 1); }
    local { real a ~ normal(m, 1); y ~ normal(a + b[k], 1); }";

#[test]
fn a_fit_of_many_draws_holds_what_it_said() {
    let bench = Bench::new();
    bench.write("effects.hbd", EFFECTS);
    bench.write("effects.csv", few_rows(100));
    let words = format!("fit effects.hbd --data effects.csv --draws 200000 {FIT}");
    holds_what_it_said(&bench, &words);
}

#[test]
fn the_log_likelihood_of_rows_holds_what_it_said() {
    let bench = Bench::new();
    bench.write("effects.hbd", EFFECTS);
    bench.write("effects.csv", few_rows(2000));
    let words = format!("fit effects.hbd --data effects.csv --draws 1000 --log-likelihood {FIT}");
    holds_what_it_said(&bench, &words);
}

#[test]
fn a_fit_of_many_branches_by_themselves_holds_what_it_said() {
    let bench = Bench::new();
    bench.write(
        "own.hbd",
        "data { branch g { rows N; vector[N] y; } }
        global { vector[8] m ~ normal(0, 1); }
        local { vector[4] a ~ normal(m[1:4], 1); y ~ normal(sum(a) + m[8], 1); }",
    );
    bench.write("own.csv", few_rows(4000));
    let words = format!("fit own.hbd --data own.csv --draws 400 --family branch {FIT}");
    holds_what_it_said(&bench, &words);
}

#[test]
fn what_would_hold_too_much_is_refused_with_its_parts() {
    let bench = scores();
    let words = "scores.hbd --data scores.csv --set scale=1 --na drop";
    let run = bench.run(&format!("fit {words} --max-memory 20MB --draws 1000000")).ends_with(1);
    let is_refusal = |line: &&str| !line.starts_with("note") && !line.starts_with("fitting ");
    let lines: Vec<&str> = run.stderr.lines().filter(is_refusal).collect();
    let expected = [
        "error[memory]: the fit would hold about 55.5 MiB, and 19.1 MiB are allowed",
        "  40.0 MiB of the program itself",
        "  15.3 MiB of 1000000 draws of the globals",
        "  help: ask for fewer --draws",
    ];
    assert_eq!(lines, expected);
    assert!(!bench.path("scores.fit").exists());
    // Nothing stays in the way of a fit that may hold more.
    bench.run(&format!("fit {words} --max-memory 1GiB --draws 1000 --max-steps 3")).ends_with(3);
}

/// Rows are not read where their file alone says that they do not fit.
#[test]
fn files_that_are_too_large_are_refused_before_they_are_read() {
    let bench = scores();
    let mut rows = "group,y\n".to_string();
    (0..20_000).for_each(|row| writeln!(rows, "{},not a number", row / 9).expect("text"));
    bench.write("large.csv", rows);
    let words = "scores.hbd --data large.csv --set scale=1";
    for command in ["data", "check", "fit"] {
        let run = bench.run(&format!("{command} {words} --max-memory 100KiB")).ends_with(1);
        let text = &run.stderr;
        assert!(text.starts_with("error[memory]: reading the data would hold about "), "{text}");
        assert!(text.contains("rows of large.csv") && text.contains("help: "), "{text}");
    }
    let run = bench.run(&format!("data {words} --max-memory 10MiB")).ends_with(1);
    assert!(run.stderr.starts_with("error[not-a-number]"), "{}", run.stderr);
}

#[test]
fn sizes_that_are_none_are_wrong_usage() {
    let run = scores().run("data scores.hbd --data scores.csv --max-memory lots").ends_with(2);
    assert!(run.stderr.contains("such as 800MB or 1.5GiB"), "{}", run.stderr);
}
