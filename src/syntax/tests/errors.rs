//! What the parser says about common slips.

use super::*;

/// A text, and of its one diagnostic the code, the text at its place, the message and the help.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[test]
fn slips_are_named_where_they_are_and_with_a_way_out() {
    for (text, code, place, message, help) in CASES {
        let (_, diagnostics) = parse_text(text);
        let source = Source::new("model.hbd", *text);
        assert_eq!(diagnostics.len(), 1, "{text}\n{diagnostics:#?}");
        let found = &diagnostics[0];
        assert_eq!(found.code.as_str(), *code, "{text}");
        assert_eq!(source.slice(found.span()), *place, "{text}");
        assert_eq!(found.message, *message, "{text}");
        assert_eq!(found.help.as_deref().unwrap_or(""), *help, "{text}");
    }
}

#[test]
fn a_missing_semicolon_is_shown_behind_the_statement() {
    let (_, diagnostics) = parse_text("global {\n  a = 1  // one\n  b = 2;\n}");
    assert_eq!(diagnostics[0].span(), crate::source::Span::new(16, 16));
}

#[test]
fn other_places_that_matter_are_labelled() {
    for (text, place) in [("global { x = f([1, 2)); }", 15), ("data { } data { }", 0)] {
        let (_, diagnostics) = parse_text(text);
        assert_eq!(diagnostics[0].labels[1].span.start, place, "{text}");
    }
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("global { real mu ~ normal(0, 1) }", "syntax", "", "expected `;` after this statement", ""),
    ("global { real mu ~ normal(0, 1)\n real b; }", "syntax", "", "expected `;` after this statement", ""),
    ("global { a = 1\n b = 2; }", "syntax", "", "expected `;` after this statement", ""),
    ("global { a <- 1; }", "syntax", "<-", "expected `=` or `~`, found `<-`", "`=` assigns, `~` gives a distribution"),
    ("global { real a <- 1; }", "syntax", "<", "expected `=`, `~` or `;`, found `<`", "assign with `=`"),
    ("global { a == 1; }", "syntax", "==", "expected `=` or `~`, found `==`", "`=` assigns, `~` gives a distribution"),
    ("global { real a == 1; }", "syntax", "==", "expected `=`, `~` or `;`, found `==`", "`=` gives a value, `==` compares"),
    ("global { real a = f(b = 1); }", "syntax", "=", "expected `,` or `)`, found `=`", "`==` compares, `=` gives a value"),
    ("global { target = 1; }", "syntax", "=", "expected `+=`, found `=`", "add to the log density: `target += …;`"),
    ("global { target ~ normal(0, 1); }", "syntax", "~", "expected `+=`, found `~`", "add to the log density: `target += …;`"),
    ("global { x = target + 1; }", "syntax", "target", "`target` can only be added to", "write `target += …;` as a statement of its own"),
    ("global { x = 1 + ; }", "syntax", ";", "expected an expression, found `;`", ""),
    ("global { x = (1 + 2; }", "syntax", ";", "expected `)`, found `;`", ""),
    ("global { x = [1, 2); }", "syntax", ")", "expected `]`, found `)`", ""),
    ("global { x = 1;", "syntax", "{", "the text ends before this `{` is closed", "close it with `}`"),
    ("global { x = f(1, 2", "syntax", "(", "the text ends before this `(` is closed", "close it with `)`"),
    ("global { mu normal(0, 1); }", "syntax", "normal", "expected `=` or `~`, found `normal`", ""),
    ("global { real y[5]; }", "syntax", "[", "expected `=`, `~` or `;`, found `[`", "sizes stand in the type: `vector[N] x` or `array[N] real x`"),
    ("global { vector[2 x; }", "syntax", "x", "expected `,` or `]`, found `x`", ""),
    ("global { real<lower=0 x; }", "syntax", "x", "expected `>`, found `x`", ""),
    ("global { real<low=0> x; }", "syntax", "low", "expected `lower` or `upper`, found `low`", ""),
    ("global { real data; }", "syntax", "data", "`data` is a word of the language and cannot be a name here", "choose another name; for a column called so write `NAME from \"…\"` in `data`"),
    ("global { real ; }", "syntax", ";", "expected a name, found `;`", ""),
    ("global { ; }", "syntax", ";", "expected a statement or `}`, found `;`", "remove this `;`"),
    ("global { 1 = 2; }", "syntax", "1", "only a name or an element of one can be assigned to", "write `name = …;` or `name[i] = …;`, or `~` to give it a distribution"),
    ("global { a + b = 2; }", "syntax", "a + b", "only a name or an element of one can be assigned to", "write `name = …;` or `name[i] = …;`, or `~` to give it a distribution"),
    ("global { real a = 1 ~ normal(0, 1); }", "syntax", "normal", "`a` has both a value and a distribution", "write `=` for a quantity computed from others, `~` for an unknown"),
    ("global { real<lower=0, lower=1> a; }", "syntax", "lower=1", "a second `lower` bound", ""),
    ("global { y ~ ; }", "syntax", ";", "expected a distribution, found `;`", ""),
    ("global { y ~ normal; }", "syntax", ";", "expected `(`, found `;`", ""),
    ("global { y ~ normal(0 1); }", "syntax", "1", "expected `,` or `)`, found `1`", ""),
    ("global { y = a b; }", "syntax", "b", "expected an operator or `;`, found `b`", ""),
    ("global { y = f(a, b | c); }", "syntax", "|", "expected `,` or `)`, found `|`", "a bar stands only behind the first argument of a call; logical or is `||`"),
    ("global { y = a | b; }", "syntax", "|", "expected an operator or `;`, found `|`", "a bar stands only behind the first argument of a call; logical or is `||`"),
    ("global { y = a & b; }", "syntax", "&", "`&` is not an operator", "logical and is `&&`"),
    ("global { for i in 1:2 x = 1; }", "syntax", "i", "expected `(`, found `i`", ""),
    ("global { for (i = 1:2) x = 1; }", "syntax", "=", "expected `in`, found `=`", ""),
    ("global { while (x > 0) y = 1; }", "not-yet", "while", "`while`, a loop without bounds, is not in this version of the language", "loop over a range: `for (n in 1:N)`"),
    ("global { corr_matrix[3] c; }", "not-yet", "corr_matrix", "`corr_matrix`, a constrained type, is not in this version of the language", "`cholesky_factor_corr[K]` with `lkj_corr_cholesky` says the same of its factor"),
    ("global { print(\"x\"); }", "not-yet", "print", "`print`, a trace statement, is not in this version of the language", "remove it"),
    ("local { real<offset=1> y; }", "not-yet", "offset", "`offset`, an affine transform of an unknown, is not in this version of the language", "leave it out; it changes how the model is fitted, not what it means"),
    ("data { int use from a; }", "syntax", "a", "expected `cols(…)` or a string, found `a`", ""),
    ("data { y ~ normal(0, 1); }", "syntax", "y", "expected a declaration, `}` or `branch`, found `y`", "`data` has declarations; distributions belong in `global` or `local`"),
    ("data { branch 1 { } }", "syntax", "1", "expected a column name or `{`, found `1`", ""),
    ("data { branch a, b { } }", "syntax", ",", "expected `{`, found `,`", ""),
    ("data { rows; }", "syntax", ";", "expected a name, found `;`", ""),
    ("data { rows N by; }", "syntax", ";", "expected a column name, found `;`", ""),
    ("data { real x }", "syntax", "", "expected `;` after this statement", ""),
    ("data { real x; } parameters { real y; }", "stan-block", "parameters", "there is no block `parameters`", "a model has the blocks `data`, `global` and `local`: declare unknowns of all branches in `global`, those of one branch in `local`"),
    ("transformed parameters { real y; }", "stan-block", "transformed parameters", "there is no block `transformed parameters`", "a model has the blocks `data`, `global` and `local`: declare the quantity with `=` in `global`, or in `local` when it is one branch's"),
    ("data { } transformed data { }", "stan-block", "transformed data", "there is no block `transformed data`", "a model has the blocks `data`, `global` and `local`: declare the quantity with `=` in `data`"),
    ("model { }", "stan-block", "model", "there is no block `model`", "a model has the blocks `data`, `global` and `local`: distributions of unknowns of all branches belong in `global`, those of one branch and its data in `local`"),
    ("generated quantities { }", "stan-block", "generated quantities", "there is no block `generated quantities`", "a model has the blocks `data`, `global` and `local`: declare the quantity with `=` in `global`, or in `local` when it is one branch's"),
    ("global { } data { }", "syntax", "data", "the `data` block stands too late", "a model has the blocks `data`, `global` and `local`, in this order"),
    ("data { } data { }", "syntax", "data", "a second `data` block", "a model has the blocks `data`, `global` and `local`, in this order"),
    ("local { } global { }", "syntax", "global", "the `global` block stands too late", "a model has the blocks `data`, `global` and `local`, in this order"),
    ("data { } }", "syntax", "}", "expected a block, found `}`", "a model has the blocks `data`, `global` and `local`, in this order"),
    ("x = 1;", "syntax", "x", "expected a block, found `x`", "a model has the blocks `data`, `global` and `local`, in this order"),
    ("data ", "syntax", "", "expected `{`, found the end of the text", ""),
    ("data { real größe; }", "syntax", "ö", "`ö` cannot stand in a name", "names are made of a to z, digits and `_`; bind a column of another name with `from \"…\"`"),
    ("data { real x from \"abc; }", "syntax", "\"abc; }", "this string does not end on its line", "close it with `\"`"),
    ("data { } # comment", "syntax", "#", "`#` has no meaning here", "a comment begins with `//`"),
    ("data { } /* comment", "syntax", "/* comment", "this comment does not end", "close it with `*/`"),
    ("data { real _x; }", "syntax", "_", "a name cannot begin with `_`", "begin it with a letter"),
    ("data { real\u{a0}x; }", "syntax", "\u{a0}", "a space of an unusual kind (U+00A0)", "write a plain space"),
    ("global { real x = 2y; }", "syntax", "y", "expected `~` or `;`, found `y`", "a product is written with `*`"),
    ("global { x += }", "syntax", "}", "expected an expression, found `}`", ""),
    ("global { x[1 = 2; }", "syntax", "=", "expected `,` or `]`, found `=`", "`==` compares, `=` gives a value"),
    ("global { x++; }", "syntax", ";", "expected an expression, found `;`", ""),
    ("global { real x = if; }", "syntax", "if", "`if` is a word of the language and cannot be a name here", "choose another name; for a column called so write `NAME from \"…\"` in `data`"),
    ("global { vector[] x; }", "syntax", "]", "expected an expression, found `]`", ""),
    ("global { factor = 1 +; }", "syntax", ";", "expected an expression, found `;`", ""),
    ("global { x = a ? b; }", "syntax", ";", "expected `:`, found `;`", ""),
    ("global { x = \"a\"; }", "syntax", "\"a\"", "expected an expression, found a string", ""),
    ("global { if x > 0 y = 1; }", "syntax", "x", "expected `(`, found `x`", ""),
    ("global { if (x y) z = 1; }", "syntax", "y", "expected `)`, found `y`", ""),
    ("global { if (x) }", "syntax", "}", "expected a statement, found `}`", ""),
    ("global { if (x) y = 1; z = 2; else y = 2; }", "syntax", "else", "expected a statement or `}`, found `else`", "`else` belongs behind the one statement of an `if`; several stand in a block `{ … }`, without `;` behind it"),
    ("global { if (x) { y = 1; }; else y = 2; }", "syntax", ";", "expected a statement or `}`, found `;`", "remove this `;`"),
    ("global { for (i in 1:) x = 1; }", "syntax", ")", "expected an expression, found `)`", ""),
    ("global { for (i in a b) x = 1; }", "syntax", "b", "expected `:` or `)`, found `b`", ""),
    ("global { break; }", "not-yet", "break", "`break`, a way out of a loop, is not in this version of the language", "put what is done only sometimes under an `if`"),
    ("global { increment_log_prob(x); }", "not-yet", "increment_log_prob", "`increment_log_prob`, an old form of Stan, is not in this version of the language", "add to the log density: `target += …;`"),
    ("global { lp__ = lp__ + 1; }", "syntax", "lp__", "`lp__` is not a quantity of the language", "add to the log density: `target += …;`"),
    ("global { lp__ <- lp__ + 1; }", "syntax", "<-", "expected `=` or `~`, found `<-`", "`=` assigns, `~` gives a distribution"),
    ("global { return; }", "syntax", ";", "expected an expression, found `;`", "a function gives a value: `return …;`"),
    ("global { real return; }", "syntax", "return", "`return` is a word of the language and cannot be a name here", "choose another name; for a column called so write `NAME from \"…\"` in `data`"),
    ("global { real simplex; }", "syntax", "simplex", "`simplex` is a word of the language and cannot be a name here", "choose another name; for a column called so write `NAME from \"…\"` in `data`"),
    ("global { unit_vector[3] u; }", "not-yet", "unit_vector", "`unit_vector`, a constrained type, is not in this version of the language", "divide a vector by its length: `v / sqrt(dot_self(v))` with `vector[K] v ~ std_normal();`"),
    ("global { complex z; }", "not-yet", "complex", "`complex`, a type of complex numbers, is not in this version of the language", "declare the real and the imaginary part"),
    ("global { tuple(int, real) z; }", "not-yet", "tuple", "`tuple`, a value of several parts, is not in this version of the language", "declare each part by a name of its own"),
    ("data { sum_to_zero_vector[3] z; }", "not-yet", "sum_to_zero_vector", "`sum_to_zero_vector`, a constrained type, is not in this version of the language", "declare one element less and append the rest: `append_row(b, -sum(b))`"),
    ("global { x = (1, 2); }", "syntax", ",", "expected `)`, found `,`", "brackets hold one value: `[a, b]` is a row vector, `{a, b}` an array"),
    ("global { x = t.a.b; }", "syntax", ".", "expected an operator or `;`, found `.`", "a point stands only between a table and its column: `movies.year`"),
    ("global { x = t.; }", "syntax", ";", "expected a name, found `;`", ""),
    ("global { x = f(1).a; }", "syntax", ".", "expected an operator or `;`, found `.`", "a point stands only between a table and its column: `movies.year`"),
    ("global { t.x = 1; }", "syntax", "t.x", "only a name or an element of one can be assigned to", "write `name = …;` or `name[i] = …;`, or `~` to give it a distribution"),
    ("local { y ~ normal(0, 1) T[0, ]; }", "not-yet", "T", "truncation of a distribution, `T[,]`, is not in this version of the language", "leave it out where its limits and the arguments are constant; elsewhere write the density less the mass that is kept, in place of `~`: `target += normal_lpdf(z | mu, tau) - normal_lccdf(a | mu, tau);`"),
    ("data { real y[N]; }", "syntax", "[", "expected `=`, `;`, `from` or `missing`, found `[`", "sizes stand in the type: `vector[N] x` or `array[N] real x`"),
    ("data { factor a, b; }", "syntax", ",", "expected `;`, `from` or `levels(…)`, found `,`", "each factor is written on its own: `factor a; factor b;`"),
    ("data { factor a from b; }", "syntax", "b", "expected `(` or a string, found `b`", ""),
    ("data { factor a levels(1); }", "syntax", "1", "expected a string, found `1`", ""),
    ("data { factor a levels(); }", "syntax", ")", "expected a string, found `)`", ""),
    ("data { factor a = 1; }", "syntax", "=", "expected `;`, `from` or `levels(…)`, found `=`", ""),
    ("data { branch b { factor a; } }", "syntax", "factor", "a factor does not stand inside `branch`", "write it in `data`, before `branch`"),
    ("data { branch b { table t by k { } } }", "syntax", "table", "a table does not stand inside `branch`", "write it in `data`, before `branch`"),
    ("data { table t by k { rows N; } }", "syntax", "rows", "`rows` does not stand inside `table`", "a table has one row for each key, so that its columns need no size: `real x;`"),
    ("data { table t by k { branch b { } } }", "syntax", "branch", "`branch` does not stand inside `table`", "write it in `data`, behind the table"),
    ("data { table t { } }", "syntax", "{", "expected `by`, found `{`", ""),
    ("data { table t by (a, b) { } }", "syntax", "(", "expected a name, found `(`", ""),
    ("data { int use from (\"a\", \"b\"); }", "syntax", "(", "expected `cols(…)` or a string, found `(`", "`from cols(\"a\", \"b\")` gathers columns; `factor` numbers their combinations"),
    ("data { int use from \"a\" == 1; }", "syntax", "1", "expected a string, found `1`", ""),
    ("data { int use from \"a\" = \"Y\"; }", "syntax", "\"Y\"", "expected an expression, found a string", ""),
    ("data { real x missing missing; }", "syntax", "missing", "expected `=`, `;` or `from`, found `missing`", ""),
    ("data { branch a { index(f)[N] x; } }", "syntax", "[", "expected a name, found `[`", "several such numbers are an array: `array[N] index(items) x`"),
    ("data { branch a { array[N] index x; } }", "syntax", "x", "expected `(`, found `x`", ""),
    ("data { branch a { array[N] index(1) x; } }", "syntax", "1", "expected a name, found `1`", ""),
    ("functions { real f(vector[N] x) { } }", "syntax", "[", "expected a name, found `[`", "arguments have types without sizes and bounds: `vector x`, `array[] int k`"),
    ("functions { real f(real<lower=0> x) { } }", "syntax", "<", "expected a name, found `<`", "arguments have types without sizes and bounds: `vector x`, `array[] int k`"),
    ("functions { real f(array[3] int x) { } }", "syntax", "3", "expected `,` or `]`, found `3`", "arguments have types without sizes and bounds: `vector x`, `array[] int k`"),
    ("functions { real f(int x[]) { } }", "syntax", "[", "expected `,` or `)`, found `[`", "arguments have types without sizes and bounds: `vector x`, `array[] int k`"),
    ("functions { real f(data real x) { } }", "syntax", "data", "expected a type or `)`, found `data`", "arguments are written without `data`: a function may be given anything"),
    ("functions { real f(x) { } }", "syntax", "x", "expected a type or `)`, found `x`", ""),
    ("functions { real f(simplex x) { } }", "syntax", "simplex", "expected a type or `)`, found `simplex`", ""),
    ("functions { void f(real x) { } }", "not-yet", "void", "`void`, a function without a value, is not in this version of the language", "write the type of the value that it returns"),
    ("functions { real f(real x); }", "syntax", ";", "expected `{`, found `;`", ""),
    ("functions { f(real x) { } }", "syntax", "f", "expected a type or `}`, found `f`", ""),
    ("functions { real x = 1; }", "syntax", "=", "expected `(`, found `=`", ""),
    ("functions { real f(real x) { return x } }", "syntax", "", "expected `;` after this statement", ""),
    ("data { } functions { }", "syntax", "functions", "the `functions` block stands too late", "a model has the blocks `functions`, `data`, `global` and `local`, in this order"),
    ("functions { } functions { }", "syntax", "functions", "a second `functions` block", "a model has the blocks `functions`, `data`, `global` and `local`, in this order"),
    ("int<lower=0> N; data { }", "syntax", "int", "expected a block, found `int`", "data are declared in `data { … }`, unknowns in `global { … }` or `local { … }`"),
];
