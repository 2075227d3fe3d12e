//! `hbdc simulate`: what it draws, writes and asks for.

use serde_json::Value;

use super::csv;
use crate::program::Bench;

/// What `simulate` is given: a file of rows with columns of every kind, a table, the model's
/// files.
fn wards() -> Bench {
    let bench = Bench::new();
    bench.write(
        "wards.hbd",
        "data {\n  factor nurse;\n  factor shift from (\"nurse\", \"day\");\n  \
         table drugs by drug { real strength; }\n  branch ward {\n    rows N by day;\n    \
         array[N] index(drugs) drug;\n    vector[N] night from \"shift\" == \"night\";\n    \
         array[N] int healed from \"state\" == \"well\";\n    vector[N] score;\n  }\n}\n\
         global {\n  real mu ~ normal(0, 1);\n  real<lower=0> tau ~ normal(0, 1);\n  \
         vector[size(nurse)] c ~ normal(0, 1);\n  vector[size(shift)] d ~ normal(0, 1);\n  \
         real total = sum(c) + sum(d);\n}\n\
         local {\n  real a ~ normal(mu + total, tau);\n  \
         healed ~ bernoulli_logit(a + drugs.strength[drug] .* night);\n  score ~ normal(a, 1);\n}\n",
    );
    bench.write(
        "wards.csv",
        "ward,day,nurse,note,drug,shift,state,score\nB,2,Ann,\"late, again\",x,night,well,1\n\
         A,3,Bob,,y,day,ill,2\nB,1,Ann,,y,day,ill,3\nA,1,Cid,,x,night,well,4\n",
    );
    bench.write("drugs.csv", "drug,strength\ny,0.5\nx,1.5\n");
    bench
}

const WARDS: &str = "wards.hbd --table drugs=drugs.csv";

#[test]
fn what_simulate_writes_binds_again_and_its_truth_is_a_point() {
    let bench = wards();
    // Where all are ill nobody is `well`, and a comparison that never holds is refused.
    let is_mixed = |seed: &u32| {
        let run =
            bench.run(&format!("simulate {WARDS} --data wards.csv --seed {seed}")).ends_with(0);
        run.stdout.contains("well") && run.stdout.contains("ill")
    };
    let seed = (1..50).find(is_mixed).expect("a mixed one");
    let words = format!("simulate {WARDS} --data wards.csv --seed {seed}");
    bench.run(&format!("{words} --out a.csv --truth a.json")).ends_with(0);
    let (before, after) = (bench.read("wards.csv"), bench.read("a.csv"));
    let outcomes = ["state", "score"].map(|name| {
        before.lines().next().expect("a header").split(',').position(|c| c == name).expect("there")
    });
    for (before, after) in before.lines().skip(1).zip(after.lines().skip(1)) {
        // The quoted comma counts as one cell more, so both lines are cut in the same way.
        let (before, after): (Vec<&str>, Vec<&str>) =
            (before.split(',').collect(), after.split(',').collect());
        assert_eq!(before.len(), after.len());
        let extra = before.len() - 8;
        for (k, (old, new)) in before.iter().zip(&after).enumerate() {
            let is_outcome = outcomes.iter().any(|&outcome| outcome + extra == k);
            assert!(is_outcome || old == new, "{old} became {new}");
        }
        assert!(["well", "ill"].contains(&after[6 + extra]), "{after:?}");
    }
    bench.run(&format!("check {WARDS} --data a.csv")).ends_with(0);
    let run = bench.run(&format!("density {WARDS} --data a.csv --at a.json")).ends_with(0);
    let answer: Value = serde_json::from_str(&run.stdout).expect("the answer is JSON");
    assert!(answer["points"][0]["log_density"].is_f64(), "{answer}");

    // From the truth on: the same unknowns, other outcomes.
    let again = format!("simulate {WARDS} --data a.csv --at a.json --seed 99 --truth b.json");
    let run = bench.run(&again).ends_with(0);
    assert_eq!(bench.json("a.json"), bench.json("b.json"));
    assert_ne!(run.stdout, after);
    assert_eq!(run.stdout.lines().next(), after.lines().next());
}

#[test]
fn simulate_names_what_it_gives_and_what_it_needs() {
    let bench = wards();
    bench.write(
        "given.hbd",
        "data { branch ward { rows N; vector[N] score; real half = mean(score) / 2; } }\n\
         global { real mu ~ normal(0, 1); }\n\
         local { real a ~ normal(mu, 1); score ~ normal(a + half, 1); }\n",
    );
    let run = bench.run("simulate given.hbd --data wards.csv").ends_with(0);
    assert!(run.stderr.contains("note: `score` keeps its values"), "{}", run.stderr);
    assert_eq!(run.stdout, bench.read("wards.csv"));

    bench.write(
        "flat.hbd",
        "data { branch ward { rows N; vector[N] score; } }\n\
         global { real mu; /* allow */ }\n\
         local { real a ~ normal(mu, 1); score ~ normal(a, 1); }\n",
    );
    let run = bench.run("simulate flat.hbd --data wards.csv").ends_with(1);
    assert!(run.stderr.contains("flat.hbd:2:"), "{}", run.stderr);
    assert!(run.stderr.contains("`mu` has no value to go on with"), "{}", run.stderr);
    bench.write(
        "at.json",
        "{\"points\": [{\"globals\": {\"mu\": 900}, \"locals\": {\"a\": [-700, 700]}}]}",
    );
    let run = bench.run("simulate flat.hbd --data wards.csv --at at.json").ends_with(0);
    // Ward A, on the second and the fourth line, has the first local.
    let last =
        |line: &str| -> f64 { line.rsplit(',').next().expect("a cell").parse().expect("a number") };
    let scores: Vec<f64> = run.stdout.lines().skip(1).map(last).collect();
    assert!(scores[1] < -600.0 && scores[3] < -600.0, "{scores:?}");
    assert!(scores[0] > 600.0 && scores[2] > 600.0, "{scores:?}");
}

#[test]
fn values_drawn_for_branches_go_to_the_file_of_branches() {
    let bench = wards();
    bench.write(
        "beds.hbd",
        "data { branch ward { rows N; vector[N] score; real beds; } }\n\
         global { real mu ~ normal(0, 1); }\n\
         local { real a ~ normal(mu, 1); beds ~ normal(50 + a, 1); score ~ normal(a, 1); }\n",
    );
    bench.write("beds.csv", "ward,beds,name\nB,0,east\nC,0,north\nA,0,west\n");
    let words = "simulate beds.hbd --data wards.csv --branches beds.csv";
    let run = bench.run(words).ends_with(2);
    assert!(run.stderr.contains("--out-branches"), "{}", run.stderr);
    bench.run(&format!("{words} --out a.csv --out-branches b.csv")).ends_with(0);
    let written = bench.read("b.csv");
    let rows = csv(&written);
    assert_eq!(rows[0], ["ward", "beds", "name"]);
    assert_eq!([rows[1][2], rows[2][2], rows[3][2]], ["east", "north", "west"]);
    assert!(rows[1..].iter().all(|row| row[1].parse::<f64>().expect("a number") > 30.0));
    bench.run("check beds.hbd --data a.csv --branches b.csv").ends_with(0);
}
