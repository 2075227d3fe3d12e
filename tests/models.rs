//! Everything in `models/`: it checks without a warning, takes its data, and its density, with and
//! without Jacobian, is that of `tests/oracle/models.py`, by both evaluators. The models of
//! published sets and the programs in the documents for newcomers compile without a warning.

use std::fs;
use std::path::{Path, PathBuf};

use hbdc::{
    Backend, CompileOptions, CompiledModel, Dataset, Evaluator, Point, Source, compile_with,
};
use serde_json::Value;

/// Densities agree to so many parts.
const TOLERANCE: f64 = 1e-9;

/// Central differences agree with gradients to so many parts.
const SLOPE_TOLERANCE: f64 = 2e-6;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).expect("the file is part of the project")
}

/// The models of a folder, by name.
fn stems(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).expect("the folder is part of the project");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let models = paths.filter(|path| path.extension().is_some_and(|ending| ending == "hbd"));
    let name = |path: PathBuf| path.file_stem().expect("a file").to_string_lossy().into_owned();
    let mut names: Vec<String> = models.map(name).collect();
    names.sort();
    names
}

/// The model of a text; what is wrong with it as a reader sees it, warnings included.
fn compiled(name: &str, text: &str, backend: Backend) -> Result<CompiledModel, String> {
    let source = Source::new(name, text);
    let model =
        compile_with(&source, &CompileOptions { backend }).map_err(|error| error.render(false))?;
    match model.warnings() {
        [] => Ok(model),
        _ => Err(model.render_warnings(false)),
    }
}

/// Fails with all that is wrong, not the first of it alone.
fn assert_none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Two tests for each model, and their names.
macro_rules! models {
    ($($name:ident,)*) => {
        const MODELS: &[&str] = &[$(stringify!($name)),*];

        mod model {
            $(mod $name {
                #[test]
                fn densities_and_jacobians_are_those_of_the_oracle() {
                    crate::assert_none(crate::faults_of(stringify!($name)));
                }

                #[test]
                fn gradients_are_those_of_central_differences() {
                    crate::assert_none(crate::slope_faults(stringify!($name)));
                }
            })*
        }
    };
}

models! {
    accidents, capture, eight_schools, exam, films, litters, moods, radon, ratings, rats, seeds,
    sleepstudy, studies, survey, survival, tasting, ticks, topics, tracking, trees, trials,
}

/// One test for each model of a published set, and their names.
macro_rules! published {
    ($($name:ident,)*) => {
        const PUBLISHED: &[&str] = &[$(stringify!($name)),*];

        mod published {
            $(#[test]
            fn $name() {
                let path = format!("tests/datasets/{}.hbd", stringify!($name));
                let text = crate::read(&path);
                let model = crate::compiled(&path, &text, hbdc::Backend::Interpreter);
                crate::assert_none(model.err().into_iter().collect());
            })*
        }
    };
}

published! {
    cbpp, chem97, chem97_ordinal, contraception, egsingle, grouseticks, grouseticks_nb, guimmun,
    hsb82, insteval, penicillin, verbagg, verbagg_ordinal,
}

#[test]
fn every_model_is_tested() {
    assert_eq!(stems("models"), MODELS);
    assert_eq!(stems("tests/datasets"), PUBLISHED);
}

#[test]
fn programs_in_the_documents_for_newcomers_compile() {
    let mut faults = Vec::new();
    for page in ["docs/from-stan.md", "docs/from-lme4.md"] {
        let programs = programs_in(&read(page));
        assert!(programs.len() >= 4, "{page} shows programs");
        for (line, text) in programs {
            faults.extend(compiled(&format!("{page}:{line}"), &text, Backend::Interpreter).err());
        }
    }
    assert_none(faults);
}

/// What stands between ```` ```hbd ```` and ```` ``` ````, with the line it begins on.
fn programs_in(page: &str) -> Vec<(usize, String)> {
    let mut programs: Vec<(usize, String)> = Vec::new();
    let mut is_open = false;
    for (k, line) in page.lines().enumerate() {
        match (is_open, line) {
            (false, "```hbd") => {
                is_open = true;
                programs.push((k + 2, String::new()));
            }
            (true, "```") => is_open = false,
            (true, line) => {
                let (_, text) = programs.last_mut().expect("a program was begun");
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    programs
}

/// A model with its data, the points of the oracle, and what it says of them.
fn at_points(name: &str, backend: Backend) -> Result<(Evaluator, Vec<Point>, Value), String> {
    let model = compiled(name, &read(format!("models/{name}.hbd")), backend)?;
    let text = read(format!("tests/reference/{name}/points.json"));
    let expected: Value = serde_json::from_str(&text).expect("the oracle writes JSON");
    let wrong = |error: &dyn std::fmt::Display| format!("{name}: {error}");
    let mut dataset = None;
    let mut others = Vec::new();
    for (role, path) in expected["files"].as_object().expect("files by role") {
        let path = root().join(path.as_str().expect("a path"));
        let file = Dataset::read_csv(&path).map_err(|error| wrong(&error))?;
        match role.as_str() {
            "data" => dataset = Some(file),
            _ => others.push((role.clone(), file)),
        }
    }
    let mut dataset = dataset.expect("every model has rows");
    for (role, file) in others {
        dataset = match role.as_str() {
            "branches" => dataset.branches(file),
            table => dataset.table(table, file),
        };
    }
    let bound = dataset.bind(model.schema()).map_err(|error| wrong(&error))?;
    let evaluator = model.evaluator(&bound).map_err(|error| wrong(&error))?;
    let points = evaluator.read_points(&text).map_err(|error| wrong(&error))?.points;
    Ok((evaluator, points, expected))
}

fn faults_of(name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for backend in [Backend::Interpreter, Backend::MachineCode] {
        match at_points(name, backend) {
            Ok((mut evaluator, points, expected)) => {
                let expected = expected["points"].as_array().expect("points");
                assert_eq!(points.len(), expected.len());
                for (point, expected) in points.iter().zip(expected) {
                    faults.extend(differences(name, &mut evaluator, point, expected));
                }
            }
            Err(fault) => return vec![fault],
        }
    }
    faults
}

/// How a density differs from what the oracle says of a point.
fn differences(
    name: &str,
    evaluator: &mut Evaluator,
    point: &Point,
    expected: &Value,
) -> Vec<String> {
    let density = evaluator.density_at(point);
    let position = evaluator.position(point);
    let unconstrained = match evaluator.log_density_gradient(&position) {
        Ok((value, _)) => value,
        Err(error) => return vec![format!("{name}: {error}")],
    };
    let found = [
        ("log_global", density.log_global),
        ("log_local", density.log_local),
        ("log_density", density.log_density()),
        ("log_jacobian", unconstrained - density.log_density()),
    ];
    let size = density.log_density().abs();
    let mut faults = Vec::new();
    if evaluator.reported_at_position(&position) != Ok(evaluator.reported_at(point)) {
        faults.push(format!("{name}: a point and its position report different values"));
    }
    for (what, found) in found {
        let wanted = expected[what].as_f64().expect("a number");
        // A Jacobian is a difference of densities and as exact as they are.
        let scale = if what == "log_jacobian" { size } else { wanted.abs() };
        if (found - wanted).abs() > TOLERANCE * (1.0 + scale) {
            faults.push(format!("{name}: {what} is {found}, not {wanted}"));
        }
    }
    faults
}

/// Where gradients differ from slopes, at the first point.
fn slope_faults(name: &str) -> Vec<String> {
    let (mut evaluator, points, _) = match at_points(name, Backend::MachineCode) {
        Ok(at_points) => at_points,
        Err(fault) => return vec![fault],
    };
    let position = evaluator.position(&points[0]);
    let mut at = |position: &[f64]| {
        let (value, gradient) = evaluator.log_density_gradient(position).expect("its dimension");
        (value, gradient.to_vec())
    };
    let (_, gradient) = at(&position);
    let step = 1e-5;
    let mut faults = Vec::new();
    for (k, found) in gradient.iter().enumerate() {
        let mut side = |step: f64| {
            let mut moved = position.clone();
            moved[k] += step;
            at(&moved).0
        };
        let slope = (side(step) - side(-step)) / (2.0 * step);
        if (found - slope).abs() > SLOPE_TOLERANCE * (1.0 + slope.abs()) {
            faults.push(format!("{name}: the gradient at position {k} is {found}, not {slope}"));
        }
    }
    faults
}
