//! `hbdc dump`: every stage, and timings.

use super::scores;
use crate::program::{Bench, shipped};

#[test]
fn every_stage_can_be_dumped() {
    let bench = Bench::new();
    let model = shipped("eight_schools.hbd");
    let dump = |stage| bench.run(&format!("dump {model} --stage {stage}")).ends_with(0).stdout;
    // The tree as text is a model again, with the same tree.
    bench.write("again.hbd", dump("ast"));
    assert_eq!(bench.run("dump again.hbd --stage ast").ends_with(0).stdout, dump("ast"));
    let (ir, gradient) = (dump("ir"), dump("gradient"));
    assert!(ir.contains("local") && gradient.contains("gradient"), "{ir}\n{gradient}");
    assert_eq!(bench.run(&format!("dump {model}")).ends_with(0).stdout, ir);
    // Every function that inference calls is listed on its way to machine code.
    for stage in ["clif", "asm"] {
        let (listing, functions) = (dump(stage), dump("gradient").matches("\nfunction ").count());
        assert!(listing.matches("\n; ").count() >= functions, "{stage}\n{listing}");
    }
    assert!(dump("clif").contains("function u0:0(i64)"));
    // In words it says what is quick and what goes step by step.
    let work =
        |model| bench.run(&format!("dump {} --stage work", shipped(model))).ends_with(0).stdout;
    let ratings = work("ratings.hbd");
    assert!(
        ratings.contains("log1p_exp of [N]") && ratings.contains("product of [N, 19]"),
        "{ratings}"
    );
    let tracking = work("tracking.hbd");
    assert!(
        tracking.contains("step by step") && tracking.contains("for t of at most T - 1 steps"),
        "{tracking}"
    );
    let needs_size = "data { int K; branch g { real y; } } global { vector[K] m ~ normal(0, 1); } \
                      local { real z ~ normal(sum(m), 1); y ~ normal(z, 1); }";
    bench.write("sized.hbd", needs_size);
    bench.run("dump sized.hbd --stage asm --set K=3").ends_with(0);
    let run = bench.run("dump sized.hbd --stage asm").ends_with(1);
    assert!(run.stderr.contains("`K`"), "{}", run.stderr);
}

#[test]
fn timings_reach_the_first_gradient_without_data() {
    let bench = scores();
    let stages = ["parse", "check", "lower", "differentiate", "code", "gradient", "total"];
    let check = |words: &str| {
        let run = bench.run(&format!("dump {words} --timings")).ends_with(0);
        let mut milliseconds = Vec::new();
        for (line, stage) in run.stdout.lines().zip(stages) {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!([words[0], words[2]], [stage, "ms"], "{line}");
            milliseconds.push(words[1].parse::<f64>().expect("a number"));
        }
        let total = milliseconds.pop().expect("a total");
        assert!((milliseconds.iter().sum::<f64>() - total).abs() < 0.01, "{}", run.stdout);
        assert_eq!(run.stdout.lines().count(), stages.len());
    };
    for name in ["eight_schools", "rats", "ratings", "seeds", "sleepstudy"] {
        check(&shipped(&format!("{name}.hbd")));
    }
    check("scores.hbd --set scale=1");
    let run = bench.run("dump scores.hbd --timings").ends_with(1);
    assert!(run.stderr.contains("`--set scale=VALUE`"), "{}", run.stderr);
}
