//! What can be said only at the end: unknowns without a density, names that nothing reads.

use super::Checker;
use super::typed::{Constraint, SymbolId, SymbolKind};
use crate::diagnostic::Code;
use crate::schema::{Numbered, Table};
use crate::ty::Role;

impl Checker<'_> {
    /// Reports unknowns without a density and warns of names that are never read.
    pub(super) fn check_completeness(&mut self) {
        self.warn_unused_functions();
        self.warn_unused_factors();
        let unused_tables = self.warn_unused_tables();
        for symbol in self.symbols.ids() {
            if self.facts(symbol).broken {
                continue;
            }
            match self.symbols[symbol].kind {
                SymbolKind::Unknown { role: Role::Local, .. } => self.check_local(symbol),
                SymbolKind::Unknown { .. } => self.check_global(symbol),
                SymbolKind::Datum(datum) => {
                    let table = self.schema.data[datum].table;
                    if table.is_some_and(|table| unused_tables.contains(&table)) {
                        continue; // Said of the table as a whole.
                    }
                    let help = "nothing reads it: use it, or leave the declaration out";
                    self.warn_unused(symbol, "the datum", help);
                }
                SymbolKind::Derived { saved: false, .. } | SymbolKind::Temporary => {
                    let help = "nothing reads it, and it is not saved with the draws";
                    self.warn_unused(symbol, "the quantity", help);
                }
                _ => {}
            }
        }
    }

    fn warn_unused_functions(&mut self) {
        for function in self.functions.uncalled() {
            let name = &function.definition.name;
            let message = format!("nothing calls the function `{}`", name.name);
            let help = "call it, or leave its definition out";
            self.diags.warning(Code::Unused, name.span, message).help(help);
        }
    }

    fn warn_unused_factors(&mut self) {
        for (k, factor) in self.schema.factors.iter().enumerate() {
            if self.numbering.contains(&Numbered::Factor(k)) || self.names.is_incomplete() {
                continue;
            }
            let name = &factor.name;
            let message = format!("nothing is numbered by the factor `{name}`");
            self.diags.warning(Code::Unused, factor.span, message).help(format!(
                "declare what has its levels, `array[N] index({name}) {name};` in `branch`, or \
                 leave the factor out"
            ));
        }
    }

    /// Warns of tables of which neither a column nor a key is used, and says which these are.
    fn warn_unused_tables(&mut self) -> Vec<usize> {
        let column_is_read = |table: usize| {
            self.symbols.ids().any(|symbol| match self.symbols[symbol].kind {
                SymbolKind::Datum(datum) => {
                    self.schema.data[datum].table == Some(table) && self.facts(symbol).reads > 0
                }
                _ => false,
            })
        };
        let is_unused = |table: &usize| {
            !self.numbering.contains(&Numbered::Table(*table)) && !column_is_read(*table)
        };
        let mut unused: Vec<usize> = (0..self.schema.tables.len()).filter(is_unused).collect();
        if self.names.is_incomplete() {
            unused.clear();
        }
        for table in &unused {
            let Table { name, span, .. } = &self.schema.tables[*table];
            let message = format!("nothing reads the table `{name}`");
            let help = "use its columns, or leave it out";
            self.diags.warning(Code::Unused, *span, message).help(help);
        }
        unused
    }

    fn check_local(&mut self, symbol: SymbolId) {
        if self.facts(symbol).density.is_some() {
            let help = "a local unknown has a say only if data or other unknowns of the branch \
                        depend on it; for a prediction write it as a derived quantity";
            self.warn_unused(symbol, "the local unknown", help);
            return;
        }
        let (name, span) = (self.symbols[symbol].name.clone(), self.symbols[symbol].span);
        let (low, high) = self.bounds_of(symbol);
        let help = match (low, high) {
            (Some(low), Some(high)) => {
                let (low, high) =
                    (self.text(self.exprs[low].span), self.text(self.exprs[high].span));
                format!("for equal density within its bounds write `~ uniform({low}, {high})`")
            }
            _ => format!("say how `{name}` varies between branches: `{name} ~ normal(mu, tau);`"),
        };
        let message = format!("the local unknown `{name}` has no distribution");
        self.diags.error(Code::NoPrior, span, message).help(help);
    }

    fn check_global(&mut self, symbol: SymbolId) {
        let help = "nothing depends on it but its own prior: use it, or leave it out";
        self.warn_unused(symbol, "the global unknown", help);
        let is_bounded = match self.bounds_of(symbol) {
            (Some(_), Some(_)) => true,
            _ => matches!(
                self.constraint_of(symbol),
                Constraint::CholeskyFactorCorr | Constraint::Simplex
            ),
        };
        if self.facts(symbol).density.is_some() || is_bounded {
            return;
        }
        let (name, span) = (self.symbols[symbol].name.clone(), self.symbols[symbol].span);
        let message = format!("`{name}` has no prior: it is flat on an unbounded range");
        self.diags.warning(Code::FlatPrior, span, message).help(format!(
            "give it one, such as `{name} ~ normal(0, 10);`, bound it on both sides, or allow \
             it with `// allow: flat-prior`"
        ));
    }

    fn warn_unused(&mut self, symbol: SymbolId, what: &str, help: &str) {
        if self.facts(symbol).reads > 0 || self.names.is_incomplete() {
            return;
        }
        let (name, span) = (self.symbols[symbol].name.clone(), self.symbols[symbol].span);
        self.diags.warning(Code::Unused, span, format!("{what} `{name}` is never used")).help(help);
    }
}
