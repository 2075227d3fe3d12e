//! What went wrong with a model, as data. Drawing carets is left to `render`.

mod code;
mod render;

pub use code::Code;
pub use render::{render, to_json};

use crate::source::Span;

/// Whether a model can be used in spite of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The model has no meaning.
    Error,
    /// The model has a meaning that its author may not have wanted.
    Warning,
}

/// A remark on a place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The remark.
    pub text: String,
}

/// One thing that is wrong: what, where, why and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable name.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in the author's names.
    pub message: String,
    /// Where: the first is the primary place (its text may be empty).
    pub labels: Vec<Label>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Adds a remark on another place that matters.
    pub fn label(&mut self, span: Span, text: impl Into<String>) -> &mut Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Sets the remark at the primary place.
    pub fn primary(&mut self, text: impl Into<String>) -> &mut Self {
        self.labels[0].text = text.into();
        self
    }

    /// Says what to write instead.
    pub fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help = Some(text.into());
        self
    }

    /// The primary place.
    pub fn span(&self) -> Span {
        self.labels[0].span
    }
}

/// What one stage or run has found so far.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Reports an error at `span`.
    pub fn error(&mut self, code: Code, span: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Severity::Error, code, span, message.into())
    }

    /// Reports a warning at `span`.
    pub fn warning(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Severity::Warning, code, span, message.into())
    }

    fn push(
        &mut self,
        severity: Severity,
        code: Code,
        span: Span,
        message: String,
    ) -> &mut Diagnostic {
        let labels = vec![Label { span, text: String::new() }];
        self.items.push(Diagnostic { code, severity, message, labels, help: None });
        self.items.last_mut().expect("one was just pushed")
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether an error is among those found since there were `first`.
    pub fn has_errors_since(&self, first: usize) -> bool {
        self.items[first..].iter().any(|item| item.severity == Severity::Error)
    }

    /// Takes away those found since there were `first`.
    pub fn take_since(&mut self, first: usize) -> Vec<Diagnostic> {
        self.items.split_off(first)
    }

    /// Puts one back, or adds one that is complete.
    pub fn push_again(&mut self, item: Diagnostic) {
        self.items.push(item);
    }

    /// Adds those of another list behind these.
    pub fn append(&mut self, mut other: Diagnostics) {
        self.items.append(&mut other.items);
    }

    /// Whether an error is among them.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|item| item.severity == Severity::Error)
    }

    /// All of them, in order of discovery.
    #[cfg(test)]
    pub fn items(&self) -> &[Diagnostic] {
        &self.items
    }

    /// Keeps those that `keep` accepts.
    pub fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.items.retain(keep);
    }

    /// All of them, in order of place.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.items.sort_by_key(|item| item.span());
        self.items
    }
}
