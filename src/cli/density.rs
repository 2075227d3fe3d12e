//! `hbdc density`

use hbdc::{Backend, CompileOptions, PointDensity};
use serde_json::{Value, json};

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
    let path = args.at.display();
    let text = std::fs::read_to_string(&args.at)
        .map_err(|fault| Failure::usage(format!("cannot read the points {path}: {fault}")))?;
    let points = evaluator.read_points(&text);
    let points = points.map_err(|error| Failure::coded("points", format!("{path}: {error}")))?;
    let densities: Vec<Value> =
        points.points.iter().map(|point| to_json(evaluator.density_at(point))).collect();
    print(&format!("{:#}\n", json!({ "points": densities })))
}

fn to_json(density: PointDensity) -> Value {
    json!({
        "log_global": number(density.log_global),
        "log_local": number(density.log_local),
        "log_density": number(density.log_density()),
    })
}

/// JSON has no infinities and no NaN: these are strings.
fn number(x: f64) -> Value {
    match x.is_finite() {
        true => json!(x),
        false => json!(x.to_string()),
    }
}
