//! `hbdc density` beyond values: gradients, Jacobians, unconstrained positions, timings.

use std::fs;

use crate::program::{Bench, shipped};
use serde_json::{Value, json};

/// A point of eight schools.
fn point(mu: f64, tau: f64) -> Value {
    let theta = [9.8, 6.1, -1.5, 7.0, 2.2, 4.1, 11.0, 8.3];
    json!({"globals": {"mu": mu, "tau": tau}, "locals": {"theta": theta}})
}

/// The first point that `hbdc density` prints for these points, with these flags.
fn density(bench: &Bench, points: &[Value], flags: &str) -> Vec<Value> {
    bench.write("points.json", json!({ "points": points }).to_string());
    let (model, data) = (shipped("eight_schools.hbd"), shipped("eight_schools.csv"));
    let words = format!("density {model} --data {data} --at points.json {flags}");
    let found: Value = serde_json::from_str(&bench.run(&words).ends_with(0).stdout).expect("JSON");
    found["points"].as_array().expect("points").clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

#[test]
fn gradients_are_those_of_differences_without_jacobian() {
    let bench = Bench::new();
    let h = 1e-4;
    let points = [point(3.6, 5.3), point(3.6, 5.3 + h), point(3.6, 5.3 - h)];
    let found = density(&bench, &points, "--gradient");
    let slope = (number(&found[1]["log_density"]) - number(&found[2]["log_density"])) / (2.0 * h);
    let gradient = number(&found[0]["gradient"]["globals"]["tau"]);
    assert!((gradient - slope).abs() < 1e-6, "{gradient}, not {slope}");
    assert_eq!(found[0]["gradient"]["locals"]["theta"].as_array().map(Vec::len), Some(8));
    // It has the shape of a point, so it is one.
    density(&bench, &[found[0]["gradient"].clone()], "");
}

#[test]
fn the_jacobian_of_a_scale_is_its_logarithm() {
    let bench = Bench::new();
    let plain = density(&bench, &[point(3.6, 5.3)], "");
    let with = density(&bench, &[point(3.6, 5.3)], "--jacobian");
    let difference = number(&with[0]["log_density"]) - number(&plain[0]["log_density"]);
    assert!((difference - 5.3_f64.ln()).abs() < 1e-12, "{difference}");
    assert!((number(&with[0]["log_jacobian"]) - 5.3_f64.ln()).abs() < 1e-12);
    assert_eq!(with[0]["log_global"], plain[0]["log_global"]);
}

#[test]
fn unconstrained_positions_are_globals_then_locals_branch_by_branch() {
    let bench = Bench::new();
    let at = density(&bench, &[point(3.6, 5.3)], "--jacobian --gradient");
    let theta = [9.8, 6.1, -1.5, 7.0, 2.2, 4.1, 11.0, 8.3];
    let position: Vec<f64> = [3.6, 5.3_f64.ln()].into_iter().chain(theta).collect();
    let bytes: Vec<u8> = position.iter().flat_map(|x| x.to_le_bytes()).collect();
    bench.write("two.bin", bytes.repeat(2));
    let (model, data) = (shipped("eight_schools.hbd"), shipped("eight_schools.csv"));
    let words = format!("density {model} --data {data} --unconstrained");
    let run = bench.run(&format!("{words} two.bin --gradient")).ends_with(0);
    let found: Value = serde_json::from_str(&run.stdout).expect("JSON");
    for point in found["points"].as_array().expect("two points") {
        let (value, expected) = (number(&point["log_density"]), number(&at[0]["log_density"]));
        assert!((value - expected).abs() < 1e-10, "{value}, not {expected}");
        // In ln tau, and with the Jacobian, the gradient is tau times that in tau, plus one.
        let in_tau = number(&at[0]["gradient"]["globals"]["tau"]);
        let in_log_tau = number(&point["gradient"][1]);
        assert!((in_log_tau - (5.3 * in_tau + 1.0)).abs() < 1e-9, "{in_log_tau}");
        assert_eq!(point["gradient"].as_array().map(Vec::len), Some(10));
    }
    bench.write("cut.bin", &bytes[..77]);
    let run = bench.run(&format!("{words} cut.bin")).ends_with(1);
    assert!(run.stderr.contains("77 bytes"), "{}", run.stderr);
    bench.run(&format!("{words} two.bin --jacobian")).ends_with(2);
    bench.run(&format!("{words} none.bin")).ends_with(2);
}

#[test]
fn repeats_are_timed() {
    let bench = Bench::new();
    let found = density(&bench, &[point(3.6, 5.3)], "--repeat 5");
    let seconds = ["min_s", "median_s", "max_s"].map(|name| number(&found[0][name]));
    assert!(seconds[0] > 0.0 && seconds.is_sorted(), "{seconds:?}");
}

#[test]
fn densities_agree_with_the_reference() {
    for name in ["eight_schools", "rats", "seeds"] {
        let bench = Bench::new();
        let (model, data) = (shipped(&format!("{name}.hbd")), shipped(&format!("{name}.csv")));
        let at = format!("{}/tests/reference/{name}/density.json", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(&at).expect("a reference");
        let reference: Value = serde_json::from_str(&text).expect("JSON");
        let expected = reference["points"].as_array().expect("points");
        for backend in ["", "--interpret"] {
            let words = format!("density {model} --data {data} --at {at} {backend}");
            let run = bench.run(&words).ends_with(0);
            let found: Value = serde_json::from_str(&run.stdout).expect("JSON");
            assert_eq!(found["points"].as_array().map(Vec::len), Some(expected.len()));
            for (k, expected) in expected.iter().enumerate() {
                for part in ["log_global", "log_local", "log_density"] {
                    let [a, b] =
                        [&found["points"][k], expected].map(|p| p[part].as_f64().expect(part));
                    let error = (a - b).abs() / b.abs().max(1.0);
                    assert!(error < 1e-8, "{name} {backend} {k} {part}: {a} {b}");
                }
            }
        }
    }
}

#[test]
fn points_of_another_shape_are_refused() {
    let bench = Bench::new();
    let (model, data) = (shipped("eight_schools.hbd"), shipped("eight_schools.csv"));
    let points = [
        "{",
        r#"{"points": [{"globals": {"mu": 1, "sigma": 2}, "locals": {}}]}"#,
        r#"{"points": [{"globals": {"mu": 1, "tau": 2}, "locals": {"theta": [1, 2]}}]}"#,
    ];
    for text in points {
        bench.write("points.json", text);
        let run = bench.run(&format!("density {model} --data {data} --at points.json"));
        let run = run.ends_with(1);
        assert!(run.stderr.starts_with("error[points]: points.json: "), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    bench.run(&format!("density {model} --data {data} --at none.json")).ends_with(2);
}
