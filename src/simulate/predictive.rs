//! Draws of outcomes whose cells are empty, given draws of the unknowns.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use super::SimulateError;
use super::drawn;
use super::walk::Walk;
use crate::check::for_each_typed_operand;
use crate::check::typed::{ExprId, ExprKind, Part, Statement, SymbolId, SymbolKind, TypedModel};
use crate::data::BoundData;
use crate::model::CompiledModel;

/// Which data are outcomes.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    /// Places in the schema of those that can be drawn.
    pub drawn: Vec<usize>,
    /// Of those that cannot be, with the reason as the end of a sentence.
    pub undrawn: BTreeMap<usize, &'static str>,
    /// Whether the likelihood has terms of `target +=`.
    pub has_other_terms: bool,
}

impl Outcomes {
    /// Those of a model.
    pub fn of(model: &CompiledModel) -> Outcomes {
        let model = model.typed();
        let columns = drawn::columns(model);
        let mut undrawn = BTreeMap::new();
        let has_other_terms = densities(model, &model.local, &mut |datum| {
            let reason = "its density stands in `target +=`, which says what is likely and not how \
                          to draw it: write `y ~ …`";
            undrawn.insert(datum, reason);
        });
        for &datum in &columns.given {
            let reason = "it, or its column, is used elsewhere than left of `~`, and that needs \
                          its value";
            undrawn.insert(datum, reason);
        }
        Outcomes { drawn: columns.drawn, undrawn, has_other_terms }
    }
}

/// Shows `visit` the data that are outcomes of `…_lpdf(y | …)` in terms of the likelihood.
/// Whether there are such terms.
fn densities(model: &TypedModel, statements: &[Statement], visit: &mut dyn FnMut(usize)) -> bool {
    let mut any = false;
    for statement in statements {
        any |= match statement {
            Statement::Target { value, part: Part::Likelihood, .. } => {
                in_density(model, *value, visit);
                true
            }
            Statement::For { body, .. } | Statement::Block(body) => densities(model, body, visit),
            Statement::If { then, otherwise, .. } => {
                let in_then = densities(model, then, visit);
                densities(model, otherwise, visit) || in_then
            }
            _ => false,
        };
    }
    any
}

fn in_density(model: &TypedModel, root: ExprId, visit: &mut dyn FnMut(usize)) {
    let mut open = vec![root];
    while let Some(part) = open.pop() {
        let kind = &model.exprs[part].kind;
        for_each_typed_operand(kind, |operand| open.push(operand));
        let ExprKind::LogDensity(_, operands) = kind else { continue };
        if let Some(symbol) = operands.first().and_then(|&outcome| drawn::base(model, outcome))
            && let SymbolKind::Datum(datum) = model.symbols[symbol].kind
        {
            visit(datum);
        }
    }
}

type Values = Arc<HashMap<SymbolId, Vec<f64>>>;

/// What is drawn of bound data, by places in the schema.
#[derive(Clone, Copy, Debug)]
pub struct ToDraw<'a> {
    /// Outcomes.
    pub drawn: &'a [usize],
    /// Those of them that keep their values where they have any, because others are drawn given
    /// these.
    pub kept: &'a [usize],
}

/// Draws of outcomes, branch by branch, from several threads.
pub struct Predictive<'a> {
    model: &'a CompiledModel,
    data: &'a BoundData,
    outcomes: ToDraw<'a>,
    seed: u64,
    /// What each draw of the globals makes of the names of `global`.
    of_global: Vec<Values>,
    /// State that is not in use.
    idle: Mutex<Vec<Walk<'a>>>,
}

impl<'a> Predictive<'a> {
    /// For these draws of the constrained globals.
    ///
    /// # Errors
    /// When a statement cannot be run.
    pub fn new(
        model: &'a CompiledModel,
        data: &'a BoundData,
        outcomes: ToDraw<'a>,
        seed: u64,
        globals: &[Vec<f64>],
    ) -> Result<Predictive<'a>, SimulateError> {
        let idle = Mutex::new(Vec::new());
        let of_global = Vec::with_capacity(globals.len());
        let mut all = Predictive { model, data, outcomes, seed, of_global, idle };
        let mut walk = all.walk();
        for given in globals {
            all.of_global.push(Arc::new(walk.globals(Some(given))?));
        }
        Ok(all)
    }

    fn walk(&self) -> Walk<'a> {
        let walk = Walk::new(self.model, self.data, self.seed, self.outcomes.drawn);
        walk.with_unknowns_given().keeping(self.outcomes.kept)
    }

    /// Draws of one datum's values in a branch where `wanted` says so, for each draw of the
    /// constrained locals: one row for each value wanted. NaN where there is no draw.
    ///
    /// # Errors
    /// When a statement cannot be run.
    pub fn draws(
        &self,
        branch: usize,
        locals: &[Vec<f64>],
        wanted: &[(usize, Vec<usize>)],
    ) -> Result<Vec<Vec<Vec<f64>>>, SimulateError> {
        let idle = self.idle.lock().expect("no thread panics").pop();
        let mut walk = idle.unwrap_or_else(|| self.walk());
        let empty = |(_, places): &(usize, Vec<usize>)| {
            vec![Vec::with_capacity(locals.len()); places.len()]
        };
        let mut draws: Vec<Vec<Vec<f64>>> = wanted.iter().map(empty).collect();
        for (draw, locals) in locals.iter().enumerate() {
            walk.branch(branch, draw, &self.of_global[draw], locals)?;
            for ((datum, places), draws) in wanted.iter().zip(&mut draws) {
                let values = walk.drawn_of_branch(*datum);
                for (place, draws) in places.iter().zip(draws) {
                    draws.push(values[*place]);
                }
            }
        }
        self.idle.lock().expect("no thread panics").push(walk);
        for ((datum, _), draws) in wanted.iter().zip(&draws) {
            let is_never = |draws: &Vec<f64>| draws.iter().all(|x| x.is_nan());
            if self.outcomes.kept.contains(datum) && draws.iter().any(is_never) {
                return Err(self.not_in_turn(*datum));
            }
        }
        Ok(draws)
    }

    fn not_in_turn(&self, datum: usize) -> SimulateError {
        let model = self.model.typed();
        let is_it = |id: &SymbolId| matches!(model.symbols[*id].kind, SymbolKind::Datum(found) if found == datum);
        let symbol = model.symbols.ids().find(is_it).expect("a datum has a name");
        let symbol = &model.symbols[symbol];
        let message = format!(
            "`{}` cannot be predicted cell by cell: what an empty cell is drawn from has no value \
             there, perhaps because it reads later cells, or a name that is computed from the \
             column; read the cells before in the arguments of `~` itself",
            symbol.name
        );
        SimulateError::Statement { message, span: symbol.span }
    }
}
