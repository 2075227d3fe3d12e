//! Laws of the parser and the printer, over the models of the language's description, written
//! forms with all brackets, and texts that are meant to do harm.

use std::time::Duration;

use pest::Parser;

use super::ast::*;
use super::grammar::{Grammar, Rule};
use super::token::tokens;
use super::{parse, print};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::Source;

mod constructs;
mod errors;
mod harm;

const MODELS: [&str; 6] =
    [EIGHT_SCHOOLS, RADON, RATINGS, ITEM_RESPONSE, CAPTURE_RECAPTURE, EVERYTHING];

const EIGHT_SCHOOLS: &str = "
data {
  branch school {                 // the column that names the branch
    real y;
    real<lower=0> sigma;
  }
}
global {
  real mu ~ normal(0, 5);
  real<lower=0> tau ~ cauchy(0, 5);
}
local {
  real theta ~ normal(mu, tau);
  y ~ normal(theta, sigma);
}
";

const RADON: &str = "
data {
  real u_bar = mean(column(log_uranium));   // evaluated once, when the data are loaded
  branch county {
    rows N;                                 // houses of this county; a different N in each
    vector[N] log_radon;                    // one value per row
    vector[N] floor;
    real log_uranium;                       // one value per branch
  }
}
global {
  vector[2] mu ~ normal(0, 10);
  real gamma ~ normal(0, 10);
  vector<lower=0>[2] tau ~ normal(0, 1);
  cholesky_factor_corr[2] L ~ lkj_corr_cholesky(2);
  real<lower=0> sigma ~ normal(0, 1);
  real rho = L[2, 1];                       // derived: reported with the draws
}
local {
  vector[2] b ~ multi_normal_cholesky(mu, diag_pre_multiply(tau, L));
  log_radon ~ normal(b[1] + gamma * (log_uranium - u_bar) + b[2] * floor, sigma);
}
";

const RATINGS: &str = "
data {
  table movies by movie_id {
    row_vector[10] feature from cols(\"pc*\");
  }
  branch user_id {
    rows N;
    array[N] index(movies) movie_id;        // looked up in the table's key
    array[N] int<lower=0, upper=1> liked;
  }
}
global {
  vector[10] mu ~ normal(0, 1);
  vector<lower=0>[10] tau ~ normal(0, 1);
  cholesky_factor_corr[10] L ~ lkj_corr_cholesky(2);
  matrix[10, 10] S = diag_pre_multiply(tau, L);   // once per draw of θ, not once per user
}
local {
  vector[10] z ~ multi_normal_cholesky(mu, S);
  liked ~ bernoulli_logit(movies.feature[movie_id] * z);   // matrix[N,10] times vector[10]
}
";

const ITEM_RESPONSE: &str = "
data { factor item;
       branch person { rows N; array[N] index(item) item; array[N] int<lower=0,upper=1> correct; } }
global { real mu_b ~ normal(0, 5); real<lower=0> s_b ~ cauchy(0, 2);
         vector[size(item)] b ~ normal(mu_b, s_b);
         vector<lower=0>[size(item)] a ~ lognormal(0, 0.5); }
local  { real theta ~ std_normal(); correct ~ bernoulli_logit(a[item] .* (theta - b[item])); }
";

const CAPTURE_RECAPTURE: &str = "
data { int T = 5; branch animal { int<lower=0,upper=T> y; } }
global { real<lower=0,upper=1> omega; real<lower=0,upper=1> p; real<lower=0> s ~ normal(0, 1.5); }
local  { real eps ~ normal(logit(p), s);
         if (y > 0) target += log(omega) + binomial_logit_lpmf(y | T, eps);
         else target += log_mix(omega, binomial_logit_lpmf(0 | T, eps), 0); }
";

/// Every construct of the grammar.
const EVERYTHING: &str = r#"// allow: flat-prior, unused
functions {
  real f(real x, array[] int k, vector v) { real s = 0; for (i in k) s += i; return s + x; }
  array[,,] row_vector index() { if (a) return 1; else if (b) { return 2; } else return 3; }
  matrix my_lpdf(array[,] matrix levels) { }
}
data {
  factor item; factor items from "item"; factor from from ("a", "b") levels("x", "y z");
  table movies by movie_id {
    row_vector[10] feature from cols("pc*");
    real year missing; int<lower=0> use from "use" == "Y";
  }
  int T = 5; int K, M;
  matrix[N, K] X from cols("pc*", "a b") = standardize(X);
  branch (user, day) {
    rows N = 4 by (day, hour);
    rows M by rows;
    array[N, K] int<lower=0, upper=size - 1> cases from "odd name";
    row_vector<upper=(a > b)>[N] by;
    array[N, 2] index(movies) movie_id; index(index) table;
    vector[N] maths missing from "m" = 1; vector[N] missing from "m" missing, factor missing;
    vector[N] rows; real size; real from from "cols"; int index, branch;
  }
}
global {
  real a, b ~ normal(0, 1);
  real c = 1, d ~ std_normal();
  array[2, 3] vector<lower=-1, upper=1>[4] e; /* nothing */
  { real t = 0; t += 1; t -= 2; t *= 3; t /= 4; v .*= u; v ./= u; e[1, 2][3] = t; }
  for (i in 1:K) for (j in lower:upper) { m[i, j] = m[:, j]' * m[i, ]; }
  for (i in x ? 1 : 2:3) real p, q;
  simplex[3] s; ordered[2] o; array[2] positive_ordered[2] po; cov_matrix[2] index;
  for (x in {1, 2}) if (x > 0) if (y) a = 1; else b += size(item); else real p, q;
  if (a == b) { if (c) d = {1}; } else if (d) e[1] = movies.feature[index(item)]' * x.y.*z; else { }
  target += -lgamma(a | b, c) + f(a |) + f();
}
local {
  (r + 1) / 2 ~ normal([[1, 2], [3, 4]] * {1.5, .5, 2., 1e-3, 1_000}', a ? b : c ? d : e);
  w[][:][1:][:2][1:2] ~ normal(-a ^ -b %/% c .^ d, !a == b && c || d != e); // allow: x
}
"#;

fn parse_text(text: &str) -> (Ast, Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::default();
    let ast = parse(&Source::new("model.hbd", text), &mut diagnostics);
    (ast, diagnostics.items().to_vec())
}

fn parse_good(text: &str) -> Ast {
    let (ast, diagnostics) = parse_text(text);
    assert!(diagnostics.is_empty(), "{text}\n{diagnostics:#?}");
    ast
}

/// The tree of one expression with every bracket written, which no printer of ours wrote.
fn shape(ast: &Ast, id: ExprId) -> String {
    let go = |id: ExprId| shape(ast, id);
    let list = |ids: &[ExprId]| ids.iter().map(|id| go(*id)).collect::<Vec<_>>().join(",");
    match &ast.exprs[id].kind {
        ExprKind::Int(value) => value.to_string(),
        ExprKind::Real(value) => format!("{value:e}"),
        ExprKind::Name(name) => name.clone(),
        ExprKind::Member { table, column } => format!("({}.{})", table.name, column.name),
        ExprKind::Unary(op, a) => format!("({}{})", op.symbol(), go(*a)),
        ExprKind::Binary(op, a, b) => format!("({}{}{})", go(*a), op.symbol(), go(*b)),
        ExprKind::Transpose(a) => format!("({}')", go(*a)),
        ExprKind::Conditional(a, b, c) => format!("({}?{}:{})", go(*a), go(*b), go(*c)),
        ExprKind::Call { name, args, bar } => format!("{}{}<{}>", name.name, bar, list(args)),
        ExprKind::Index { base, subscripts } => {
            format!("({}[{}])", go(*base), subscripts_shape(ast, subscripts))
        }
        ExprKind::RowVector(elements) => format!("[{}]", list(elements)),
        ExprKind::Array(elements) => format!("{{{}}}", list(elements)),
    }
}

fn subscripts_shape(ast: &Ast, subscripts: &[Subscript]) -> String {
    let part = |id: &Option<ExprId>| id.map_or(String::new(), |id| shape(ast, id));
    let one = |subscript: &Subscript| match subscript {
        Subscript::At(at) => shape(ast, *at),
        Subscript::Range(from, to) => format!("{}:{}", part(from), part(to)),
    };
    subscripts.iter().map(one).collect::<Vec<_>>().join(",")
}

/// Everything in a tree but places, line by line.
fn tree_shape(ast: &Ast) -> Vec<String> {
    let mut lines = vec![format!("functions {}", ast.functions.span.is_some())];
    for function in &ast.functions.functions {
        lines.push(function_shape(ast, function));
    }
    for item in &ast.data.whole {
        lines.push(item_shape(ast, item));
    }
    for branch in &ast.data.branches {
        lines.push(format!("branch {:?}", names(&branch.key)));
        lines.extend(branch.items.iter().map(|item| item_shape(ast, item)));
    }
    for (word, block) in [("global", &ast.global), ("local", &ast.local)] {
        lines.push(format!("{word} {}", block.span.is_some()));
        lines.extend(block.statements.iter().map(|s| statement_shape(ast, s)));
    }
    lines
}

fn function_shape(ast: &Ast, function: &FunctionDefinition) -> String {
    let ty = |ty: &UnsizedType| format!("{} {:?}", ty.n_array, ty.base);
    let params = function.params.iter().map(|p| format!("{} {}", ty(&p.ty), p.name.name));
    let body = function.body.iter().map(|statement| statement_shape(ast, statement));
    let (params, body) = (params.collect::<Vec<_>>(), body.collect::<Vec<_>>());
    format!("{} {} {params:?} {body:?}", ty(&function.result), function.name.name)
}

fn texts(texts: &[Text]) -> Vec<&str> {
    texts.iter().map(|text| text.text.as_str()).collect()
}

fn names(idents: &[Ident]) -> Vec<&str> {
    idents.iter().map(|ident| ident.name.as_str()).collect()
}

fn list_shape(ast: &Ast, ids: &[ExprId]) -> Vec<String> {
    ids.iter().map(|id| shape(ast, *id)).collect()
}

fn option_shape(ast: &Ast, id: Option<ExprId>) -> Vec<String> {
    list_shape(ast, id.as_slice())
}

fn item_shape(ast: &Ast, item: &DataItem) -> String {
    match item {
        DataItem::Rows { name, count, by, .. } => {
            format!("rows {} {:?} {:?}", name.name, option_shape(ast, *count), names(by))
        }
        DataItem::Factor(f) => {
            let levels = f.levels.as_deref().map(texts);
            format!("factor {} {:?} {levels:?}", f.name.name, texts(&f.columns))
        }
        DataItem::Table(t) => {
            let items = t.items.iter().map(|item| item_shape(ast, item)).collect::<Vec<_>>();
            format!("table {} {} {items:?}", t.name.name, t.key.name)
        }
        DataItem::Declare(d) => {
            let from = match &d.from {
                None => Vec::new(),
                Some(From::Column(text)) => vec!["column", &text.text],
                Some(From::Equals { column, value }) => vec!["equals", &column.text, &value.text],
                Some(From::Columns(columns, _)) => texts(columns),
            };
            let (ty, value) = (type_shape(ast, &d.ty), option_shape(ast, d.value));
            format!("{ty} {} {from:?} {} {value:?}", d.name.name, d.missing.is_some())
        }
    }
}

fn type_shape(ast: &Ast, ty: &TypeExpr) -> String {
    let array = list_shape(ast, &ty.array);
    let (lower, upper) = (option_shape(ast, ty.lower), option_shape(ast, ty.upper));
    let (index, sizes) = (names(ty.index.as_slice()), list_shape(ast, &ty.sizes));
    format!("{array:?} {:?} {index:?} {lower:?} {upper:?} {sizes:?}", ty.base)
}

fn distribution_shape(ast: &Ast, call: &DistributionCall) -> String {
    format!("{} {:?}", call.name.name, list_shape(ast, &call.args))
}

fn statement_shape(ast: &Ast, statement: &Statement) -> String {
    match &statement.kind {
        StatementKind::Declare(d) => format!(
            "{} {} {:?} {:?}",
            type_shape(ast, &d.ty),
            d.name.name,
            option_shape(ast, d.value),
            d.distribution.as_ref().map(|call| distribution_shape(ast, call)),
        ),
        StatementKind::Sample { lhs, distribution } => {
            format!("{} ~ {}", shape(ast, *lhs), distribution_shape(ast, distribution))
        }
        StatementKind::ForEach { name, over, body } => {
            let body = statement_shape(ast, body);
            format!("each {} {} <{body}>", name.name, shape(ast, *over))
        }
        StatementKind::If { condition, then, otherwise } => {
            let then = statement_shape(ast, then);
            let otherwise = otherwise.as_ref().map(|body| statement_shape(ast, body));
            format!("if {} <{then}> <{}>", shape(ast, *condition), otherwise.unwrap_or_default())
        }
        StatementKind::Return(value) => format!("return {}", shape(ast, *value)),
        StatementKind::Target(value) => format!("target {}", shape(ast, *value)),
        StatementKind::Assign { place, operator, value } => format!(
            "{} [{}] {operator:?} {}",
            place.name.name,
            subscripts_shape(ast, &place.subscripts),
            shape(ast, *value),
        ),
        StatementKind::For { name, from, to, body } => {
            let body = statement_shape(ast, body);
            format!("for {} {} {} {body}", name.name, shape(ast, *from), shape(ast, *to))
        }
        StatementKind::Block(all) => {
            format!("{:?}", all.iter().map(|s| statement_shape(ast, s)).collect::<Vec<_>>())
        }
    }
}

/// The tree of `text` as the right side of `target +=`.
fn expr_shape(text: &str) -> String {
    let ast = parse_good(&format!("global {{ target += {text}; }}"));
    match &ast.global.statements[0].kind {
        StatementKind::Target(value) => shape(&ast, *value),
        other => panic!("{other:?}"),
    }
}

#[test]
fn operators_bind_as_with_all_brackets() {
    let pairs = [
        ("-a^b", "-(a^b)"),
        ("a^-b^c", "a^(-(b^c))"),
        ("a^-b*c", "(a^(-b))*c"),
        ("a^b^c", "a^(b^c)"),
        ("a.^b^c", "a.^(b^c)"),
        ("-a*b", "(-a)*b"),
        ("a*-b+c", "(a*(-b))+c"),
        ("-a%/%b", "(-a)%/%b"),
        ("a*b%/%c", "a*(b%/%c)"),
        ("a%/%b*c", "(a%/%b)*c"),
        ("a-b-c", "(a-b)-c"),
        ("a/b*c%d", "((a/b)*c)%d"),
        ("a.*b./c", "(a.*b)./c"),
        ("a+b<c-d", "(a+b)<(c-d)"),
        ("a<b==c>=d", "(a<b)==(c>=d)"),
        ("a==b&&c!=d||e", "((a==b)&&(c!=d))||e"),
        ("a||b&&c", "a||(b&&c)"),
        ("!a==b", "(!a)==b"),
        ("!-+a", "!(-(+a))"),
        ("a'*b'", "(a')*(b')"),
        ("-a'", "-(a')"),
        ("a[1]'[2]^b", "(((a[1])')[2])^b"),
        ("f(a)[1]", "(f(a))[1]"),
        ("a?b:c?d:e", "a?b:(c?d:e)"),
        ("a?b?c:d:e", "a?(b?c:d):e"),
        ("a||b?c+d:e*f", "(a||b)?(c+d):(e*f)"),
        ("1.*x", "(1.)*x"),
        ("a.b.*c.d", "(a.b).*(c.d)"),
        ("a.b'*c", "((a.b)')*c"),
        ("a.*b.^c./d", "(a.*(b.^c))./d"),
        ("-t . x [1] ^ 2", "-((t.x[1])^2)"),
        ("x.*.5+1.", "(x.*(.5))+(1.)"),
        ("1-1", "(1)-(1)"),
    ];
    for (bare, bracketed) in pairs {
        assert_eq!(expr_shape(bare), expr_shape(bracketed), "{bare}");
    }
}

/// Each pair of operators against the rule that the tighter one is applied first.
#[test]
fn every_pair_of_operators_follows_precedence() {
    for first in BinaryOp::ALL {
        for second in BinaryOp::ALL {
            let (f, s) = (first.symbol(), second.symbol());
            let is_power = matches!(first, BinaryOp::Power | BinaryOp::ElementPower);
            let left = first.precedence() > second.precedence()
                || (first.precedence() == second.precedence() && !is_power);
            let expected = match left {
                true => format!("((a{f}b){s}c)"),
                false => format!("(a{f}(b{s}c))"),
            };
            assert_eq!(expr_shape(&format!("a {f} b {s} c")), expected);
            assert_eq!(expr_shape(&format!("a{f}b{s}c")), expected);
        }
    }
}

#[test]
fn numbers_read_as_in_stan() {
    for (text, value) in [("1.", 1.0), (".5", 0.5), ("1e-3", 1e-3), ("1_0.2_5E+1", 102.5)] {
        assert_eq!(expr_shape(text), format!("{value:e}"));
    }
    assert_eq!(expr_shape("9223372036854775807"), i64::MAX.to_string());
    for text in ["9223372036854775808", "1e309"] {
        let (_, diagnostics) = parse_text(&format!("global {{ target += {text}; }}"));
        assert_eq!(diagnostics[0].code, Code::Syntax);
        assert!(diagnostics[0].message.contains("too large"));
    }
}

#[test]
fn printed_text_has_the_same_tree_and_prints_the_same() {
    for text in MODELS {
        let tree = parse_good(text);
        let printed = print(&tree);
        let again = parse_good(&printed);
        assert_eq!(tree_shape(&tree), tree_shape(&again), "{printed}");
        assert_eq!(printed, print(&again));
    }
}

/// Random trees of operators: the printer leaves out a bracket only where that changes nothing.
#[test]
fn brackets_are_left_out_only_where_they_mean_nothing() {
    let mut random = Random(7);
    for _ in 0..2000 {
        let text = random_expr(&mut random, 5);
        let whole = format!("global {{ real<lower={text}> x = {text}; target += {text}; }}");
        let tree = parse_good(&whole);
        let printed = print(&tree);
        assert_eq!(tree_shape(&tree), tree_shape(&parse_good(&printed)), "{text}\n{printed}");
    }
    assert_eq!(print(&parse_good("local{x=((a+b))*(-c)-(d-(e^f)^g);}")), {
        "local {\n  x = (a + b) * -c - (d - (e ^ f) ^ g);\n}\n"
    });
}

/// An expression with every bracket written.
fn random_expr(random: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return ["a", "1", "2.5", "f(x, y)", "[p, q]"][random.below(5)].to_string();
    }
    let mut inner = || random_expr(random, depth - 1);
    let (a, b, c) = (inner(), inner(), inner());
    match random.below(12) {
        0 => format!("(-{a})"),
        1 => format!("(!{a})"),
        2 => format!("({a}')"),
        3 => format!("({a} ? {b} : {c})"),
        4 => format!("({a}[{b}:{c}])"),
        5 => a,
        _ => format!("({a} {} {b})", BinaryOp::ALL[random.below(18)].symbol()),
    }
}

/// A small generator of numbers (Steele and Vigna's splitmix64), the same on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

#[test]
fn a_declaration_of_several_names_gives_each_its_distribution() {
    let ast = parse_good("global { real a, b = 1, c ~ normal(0, 1); }");
    let shapes: Vec<_> = ast.global.statements.iter().map(|s| statement_shape(&ast, s)).collect();
    assert!(shapes[0].ends_with("a [] Some(\"normal [\\\"0\\\", \\\"1\\\"]\")"), "{shapes:?}");
    assert!(shapes[1].ends_with("b [\"1\"] None"), "{shapes:?}");
    assert!(shapes[2].contains("c [] Some"), "{shapes:?}");
}

#[test]
fn several_and_nested_branches_reach_the_checker() {
    let ast = parse_good("data { branch { branch a { real x; } } branch (b, c) { } }");
    assert_eq!(ast.data.branches.len(), 2);
    assert_eq!(ast.data.branches[0].nested.len(), 1);
    assert_eq!(names(&ast.data.branches[1].key), ["b", "c"]);
}

#[test]
fn spans_cover_brackets_of_operands_but_not_their_own() {
    let text = "global { target += (a) + (b * c); }";
    let source = Source::new("m", text);
    let ast = parse_good(text);
    let spans: Vec<&str> = ast.exprs.iter().map(|(_, expr)| source.slice(expr.span)).collect();
    assert_eq!(spans, ["a", "b", "c", "b * c", "(a) + (b * c)"]);
}

#[test]
fn allow_comments_are_collected() {
    let text = "// allow: a-b, c\ndata { } // allow: d\n// allowed: e\nglobal { } //allow:f";
    let ast = parse_good(text);
    let source = Source::new("m", text);
    let found: Vec<_> = ast.allows.iter().map(|a| (a.code.as_str(), a.whole_file)).collect();
    assert_eq!(found, [("a-b", true), ("c", true), ("d", false), ("f", false)]);
    assert!(ast.allows.iter().all(|allow| source.slice(allow.span) == allow.code));
}

#[test]
fn blocks_may_be_missing_and_a_byte_order_mark_is_skipped() {
    for text in ["", "data {}", "local {}", "data {} local {}", "\u{FEFF}data {}", "// x"] {
        parse_good(text);
    }
}

/// Both lexical definitions agree on where names, numbers, strings and operators lie.
#[test]
fn terminals_of_the_grammar_are_whole_tokens() {
    let mut texts: Vec<String> = MODELS.map(String::from).to_vec();
    for folder in ["models", "tests/lang"] {
        collect_models(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut texts);
    }
    for text in &texts {
        // Programs that are meant to fail have no pairs to compare.
        let Ok(pairs) = Grammar::parse(Rule::file, text) else {
            continue;
        };
        let tokens = tokens(text);
        let is_start =
            |at: usize| tokens.binary_search_by_key(&at, |token| token.span.start as usize).is_ok();
        let leaves = pairs.flatten().filter(|pair| pair.clone().into_inner().next().is_none());
        for leaf in leaves.filter(|leaf| !leaf.as_str().is_empty()) {
            let span = leaf.as_span();
            assert!(is_start(span.start()), "{span:?}");
            assert!(span.end() == text.len() || is_start(span.end()), "{span:?}");
        }
    }
}

/// Adds the text of every model file below a folder, if there is one.
fn collect_models(folder: &std::path::Path, texts: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            collect_models(&path, texts);
        } else if path.extension().is_some_and(|ending| ending == "hbd") {
            texts.extend(std::fs::read_to_string(&path));
        }
    }
}
