//! `~` and `target +=`: what may have a distribution where, and to which part of the density
//! a term belongs.

use super::Checker;
use super::names::Place;
use super::reach::Reach;
use super::typed::{ExprId, ExprKind, Part, RowsOf, Statement, SymbolId, SymbolKind};
use crate::builtin::Distribution;
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::{self, DistributionCall};
use crate::ty::{Level, Role};

impl Checker<'_> {
    /// `lhs ~ distribution(args);`
    pub(super) fn check_sample(
        &mut self,
        lhs: ast::ExprId,
        call: &DistributionCall,
        span: Span,
    ) -> Option<Statement> {
        if self.within.is_some() {
            self.report_in_function(span, "`~`");
            return None;
        }
        if self.is_own_distribution(&call.name) {
            return self.check_own_sample(lhs, call, span);
        }
        let reads = self.missing_reads.len();
        let lhs_text = self.text(self.ast.exprs[lhs].span);
        let typed = self.check_expr(lhs);
        if typed.is_some() {
            // Cells of the outcome that are empty are left out.
            self.missing_reads.truncate(reads);
        }
        let right = self.check_right(lhs_text, call);
        let statement = match (typed, right) {
            (Some(typed), Some((distribution, args))) => {
                self.discount_read(typed);
                self.finish_sample(typed, distribution, args, call.name.span, span)
            }
            _ => None,
        };
        if statement.is_none() {
            self.give_up_on(lhs);
            call.args.iter().for_each(|arg| self.give_up_on(*arg));
        }
        statement
    }

    /// `real z ~ distribution(args);`
    pub(super) fn check_declared_sample(
        &mut self,
        symbol: SymbolId,
        call: &DistributionCall,
        span: Span,
    ) -> Option<Statement> {
        if self.is_own_distribution(&call.name) {
            let outcome = self.symbol_expr(symbol, self.symbols[symbol].span);
            let failed = self.facts(symbol).broken;
            return self.finish_own_sample((!failed).then_some(outcome), call, span);
        }
        let right = self.check_right(self.symbols[symbol].name.clone(), call);
        let failed = right.is_none() || self.facts(symbol).broken;
        let statement = match right {
            Some((distribution, args)) if !failed => {
                let outcome = self.symbol_expr(symbol, self.symbols[symbol].span);
                self.finish_sample(outcome, distribution, args, call.name.span, span)
            }
            _ => None,
        };
        if statement.is_none() {
            self.facts_mut(symbol).density.get_or_insert(span);
            self.facts_mut(symbol).reads += 1;
            call.args.iter().for_each(|arg| self.give_up_on(*arg));
        }
        statement
    }

    fn check_right(
        &mut self,
        outcome: String,
        call: &DistributionCall,
    ) -> Option<(&'static Distribution, Vec<ExprId>)> {
        let distribution = self.check_distribution_name(&outcome, &call.name);
        let args = self.check_exprs(&call.args);
        Some((distribution?, args?))
    }

    fn finish_sample(
        &mut self,
        lhs: ExprId,
        distribution: &'static Distribution,
        args: Vec<ExprId>,
        name: Span,
        span: Span,
    ) -> Option<Statement> {
        self.check_left(lhs)?;
        self.check_density(distribution, lhs, &args, name)?;
        self.note_outcome(lhs, span);
        for term in args.iter().chain([&lhs]) {
            self.warn_jump(*term);
        }
        self.warn_habits(distribution, lhs, &args);
        let part = self.part_of_outcome(lhs);
        let rows = if part == Part::Likelihood { self.rows_of(lhs) } else { RowsOf::None };
        let observed = self.observed_of(lhs, distribution)?;
        Some(Statement::Sample { lhs, distribution, args, part, rows, observed })
    }

    /// What has a distribution from here on, with the warnings that follow.
    pub(super) fn note_outcome(&mut self, lhs: ExprId, span: Span) {
        self.warn_doubled(lhs, span);
        self.mark_density(lhs, span);
        self.warn_nonlinear(lhs);
    }

    /// The part of the density that a distribution of an outcome belongs to.
    pub(super) fn part_of_outcome(&self, lhs: ExprId) -> Part {
        match self.place {
            Place::Global => Part::Global,
            _ if self.reads_branch_data(lhs) => Part::Likelihood,
            _ => Part::Prior,
        }
    }

    /// Rule 5: left of `~` stands an unknown of the block or data that it sees.
    pub(super) fn check_left(&mut self, lhs: ExprId) -> Option<()> {
        let symbols = self.outcome_symbols(lhs);
        let role = |symbol: &SymbolId| self.facts(*symbol).reach.role;
        let is_count = |symbol: &&SymbolId| {
            matches!(self.symbols[**symbol].kind, SymbolKind::LoopVariable | SymbolKind::RowCount)
        };
        let meaningful: Vec<SymbolId> =
            symbols.iter().filter(|symbol| !is_count(symbol)).copied().collect();
        if meaningful.is_empty() {
            self.report_left(lhs);
            return None;
        }
        let is_of_branch = meaningful
            .iter()
            .any(|symbol| role(symbol) == Role::Local || self.facts(*symbol).reach.branch_data);
        if self.place == Place::Global || is_of_branch {
            return Some(());
        }
        match meaningful.iter().find(|symbol| role(symbol) == Role::Global) {
            Some(global) => self.report_global_in_local(*global, lhs),
            None => self.report_whole_data(meaningful[0], lhs),
        }
        None
    }

    fn report_left(&mut self, lhs: ExprId) {
        let span = self.exprs[lhs].span;
        let text = self.text(span);
        self.diags
            .error(
                Code::SampleLeft,
                span,
                format!(
                    "`{text}` is neither an unknown nor a datum: it cannot have a distribution"
                ),
            )
            .help(
                "left of `~` stands an unknown of the block, a datum, or an expression of \
                 these; any other term is added by `target += normal_lpdf(… | …, …);`",
            );
    }

    pub(super) fn report_global_in_local(&mut self, global: SymbolId, lhs: ExprId) {
        let span = self.exprs[lhs].span;
        let (name, declared) = (self.symbols[global].name.clone(), self.symbols[global].span);
        self.diags
            .error(
                Code::GlobalInLocal,
                span,
                format!("`{name}` is shared by all branches, and `local` gives it a distribution"),
            )
            .label(declared, "declared in `global`")
            .help(
                "`local` runs for each branch, so this prior would count once per branch: \
                 move the statement to `global`",
            );
    }

    fn report_whole_data(&mut self, datum: SymbolId, lhs: ExprId) {
        if self.ast.data.branches.is_empty() {
            // It is whole data only because `branch` is missing, which has been reported.
            return;
        }
        let span = self.exprs[lhs].span;
        let (name, declared) = (self.symbols[datum].name.clone(), self.symbols[datum].span);
        self.diags
            .error(
                Code::WholeDataInLocal,
                span,
                format!(
                    "`{name}` belongs to the whole data set, and `local` gives it a distribution"
                ),
            )
            .label(declared, "declared outside `branch`")
            .help(
                "`local` runs for each branch, so this would count once per branch: move the \
                 statement to `global`, or declare the datum inside `branch`",
            );
    }

    /// An unknown that only has a distribution is not thereby read.
    pub(super) fn discount_read(&mut self, outcome: ExprId) {
        if let Some(symbol) = self.only_unknown(outcome) {
            let facts = self.facts_mut(symbol);
            facts.reads = facts.reads.saturating_sub(1);
        }
    }

    /// The unknown of an outcome that is made of nothing else but numbers.
    fn only_unknown(&self, outcome: ExprId) -> Option<SymbolId> {
        match self.outcome_symbols(outcome).as_slice() {
            [symbol] if self.is_unknown(*symbol) => Some(*symbol),
            _ => None,
        }
    }

    /// The same before a bar, where the outcome was read like any other argument.
    pub(super) fn mark_bar_outcome(&mut self, outcome: ExprId, span: Span) {
        self.discount_read(outcome);
        self.mark_density(outcome, span);
    }

    fn warn_nonlinear(&mut self, lhs: ExprId) {
        if !self.is_nonlinear(lhs) {
            return;
        }
        let span = self.exprs[lhs].span;
        let text = self.text(span);
        self.diags
            .warning(
                Code::NonlinearLeft,
                span,
                format!("`{text}` is not linear in the unknowns, and no Jacobian is added"),
            )
            .help(
                "give the unknown itself the distribution, such as `lognormal` for \
                 `log(x) ~ normal(…)`, or add the log Jacobian with `target +=`",
            );
    }

    pub(super) fn warn_jump(&mut self, term: ExprId) {
        let Some(jump) = self.find_jump(term) else { return };
        let span = self.exprs[jump].span;
        let text = self.text(span);
        self.diags
            .warning(
                Code::Discontinuous,
                span,
                format!("`{text}` jumps where an unknown moves, and has no gradient there"),
            )
            .help("use a smooth function such as `inv_logit`, or decide by data alone");
    }

    /// `target += value;`
    pub(super) fn check_target(&mut self, value: ast::ExprId, span: Span) -> Option<Statement> {
        if self.within.is_some() {
            self.report_in_function(span, "`target +=`");
            return None;
        }
        let statement = self.check_expr(value).and_then(|typed| self.finish_target(typed));
        if statement.is_none() {
            self.give_up_on(value);
        }
        statement
    }

    fn finish_target(&mut self, value: ExprId) -> Option<Statement> {
        self.warn_jump(value);
        if self.place == Place::Global {
            return Some(Statement::Target {
                value,
                part: Part::Global,
                rows: RowsOf::None,
                drawn: None,
            });
        }
        let reach = self.reach_around(self.reach(value));
        if reach.level.max(self.exprs[value].level) == Level::Whole {
            self.report_target(value);
            return None;
        }
        self.check_bar_outcomes(value)?;
        let part = if reach.branch_data { Part::Likelihood } else { Part::Prior };
        Some(Statement::Target { value, part, rows: RowsOf::None, drawn: None })
    }

    /// What a statement depends on: the loops and conditions that it stands under count too.
    fn reach_around(&self, reach: Reach) -> Reach {
        let loops = self.loops.iter().map(|symbol| self.facts(*symbol).reach);
        let conditions = self.conditions.iter().map(|condition| self.reach(*condition));
        loops.chain(conditions).fold(reach, Reach::join)
    }

    fn report_target(&mut self, value: ExprId) {
        let span = self.exprs[value].span;
        let text = self.text(span);
        self.diags
            .error(
                Code::TargetOfGlobals,
                span,
                format!("`{text}` depends on nothing of the branch"),
            )
            .help(
                "`local` runs for each branch, so this term would count once per branch: move \
                 it to `global`",
            );
    }

    /// A density of a global alone would count once per branch, whatever its arguments.
    fn check_bar_outcomes(&mut self, value: ExprId) -> Option<()> {
        for id in self.parts(value) {
            let own = self.inlined.get(&id).and_then(|inlined| inlined.outcome);
            let outcome = match &self.exprs[id].kind {
                ExprKind::LogDensity(_, args) => Some(args[0]),
                _ => own,
            };
            if let Some(outcome) = outcome {
                let symbols = self.outcome_symbols(outcome);
                let all_global = !symbols.is_empty()
                    && symbols.iter().all(|symbol| {
                        self.is_unknown(*symbol) && self.facts(*symbol).reach.role == Role::Global
                    });
                if all_global {
                    self.report_global_in_local(symbols[0], outcome);
                    return None;
                }
            }
        }
        Some(())
    }

    fn reads_branch_data(&self, lhs: ExprId) -> bool {
        let symbols = self.outcome_symbols(lhs);
        symbols.into_iter().any(|symbol| self.facts(symbol).reach.branch_data)
    }

    /// The rows that a likelihood term is of.
    pub(super) fn rows_of(&self, lhs: ExprId) -> RowsOf {
        match &self.exprs[lhs].kind {
            ExprKind::Slice(base, 0, from, length) if self.is_row_data(*base) => {
                return RowsOf::Slice(from.clone(), length.clone());
            }
            ExprKind::Gather(base, 0, numbers) if self.is_row_data(*base) => {
                return RowsOf::Many(*numbers);
            }
            _ => {}
        }
        if self.is_per_row(&self.exprs[lhs].ty) && self.is_row_data(lhs) {
            return RowsOf::All;
        }
        let mut row = None;
        for id in self.parts(lhs) {
            let index = match &self.exprs[id].kind {
                ExprKind::Index(base, indices) if self.is_row_data(*base) => indices[0],
                _ => continue,
            };
            match (row, index) {
                (None, Some(index)) => row = Some(index),
                (Some(row), Some(index)) if self.is_same_row(row, index) => {}
                _ => return RowsOf::None,
            }
        }
        row.map_or(RowsOf::None, RowsOf::One)
    }

    fn is_same_row(&self, left: ExprId, right: ExprId) -> bool {
        match (&self.exprs[left].kind, &self.exprs[right].kind) {
            (ExprKind::Int(a), ExprKind::Int(b)) => a == b,
            (ExprKind::Symbol(a), ExprKind::Symbol(b)) => a == b,
            _ => false,
        }
    }
}
