//! Parquet files: they bind to what the same rows in CSV bind to, and whatever is wrong with one is
//! said. Without the feature it is said what to do.

#[cfg(feature = "parquet")]
#[path = "parquet_files/harm.rs"]
mod harm;
mod program;
#[cfg(feature = "parquet")]
#[path = "parquet_files/refusals.rs"]
mod refusals;
#[cfg(feature = "parquet")]
#[path = "parquet_files/runs.rs"]
mod runs;
#[cfg(feature = "parquet")]
#[path = "parquet_files/same.rs"]
mod same;
#[cfg(feature = "parquet")]
#[path = "parquet_files/write.rs"]
mod write;

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_the_feature_says_what_to_do() {
    let bench = program::Bench::new();
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
