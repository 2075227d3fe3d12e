//! Texts that are meant to do harm: an answer or a diagnostic, soon, on a small stack.

use super::*;

/// The stack of an ordinary thread.
const STACK: usize = 2 << 20;

/// How long this thread has run, waiting not counted, where the system tells.
fn time_of_thread() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// Parses and prints on a small stack; gives the first diagnostic's code, if any.
fn survive(name: &str, text: String) -> Option<Code> {
    let thread = std::thread::Builder::new().stack_size(STACK);
    let run = move || {
        let (ast, diagnostics) = parse_text(&text);
        assert!(diagnostics.iter().all(|d| d.span().end as usize <= text.len()));
        if diagnostics.is_empty() {
            print(&ast);
        }
        crate::diagnostic::render(&diagnostics, &Source::new("model.hbd", text), false);
        (diagnostics.first().map(|first| first.code), time_of_thread())
    };
    let (code, time) = thread.spawn(run).expect("a thread starts").join().expect(name);
    if let Some(time) = time {
        assert!(time < Duration::from_secs(3), "{name} took {time:?}");
    }
    code
}

fn in_target(expr: String) -> String {
    format!("global {{ target += {expr}; }}")
}

fn nested(open: &str, depth: usize, middle: &str, close: &str) -> String {
    format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
}

/// Nests of each kind, as whole models of depth `depth` inside a block.
fn nests(depth: usize) -> Vec<(&'static str, String)> {
    let expr = |open: &str, close: &str| in_target(nested(open, depth, "1", close));
    let statement =
        |open: &str, close: &str| format!("global {{ {} }}", nested(open, depth, "a = 1;", close));
    vec![
        ("(", expr("(", ")")),
        ("-(", expr("-(", ")")),
        ("1+(", expr("1+(", ")")),
        ("[", expr("[", "]")),
        ("{", expr("{", "}")),
        ("a[", expr("a[", "]")),
        ("a[b:", expr("a[b:", "]")),
        ("f(", expr("f(", ")")),
        ("f(a|", expr("f(a|", ")")),
        ("?", expr("a?", ":1")),
        ("{ }", statement("{", "}")),
        ("for", statement("for (i in 1:2) ", "")),
        ("if", statement("if (a) ", "")),
        ("if else", statement("if (a) ", "else b = 1;")),
        ("else if", statement("if (a) b = {1}; else ", "")),
        ("else if {", {
            // The last body nests two deeper than the chain.
            let chain = "if (a) { {b}[1] ~ f(); } else ".repeat(depth - 2);
            format!("global {{ {chain} a = 1; }}")
        }),
        ("else for", {
            let chain = "if (a) b = 1; else for (i in c) ".repeat(depth / 2);
            format!("global {{ {chain} a = 1; }}")
        }),
        ("functions", {
            let body = nested("if (a) {", depth / 2, "return 1;", "}");
            format!("functions {{ real f() {{ {body} }} }}")
        }),
        ("branch", format!("data {{ {} }}", nested("branch {", depth, "", "}"))),
        ("array", format!("global {{ array[{}] real x; }}", nested("(", depth, "1", ")"))),
        ("bound", format!("global {{ real<lower={}> x; }}", nested("(", depth, "1", ")"))),
    ]
}

#[test]
fn the_deepest_nests_fit_a_small_stack() {
    // The block, and the bracket of `array[`, count too.
    for (name, text) in nests(254) {
        assert_eq!(survive(name, text), None, "{name}");
    }
}

#[test]
fn nested_tables_fit_a_small_stack() {
    let text = |depth| format!("data {{ {} }}", nested("table a by b {", depth, "", "}"));
    // The grammar follows them; the tree has no place for a table in another.
    assert_eq!(survive("tables", text(254)), Some(Code::Syntax));
    assert_eq!(survive("tables", text(257)), Some(Code::Nesting));
}

#[test]
fn deeper_nests_are_refused() {
    for depth in [257, 20_000] {
        for (name, text) in nests(depth) {
            assert_eq!(survive(name, text), Some(Code::Nesting), "{name} {depth}");
        }
    }
    for open in ["(", "{", "[", "a[", "f(", "for ", "a ? ", "if ", "else ", "t."] {
        let code = survive(open, in_target(open.repeat(1_000_000 / open.len())));
        assert!(code.is_some(), "{open}");
    }
}

#[test]
fn mixed_nests_fit_a_small_stack() {
    let loops = "for (i in 1:2) {".repeat(100);
    let text = format!(
        "global {{ {loops} x[{}] = 1; {} }}",
        nested("f(-[a?{", 13, "1", "}:2])"),
        "}".repeat(100)
    );
    assert_eq!(survive("mixed", text), None);
}

#[test]
fn long_chains_are_no_nests() {
    let n = 500_000;
    for (name, text) in [
        ("1+", "1+".repeat(n) + "1"),
        ("x^", "x^".repeat(n) + "1"),
        ("x-", "x-".repeat(n) + "1"),
        ("-", "-".repeat(2 * n) + "1"),
        ("- ", "- ".repeat(n) + "1"),
        ("!", "!".repeat(100_000) + "1"),
        ("'", "x".to_string() + &"'".repeat(2 * n)),
        ("[]", "x".to_string() + &"[]".repeat(n)),
        (",", format!("x[{}]", ",".repeat(2 * n))),
        ("?:", "a?b:".repeat(n / 2) + "c"),
        ("1,", format!("[{}1]", "1,".repeat(n))),
        ("f()", "f()+".repeat(n / 2) + "1"),
    ] {
        assert_eq!(survive(name, in_target(text)), None, "{name}");
    }
    for (name, text) in [
        ("{}", format!("global {{ {} }}", "{}".repeat(n))),
        ("a=1;", format!("global {{ {} }}", "a=1;".repeat(n / 2))),
        ("real x;", format!("global {{ {} }}", "real x;".repeat(n / 4))),
        ("a,", format!("global {{ real {}a; }}", "a,".repeat(n))),
        ("if", format!("global {{ {} }}", "if(a)b=1;else{}".repeat(n / 9))),
        ("array[,", format!("functions {{ array[{}] int f() {{}} }}", ",".repeat(2 * n))),
        ("int a,", format!("functions {{ int f({}int a) {{}} }}", "int a,".repeat(n / 4))),
        ("levels", format!("data {{ factor f levels({}\"a\"); }}", "\"\",".repeat(n / 2))),
        ("factor", format!("data {{ {} }}", "factor f;".repeat(n / 5))),
        ("t.x", format!("global {{ x = {}1; }}", "t.x+".repeat(n / 2))),
        ("branch{}", format!("data {{ {} }}", "branch{}".repeat(n / 4))),
    ] {
        assert_eq!(survive(name, text), None, "{name}");
    }
}

#[test]
fn one_huge_token_or_a_broken_one_is_answered() {
    let n = 1_000_000;
    for (name, text) in [
        ("spaces", " ".repeat(n)),
        ("line comment", "//".repeat(n / 2)),
        ("block comment", format!("/*{}*/", "*".repeat(n))),
        ("empty comments", "/**/".repeat(n / 4)),
        ("name", format!("global {{ real {}; }}", "a".repeat(n))),
        ("real", in_target("1".repeat(100) + "." + &"1".repeat(n))),
        ("underscores", in_target("0.".to_string() + &"1_".repeat(n / 2) + "1")),
        ("string", format!("data {{ real x from \"{}\"; }}", "a".repeat(n))),
    ] {
        assert_eq!(survive(name, text), None, "{name}");
    }
    for (name, text) in [
        ("digits", in_target("1".repeat(n))),
        ("exponent", in_target("1e".to_string() + &"9".repeat(n))),
        ("open string", format!("data {{ real x from \"{}", "a".repeat(n))),
        ("open comment", format!("/*{}", "*".repeat(n))),
        ("open comments", "/*".repeat(n / 2)),
        ("NUL", "\0".repeat(n)),
        ("strays", "é".repeat(n / 2)),
        ("scattered strays", "é ".repeat(n / 3)),
        ("unclosed", "global { target += ((1".to_string()),
        ("names", "a ".repeat(n / 2)),
        ("dots", ".".repeat(n)),
        ("closers", ")".repeat(n)),
        ("semicolons", format!("global {{ {}", ";".repeat(n))),
        ("missing semicolon", in_target("1+".repeat(n / 2) + "1 2")),
        ("assigned to a chain", format!("global {{ {}1 = 2; }}", "1+".repeat(n / 2))),
        ("mark inside", "data {\u{FEFF}}".to_string()),
        ("bidi in a comment", "// \u{202E}\ndata {}".to_string()),
        ("bidi in a string", "data { real x from \"\u{2066}\"; }".to_string()),
    ] {
        assert_eq!(survive(name, text), Some(Code::Syntax), "{name}");
    }
    assert_eq!(survive("too long", " ".repeat((1 << 20) + 1)), Some(Code::FileSize));
    assert_eq!(survive("just short enough", " ".repeat(1 << 20)), None);
}

/// Texts one edit or more away from a model: an answer, and drawn diagnostics, without a panic.
#[test]
fn damaged_models_are_answered() {
    let mut random = Random(1);
    let pieces = [
        "if",
        "else",
        "return",
        "factor",
        "table",
        "missing",
        "index(",
        ".",
        "functions",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ";",
        "~",
        "=",
        "for",
        "data",
        "\"",
        "é",
        "?",
        ":",
    ];
    for round in 0..2000 {
        let mut bytes = MODELS[round % MODELS.len()].as_bytes().to_vec();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, bytes[at]),
                2 => bytes[at] = random.below(128) as u8,
                _ => {
                    let piece = pieces[random.below(pieces.len())];
                    bytes.splice(at..at, piece.bytes());
                }
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (ast, diagnostics) = parse_text(&text);
        let source = Source::new("model.hbd", text.as_str());
        if diagnostics.is_empty() {
            let printed = print(&ast);
            assert_eq!(tree_shape(&ast), tree_shape(&parse_good(&printed)), "{text}\n{printed}");
        } else {
            assert!(!crate::diagnostic::render(&diagnostics, &source, false).is_empty());
        }
    }
}
