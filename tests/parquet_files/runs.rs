//! Commands take Parquet wherever they take CSV, and give the same.

use crate::program::Bench;
use crate::write::{Layout, PLAIN, Values, write};

const MODEL: &str = "
data {
  table films by film { real score; }
  branch user { rows N; array[N] index(films) film; vector[N] y missing; real u; }
}
global { real m ~ normal(0, 1); real b ~ normal(0, 1); }
local {
  real z ~ normal(m + u, 1);
  y ~ normal(z + b * films.score[film], 1);
}
";
const POINT: &str =
    "{\"points\": [{\"globals\": {\"m\": 0.25, \"b\": 0.5}, \"locals\": {\"z\": [0, 1, 2]}}]}";
const CSV: [&str; 3] = ["rows.csv", "users.csv", "films.csv"];
const PARQUET: [&str; 3] = ["rows.parquet", "users.parquet", "films.parquet"];

/// The same files in CSV and Parquet: rows of branches 10, 9 and 2, of which the last has none.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("m.hbd", MODEL);
    bench.write("point.json", POINT);
    bench.write(CSV[0], "user,film,y\n10,x,0.5\n9,y,1.25\n10,y,\n9,x,-0.125\n10,x,2\n");
    bench.write(CSV[1], "user,u\n2,1\n9,0.5\n10,-1\n");
    bench.write(CSV[2], "film,score\nx,1\ny,-1.5\n");
    let users = [10, 9, 10, 9, 10].map(Some).to_vec();
    let y = vec![Some(0.5), Some(1.25), None, Some(-0.125), Some(2.0)];
    let rows = [
        ("required int64 user", Values::I64(users)),
        ("optional binary film (UTF8)", Values::texts(["x", "y", "y", "x", "x"])),
        ("optional double y", Values::F64(y)),
    ];
    write(&bench.path(PARQUET[0]), Layout { rows_per_group: 2, ..PLAIN }, &rows);
    let users = [
        ("required int32 user", Values::I32([2, 9, 10].map(Some).to_vec())),
        ("required double u", Values::doubles(&[1.0, 0.5, -1.0])),
    ];
    write(&bench.path(PARQUET[1]), PLAIN, &users);
    let films = [
        ("required binary film (UTF8)", Values::texts(["x", "y"])),
        ("required float score", Values::F32(vec![Some(1.0), Some(-1.5)])),
    ];
    write(&bench.path(PARQUET[2]), PLAIN, &films);
    bench
}

fn flags([rows, branches, table]: [&str; 3]) -> String {
    format!("--data {rows} --branches {branches} --table films={table}")
}

#[test]
fn commands_say_the_same_of_both() {
    let bench = bench();
    let both = |words: &str| {
        let run = |files| bench.run(&words.replace("FLAGS", &flags(files))).ends_with(0).stdout;
        (run(CSV), run(PARQUET))
    };
    for words in ["data m.hbd FLAGS", "density m.hbd FLAGS --at point.json"] {
        let (csv, parquet) = both(words);
        assert!(!csv.is_empty());
        // A longer name widens its column.
        let words_of = |text: &str| -> Vec<String> {
            text.replace(".parquet", ".csv").split_whitespace().map(str::to_string).collect()
        };
        assert_eq!(words_of(&parquet), words_of(&csv), "{words}");
    }
    let (csv, parquet) = both("simulate m.hbd FLAGS --seed 3");
    assert_eq!(parquet, csv);
}

#[test]
fn a_fit_finds_its_files_again_and_takes_new_ones() {
    let bench = bench();
    let fit = "--progress none --seed 1 --threads 1 --max-steps 60 --draws 100 --allow-poor-fit";
    for (files, folder) in [(CSV, "csv.fit"), (PARQUET, "parquet.fit")] {
        bench.run(&format!("fit m.hbd {} {fit} --out {folder}", flags(files))).ends_with(0);
    }
    assert_eq!(bench.read("parquet.fit/summary.csv"), bench.read("csv.fit/summary.csv"));
    assert_eq!(bench.read("parquet.fit/branches.csv"), bench.read("csv.fit/branches.csv"));
    let draws = |folder| bench.run(&format!("draws {folder} --branch 9")).ends_with(0).stdout;
    assert_eq!(draws("parquet.fit"), draws("csv.fit"));
    for (files, folder) in [(CSV, "csv.fit"), (PARQUET, "parquet.fit")] {
        let [rows, branches, _] = files;
        let words = format!("predict {folder} --data {rows} --branches {branches}");
        bench.run(&format!("{words} --threads 1 --out {folder}.new")).ends_with(0);
    }
    // The empty cell is on the fourth line, which is the third row.
    let cells = |folder: &str| bench.read(&format!("{folder}.new/predictions.csv"));
    assert_eq!(cells("parquet.fit").replace("10,3,y", "10,4,y"), cells("csv.fit"));
    // A file of other rows is not that of the fit.
    let other = [
        ("required int64 user", Values::I64(vec![Some(10)])),
        ("required binary film (UTF8)", Values::texts(["x"])),
        ("optional double y", Values::F64(vec![Some(3.5)])),
    ];
    write(&bench.path(PARQUET[0]), PLAIN, &other);
    let said = bench.run("draws parquet.fit --branch 9").ends_with(1).stderr;
    assert!(said.contains("rows.parquet"), "{said}");
}
