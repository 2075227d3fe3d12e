//! Log densities at given points on the constrained scale.

use std::fmt;

use serde_json::{Map, Value};

use super::evaluator::{EvaluateError, Evaluator};
use super::kernel::Arguments;
use super::layout::{ParamLayout, Variable};
use crate::target::Target;

/// Values of all unknowns, constrained.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// Constrained globals, each row-major, in order of declaration.
    pub globals: Vec<f64>,
    /// For each branch, in the order of the keys, its constrained locals.
    pub locals: Vec<Vec<f64>>,
}

/// Points of one model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    /// In the order of the file.
    pub points: Vec<Point>,
}

/// The log density at a point, every constant kept, without Jacobians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointDensity {
    /// log p(θ)
    pub log_global: f64,
    /// Σᵢ log p(zᵢ|θ) + log p(yᵢ|θ,zᵢ)
    pub log_local: f64,
}

impl PointDensity {
    /// log p(θ, z, y)
    pub fn log_density(self) -> f64 {
        self.log_global + self.log_local
    }
}

/// Why points cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointError {
    message: String,
}

impl fmt::Display for PointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PointError {}

fn error<T>(message: impl Into<String>) -> Result<T, PointError> {
    Err(PointError { message: message.into() })
}

impl Evaluator {
    /// Reads points as `hbdc density --at` has them: an object whose `points` hold `globals`
    /// and `locals` by name, locals with the branch as first axis in ascending key order.
    ///
    /// # Errors
    /// When the text is no JSON, a variable is missing or unknown, or has another shape.
    pub fn read_points(&self, json: &str) -> Result<Points, PointError> {
        let file: Value = match serde_json::from_str(json) {
            Ok(file) => file,
            Err(fault) => return error(format!("not JSON: {fault}")),
        };
        let Some(points) = file.get("points").and_then(Value::as_array) else {
            return error("there is no array called `points`");
        };
        let read = |(k, point): (usize, &Value)| {
            let read = self.read_point(point);
            read.map_err(|e| PointError { message: format!("point {}: {}", k + 1, e.message) })
        };
        Ok(Points { points: points.iter().enumerate().map(read).collect::<Result<_, _>>()? })
    }

    fn read_point(&self, point: &Value) -> Result<Point, PointError> {
        let empty = Map::new();
        let section = |name: &str| match point.get(name) {
            None => Ok(&empty),
            Some(Value::Object(values)) => Ok(values),
            Some(_) => error(format!("`{name}` is not an object of variables")),
        };
        let (globals, locals) = (section("globals")?, section("locals")?);
        let unknowns = |layout: &ParamLayout| -> Vec<Variable> {
            layout.variables().iter().filter(|v| v.is_unknown).cloned().collect()
        };
        let global_unknowns = unknowns(self.reported_layout());
        let local_unknowns = unknowns(self.reported_local_layout());
        check_names(globals, &global_unknowns, "globals")?;
        check_names(locals, &local_unknowns, "locals")?;
        let mut read = Point { globals: Vec::new(), locals: Vec::new() };
        for variable in &global_unknowns {
            let value = &globals[&variable.name];
            flatten(value, &variable.dims, &variable.name, &mut read.globals)?;
        }
        read.locals = vec![Vec::new(); self.n_branches()];
        for variable in &local_unknowns {
            let name = &variable.name;
            let branches = match &locals[name] {
                Value::Array(branches) if branches.len() == read.locals.len() => branches,
                _ => {
                    let n = read.locals.len();
                    return error(format!("`{name}` is not an array of {n}, one for each branch"));
                }
            };
            for (own, value) in read.locals.iter_mut().zip(branches) {
                flatten(value, &variable.dims, name, own)?;
            }
        }
        Ok(read)
    }

    /// The log density at a point.
    pub fn density_at(&mut self, point: &Point) -> PointDensity {
        let theta = self.unconstrain(point);
        let mut shared = vec![0.0; self.n_shared()];
        let (log_global, _) = self.log_prior(&theta, &mut shared);
        let mut log_local = 0.0;
        for (branch, constrained) in point.locals.iter().enumerate() {
            let z = self.unconstrain_local(branch, &shared, constrained);
            let [prior, _, likelihood] = self.log_local(branch, &shared, &z);
            log_local += prior + likelihood;
        }
        PointDensity { log_global, log_local }
    }

    /// The log-Jacobian of the constraints at a point.
    pub fn log_jacobian_at(&mut self, point: &Point) -> f64 {
        let theta = self.unconstrain(point);
        let mut shared = vec![0.0; self.n_shared()];
        let (_, mut log_jacobian) = self.log_prior(&theta, &mut shared);
        for (branch, constrained) in point.locals.iter().enumerate() {
            let z = self.unconstrain_local(branch, &shared, constrained);
            log_jacobian += self.log_local(branch, &shared, &z)[1];
        }
        log_jacobian
    }

    /// A point, or values of its shape, as JSON: what [`Evaluator::read_points`] reads.
    pub fn point_json(&self, point: &Point) -> Value {
        let unknowns = |layout: &ParamLayout| -> Vec<Variable> {
            layout.variables().iter().filter(|v| v.is_unknown).cloned().collect()
        };
        let mut globals = Map::new();
        let mut rest = point.globals.as_slice();
        for variable in unknowns(self.reported_layout()) {
            let (own, after) = rest.split_at(variable.range.len());
            globals.insert(variable.name.clone(), nested(own, &variable.dims));
            rest = after;
        }
        let mut locals = Map::new();
        let mut start = 0;
        for variable in unknowns(self.reported_local_layout()) {
            let own = start..start + variable.range.len();
            let of = |branch: &Vec<f64>| nested(&branch[own.clone()], &variable.dims);
            locals.insert(variable.name.clone(), point.locals.iter().map(of).collect());
            start = own.end;
        }
        serde_json::json!({ "globals": globals, "locals": locals })
    }

    /// The unconstrained position of a point: θ, then the locals of each branch, as
    /// [`Evaluator::log_density_gradient`] has them.
    pub fn position(&mut self, point: &Point) -> Vec<f64> {
        let theta = self.unconstrain(point);
        let mut shared = vec![0.0; self.n_shared()];
        self.log_prior(&theta, &mut shared);
        let mut position = theta;
        for (branch, constrained) in point.locals.iter().enumerate() {
            position.extend(self.unconstrain_local(branch, &shared, constrained));
        }
        position
    }

    /// All that is reported at a point, unknowns and derived quantities, as
    /// [`Evaluator::reported_layout`] and [`Evaluator::reported_local_layout`] have it.
    pub fn reported_at(&mut self, point: &Point) -> Point {
        let theta = self.unconstrain(point);
        let mut shared = vec![0.0; self.n_shared()];
        self.log_prior(&theta, &mut shared);
        let mut locals = Vec::with_capacity(point.locals.len());
        for (branch, constrained) in point.locals.iter().enumerate() {
            let z = self.unconstrain_local(branch, &shared, constrained);
            locals.push(self.reported_local(branch, &shared, &z).to_vec());
        }
        Point { globals: self.reported(&theta), locals }
    }

    /// The same at an unconstrained position, as [`Evaluator::log_density_gradient`] has it.
    ///
    /// # Errors
    /// When `position` does not have [`Evaluator::dimension`] elements.
    pub fn reported_at_position(&mut self, position: &[f64]) -> Result<Point, EvaluateError> {
        let (expected, found) = (self.dimension(), position.len());
        if expected != found {
            return Err(EvaluateError::Length { expected, found });
        }
        let (theta, z) = position.split_at(self.n_global());
        let mut shared = vec![0.0; self.n_shared()];
        self.log_prior(theta, &mut shared);
        let n_local = self.n_local();
        let mut locals = Vec::with_capacity(self.n_branches());
        for branch in 0..self.n_branches() {
            let z = &z[branch * n_local..(branch + 1) * n_local];
            locals.push(self.reported_local(branch, &shared, z).to_vec());
        }
        Ok(Point { globals: self.reported(theta), locals })
    }

    /// The unconstrained θ of a point.
    pub fn unconstrain(&mut self, point: &Point) -> Vec<f64> {
        let kernels = self.kernels.clone();
        let arguments = Arguments { theta: &point.globals, ..Arguments::default() };
        let kernel = &kernels.unconstrain_global;
        kernel.call(&arguments, &kernels.data, &mut self.out, &mut self.scratch);
        self.out.clone()
    }

    /// The unconstrained zᵢ of a branch's constrained locals.
    pub fn unconstrain_local(
        &mut self,
        branch: usize,
        shared: &[f64],
        constrained: &[f64],
    ) -> Vec<f64> {
        let kernels = self.kernels.clone();
        let arguments = Arguments { z: constrained, shared, branch, ..Arguments::default() };
        let kernel = &kernels.unconstrain_local;
        kernel.call(&arguments, &kernels.data, &mut self.out, &mut self.scratch);
        self.out.clone()
    }
}

fn check_names(
    given: &Map<String, Value>,
    wanted: &[Variable],
    section: &str,
) -> Result<(), PointError> {
    let names: Vec<&str> = wanted.iter().map(|variable| variable.name.as_str()).collect();
    if let Some(missing) = names.iter().find(|name| !given.contains_key(**name)) {
        return error(format!("`{section}` has no `{missing}`"));
    }
    if let Some(unknown) = given.keys().find(|name| !names.contains(&name.as_str())) {
        let names = names.join("`, `");
        return error(format!(
            "`{unknown}` is not an unknown of the model: {section} are `{names}`"
        ));
    }
    Ok(())
}

/// Nested arrays of these dimensions; numbers that are not finite are strings.
fn nested(flat: &[f64], dims: &[usize]) -> Value {
    match dims.split_first() {
        None if flat[0].is_finite() => Value::from(flat[0]),
        None => Value::from(flat[0].to_string()),
        Some((&0, _)) => Value::Array(Vec::new()),
        Some((&n, inner)) => {
            flat.chunks(flat.len().div_ceil(n).max(1)).map(|part| nested(part, inner)).collect()
        }
    }
}

/// Appends the numbers of nested arrays of these dimensions.
fn flatten(
    value: &Value,
    dims: &[usize],
    name: &str,
    flat: &mut Vec<f64>,
) -> Result<(), PointError> {
    let Some((&length, inner)) = dims.split_first() else {
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if text == "-inf" => Some(f64::NEG_INFINITY),
            Value::String(text) if text == "inf" => Some(f64::INFINITY),
            _ => None,
        };
        return match number {
            Some(number) => {
                flat.push(number);
                Ok(())
            }
            None => error(format!("`{name}`: {value} is not a number")),
        };
    };
    match value {
        Value::Array(items) if items.len() == length => {
            items.iter().try_for_each(|item| flatten(item, inner, name, flat))
        }
        Value::Array(items) => {
            error(format!("`{name}` has {} elements where {length} are wanted", items.len()))
        }
        _ => error(format!("`{name}`: {value} is not an array of {length}")),
    }
}
