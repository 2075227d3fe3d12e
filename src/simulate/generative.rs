//! Whether a model says how everything in it came about, so that data drawn from it have the law
//! of its density.

use std::collections::HashSet;

use super::SimulateError;
use super::drawn::{Columns, base};
use crate::check::typed::{Part, Statement, SymbolId, SymbolKind, TypedModel};
use crate::source::Span;

/// Checks that every unknown and every outcome is drawn: each unknown stands left of `~`, each
/// left side is an unknown or a column that is nothing else, and no term is added beside.
///
/// # Errors
/// The first statement where that is not so.
pub fn check(model: &TypedModel, columns: &Columns) -> Result<(), SimulateError> {
    let mut walk = Check { model, columns, sampled: HashSet::new() };
    walk.statements(&model.global)?;
    walk.statements(&model.local)?;
    let unknowns = model.globals.iter().chain(&model.locals);
    if let Some(&flat) = unknowns.into_iter().find(|symbol| !walk.sampled.contains(symbol)) {
        let symbol = &model.symbols[flat];
        let message = format!(
            "`{}` has no prior that it could be drawn from: give it a distribution, as in \
             `{} ~ normal(0, 1)`",
            symbol.name, symbol.name
        );
        return refuse(message, symbol.span);
    }
    if columns.drawn.is_empty() {
        let span = Span::new(0, 0);
        return refuse("the model has no outcomes that could be drawn".to_string(), span);
    }
    Ok(())
}

struct Check<'m> {
    model: &'m TypedModel,
    columns: &'m Columns,
    sampled: HashSet<SymbolId>,
}

impl Check<'_> {
    fn statements(&mut self, statements: &[Statement]) -> Result<(), SimulateError> {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), SimulateError> {
        match statement {
            Statement::Sample { lhs, .. } | Statement::Target { drawn: Some((lhs, _)), .. } => {
                let span = self.model.exprs[*lhs].span;
                match base(self.model, *lhs) {
                    Some(symbol) => self.left_side(symbol, span),
                    None => computed(span),
                }
            }
            Statement::Target { value, part, drawn: None, .. } => {
                let what = match part {
                    Part::Likelihood => "outcomes",
                    Part::Global | Part::Prior => "unknowns",
                };
                let message = format!(
                    "this term is no distribution of {what} that they could be drawn from: write \
                     it with `~`, and with an `_rng` function if the distribution is your own"
                );
                refuse(message, self.model.exprs[*value].span)
            }
            Statement::For { body, .. } | Statement::Block(body) => self.statements(body),
            Statement::If { then, otherwise, .. } => {
                self.statements(then)?;
                self.statements(otherwise)
            }
            Statement::Unknown(_) | Statement::Declare { .. } | Statement::Assign { .. } => Ok(()),
        }
    }

    fn left_side(&mut self, symbol: SymbolId, span: Span) -> Result<(), SimulateError> {
        match self.model.symbols[symbol].kind {
            SymbolKind::Unknown { .. } => {
                self.sampled.insert(symbol);
                Ok(())
            }
            SymbolKind::Datum(datum) if self.columns.drawn.contains(&datum) => Ok(()),
            SymbolKind::Datum(_) => {
                let name = &self.model.symbols[symbol].name;
                let message = format!(
                    "`{name}` cannot be drawn anew: it, or its column, is used elsewhere than left \
                     of `~`"
                );
                refuse(message, span)
            }
            _ => computed(span),
        }
    }
}

fn computed(span: Span) -> Result<(), SimulateError> {
    let message = "what stands left of `~` here is computed, and cannot be drawn: put the column \
                   or the unknown itself there";
    refuse(message.to_string(), span)
}

fn refuse(message: String, span: Span) -> Result<(), SimulateError> {
    Err(SimulateError::Statement { message, span })
}
