//! What one does after a fit: `predict`, `draws`, `simulate --from`.

use crate::program::{Bench, shipped};

/// A fit of eight schools in `eight_schools.fit`.
fn fitted() -> Bench {
    let bench = Bench::new();
    let (model, data) = (shipped("eight_schools.hbd"), shipped("eight_schools.csv"));
    bench.run(&format!("fit {model} --data {data} --progress none")).ends_with(0);
    bench
}

fn n_lines(text: &str) -> usize {
    text.lines().count()
}

#[test]
fn predictions_go_to_a_folder() {
    let bench = fitted();
    bench.write("new.csv", "school,y,sigma\nA,28,15\nnew,,10\n");
    let run = bench.run("predict eight_schools.fit --data new.csv").ends_with(0);
    let wanted = "the posterior of 2 branches and 1 empty cell; written to new.predicted\n";
    assert_eq!(run.stdout, wanted);
    let branches = bench.read("new.predicted/branches.csv");
    assert!(branches.starts_with("school,n_rows,theta.mean,"), "{branches}");
    let rows: Vec<&str> = branches.lines().collect();
    assert!(rows[1].starts_with("A,1,") && rows[2].starts_with("new,0,"), "{branches}");
    let cells = bench.read("new.predicted/predictions.csv");
    let rows: Vec<&str> = cells.lines().collect();
    assert_eq!(rows[0], "school,line,column,mean,sd,q5,q50,q95");
    assert!(rows.len() == 2 && rows[1].starts_with("new,,y,"), "{cells}");

    // A second run goes beside the first, and nothing is overwritten.
    let again = bench.run("predict eight_schools.fit --data new.csv --draws 100").ends_with(0);
    assert!(again.stdout.contains("written to new.predicted-2"), "{}", again.stdout);
    let run = bench.run("predict eight_schools.fit --data new.csv --out new.predicted");
    assert!(run.ends_with(2).stderr.contains("new.predicted exists already"));

    // An outcome that is not there is to be predicted, and that is said.
    bench.write("bare.csv", "school,sigma\nx,10\n");
    let run = bench.run("predict eight_schools.fit --data bare.csv").ends_with(0);
    assert!(run.stderr.contains("bare.csv has no column of `y`"), "{}", run.stderr);
    let run = bench.run("predict eight_schools.fit --data bare.csv --set K=1 --out o");
    assert!(run.ends_with(1).stderr.contains("error[other-data]"));
}

#[test]
fn predictions_of_the_data_are_those_of_the_fit() {
    let bench = fitted();
    let data = shipped("eight_schools.csv");
    bench
        .run(&format!("predict eight_schools.fit --data {data} --out own --threads 1"))
        .ends_with(0);
    assert_eq!(bench.read("own/branches.csv"), bench.read("eight_schools.fit/branches.csv"));
}

#[test]
fn draws_are_csv() {
    let bench = fitted();
    let run = bench.run("draws eight_schools.fit --draws 50").ends_with(0);
    assert!(run.stdout.starts_with("mu,tau\n") && n_lines(&run.stdout) == 51);
    bench.run("draws eight_schools.fit --branch C --draws 7 --out c.csv").ends_with(0);
    let draws = bench.read("c.csv");
    assert!(draws.starts_with("theta\n") && n_lines(&draws) == 8, "{draws}");
    let run = bench.run("draws eight_schools.fit --branch school=X").ends_with(1);
    assert!(run.stderr.contains("the fit has no branch school = X"), "{}", run.stderr);
    let run = bench.run("draws nothing.fit").ends_with(1);
    assert!(run.stderr.contains("name the folder that `hbdc fit` wrote"), "{}", run.stderr);
}

#[test]
fn outcomes_are_simulated_from_a_fit() {
    let bench = fitted();
    let (model, data) = (shipped("eight_schools.hbd"), shipped("eight_schools.csv"));
    let words = format!("simulate {model} --data {data} --from eight_schools.fit");
    let run = bench.run(&format!("{words} --truth truth.json")).ends_with(0);
    assert!(run.stdout.starts_with("school,y,sigma\n") && n_lines(&run.stdout) == 9);
    assert_eq!(
        bench.json("truth.json")["points"][0]["locals"]["theta"].as_array().map(Vec::len),
        Some(8)
    );
    assert_eq!(bench.run(&words).ends_with(0).stdout, run.stdout);
    let other = shipped("seeds.hbd");
    let run = bench.run(&format!("simulate {other} --data {data} --from eight_schools.fit"));
    assert!(run.ends_with(1).stderr.contains("is not a fit of"));
}
