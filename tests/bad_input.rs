//! Bad input: each says what, where, why and what to do, ends with the right code, and leaves
//! nothing half written.

mod program;

use std::time::{Duration, Instant};

use program::{Bench, Run, shipped};

const MODEL: &str = "\
data {
  branch group {
    rows N;
    real u;
    vector<lower=0, upper=10>[N] y;
  }
}
global { real mu ~ normal(0, 5); }
local {
  real b ~ normal(mu, 1);
  y ~ normal(b + u, 1);
}
";
const DATA: &str = "group,u,y\na,1,2\na,1,3\nb,2,4\n";

/// A folder with a good model and good data.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("m.hbd", MODEL);
    bench.write("d.csv", DATA);
    bench
}

/// Runs a fit that has to fail and to write nothing.
#[track_caller]
fn refused(bench: &Bench, words: &str, code: i32) -> Run {
    let before = bench.names();
    let run = bench.run(&format!("fit {words} --progress none")).ends_with(code);
    assert_eq!(run.stdout, "");
    assert_eq!(bench.names(), before);
    run
}

/// A fit of the good model to these data, which have to be refused with exactly this message.
#[track_caller]
fn data_refused(data: &str, message: &str) {
    let bench = bench();
    bench.write("d.csv", data);
    assert_eq!(refused(&bench, "m.hbd --data d.csv", 1).stderr, message);
}

/// A fit of this model, which has to be refused.
#[track_caller]
fn model_refused(model: impl AsRef<[u8]>) -> String {
    let bench = bench();
    bench.write("m.hbd", model);
    refused(&bench, "m.hbd --data d.csv", 1).stderr
}

#[test]
fn the_good_model_and_data_are_good() {
    let run = bench().run("check m.hbd --data d.csv").ends_with(0);
    assert_eq!(run.stderr, "");
}

#[test]
fn a_model_that_is_not_utf_8() {
    let mut bytes = b"data {\n  // caf\xc3\xa9 ".to_vec();
    bytes.extend(b"\xe9\n}\n");
    assert_eq!(
        model_refused(bytes),
        "error[encoding]: m.hbd:2:11: byte 0xe9 is not UTF-8 text\n  help: save the model as UTF-8\n"
    );
}

#[test]
fn nesting_ten_thousand_deep() {
    let nested = format!("{}mu{}", "(".repeat(10_000), ")".repeat(10_000));
    let stderr = model_refused(MODEL.replace("normal(mu, 1)", &format!("normal({nested}, 1)")));
    assert!(stderr.starts_with("error[nesting]: nested more than 256 deep\n"), "{stderr}");
    assert!(stderr.contains("m.hbd:10:"), "{stderr}");
    assert!(stderr.contains("name the inner parts in declarations of their own"), "{stderr}");
    assert!(stderr.len() < 2000, "the text is not repeated: {} bytes", stderr.len());
}

#[test]
fn a_sum_of_half_a_million_terms() {
    let bench = bench();
    let sum = format!("{}1", "1+".repeat(500_000));
    bench.write("m.hbd", MODEL.replace("normal(0, 5)", &format!("normal({sum}, 5)")));
    let start = Instant::now();
    assert_eq!(bench.run("check m.hbd --data d.csv").ends_with(0).stderr, "");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());

    let sum = format!("{}1", "1+".repeat(600_000));
    let stderr = model_refused(MODEL.replace("normal(0, 5)", &format!("normal({sum}, 5)")));
    assert!(stderr.starts_with("error[file-size]: "), "{}", &stderr[..200.min(stderr.len())]);
    assert!(stderr.len() < 2000, "the text is not repeated: {} bytes", stderr.len());
}

#[test]
fn an_empty_model() {
    let stderr = model_refused("");
    for block in ["data", "global", "local"] {
        let expected = format!("error[missing-block]: there is no `{block}` block");
        assert!(stderr.contains(&expected), "{stderr}");
        assert!(stderr.contains(&format!("every model has `{block} {{ … }}`")), "{stderr}");
    }
}

#[test]
fn a_model_that_is_not_there() {
    let bench = bench();
    let stderr = refused(&bench, "n.hbd --data d.csv", 2).stderr;
    assert!(stderr.starts_with("error: cannot read the model n.hbd: No such file"), "{stderr}");
    assert!(stderr.ends_with("  help: check the path, and that it is a file you may read\n"));
}

#[test]
fn empty_data() {
    data_refused(
        "",
        "error[data-header]: d.csv is empty\n  \
         help: its first line must name the columns, separated by commas\n",
    );
    data_refused(
        "group,u,y\n",
        "error[no-rows]: d.csv has no rows\n  \
         help: below the line that names the columns, give one line per row\n",
    );
}

#[test]
fn data_that_are_not_there() {
    let stderr = refused(&bench(), "m.hbd --data n.csv", 1).stderr;
    assert!(stderr.starts_with("error[data-file]: cannot read n.csv: No such file"), "{stderr}");
}

#[test]
fn a_missing_column_and_the_nearest_name() {
    data_refused(
        "group,uu,y\na,1,2\n",
        "error[missing-column]: d.csv has no column `u`, which the model reads as `u`\n  \
         help: did you mean `uu`? The columns are `group`, `uu`, `y`\n  \
         declared in m.hbd:4: u\n",
    );
    let bench = bench();
    bench.write("d.csv", "grp,u,y\na,1,2\n");
    let stderr = refused(&bench, "m.hbd --data d.csv", 1).stderr;
    assert!(stderr.contains("no column `group`, which is part of the branch key"), "{stderr}");
    assert!(stderr.contains("did you mean `grp`?"), "{stderr}");
}

#[test]
fn missing_values() {
    for (cell, what) in [("NaN", "`NaN` stands for a missing value"), ("", "the cell is empty")] {
        data_refused(
            &format!("group,u,y\na,1,2\na,1,{cell}\nb,2,4\n"),
            &format!(
                "error[missing-value]: d.csv:3, column `y`, branch group = a: {what}\n  \
                 help: fill it in, drop rows with missing values, `--na drop`, or allow them in an outcome, which then has no term there: `vector[N] y missing;`\n"
            ),
        );
    }
}

#[test]
fn text_in_a_column_of_numbers() {
    data_refused(
        "group,u,y\na,1,2\na,1,many\nb,2,4\n",
        "error[not-a-number]: d.csv:3, column `y`, branch group = a: `many` is not a number\n  \
         help: numbers are written like `3`, `-0.5` or `1.2e-3`; words are numbered by a factor, `factor f from \"column\";` and `array[N] index(f) column;`, or compared: `from \"column\" == \"word\"`\n",
    );
}

#[test]
fn a_value_outside_its_range() {
    for (value, bound) in [("-3", "below its lower bound 0"), ("11", "above its upper bound 10")] {
        data_refused(
            &format!("group,u,y\na,1,2\na,1,{value}\nb,2,4\n"),
            &format!(
                "error[out-of-range]: d.csv:3, branch group = a: `y` is {value}, {bound}\n  \
                 help: mend the data, or the declared bound of `y`\n  declared in m.hbd:5: y\n"
            ),
        );
    }
}

#[test]
fn a_column_that_varies_within_a_branch() {
    data_refused(
        "group,u,y\na,1,2\na,5,3\nb,2,4\n",
        "error[varies-in-branch]: d.csv:2: column `u` varies within branch group = a: \
         it is 1 here and 5 in line 3\n  \
         help: `real u` is one value per branch: declare `vector[N] u` for one per row, \
         or take its `mean` or `sum` per branch\n  declared in m.hbd:4: u\n",
    );
}

#[test]
fn a_row_with_too_few_cells() {
    data_refused(
        "group,u,y\na,1,2\na,1\nb,2,4\n",
        "error[data-record]: d.csv:3 has 2 fields, the header has 3\n  \
         help: a cell that holds a comma must stand in quotes: `\"a, b\"`\n",
    );
}

#[test]
fn an_index_out_of_range() {
    let bench = bench();
    let model = "data {\n  branch group {\n    rows N;\n    array[N] int kind;\n    \
                 vector[N] y;\n  }\n}\n\
                 global { vector[3] beta ~ normal(0, 5); }\n\
                 local {\n  real b ~ normal(0, 1);\n  for (n in 1:N) y[n] ~ normal(b + beta[kind[n]], 1);\n}\n";
    bench.write("m.hbd", model);
    bench.write("d.csv", "group,kind,y\na,1,2\na,4,3\nb,2,4\n");
    let expected = "error[index]: d.csv:3: index 4 of `beta` is out of range in branch group = a: \
                    it has 3 elements\n  \
                    help: an index of `beta` runs from 1 to 3: mend the data or the size\n  \
                    declared in m.hbd:11: kind[n]\n";
    assert_eq!(refused(&bench, "m.hbd --data d.csv", 1).stderr, expected);
}

#[test]
fn a_fit_folder_that_exists() {
    let bench = bench();
    bench.run("fit m.hbd --data d.csv --progress none --out f").ends_with(0);
    let before = bench.json("f/fit.json");
    let expected =
        "error: f exists already\n  help: choose another --out, or replace it with --force\n";
    assert_eq!(refused(&bench, "m.hbd --data d.csv --out f", 2).stderr, expected);
    assert_eq!(bench.json("f/fit.json"), before);
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_the_fit() {
    let bench = bench();
    // A file stands where a folder would have to be.
    let stderr = refused(&bench, "m.hbd --data d.csv --out d.csv/fit", 2).stderr;
    assert!(stderr.starts_with("error: cannot write d.csv/fit: "), "{stderr}");
    assert!(stderr.ends_with("help: choose an --out in a folder that you may write to\n"));
    // Folders above that are missing are made.
    bench.run("fit m.hbd --data d.csv --progress none --out new/deep/f").ends_with(0);
    assert!(bench.path("new/deep/f/fit.json").is_file());
}

#[test]
fn a_fit_that_fails_leaves_an_older_one_as_it_was() {
    let bench = bench();
    bench.run("fit m.hbd --data d.csv --progress none --out f").ends_with(0);
    let before = bench.read("f/summary.csv");
    bench.write("d.csv", DATA.replace('4', "four"));
    refused(&bench, "m.hbd --data d.csv --out f --force", 1);
    assert_eq!(bench.read("f/summary.csv"), before);
}

#[test]
fn shipped_models_refuse_data_of_another() {
    let bench = Bench::new();
    let words = format!("{} --data {}", shipped("rats.hbd"), shipped("seeds.csv"));
    let stderr = refused(&bench, &words, 1).stderr;
    for column in ["rat", "day", "weight"] {
        assert!(stderr.contains(&format!("no column `{column}`")), "{stderr}");
    }
}
