//! The data flags: a file of branches, tables, and what `data` and `fit` make of them.

use super::program::Bench;

const MODEL: &str = "\
// allow: unused
data {
  factor item;
  table movies by id { real score; }
  branch user {
    rows N;
    array[N] index(movies) movie;
    array[N] index(item) item;
    vector[N] y missing;
    real u;
  }
}
global {
  vector[size(item)] b ~ normal(0, 1);
  matrix[2, size(movies)] w;
  for (k in 1:size(movies)) w[1, k] ~ normal(0, 1);
  for (k in 1:size(movies)) w[2, k] ~ normal(0, 1);
}
local {
  real z ~ normal(u, 1);
  for (n in 1:N) y[n] ~ normal(z + b[item[n]] + w[1, movie[n]] + w[2, 1], 1);
}
";
const ROWS: &str = "user,movie,item,y\nb,m2,hard,0.5\na,m1,easy,1\nb,m1,hard,\n";
const BRANCHES: &str = "user,u\na,0.5\nb,-1\nc,2\n";
const MOVIES: &str = "id,score\nm2,7\nm1,3\nm3,5\n";
const FLAGS: &str = "--data rows.csv --branches users.csv --table movies=movies.csv";

fn bench() -> Bench {
    let bench = Bench::new();
    let files = [("m.hbd", MODEL), ("rows.csv", ROWS), ("users.csv", BRANCHES)];
    files.into_iter().for_each(|(name, text)| bench.write(name, text));
    bench.write("movies.csv", MOVIES);
    bench
}

#[test]
fn data_shows_factors_tables_and_empty_cells() {
    let run = bench().run(&format!("data m.hbd {FLAGS}")).ends_with(0);
    let expected = "\
name          type                    level   from                        smallest  largest
movies.score  real                    whole   column score of movies.csv  3         7
movie         array[N] index(movies)  row     column movie                1         2
item          array[N] index(item)    row     column item                 1         2
y             vector[N]               row     column y, 1 cell empty      0.5       1
u             real                    branch  column u of users.csv       -1        2

factor item from item: 2 levels
  1  easy  1 cell
  2  hard  2 cells

table movies of movies.csv: 3 rows by id

3 branches by user, 3 rows; rows per branch: 0 to 2, median 1
1 branch has no rows
";
    assert_eq!(run.stdout, expected);
}

#[test]
fn fits_name_levels_and_report_branches_without_rows() {
    let bench = bench();
    bench.run(&format!("fit m.hbd {FLAGS} --progress none --allow-poor-fit")).ends_with(0);
    let summary = bench.read("m.fit/summary.csv");
    let names: Vec<String> = summary
        .lines()
        .skip(1)
        .map(|line| line.rsplitn(6, ',').last().unwrap_or_default().to_string())
        .collect();
    let expected = [
        "b[1],easy",
        "b[2],hard",
        "\"w[1,1]\",m1",
        "\"w[1,2]\",m2",
        "\"w[1,3]\",m3",
        "\"w[2,1]\",m1",
        "\"w[2,2]\",m2",
        "\"w[2,3]\",m3",
    ];
    assert_eq!(names, expected);
    let branches = bench.read("m.fit/branches.csv");
    let keys: Vec<&str> = branches.lines().map(|line| &line[..line.len().min(4)]).collect();
    assert_eq!(keys, ["user", "a,1,", "b,2,", "c,0,"]);
}

#[test]
fn flags_are_refused_with_what_to_do() {
    let bench = bench();
    let cases = [
        ("--data rows.csv --branches users.csv", 1, "error[table-file]: the model reads the table"),
        ("--data rows.csv --table movies=movies.csv", 1, "error[missing-column]: rows.csv has no"),
        ("--data rows.csv --table movies", 2, "error: --table movies: NAME=FILE is wanted"),
        (
            "--data rows.csv --table movies=movies.csv --table movies=users.csv",
            2,
            "error: --table movies is given twice",
        ),
        ("--data rows.csv --branches none.csv", 1, "error[data-file]: cannot read none.csv"),
        ("--branches users.csv", 2, "error: --data FILE is wanted"),
    ];
    for (flags, code, message) in cases {
        for command in ["data", "check"] {
            let run = bench.run(&format!("{command} m.hbd {flags}")).ends_with(code);
            assert!(run.stderr.starts_with(message), "{flags}\n{}", run.stderr);
        }
    }
}

#[test]
fn data_that_do_not_fit_are_refused_with_their_lines() {
    let cases = [
        ("rows.csv", "user,movie,item,y\na,m9,easy,1\n", "[unknown-key]: rows.csv:2: `m9` is no"),
        ("rows.csv", "user,movie,item,y\nd,m1,easy,1\n", "[unlisted-branch]: rows.csv:2: branch"),
        ("rows.csv", "user,movie,item,y\na,m1,,1\n", "[missing-value]: rows.csv:2, column `item`"),
        ("users.csv", "user,u\na,1\na,2\n", "[duplicate-key]: users.csv:3: branch user = a"),
        ("users.csv", "user,u,y\na,1,2\n", "[unlisted-branch]: rows.csv:2: branch user = b"),
        ("movies.csv", "id,score\nm1,1\nm2,1\nm1,2\n", "[duplicate-key]: movies.csv:4: id = m1"),
        ("movies.csv", "id,score\nm1,1\nm2,x\n", "[not-a-number]: movies.csv:3, column `score`"),
    ];
    for (name, text, message) in cases {
        let bench = bench();
        bench.write(name, text);
        let run = bench.run(&format!("check m.hbd {FLAGS}")).ends_with(1);
        let expected = format!("error{message}");
        assert!(run.stderr.starts_with(&expected), "{expected}\n{}", run.stderr);
        assert!(run.stderr.contains("\n  help: "), "{}", run.stderr);
    }
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_says_what_to_do() {
    let bench = Bench::new();
    bench.write(
        "m.hbd",
        "data { branch g { real y; } } global { real m ~ normal(0, 1); } local { y ~ normal(m, 1); }",
    );
    bench.write("d.csv", "g,y\na,1\n");
    bench.write("d.Parquet", "PAR1");
    let refused = |words: &str| bench.run(&format!("check m.hbd {words}")).ends_with(1).stderr;
    let expected = "\
error[data-file]: d.Parquet is Parquet, which this build does not read
  help: build hbdc with `--features parquet`, or write the data as CSV
";
    assert_eq!(refused("--data d.Parquet"), expected);
    assert_eq!(refused("--data d.csv --branches d.Parquet"), expected);
    assert_eq!(refused("--data d.csv --table t=d.Parquet"), expected);
}
