//! What the checker says of parts, rows and loops in the model it hands on.

use super::good::{EIGHT_SCHOOLS, RADON, RATINGS};
use super::{checked, model};
use crate::check::typed::{Part, RowsOf, Statement, SymbolKind, TypedModel};
use crate::schema::{Bound, Origin};
use crate::ty::{Level, Size};

fn samples(statements: &[Statement]) -> Vec<(Part, &RowsOf)> {
    let mut found = Vec::new();
    for statement in statements {
        match statement {
            Statement::Sample { part, rows, .. } => found.push((*part, rows)),
            Statement::For { body, .. } | Statement::Block(body) => found.extend(samples(body)),
            _ => {}
        }
    }
    found
}

fn counts(statements: &[Statement], found: &mut Vec<String>) {
    for statement in statements {
        match statement {
            Statement::For { max_count, body, .. } => {
                found.push(max_count.to_string());
                counts(body, found);
            }
            Statement::Block(body) => counts(body, found),
            _ => {}
        }
    }
}

fn row_model(local: &str) -> TypedModel {
    model(&format!(
        "data {{ int T; branch g {{ rows N; vector[N] y; int<lower=1, upper=T> k; }} }}
         global {{ real m ~ normal(0, 1); }}
         local {{ real z ~ normal(m, T + k); {local} }}"
    ))
}

#[test]
fn parts_of_the_density() {
    let model = model(EIGHT_SCHOOLS);
    assert!(samples(&model.global).iter().all(|(part, _)| *part == Part::Global));
    let local = samples(&model.local);
    assert_eq!(local, [(Part::Prior, &RowsOf::None), (Part::Likelihood, &RowsOf::None)]);
    let radon = super::model(RADON);
    assert_eq!(samples(&radon.local)[1], (Part::Likelihood, &RowsOf::All));
}

#[test]
fn one_row_at_a_time() {
    let model = row_model("for (n in 1:N) y[n] ~ normal(z, 1);");
    let local = samples(&model.local);
    assert!(matches!(local[1], (Part::Likelihood, RowsOf::One(_))));
}

#[test]
fn a_term_of_a_derived_quantity_reads_what_that_reads() {
    let model = row_model("real lp = normal_lpdf(y | z, 1); target += lp;");
    let is_likelihood = |statement: &Statement| {
        matches!(statement, Statement::Target { part: Part::Likelihood, .. })
    };
    assert!(model.local.iter().any(is_likelihood));
}

/// The oracle is a count by hand: the longest inner loop is the one that starts first.
#[test]
fn loops_are_counted_symbolically() {
    let model = row_model(
        "y ~ normal(z, 1);
         for (i in 2:N) for (j in i:N) target += z;
         for (t in k:T) for (s in (t - 1):(t + 1)) target += z;
         for (t in 1:3) for (s in 1:(2 * t - 1)) target += z;
         for (n in 3:2) target += z;",
    );
    let mut found = Vec::new();
    counts(&model.local, &mut found);
    assert_eq!(found, ["N - 1", "N - 1", "T", "3", "3", "5", "0"]);
}

#[test]
fn the_schema_of_ratings() {
    let model = model(RATINGS);
    let schema = &model.schema;
    assert_eq!(schema.key, ["user_id"]);
    assert_eq!(schema.rows.as_ref().map(|rows| rows.name.as_str()), Some("N"));
    let [k, feature, liked] = schema.data.as_slice() else { panic!("three data") };
    assert_eq!((k.level, &k.origin), (Level::Whole, &Origin::Derived));
    assert!(feature.per_row);
    assert_eq!(feature.dims, [Size::rows("N"), Size::datum("K")]);
    assert_eq!(feature.origin, Origin::Columns(vec!["pc*".into()]));
    assert_eq!(liked.origin, Origin::Column("liked".into()));
    assert_eq!(liked.upper, Some(Bound::Number(1.0)));
    assert_eq!(liked.type_text, "array[N] int<lower=0, upper=1>");
    assert_eq!(model.derived_data.len(), 1);
}

#[test]
fn derived_data_come_in_order_of_need() {
    let model = model(
        "data { int A = B + 1; int B = C + C; int C; branch g { real y = 2 * x; real x; } }
         global { real m ~ normal(A, 1); }
         local { real z ~ normal(m, 1); y ~ normal(z, 1); }",
    );
    let order: Vec<&str> =
        model.derived_data.iter().map(|d| model.schema.data[d.datum].name.as_str()).collect();
    assert_eq!(order, ["B", "A", "y"]);
}

#[test]
fn sizes_that_may_differ_are_compared_later() {
    let model = model(
        "data { int A; int B; vector[A] x; branch g { real y; } }
         global { vector[B] m ~ normal(0, 1); }
         local { real z ~ normal(dot_product(m, x), 1); y ~ normal(z, 1); }",
    );
    let check = &model.size_checks[0];
    assert_eq!((check.left.to_string(), check.right.to_string()), ("B".into(), "A".into()));
}

#[test]
fn a_fixed_number_of_rows_is_a_number() {
    let (model, _) = checked(
        "data { branch g { rows N = 4 by day; vector[N] y; } }
         global { real m ~ normal(0, 1); }
         local { vector[N] z ~ normal(m, 1); y ~ normal(z, 1); }",
    );
    let model = model.expect("a local unknown may have as many elements");
    let z = model.symbols[model.locals[0]].ty.dims();
    assert_eq!(z, [Size::constant(4)]);
    assert_eq!(samples(&model.local)[1].1, &RowsOf::All);
}

#[test]
fn derived_quantities_of_rows_are_not_saved() {
    let model = row_model("vector[N] mu = z * y; real top = z; y ~ normal(mu + top, 1);");
    let saved = model.symbols.iter().filter_map(|(_, symbol)| match symbol.kind {
        SymbolKind::Derived { saved, .. } => Some((symbol.name.as_str(), saved)),
        _ => None,
    });
    assert_eq!(saved.collect::<Vec<_>>(), [("mu", false), ("top", true)]);
}

/// The parser reads at most a mebibyte, so a quarter million terms are what fits.
#[test]
fn long_sums_are_checked_without_recursion() {
    let sum = "1+".repeat(250_000);
    let model = row_model(&format!("y ~ normal(z + {sum}1, 1);"));
    assert!(model.exprs.len() > 500_000);
}
