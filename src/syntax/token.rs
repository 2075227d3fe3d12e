//! The tokens of a model text: every byte belongs to exactly one, spaces and comments included.
//!
//! The grammar in `grammar/hbd.pest` decides what a model is. Tokens serve what happens around
//! it: lexical errors, the limit on nesting, the words of a syntax error, `// allow:` comments,
//! and later formatting and highlighting. A test holds the two definitions together.

use logos::Logos;

use crate::source::Span;

/// What a token is.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq)]
#[logos(error = Fault)]
pub enum TokenKind {
    /// Spaces, tabs and line ends.
    #[regex(r"[ \t\r\n]+")]
    Whitespace,
    /// `// …` up to the end of the line.
    #[regex(r"//[^\n]*", allow_greedy = true)]
    LineComment,
    /// `/* … */`.
    #[token("/*", block_comment)]
    BlockComment,
    /// A name or a word of the language.
    #[regex(r"[A-Za-z][A-Za-z0-9_]*")]
    Word,
    /// Digits.
    #[regex(r"[0-9](_*[0-9])*")]
    Integer,
    /// A number with a point or an exponent.
    #[regex(r"[0-9](_*[0-9])*\.([0-9](_*[0-9])*)?([eE][+-]?[0-9](_*[0-9])*)?")]
    #[regex(r"[0-9](_*[0-9])*[eE][+-]?[0-9](_*[0-9])*")]
    #[regex(r"\.[0-9](_*[0-9])*([eE][+-]?[0-9](_*[0-9])*)?")]
    Real,
    /// A string in quotes.
    #[regex(r#""[^"\r\n]*""#)]
    Text,
    /// `(`
    #[token("(")]
    OpenParen,
    /// `)`
    #[token(")")]
    CloseParen,
    /// `[`
    #[token("[")]
    OpenBracket,
    /// `]`
    #[token("]")]
    CloseBracket,
    /// `{`
    #[token("{")]
    OpenBrace,
    /// `}`
    #[token("}")]
    CloseBrace,
    /// `;`
    #[token(";")]
    Semicolon,
    /// `,`
    #[token(",")]
    Comma,
    /// `:`
    #[token(":")]
    Colon,
    /// `?`
    #[token("?")]
    Question,
    /// `|`
    #[token("|")]
    Bar,
    /// `~`
    #[token("~")]
    Tilde,
    /// `.` between a table and its column.
    #[token(".")]
    Dot,
    /// `=`, `+=` and their friends.
    #[regex(r"=|\+=|-=|\*=|/=|\.\*=|\./=")]
    Assign,
    /// Operators of expressions.
    #[regex(r"\|\||&&|==|!=|<|<=|>|>=|\+|-|\*|/|%|\.\*|\./|%/%|\^|\.\^|!|'")]
    Operator,
    /// A byte-order mark at the start of the text.
    ByteOrderMark,
    /// `"…` up to the end of the line without a closing quote.
    #[regex(r#""[^"\r\n]*"#)]
    OpenText,
    /// `/* …` up to the end of the text.
    OpenComment,
    /// A character that begins no token.
    Stray,
}

impl TokenKind {
    /// Whether the grammar skips it.
    pub fn is_trivia(self) -> bool {
        use TokenKind::*;
        matches!(self, Whitespace | LineComment | BlockComment | ByteOrderMark)
    }

    /// Whether no text with such a token is a model.
    pub fn is_fault(self) -> bool {
        matches!(self, TokenKind::OpenText | TokenKind::OpenComment | TokenKind::Stray)
    }
}

/// Why the lexer found no token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// A character that begins no token.
    #[default]
    Stray,
    /// A block comment that does not end.
    OpenComment,
}

/// Takes in the rest of a block comment.
fn block_comment(lexer: &mut logos::Lexer<TokenKind>) -> Result<(), Fault> {
    let rest = lexer.remainder();
    match rest.find("*/") {
        Some(at) => {
            lexer.bump(at + 2);
            Ok(())
        }
        None => {
            lexer.bump(rest.len());
            Err(Fault::OpenComment)
        }
    }
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its bytes.
    pub span: Span,
}

/// All tokens of `text`, in order and without gaps.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (kind, range) in TokenKind::lexer(text).spanned() {
        let is_mark = range.start == 0 && text[range.clone()] == *"\u{FEFF}";
        let kind = match kind {
            Ok(kind) => kind,
            Err(Fault::Stray) if is_mark => TokenKind::ByteOrderMark,
            Err(Fault::Stray) => TokenKind::Stray,
            Err(Fault::OpenComment) => TokenKind::OpenComment,
        };
        tokens.push(Token { kind, span: Span::new(range.start, range.end) });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(TokenKind, &str)> {
        let show =
            |token: Token| (token.kind, &text[token.span.start as usize..token.span.end as usize]);
        tokens(text).into_iter().map(show).filter(|(k, _)| *k != TokenKind::Whitespace).collect()
    }

    #[test]
    fn numbers_and_dots_split_as_in_stan() {
        use TokenKind::*;
        assert_eq!(kinds("1.*x"), [(Real, "1."), (Operator, "*"), (Word, "x")]);
        assert_eq!(kinds("x.*.5"), [(Word, "x"), (Operator, ".*"), (Real, ".5")]);
        assert_eq!(kinds("1e"), [(Integer, "1"), (Word, "e")]);
        assert_eq!(kinds("1e-3 2"), [(Real, "1e-3"), (Integer, "2")]);
        assert_eq!(kinds("1_000.5_0"), [(Real, "1_000.5_0")]);
        assert_eq!(kinds("a.b"), [(Word, "a"), (Dot, "."), (Word, "b")]);
    }

    #[test]
    fn what_does_not_end_is_one_faulty_token() {
        use TokenKind::*;
        assert_eq!(kinds("/* a"), [(OpenComment, "/* a")]);
        assert_eq!(kinds("/**/ /***/"), [(BlockComment, "/**/"), (BlockComment, "/***/")]);
        assert_eq!(kinds("\"a\nb"), [(OpenText, "\"a"), (Word, "b")]);
        assert_eq!(kinds("\u{FEFF}a\u{FEFF}").len(), 3);
        assert_eq!(kinds("a & b")[1], (Stray, "&"));
    }

    #[test]
    fn tokens_cover_every_byte() {
        let text = "data { é \u{202e} \"x\" /* y */ 1..2 %/ %/% _a \0 }";
        let mut end = 0;
        for token in tokens(text) {
            assert_eq!(token.span.start, end);
            end = token.span.end;
        }
        assert_eq!(end as usize, text.len());
    }
}
