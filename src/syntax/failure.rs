//! The place where the grammar found no way on, and the tokens around it.

use super::grammar::Rule;
use super::token::{Token, TokenKind};
use crate::source::{Source, Span};

/// A place where the grammar found no way on.
pub(super) struct Failure<'a> {
    pub(super) source: &'a Source,
    /// All tokens but spaces and comments.
    pub(super) tokens: Vec<Token>,
    /// The token that does not fit; one past the last token at the end of the text.
    pub(super) found: usize,
    pub(super) expected: &'a [Rule],
    /// Brackets that are open there, outermost first, as positions in `tokens`.
    pub(super) open: Vec<usize>,
}

impl<'a> Failure<'a> {
    pub(super) fn new(
        source: &'a Source,
        tokens: &[Token],
        at: usize,
        expected: &'a [Rule],
    ) -> Failure<'a> {
        let tokens: Vec<Token> = tokens.iter().filter(|t| !t.kind.is_trivia()).copied().collect();
        let found = tokens.partition_point(|token| token.span.end as usize <= at);
        let mut open = Vec::new();
        for (position, token) in tokens[..found].iter().enumerate() {
            match token.kind {
                TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => {
                    open.push(position);
                }
                TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace => {
                    open.pop();
                }
                _ => {}
            }
        }
        Failure { source, tokens, found, expected, open }
    }

    /// The text of a token, empty beyond the last.
    pub(super) fn text(&self, position: usize) -> &str {
        self.tokens.get(position).map_or("", |token| self.source.slice(token.span))
    }

    pub(super) fn kind(&self, position: usize) -> Option<TokenKind> {
        self.tokens.get(position).map(|token| token.kind)
    }

    pub(super) fn expects(&self, rule: Rule) -> bool {
        self.expected.contains(&rule)
    }

    /// The word before the innermost open bracket: `for` in the header of a loop.
    pub(super) fn opener(&self) -> Option<&str> {
        self.open.last()?.checked_sub(1).map(|before| self.text(before))
    }

    /// The place of the token that does not fit, empty at the end of the text.
    pub(super) fn span(&self) -> Span {
        match self.tokens.get(self.found) {
            Some(token) => token.span,
            None => self.end_of_previous(),
        }
    }

    /// The empty place behind the token before.
    pub(super) fn end_of_previous(&self) -> Span {
        let end = self.tokens[..self.found].last().map_or(0, |token| token.span.end);
        Span { start: end, end }
    }

    /// The first token of the statement in which the text failed.
    pub(super) fn statement_start(&self) -> usize {
        let mut depth = 0_usize;
        for (position, token) in self.tokens[..self.found].iter().enumerate().rev() {
            match token.kind {
                TokenKind::CloseParen | TokenKind::CloseBracket => depth += 1,
                TokenKind::OpenParen | TokenKind::OpenBracket => depth = depth.saturating_sub(1),
                TokenKind::Semicolon | TokenKind::OpenBrace | TokenKind::CloseBrace
                    if depth == 0 =>
                {
                    return position + 1;
                }
                _ => {}
            }
        }
        0
    }

    /// Whether `<-` stands there, as two tokens.
    pub(super) fn is_arrow(&self, at: usize) -> bool {
        self.text(at) == "<" && self.text(at + 1) == "-" && self.touches_next(at)
    }

    /// Whether nothing lies between a token and the next.
    pub(super) fn touches_next(&self, at: usize) -> bool {
        let next = self.tokens.get(at + 1);
        next.is_some_and(|next| next.span.start == self.tokens[at].span.end)
    }

    pub(super) fn depth_at(&self, position: usize) -> usize {
        let count = |kind| self.tokens[..position].iter().filter(|t| t.kind == kind).count();
        count(TokenKind::OpenBrace).saturating_sub(count(TokenKind::CloseBrace))
    }

    pub(super) fn previous_text(&self) -> &str {
        self.found.checked_sub(1).map_or("", |before| self.text(before))
    }

    /// Whether the innermost open bracket holds a list, so that a comma may come too.
    pub(super) fn is_in_list(&self) -> bool {
        let Some(&opener) = self.open.last() else {
            return false;
        };
        let before = opener.checked_sub(1);
        let after_name = before.is_some_and(|at| self.kind(at) == Some(TokenKind::Word));
        let is_statement_word = matches!(self.opener(), Some("for" | "if" | "return"));
        self.text(opener) != "(" || (after_name && !is_statement_word)
    }
}
