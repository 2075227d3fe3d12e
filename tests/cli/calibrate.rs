//! `hbdc calibrate`: its table, its ranks, its refusals.

use crate::program::{Bench, shipped};

const MODEL: &str = "data { branch g { rows N; vector[N] x; vector[N] y; } }
global { real a ~ normal(0, 1); }
local { real z ~ normal(a, 1); y ~ normal(z + x, 0.5); }
";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("m.hbd", MODEL);
    bench.write("rows.csv", "g,x\n1,0\n1,1\n2,-1\n2,2\n3,0.5\n");
    bench
}

#[test]
fn ranks_are_shown_and_written() {
    let bench = bench();
    let words = "calibrate m.hbd --data rows.csv --simulations 20 --max-steps 10 --out ranks.csv";
    let run = bench.run(words).ends_with(0);
    let names: Vec<&str> =
        run.stdout.lines().take(5).map(|line| line.split("  ").next().unwrap_or("")).collect();
    assert_eq!(names, ["name", "a", "z (g = 1)", "z (g = 2)", "z (g = 3)"]);
    assert!(run.stdout.contains("20 simulations ranked"), "{}", run.stdout);
    assert!(run.stdout.ends_with("verdict: no fault found\n"), "{}", run.stdout);
    assert!(run.stderr.contains("20 of 20 simulations"), "{}", run.stderr);
    let ranks = bench.read("ranks.csv");
    let lines: Vec<&str> = ranks.lines().collect();
    assert_eq!(lines[0], "simulation,believable,a,z (g = 1),z (g = 2),z (g = 3)");
    assert_eq!(lines.len(), 21);
    let run = bench.run(words).ends_with(2);
    assert!(run.stderr.contains("ranks.csv exists already"), "{}", run.stderr);
}

#[test]
fn what_cannot_be_drawn_is_refused_with_its_place() {
    let bench = bench();
    let (rats, rows) = (shipped("rats.hbd"), shipped("rats.csv"));
    let run = bench.run(&format!("calibrate {rats} --data {rows}")).ends_with(1);
    assert!(run.stderr.contains("error[simulate]: "), "{}", run.stderr);
    assert!(run.stderr.contains("has no prior that it could be drawn from"), "{}", run.stderr);
    let term = MODEL.replace("y ~ normal(z + x, 0.5);", "target += normal_lpdf(y | z, 1);");
    bench.write("term.hbd", term);
    bench.write("y.csv", "g,x,y\n1,0,1\n1,1,0\n");
    let run = bench.run("calibrate term.hbd --data y.csv").ends_with(1);
    assert!(run.stderr.contains("term.hbd:3:"), "{}", run.stderr);
}
