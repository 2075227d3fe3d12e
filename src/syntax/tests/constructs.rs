//! The tree of each construct, written out by hand, and the places that it keeps.

use super::*;

/// The shapes of the statements of a `global` block.
fn statements(text: &str) -> Vec<String> {
    let ast = parse_good(&format!("global {{ {text} }}"));
    ast.global.statements.iter().map(|statement| statement_shape(&ast, statement)).collect()
}

/// The one statement of a `global` block.
fn statement(text: &str) -> String {
    let mut all = statements(text);
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0)
}

fn items(text: &str) -> Vec<String> {
    let ast = parse_good(&format!("data {{ {text} }}"));
    ast.data.whole.iter().map(|item| item_shape(&ast, item)).collect()
}

#[test]
fn an_else_belongs_to_the_nearest_if() {
    let (x, y) = ("x [] None 1", "y [] None 2");
    for (text, shape) in [
        ("if (a) x = 1;", format!("if a <{x}> <>")),
        ("if (a) x = 1; else y = 2;", format!("if a <{x}> <{y}>")),
        ("if (a) if (b) x = 1; else y = 2;", format!("if a <if b <{x}> <{y}>> <>")),
        ("if (a) if (b) x = 1; else y = 2; else x = 1;", {
            format!("if a <if b <{x}> <{y}>> <{x}>")
        }),
        ("if (a) x = 1; else if (b) y = 2; else x = 1;", {
            format!("if a <{x}> <if b <{y}> <{x}>>")
        }),
        ("if (a) for (i in c) if (b) x = 1; else y = 2;", {
            format!("if a <each i c <if b <{x}> <{y}>>> <>")
        }),
    ] {
        assert_eq!(statement(text), shape, "{text}");
    }
    let blocks = statement("if (a) { if (b) x = 1; } else { y = 2; }");
    assert_eq!(blocks, format!("if a <{:?}> <{:?}>", [format!("if b <{x}> <>")], [y]));
}

#[test]
fn a_loop_runs_over_a_range_or_a_container() {
    assert_eq!(statement("for (i in 1:n) x = 1;"), "for i 1 n x [] None 1");
    assert_eq!(statement("for (i in a?b:c) x = 1;"), "each i (a?b:c) <x [] None 1>");
    assert_eq!(statement("for (i in a[1:2]) x = 1;"), "each i (a[1:2]) <x [] None 1>");
    assert_eq!(statement("for (in in in) x = 1;"), "each in in <x [] None 1>");
}

#[test]
fn types_keep_what_is_written() {
    for (text, shape) in [
        ("simplex[K] s;", "[] Simplex [] [] [] [\"K\"] s [] None"),
        ("ordered[K] s;", "[] Ordered [] [] [] [\"K\"] s [] None"),
        ("positive_ordered[K] s;", "[] PositiveOrdered [] [] [] [\"K\"] s [] None"),
        ("cov_matrix[K] s;", "[] CovMatrix [] [] [] [\"K\"] s [] None"),
        ("index(f) s;", "[] Index [\"f\"] [] [] [] s [] None"),
        ("array[2] index(index) s;", "[\"2\"] Index [\"index\"] [] [] [] s [] None"),
    ] {
        assert_eq!(statement(text), shape);
    }
}

#[test]
fn words_are_names_where_nothing_else_is_expected() {
    let words = "rows by from cols column levels missing table factor index functions branch in \
                 lower upper size ordered_logistic if_else returned corr_matrix";
    for word in words.split_whitespace() {
        let text = format!(
            "functions {{ real {word}(real {word}) {{ return {word}; }} }}
             data {{
               int {word}; vector[{word}] {word} from \"c\" missing, {word} missing;
               factor {word} levels(\"a\"); factor {word} from \"c\"; factor {word};
               table {word} by {word} {{ real {word}; array[2] index({word}) {word}; }}
               branch {word} {{ rows {word} by {word}; rows {word}; real {word} missing; }}
               branch ({word}, {word}) {{ }}
             }}
             global {{
               real {word}; real<lower={word}> {word} = {word}; index({word}) {word} = 1;
               {word} ~ {word}({word}({word} | {word}), {word}.{word}[{word}]);
               {word} = {word} + {word}; {word}[1] += {word}({word}); {word} .*= {word}';
               for ({word} in {word}) if ({word}) {word} = 1; else {word} = 2;
               target += {word}({word});
             }}"
        );
        let tree = parse_good(&text);
        let printed = print(&tree);
        assert_eq!(tree_shape(&tree), tree_shape(&parse_good(&printed)), "{word}");
    }
}

#[test]
fn data_items_keep_what_is_written() {
    for (text, shape) in [
        ("factor f;", "factor f [] None"),
        ("factor f from \"c\";", "factor f [\"c\"] None"),
        ("factor f from (\"a\", \"b\");", "factor f [\"a\", \"b\"] None"),
        ("factor f from (\"a\") levels(\"1\");", "factor f [\"a\"] Some([\"1\"])"),
        ("factor f levels(\"n\", \"y\");", "factor f [] Some([\"n\", \"y\"])"),
        ("table t by k { }", "table t k []"),
        ("real x missing;", "[] Real [] [] [] [] x [] true []"),
        (
            "real x from \"a\" missing = 1;",
            "[] Real [] [] [] [] x [\"column\", \"a\"] true [\"1\"]",
        ),
        ("real x missing from \"a\";", "[] Real [] [] [] [] x [\"column\", \"a\"] true []"),
        ("int x from \"a\" == \"b\";", "[] Int [] [] [] [] x [\"equals\", \"a\", \"b\"] false []"),
    ] {
        assert_eq!(items(text), [shape], "{text}");
    }
    let table = items("table t by k { real x, y; index(u) z; }");
    assert!(table[0].contains(" x ") && table[0].contains(" y ") && table[0].contains("Index"));
}

#[test]
fn functions_keep_what_is_written() {
    let text = "functions { array[,] real f(real x, array[] int k, vector v) { return x; } }";
    let ast = parse_good(text);
    assert_eq!(function_shape(&ast, &ast.functions.functions[0]), {
        "2 Real f [\"0 Real x\", \"1 Int k\", \"0 Vector v\"] [\"return x\"]"
    });
    let source = Source::new("m", text);
    let function = &ast.functions.functions[0];
    assert_eq!(source.slice(ast.functions.span.expect("it stands there")), "functions");
    assert_eq!(source.slice(function.result.span), "array[,] real");
    assert_eq!(source.slice(function.params[1].ty.span), "array[] int");
    assert!(parse_good("functions { }").functions.functions.is_empty());
}

#[test]
fn spans_cover_what_was_written() {
    let text = "data { factor f from \"c\"; table t by k { } real x missing; }
                global { if (a) x = 1; else y = 2; x = t . c [1]; index(f) k; return 1; }";
    let source = Source::new("m", text);
    let ast = parse_good(text);
    let mut spans = Vec::new();
    for item in &ast.data.whole {
        spans.push(source.slice(match item {
            DataItem::Factor(factor) => factor.span,
            DataItem::Table(table) => table.name.span,
            DataItem::Declare(datum) => datum.missing.expect("it stands there"),
            DataItem::Rows { span, .. } => *span,
        }));
    }
    assert_eq!(spans, ["factor f from \"c\";", "t", "missing"]);
    let statements = &ast.global.statements;
    let whole: Vec<&str> = statements.iter().map(|s| source.slice(s.span)).collect();
    assert_eq!(whole, ["if (a) x = 1; else y = 2;", "x = t . c [1];", "index(f) k;", "return 1;"]);
    let StatementKind::Declare(declaration) = &statements[2].kind else {
        panic!("{:?}", statements[2]);
    };
    assert_eq!(source.slice(declaration.ty.span), "index(f)");
    let members: Vec<&str> = ast
        .exprs
        .iter()
        .filter(|(_, expr)| matches!(expr.kind, ExprKind::Member { .. }))
        .map(|(_, expr)| source.slice(expr.span))
        .collect();
    assert_eq!(members, ["t . c"]);
}

#[test]
fn statements_print_as_they_are_read_best() {
    let text = "functions{real f(vector x,array[,]int k){return 1;}}
        data{factor f from(\"a\",\"b\")levels(\"c\");table t by k{real x from\"u\"==\"v\"missing;}}
        global{if(a){x=1;}else if(b)x=2;else{x=3;}if(a)x=1;else x=2;for(i in t.x)index(f)j;}";
    let printed = "functions {
  real f(vector x, array[,] int k) {
    return 1;
  }
}
data {
  factor f from (\"a\", \"b\") levels(\"c\");
  table t by k {
    real x from \"u\" == \"v\" missing;
  }
}
global {
  if (a) {
    x = 1;
  } else if (b) x = 2;
  else {
    x = 3;
  }
  if (a) x = 1;
  else x = 2;
  for (i in t.x) index(f) j;
}
";
    assert_eq!(print(&parse_good(text)), printed);
}

/// Random nests of statements, with and without brackets around their bodies.
#[test]
fn printed_statements_have_the_same_tree() {
    let mut random = Random(11);
    for _ in 0..500 {
        let text = format!("local {{ {} }}", random_statement(&mut random, 6));
        let tree = parse_good(&text);
        let printed = print(&tree);
        let again = parse_good(&printed);
        assert_eq!(tree_shape(&tree), tree_shape(&again), "{text}\n{printed}");
        assert_eq!(printed, print(&again), "{text}");
    }
}

/// A statement; before an `else` stands a block, so that the `else` is not taken by an inner `if`.
fn random_statement(random: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return ["x = {1};", "{ }", "y ~ f({a}[1]);", "real a, b;"][random.below(4)].to_string();
    }
    let mut inner = || random_statement(random, depth - 1);
    let (a, b) = (inner(), inner());
    match random.below(7) {
        0 => format!("if (t.x > {{1}}[1]) {a}"),
        1 => format!("if (a) {{ {a} }} else {b}"),
        2 => format!("if (a) x = 1; else if (b) {a}"),
        3 => format!("for (i in {{1, 2}}) {a}"),
        4 => format!("for (i in 1:n) {{ {a} {b} }}"),
        5 => format!("if (a) for (i in c) {{ {a} }} else {b}"),
        _ => format!("{{ {a} return x; }}"),
    }
}

/// What is counted on tokens is never less than the depth of the tree, which later walks follow.
#[test]
fn the_count_of_nests_bounds_the_depth_of_the_tree() {
    for body in ["x = 1;", "x = {1};", "{ }", "{ x = {1}; }", "{1}[1] ~ f();", "{ {1} ~ f(); }"] {
        for head in ["if (a) BODY else ", "if (a) for (i in c) BODY else ", "for (i in {1}) "] {
            let chain = head.replace("BODY", body).repeat(300);
            let text = format!("global {{ {chain} x = 1; }}");
            let (_, diagnostics) = parse_text(&text);
            assert_eq!(diagnostics.len(), 1, "{head} {body}");
            assert_eq!(diagnostics[0].code, Code::Nesting, "{head} {body}");
        }
        // Statements behind each other do not nest.
        let flat = format!("if (a) {body} else for (i in c) {body} if (a) {body} ").repeat(300);
        parse_good(&format!("global {{ {flat} }}"));
    }
}
