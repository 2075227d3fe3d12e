//! Columns with empty cells (rule 14): outcomes leave them out, `observed(x)` tells which are
//! there, and any other read is noted, to be an error where cells are empty indeed.

use super::Checker;
use super::typed::{Expr, ExprId, ExprKind, SymbolId, SymbolKind};
use crate::builtin::Distribution;
use crate::diagnostic::Code;
use crate::schema::Origin;
use crate::source::Span;
use crate::syntax::ast::{self, Ident};

impl Checker<'_> {
    /// Whether a call is `observed(x)`.
    pub(super) fn is_observed_call(&self, name: &Ident) -> bool {
        name.name == "observed" && self.functions.position("observed").is_none()
    }

    /// `observed(x)`: 1 for each cell of a column that has a value, else 0.
    pub(super) fn check_observed(
        &mut self,
        name: &Ident,
        args: &[ast::ExprId],
        span: Span,
    ) -> Option<ExprId> {
        let ast = self.ast;
        let column = match args {
            [arg] => match &ast.exprs[*arg].kind {
                ast::ExprKind::Name(column) => Some((column, ast.exprs[*arg].span)),
                _ => None,
            },
            _ => None,
        };
        let Some((column, column_span)) = column else {
            let message = "`observed` takes the name of a column whose cells may be empty";
            let help = "for one cell write `observed(x)[n]`";
            self.diags.error(Code::Missing, span, message).help(help);
            args.iter().for_each(|arg| self.give_up_on(*arg));
            return None;
        };
        let n_reads = self.missing_reads.len();
        let symbol = self.resolve(column, column_span)?;
        self.missing_reads.truncate(n_reads);
        match self.hidden_of(symbol) {
            Some(hidden) => Some(self.symbol_expr(hidden, span)),
            None => {
                let declared = self.symbols[symbol].span;
                let message = format!("no cell of `{column}` may be empty");
                self.diags
                    .error(Code::Missing, column_span, message)
                    .primary("always there")
                    .label(declared, "declared here")
                    .help(format!(
                        "`{}` is about columns declared `missing`: `vector[N] {column} missing;`",
                        name.name
                    ));
                None
            }
        }
    }

    /// The datum that tells which cells of another have a value.
    fn hidden_of(&self, symbol: SymbolId) -> Option<SymbolId> {
        let datum = self.missing_datum(symbol)?;
        let is_hidden = |id: &SymbolId| match self.symbols[*id].kind {
            SymbolKind::Datum(k) => self.schema.data[k].origin == Origin::Observed(datum),
            _ => false,
        };
        self.symbols.ids().find(is_hidden)
    }

    /// The place in the schema of a datum whose cells may be empty.
    fn missing_datum(&self, symbol: SymbolId) -> Option<usize> {
        match self.symbols[symbol].kind {
            SymbolKind::Datum(datum) if self.schema.data[datum].may_be_missing => Some(datum),
            _ => None,
        }
    }

    /// Notes a read of such a datum.
    pub(super) fn note_missing_read(&mut self, symbol: SymbolId, span: Span) {
        if let Some(datum) = self.missing_datum(symbol) {
            self.missing_reads.push((datum, span));
        }
    }

    /// Takes back that the arguments of `size` were read.
    pub(super) fn forget_missing_reads(&mut self, args: &[ExprId]) {
        if !self.missing_reads.is_empty() {
            let spans: Vec<Span> = args.iter().map(|arg| self.exprs[*arg].span).collect();
            self.missing_reads.retain(|(_, read)| {
                !spans.iter().any(|span| span.start <= read.start && read.end <= span.end)
            });
        }
    }

    /// For the left side of `~`: where its elements are there, if cells may be empty.
    /// `None` on an error.
    pub(super) fn observed_of(
        &mut self,
        lhs: ExprId,
        distribution: &Distribution,
    ) -> Option<Option<ExprId>> {
        let is_missing = |id: &ExprId| {
            self.named_symbol(*id).is_some_and(|symbol| self.missing_datum(symbol).is_some())
        };
        if !self.parts(lhs).iter().any(is_missing) {
            return Some(None);
        }
        if distribution.outcome.rank() > 0 {
            self.report_of_several(lhs, distribution);
            return None;
        }
        let dims = self.exprs[lhs].ty.dims();
        let mut found = Vec::new();
        let mut rest = vec![lhs];
        while let Some(id) = rest.pop() {
            match &self.exprs[id].kind {
                ExprKind::Unary(_, operand) => rest.push(*operand),
                ExprKind::Binary(_, left, right) => rest.extend([*left, *right]),
                ExprKind::Call(_, args) => rest.extend(args),
                _ if self.base_symbol(id).is_some_and(|s| self.missing_datum(s).is_some()) => {
                    found.push(id);
                }
                _ => {}
            }
        }
        match found.as_slice() {
            [one] if self.exprs[*one].ty.dims() == dims => Some(Some(self.mirrored(*one)?)),
            _ => {
                let span = self.exprs[lhs].span;
                let text = self.text(span);
                let message = format!("it cannot be seen which elements of `{text}` are there");
                self.diags.error(Code::Missing, span, message).help(
                    "left of `~` stands one column declared `missing`, an element or slice of \
                     it, or an expression that has one element for each of its own",
                );
                None
            }
        }
    }

    /// A density of several elements at once has no term for those that are there.
    fn report_of_several(&mut self, lhs: ExprId, distribution: &Distribution) {
        let span = self.exprs[lhs].span;
        let (text, name) = (self.text(span), distribution.name);
        let message =
            format!("cells of `{text}` may be empty, and `{name}` is of all its elements");
        self.diags.error(Code::Missing, span, message).help(
            "one number of it says nothing of how likely the others are: use a distribution of \
             single numbers, or drop rows with empty cells, `--na drop`",
        );
    }

    /// The same element or slice of the datum that tells which cells have a value.
    fn mirrored(&mut self, expr: ExprId) -> Option<ExprId> {
        let mut chain = Vec::new();
        let mut at = expr;
        while let ExprKind::Index(base, _)
        | ExprKind::Slice(base, ..)
        | ExprKind::Gather(base, ..) = self.exprs[at].kind
        {
            chain.push(at);
            at = base;
        }
        let hidden = self.hidden_of(self.named_symbol(at)?)?;
        let mut mirrored = self.symbol_expr(hidden, self.exprs[at].span);
        let element = self.exprs[mirrored].ty.element;
        for id in chain.into_iter().rev() {
            let Expr { mut kind, mut ty, level, role, span } = self.exprs[id].clone();
            if let ExprKind::Index(base, _)
            | ExprKind::Slice(base, ..)
            | ExprKind::Gather(base, ..) = &mut kind
            {
                *base = mirrored;
            }
            ty.element = element;
            mirrored = self.add_expr(Expr { kind, ty, level, role, span });
        }
        Some(mirrored)
    }
}
