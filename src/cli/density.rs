//! `hbdc density`

use std::path::Path;
use std::time::Instant;

use hbdc::{Backend, CompileOptions, CompiledModel, Evaluator, Point};
use serde_json::{Map, Value, json};

use super::args::{DensityArgs, MessageFormat};
use super::{Failure, Outcome, input, print};

/// Prints the log density at each point as JSON.
pub fn run(args: &DensityArgs, format: MessageFormat) -> Outcome {
    let backend = if args.interpret { Backend::Interpreter } else { Backend::MachineCode };
    let model = input::model(&args.model, &CompileOptions { backend }, format)?;
    let bound = input::bind(&model, &args.input, format)?;
    let evaluator = model.evaluator(&bound);
    let mut evaluator =
        evaluator.map_err(|error| input::data_failure(&error, Some(model.source()), format))?;
    let points: Vec<Value> = match (&args.unconstrained, &args.at) {
        (Some(path), _) => {
            let positions = read_positions(path, evaluator.dimension())?;
            positions.iter().map(|position| at_position(&mut evaluator, position, args)).collect()
        }
        (None, Some(path)) => {
            let points = read_points(&evaluator, path)?;
            points.iter().map(|point| at_point(&model, &mut evaluator, point, args)).collect()
        }
        (None, None) => unreachable!("one of them is required"),
    };
    print(&format!("{:#}\n", json!({ "points": points })))
}

fn read_points(evaluator: &Evaluator, path: &Path) -> Result<Vec<Point>, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|fault| Failure::usage(format!("cannot read the points {shown}: {fault}")))?;
    let points = evaluator.read_points(&text);
    Ok(points.map_err(|error| Failure::coded("points", format!("{shown}: {error}")))?.points)
}

/// Positions of `dimension` numbers each.
fn read_positions(path: &Path, dimension: usize) -> Result<Vec<Vec<f64>>, Failure> {
    let shown = path.display();
    let bytes = std::fs::read(path)
        .map_err(|fault| Failure::usage(format!("cannot read the positions {shown}: {fault}")))?;
    let length = 8 * dimension;
    if bytes.is_empty() || length == 0 || bytes.len() % length != 0 {
        let message = format!(
            "{shown}: {} bytes are not positions of {dimension} numbers of 8 bytes each",
            bytes.len()
        );
        return Err(Failure::coded("points", message));
    }
    let number = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    let position = |bytes: &[u8]| bytes.chunks_exact(8).map(number).collect();
    Ok(bytes.chunks_exact(length).map(position).collect())
}

fn at_point(
    model: &CompiledModel,
    evaluator: &mut Evaluator,
    point: &Point,
    args: &DensityArgs,
) -> Value {
    let density = evaluator.density_at(point);
    let mut answer = Map::new();
    answer.insert("log_global".into(), number(density.log_global));
    answer.insert("log_local".into(), number(density.log_local));
    let mut total = density.log_density();
    if args.jacobian {
        let log_jacobian = evaluator.log_jacobian_at(point);
        answer.insert("log_jacobian".into(), number(log_jacobian));
        total += log_jacobian;
    }
    answer.insert("log_density".into(), number(total));
    if args.gradient {
        let found = model.gradient_at(evaluator, point);
        answer.insert("gradient".into(), evaluator.point_json(&found.gradient));
    }
    if let Some(n) = args.repeat {
        let position = evaluator.position(point);
        answer.extend(timings(evaluator, &position, n));
    }
    Value::Object(answer)
}

fn at_position(evaluator: &mut Evaluator, position: &[f64], args: &DensityArgs) -> Value {
    let found = evaluator.log_density_gradient(position);
    let (log_density, gradient) = found.expect("positions were cut to length");
    let mut answer = Map::new();
    answer.insert("log_density".into(), number(log_density));
    if args.gradient {
        answer.insert("gradient".into(), gradient.iter().map(|&x| number(x)).collect());
    }
    if let Some(n) = args.repeat {
        answer.extend(timings(evaluator, position, n));
    }
    Value::Object(answer)
}

/// Median, least and most seconds of `n` evaluations of value and gradient.
fn timings(evaluator: &mut Evaluator, position: &[f64], n: u32) -> Map<String, Value> {
    let mut seconds: Vec<f64> = (0..n)
        .map(|_| {
            let start = Instant::now();
            let found = evaluator.log_density_gradient(position);
            std::hint::black_box(found.expect("the position has the right length"));
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let (min, max) = (seconds[0], seconds[seconds.len() - 1]);
    let median = (seconds[(seconds.len() - 1) / 2] + seconds[seconds.len() / 2]) / 2.0;
    let named = [("median_s", median), ("min_s", min), ("max_s", max)];
    let mut answer: Map<String, Value> =
        named.into_iter().map(|(name, x)| (name.to_string(), number(x))).collect();
    answer.insert("passes_s".into(), passes(evaluator, position, n));
    answer
}

/// The least seconds of `n` passes over all branches, for each function.
fn passes(evaluator: &mut Evaluator, position: &[f64], n: u32) -> Value {
    let mut least = Map::new();
    for _ in 0..n {
        for (name, seconds) in evaluator.pass_seconds(position) {
            let known = least.get(name).and_then(Value::as_f64).unwrap_or(f64::INFINITY);
            least.insert(name.into(), number(seconds.min(known)));
        }
    }
    Value::Object(least)
}

/// JSON has no infinities and no NaN: these are strings.
fn number(x: f64) -> Value {
    match x.is_finite() {
        true => json!(x),
        false => json!(x.to_string()),
    }
}
