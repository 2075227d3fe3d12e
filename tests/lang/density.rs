//! Log densities, derivatives and derived quantities at the points that a program gives.

use hbdc::{Evaluator, ParamLayout, Point, Variable};
use serde_json::Value;

use super::program::{self, Program};

/// Values agree to so many parts.
const TOLERANCE: f64 = 1e-9;

/// Central differences agree with derivatives to so many parts.
const SLOPE_TOLERANCE: f64 = 2e-6;

/// Compares every point of a program.
pub fn check(program: &Program, mut evaluator: Evaluator) -> Result<(), String> {
    program.points.iter().try_for_each(|point| check_point(&mut evaluator, point))
}

fn check_point(evaluator: &mut Evaluator, wanted: &program::Point) -> Result<(), String> {
    let (values, expected) = wanted.density.rsplit_once(':').ok_or("`density at …: VALUE`")?;
    let at = Values::read(values)?;
    let point = at.point(evaluator, None, 0.0)?;
    let mut expected = split(expected).into_iter();
    let log_density = number(&expected.next().ok_or("a density is wanted")?)?;
    agree("log density", evaluator.density_at(&point).log_density(), log_density, TOLERANCE)?;
    for slope in expected {
        check_slope(evaluator, &at, &slope)?;
    }
    for derived in wanted.derived.iter().flat_map(|list| split(list)) {
        check_derived(evaluator, &point, &derived)?;
    }
    if log_density.is_finite() { check_gradient(evaluator, &point) } else { Ok(()) }
}

/// `d/dz[2] 0.5`, against a central difference along the constrained element.
fn check_slope(evaluator: &mut Evaluator, at: &Values, slope: &str) -> Result<(), String> {
    let rest = slope.strip_prefix("d/d").ok_or_else(|| format!("`{slope}`: d/dNAME VALUE"))?;
    let (element, value) = rest.rsplit_once(' ').ok_or("`d/dNAME VALUE`")?;
    let step = 1e-5;
    let mut side = |step: f64| -> Result<f64, String> {
        let point = at.point(evaluator, Some(element.trim()), step)?;
        Ok(evaluator.density_at(&point).log_density())
    };
    let found = (side(step)? - side(-step)?) / (2.0 * step);
    agree(&format!("d/d{element}"), found, number(value)?, SLOPE_TOLERANCE)
}

/// The gradient in unconstrained space is that of the log density there.
fn check_gradient(evaluator: &mut Evaluator, point: &Point) -> Result<(), String> {
    let position = evaluator.position(point);
    let mut at = |position: &[f64]| {
        evaluator.log_density_gradient(position).map_err(|error| error.to_string())
    };
    let (_, gradient) = at(&position)?;
    let step = 1e-5;
    for (k, found) in gradient.iter().enumerate() {
        let mut side = |step: f64| {
            let mut moved = position.clone();
            moved[k] += step;
            at(&moved).map(|(log_density, _)| log_density)
        };
        let slope = (side(step)? - side(-step)?) / (2.0 * step);
        agree(&format!("gradient at position {k}"), *found, slope, SLOPE_TOLERANCE)?;
    }
    Ok(())
}

/// `risk = 0.3`: a derived quantity, flat, locals branch by branch.
fn check_derived(evaluator: &mut Evaluator, point: &Point, derived: &str) -> Result<(), String> {
    let (name, value) = derived.split_once('=').ok_or("`derived: NAME = VALUE`")?;
    let (name, reported) = (name.trim(), evaluator.reported_at(point));
    let of = |layout: &ParamLayout, values: &[f64]| {
        let variable = layout.variables().iter().find(|variable| variable.name == name)?;
        Some(values[variable.range.clone()].to_vec())
    };
    let global = of(evaluator.reported_layout(), &reported.globals);
    let local = || {
        let layout = evaluator.reported_local_layout();
        let each = reported.locals.iter().map(|values| of(layout, values));
        each.collect::<Option<Vec<_>>>().map(|values| values.concat())
    };
    let found = global.or_else(local).ok_or_else(|| format!("nothing reported is `{name}`"))?;
    let mut wanted = Vec::new();
    flatten(&parse(value)?, &mut wanted)?;
    if found.len() != wanted.len() {
        return Err(format!("`{name}` has {} elements, not {}", found.len(), wanted.len()));
    }
    let mut pairs = found.iter().zip(&wanted);
    pairs.try_for_each(|(found, wanted)| agree(name, *found, *wanted, TOLERANCE))
}

fn agree(what: &str, found: f64, expected: f64, tolerance: f64) -> Result<(), String> {
    let is_same = found == expected
        || (found.is_nan() && expected.is_nan())
        || (found - expected).abs() <= tolerance * (1.0 + expected.abs());
    match is_same {
        true => Ok(()),
        false => Err(format!("{what} is {found:?} and should be {expected:?}")),
    }
}

/// Constrained values by name, as written.
struct Values {
    named: Vec<(String, Value)>,
}

impl Values {
    fn read(text: &str) -> Result<Values, String> {
        let read = |item: String| {
            let (name, value) = item.split_once('=').ok_or("`NAME = VALUE`")?;
            Ok((name.trim().to_string(), parse(value)?))
        };
        let named = split(text).into_iter().map(read).collect::<Result<_, String>>()?;
        Ok(Values { named })
    }

    /// The point, with `step` added to one element.
    fn point(
        &self,
        evaluator: &Evaluator,
        moved: Option<&str>,
        step: f64,
    ) -> Result<Point, String> {
        let globals = evaluator.reported_layout().clone();
        let locals = evaluator.reported_local_layout().clone();
        let mut sections = serde_json::json!({ "globals": {}, "locals": {} });
        for (name, value) in &self.named {
            let mut value = value.clone();
            if let Some((target, path)) = moved.and_then(|element| element_of(element, name)) {
                debug_assert_eq!(target, *name);
                shift(&mut value, &path, step)?;
            }
            if is_unknown_of(&globals, name).is_some() {
                sections["globals"][name] = value;
            } else if let Some(variable) = is_unknown_of(&locals, name) {
                let is_shared = depth(&value) == variable.dims.len();
                let n = evaluator.data().n_branches();
                let each = if is_shared { Value::Array(vec![value; n]) } else { value };
                sections["locals"][name] = each;
            } else {
                return Err(format!("`{name}` is no unknown of the model"));
            }
        }
        let text = serde_json::json!({ "points": [sections] }).to_string();
        let points = evaluator.read_points(&text).map_err(|error| error.to_string())?;
        Ok(points.points.into_iter().next().expect("one point was written"))
    }
}

fn is_unknown_of<'a>(layout: &'a ParamLayout, name: &str) -> Option<&'a Variable> {
    layout.variables().iter().find(|variable| variable.is_unknown && variable.name == name)
}

/// `z[1, 2]` as the path 1, 2 into `z`, if that is the name.
fn element_of(element: &str, name: &str) -> Option<(String, Vec<usize>)> {
    let (base, path) = match element.split_once('[') {
        None => (element, Vec::new()),
        Some((base, path)) => {
            let numbers = path.trim_end_matches(']').split(',');
            (base, numbers.map(|number| number.trim().parse().ok()).collect::<Option<_>>()?)
        }
    };
    (base == name).then(|| (base.to_string(), path))
}

fn shift(value: &mut Value, path: &[usize], step: f64) -> Result<(), String> {
    let mut at = value;
    for position in path {
        at = at.get_mut(position - 1).ok_or("a derivative along an element that is not there")?;
    }
    let number = at.as_f64().ok_or("a derivative is along one number")?;
    *at = serde_json::json!(number + step);
    Ok(())
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.first().map_or(0, depth),
        _ => 0,
    }
}

fn flatten(value: &Value, flat: &mut Vec<f64>) -> Result<(), String> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| flatten(item, flat)),
        Value::Number(number) => {
            flat.push(number.as_f64().ok_or("a number is wanted")?);
            Ok(())
        }
        other => Err(format!("{other} is not a number")),
    }
}

fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text.trim()).map_err(|error| format!("`{text}`: {error}"))
}

fn number(text: &str) -> Result<f64, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is not a number"))
}

/// The items of a list between commas outside brackets.
fn split(list: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut depth = 0_usize;
    for c in list.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c == ',' && depth == 0 {
            items.push(String::new());
        } else {
            items.last_mut().expect("there is one").push(c);
        }
    }
    items.iter().map(|item| item.trim().to_string()).filter(|item| !item.is_empty()).collect()
}
