//! What is decided on tokens, before the grammar sees the text: characters that have no place
//! in a model, nesting that later walks could not follow, and `// allow:` comments.

use super::ast::Allow;
use super::token::{Token, TokenKind};
use crate::diagnostic::{Code, Diagnostics};
use crate::source::{Source, Span};

/// How deep brackets, `? :` inside `?`, and statements under `for`, `if` and `else` may nest, all
/// counted together. Each link of an `else if` chain is one step deeper, as it is in the tree.
pub(super) const MAX_NESTING: usize = 256;

/// So many lexical errors are reported; more would only repeat them.
const MAX_LEXICAL_ERRORS: usize = 10;

/// Reports characters and tokens that no model has.
pub(super) fn check_lexical(source: &Source, tokens: &[Token], diagnostics: &mut Diagnostics) {
    let mut places = hidden_characters(source.text());
    let mut previous_end = None;
    for token in tokens.iter().filter(|token| token.kind.is_fault()) {
        // Of a run of strays, such as one word in another script, the first is reported.
        let goes_on = token.kind == TokenKind::Stray && previous_end == Some(token.span.start);
        previous_end = Some(token.span.end);
        if !goes_on && !places.iter().any(|(span, _)| span.start == token.span.start) {
            places.push((token.span, describe_fault(source.slice(token.span), token.kind)));
        }
        if places.len() >= 2 * MAX_LEXICAL_ERRORS {
            break;
        }
    }
    places.sort_by_key(|(span, _)| *span);
    for (span, (message, help)) in places.into_iter().take(MAX_LEXICAL_ERRORS) {
        let error = diagnostics.error(Code::Syntax, span, message);
        if !help.is_empty() {
            error.help(help);
        }
    }
}

type Fault = (String, &'static str);

/// NUL and marks that change the direction of text, also in comments and strings, where they
/// could show a reader another program than the one that is compiled.
fn hidden_characters(text: &str) -> Vec<(Span, Fault)> {
    let is_hidden = |c: char| {
        c == '\0'
            || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}')
            || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    let hidden = text.char_indices().filter(|(_, c)| is_hidden(*c)).take(MAX_LEXICAL_ERRORS);
    let describe = |(at, c): (usize, char)| {
        let what = match c {
            '\0' => "a NUL byte".to_string(),
            _ => format!("an invisible mark that turns the direction of text (U+{:04X})", c as u32),
        };
        (Span::new(at, at + c.len_utf8()), (what, "remove it"))
    };
    hidden.map(describe).collect()
}

fn describe_fault(text: &str, kind: TokenKind) -> Fault {
    let message = |text: &str| text.to_string();
    match (kind, text.chars().next().unwrap_or(' ')) {
        (TokenKind::OpenText, _) => {
            (message("this string does not end on its line"), "close it with `\"`")
        }
        (TokenKind::OpenComment, _) => (message("this comment does not end"), "close it with `*/`"),
        (_, '&') => (message("`&` is not an operator"), "logical and is `&&`"),
        (_, '#') => (message("`#` has no meaning here"), "a comment begins with `//`"),
        (_, '_') => (message("a name cannot begin with `_`"), "begin it with a letter"),
        (_, '\\') => (message("`\\` is not an operator"), ""),
        (_, '\u{FEFF}') => {
            (message("a byte-order mark inside the text"), "it may only be the first character")
        }
        (_, c) if c.is_whitespace() => {
            (format!("a space of an unusual kind (U+{:04X})", c as u32), "write a plain space")
        }
        (_, '‘' | '’' | '“' | '”') => {
            (format!("`{text}` is not a quotation mark of the language"), "write `\"`")
        }
        (_, c) if c.is_control() => {
            (format!("a control character (U+{:04X})", c as u32), "remove it")
        }
        (_, c) if c.is_alphabetic() => (
            format!("`{c}` cannot stand in a name"),
            "names are made of a to z, digits and `_`; bind a column of another name with \
             `from \"…\"`",
        ),
        (_, c) => (format!("`{c}` has no meaning here"), ""),
    }
}

/// Refuses text that nests deeper than [`MAX_NESTING`].
pub(super) fn check_nesting(source: &Source, tokens: &[Token], diagnostics: &mut Diagnostics) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = tokens.iter().filter(|token| !token.kind.is_trivia()).peekable();
    while let Some(token) = rest.next() {
        let text = source.slice(token.span);
        match text {
            "(" | "[" | "{" | "?" | "for" | "if" => open.push(text),
            ":" if open.last() == Some(&"?") => drop(open.pop()),
            ")" | "]" | "}" | ";" => {
                close_bracket(&mut open, text);
                let next = rest.peek();
                if text == ";" || (text == "}" && next.is_none_or(|next| !goes_on(next.kind))) {
                    end_statement(&mut open, next.map_or("", |next| source.slice(next.span)));
                }
            }
            _ => {}
        }
        if open.len() > MAX_NESTING {
            let message = format!("nested more than {MAX_NESTING} deep");
            let help = "name the inner parts in declarations of their own";
            diagnostics.error(Code::Nesting, token.span, message).help(help);
            return;
        }
    }
}

/// Whether a token before which `}` stands shows that the bracket closed an array, and not a
/// statement.
fn goes_on(next: TokenKind) -> bool {
    use TokenKind::*;
    matches!(
        next,
        OpenBracket
            | CloseParen
            | CloseBracket
            | Semicolon
            | Comma
            | Colon
            | Question
            | Bar
            | Tilde
            | Assign
            | Operator
    )
}

/// Takes off the stack what a closing bracket ends. What does not match is left to the grammar,
/// which stops there.
fn close_bracket(open: &mut Vec<&str>, closer: &str) {
    pop_while(open, &["?"]);
    let opener = match closer {
        ")" => "(",
        "]" => "[",
        "}" => "{",
        _ => return,
    };
    if open.last() == Some(&opener) {
        open.pop();
    }
}

/// Takes off the stack the loops and conditions whose body ends here, up to the `if` to which an
/// `else` belongs.
fn end_statement(open: &mut Vec<&str>, next: &str) {
    if next != "else" {
        return pop_while(open, &["for", "if", "else"]);
    }
    pop_while(open, &["for", "else"]);
    if let Some(last @ &mut "if") = open.last_mut() {
        *last = "else";
    }
}

fn pop_while(open: &mut Vec<&str>, words: &[&str]) {
    while open.last().is_some_and(|last| words.contains(last)) {
        open.pop();
    }
}

/// The codes named in `// allow: CODE, CODE` comments.
pub(super) fn allows(source: &Source, tokens: &[Token]) -> Vec<Allow> {
    let first = tokens.iter().position(|token| !token.kind.is_trivia()).unwrap_or(tokens.len());
    let mut allows = Vec::new();
    for (position, token) in tokens.iter().enumerate() {
        if token.kind == TokenKind::LineComment {
            read_allow(source.slice(token.span), token.span, position < first, &mut allows);
        }
    }
    allows
}

fn read_allow(comment: &str, place: Span, whole_file: bool, allows: &mut Vec<Allow>) {
    let Some(codes) = comment[2..].trim_start().strip_prefix("allow:") else {
        return;
    };
    let is_separator = |c: char| c == ',' || c.is_whitespace();
    let start = comment.len() - codes.len();
    let mut at = 0;
    for code in codes.split(is_separator) {
        if !code.is_empty() {
            let from = place.start as usize + start + at;
            let span = Span::new(from, from + code.len());
            allows.push(Allow { code: code.to_string(), span, whole_file });
        }
        at += code.len();
        at += codes[at..].chars().next().map_or(0, char::len_utf8);
    }
}
