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
    ("global { for (i in 1) x = 1; }", "not-yet", "for", "a loop over a container is not in this version of the language", "loop over positions: `for (n in 1:N)`"),
    ("global { for i in 1:2 x = 1; }", "syntax", "i", "expected `(`, found `i`", ""),
    ("global { for (i in xs) x = 1; }", "not-yet", "for", "a loop over a container is not in this version of the language", "loop over positions: `for (n in 1:N)`"),
    ("global { for (i = 1:2) x = 1; }", "syntax", "=", "expected `in`, found `=`", ""),
    ("global { if (x > 0) y = 1; }", "not-yet", "if", "`if`, a conditional statement, is not in this version of the language", "a comparison is 0 or 1: weigh what each case adds, as in `target += (y > 0) * a + (y <= 0) * b;`"),
    ("global { x = 1; else y = 1; }", "not-yet", "else", "`else`, a conditional statement, is not in this version of the language", "a comparison is 0 or 1: weigh what each case adds, as in `target += (y > 0) * a + (y <= 0) * b;`"),
    ("global { while (x > 0) y = 1; }", "not-yet", "while", "`while`, a loop without bounds, is not in this version of the language", "loop over a range: `for (n in 1:N)`"),
    ("global { simplex[3] theta; }", "not-yet", "simplex", "`simplex`, a constrained type, is not in this version of the language", ""),
    ("global { ordered[3] c ~ normal(0, 1); }", "not-yet", "ordered", "`ordered`, a constrained type, is not in this version of the language", ""),
    ("global { corr_matrix[3] c; }", "not-yet", "corr_matrix", "`corr_matrix`, a constrained type, is not in this version of the language", "`cholesky_factor_corr[K]` with `lkj_corr_cholesky` says the same of its factor"),
    ("global { array[2] simplex[3] c; }", "not-yet", "simplex", "`simplex`, a constrained type, is not in this version of the language", ""),
    ("global { print(\"x\"); }", "not-yet", "print", "`print`, a trace statement, is not in this version of the language", "remove it"),
    ("local { y ~ normal(0, 1) T[0, ]; }", "not-yet", "T", "truncation of a distribution, `T[,]`, is not in this version of the language", ""),
    ("local { real<offset=1> y; }", "not-yet", "offset", "`offset`, an affine transform of an unknown, is not in this version of the language", "leave it out; it changes how the model is fitted, not what it means"),
    ("local { y ~ normal(movies.x[1], 1); }", "not-yet", ".", "a column of a table is not in this version of the language", "join its columns to the rows in the data"),
    ("functions { }", "not-yet", "functions", "`functions`, the block of user functions, is not in this version of the language", "write the expression out"),
    ("data { factor item from \"item\"; }", "not-yet", "factor", "`factor`, the numbering of a column's values, is not in this version of the language", "number the column 1 to K in the data, and declare `int` K outside `branch`"),
    ("data { factor item; }", "not-yet", "factor", "`factor`, the numbering of a column's values, is not in this version of the language", "number the column 1 to K in the data, and declare `int` K outside `branch`"),
    ("data { table movies by id { } }", "not-yet", "table", "`table`, a second, keyed file, is not in this version of the language", "join its columns to the rows in the data"),
    ("data { branch a { array[N] index(items) i; } }", "not-yet", "index", "`index`, the type of a factor's or a table's number, is not in this version of the language", "declare `array[N] int<lower=1, upper=K>`"),
    ("data { branch a { vector[N] maths missing; } }", "not-yet", "missing", "`missing`, a column with empty cells, is not in this version of the language", "drop the rows that lack it"),
    ("data { int use from \"use\" == \"Y\"; }", "not-yet", "==", "a test for one value of a column, `from … == …`, is not in this version of the language", "make a column of zeros and ones in the data"),
    ("data { int use from (\"a\", \"b\"); }", "not-yet", "(", "a factor from several columns is not in this version of the language", ""),
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
    ("global { return x; }", "syntax", "x", "expected `=` or `~`, found `x`", ""),
    ("global { factor = 1 +; }", "syntax", ";", "expected an expression, found `;`", ""),
    ("global { x = a ? b; }", "syntax", ";", "expected `:`, found `;`", ""),
    ("global { x = \"a\"; }", "syntax", "\"a\"", "expected an expression, found a string", ""),
];
