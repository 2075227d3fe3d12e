//! Which blocks and `branch` sections a file must have.

use super::Checker;
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::BranchSection;

impl Checker<'_> {
    /// `data` with one `branch`, `global` and `local`: each must be there, and once.
    pub(super) fn check_blocks(&mut self) {
        let ast = self.ast;
        let end = self.source.text().len();
        let blocks = [
            ("data", ast.data.span, "what is known, with a `branch` section for the groups"),
            ("global", ast.global.span, "the unknowns that all branches share"),
            ("local", ast.local.span, "the unknowns and the data of one branch"),
        ];
        for (name, span, purpose) in blocks {
            if span.is_none() {
                self.names.set_incomplete();
                let message = format!("there is no `{name}` block");
                let help = format!("every model has `{name} {{ … }}`: {purpose}");
                self.diags.error(Code::MissingBlock, Span::new(end, end), message).help(help);
            }
        }
        if let Some(span) = ast.data.span {
            self.check_branch_sections(span, &ast.data.branches);
        }
    }

    fn check_branch_sections(&mut self, data: Span, branches: &[BranchSection]) {
        let Some(first) = branches.first() else {
            self.names.set_incomplete();
            self.diags.error(Code::NoBranch, data, "`data` has no `branch` section").help(
                "say which column names the branch and what its data are: \
                     `branch school { real y; }`; `branch { … }` makes every row a branch",
            );
            return;
        };
        for second in &branches[1..] {
            self.names.set_incomplete();
            self.diags
                .error(Code::SecondBranch, second.span, "a model has one `branch` section")
                .label(first.span, "the first one is here")
                .help(
                    "keep as branch the grouping with most groups and make the other a factor: \
                     `factor item;` in `data`, `array[N] index(item) item;` in `branch`, and \
                     `vector[size(item)] b ~ normal(0, tau);` in `global`, used as `b[item]`",
                );
        }
        for branch in branches {
            for nested in &branch.nested {
                self.names.set_incomplete();
                self.diags
                    .error(Code::NestedBranch, *nested, "a `branch` cannot hold another")
                    .label(branch.span, "inside this one")
                    .help(
                        "keep one of them as branch and make the other a factor: `factor item;` \
                         in `data`, `array[N] index(item) item;` in `branch`, and \
                         `vector[size(item)] b ~ normal(0, tau);` in `global`, used as `b[item]`; \
                         or name both in a compound key, `branch (a, b)`",
                    );
            }
        }
    }
}
