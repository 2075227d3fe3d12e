//! Log densities at the points of `tests/reference`, both evaluators, held-out rows and the
//! order of branches.

use super::*;

#[test]
fn log_densities_are_those_of_the_reference() {
    for case in cases() {
        let Some(text) = case.density else { continue };
        let file: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let expected = file["points"].as_array().expect("points");
        for backend in [Backend::Interpreter, Backend::MachineCode] {
            let mut evaluator = case.evaluator(backend);
            let points = evaluator.read_points(text).expect("points of the model").points;
            assert_eq!(points.len(), expected.len());
            for (point, expected) in points.iter().zip(expected) {
                let found = evaluator.density_at(point);
                let sum = found.log_density();
                for (name, value) in [
                    ("log_global", found.log_global),
                    ("log_local", found.log_local),
                    ("log_density", sum),
                ] {
                    let expected = expected[name].as_f64().expect("a number");
                    let error = (value - expected).abs() / expected.abs();
                    assert!(error < 1e-8, "{} {name}: {value}, not {expected}", case.name);
                }
            }
        }
    }
}

#[test]
fn machine_code_agrees_with_the_interpreter() {
    for case in cases() {
        let mut evaluators =
            [Backend::Interpreter, Backend::MachineCode].map(|backend| case.evaluator(backend));
        for position in case.positions(&mut evaluators[1]) {
            let [expected, actual] = evaluators.each_mut().map(|e| everything(e, &position));
            for ((what, expected), (_, actual)) in expected.iter().zip(&actual) {
                assert_close(&format!("{} {what}", case.name), actual, expected, 1e-12);
            }
        }
    }
}

/// All that an evaluator computes at a position, with names.
fn everything(evaluator: &mut Evaluator, position: &[f64]) -> Vec<(String, Vec<f64>)> {
    let (value, gradient) = evaluator.log_density_gradient(position).expect("its dimension");
    let (shared, locals) = cut(evaluator, position);
    let mut all = vec![
        ("density".to_string(), vec![value]),
        ("gradient".to_string(), gradient.to_vec()),
        ("reported".to_string(), evaluator.reported(&position[..evaluator.n_global()])),
        ("shared".to_string(), shared.clone()),
    ];
    for (branch, z) in locals.iter().enumerate() {
        let log_local = evaluator.log_local(branch, &shared, z);
        all.push((format!("log density of branch {branch}"), log_local.to_vec()));
        let reported = evaluator.reported_local(branch, &shared, z).to_vec();
        all.push((format!("reported of branch {branch}"), reported));
        for part in PARTS {
            let expansion = expansion(evaluator, part, branch, &shared, z);
            all.push((format!("{part:?} expansion of branch {branch}"), expansion));
            let mut dshared = vec![0.0; shared.len()];
            let n = z.len();
            let ones = vec![1.0; n + n * n];
            let (g, c) = ones.split_at(n);
            evaluator.expansion_vjp(part, branch, &shared, z, g, c, &mut dshared);
            all.push((format!("{part:?} expansion vjp of branch {branch}"), dshared));
        }
    }
    all
}

#[test]
fn held_out_rows_are_what_the_masked_likelihood_lacks() {
    for case in cases() {
        let mut full = case.evaluator(Backend::MachineCode);
        if full.data().max_rows() < 2 {
            continue;
        }
        for backend in [Backend::Interpreter, Backend::MachineCode] {
            let every_third =
                |data: &BoundData| Some((0..data.n_rows_total()).map(third).collect());
            let mut masked = case.masked(backend, every_third);
            for position in case.positions(&mut full) {
                let (shared, locals) = cut(&mut full, &position);
                let mut n_held_out = 0;
                for (branch, z) in locals.iter().enumerate() {
                    let all = full.density(branch, &shared, z);
                    let seen = masked.density(branch, &shared, z);
                    let rest = masked.held_out(branch, &shared, z);
                    let what = format!("{} branch {branch}", case.name);
                    assert_close(&what, &[seen.prior], &[all.prior], 1e-14);
                    let sum = seen.likelihood + rest;
                    assert_close(&what, &[sum], &[all.likelihood], 1e-13);
                    assert_eq!(full.held_out(branch, &shared, z), 0.0);
                    let n_rows = masked.n_rows(branch) + masked.n_held_out(branch);
                    assert_eq!(n_rows, full.n_rows(branch), "{what}");
                    n_held_out += masked.n_held_out(branch);
                    if masked.n_rows(branch) == 0 {
                        assert_eq!(seen.likelihood, 0.0, "{what}");
                    }
                }
                assert_eq!(n_held_out, full.data().n_rows_total().div_ceil(3));
            }
        }
    }
}

/// Zero for every third row.
fn third(row: usize) -> f64 {
    if row.is_multiple_of(3) { 0.0 } else { 1.0 }
}

/// Derivatives of masked likelihoods are those of the rows that are left.
#[test]
fn masked_derivatives_are_those_of_fewer_rows() {
    for case in cases() {
        let is_masked = case.evaluator(Backend::MachineCode).data().max_rows() >= 2;
        if !is_masked {
            continue;
        }
        // Branches that keep no row would be missing in the shorter table.
        let (header, groups) = grouped(&case.csv);
        let of_group = |group: &Vec<&str>| (0..group.len()).map(|row| row % 3 != 1).collect();
        let kept: Vec<bool> = groups.iter().flat_map(|g| -> Vec<bool> { of_group(g) }).collect();
        let rows: Vec<&str> = groups.concat();
        let few: Vec<&str> =
            rows.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(row, _)| *row).collect();
        let table = |rows: &[&str]| format!("{header}\n{}\n", rows.join("\n"));
        let (all, few) = (table(&rows), table(&few));
        let fewer = Case { csv: few, ..case };
        let mut short = fewer.evaluator(Backend::MachineCode);
        let full = Case { csv: all, ..fewer };
        let mask: Vec<f64> = kept.iter().map(|kept| f64::from(u8::from(*kept))).collect();
        let mut masked = full.masked(Backend::MachineCode, |_| Some(mask));
        for position in full.positions(&mut short) {
            let found = everything(&mut masked, &position);
            for ((what, expected), (_, actual)) in
                everything(&mut short, &position).iter().zip(&found)
            {
                assert_close(&format!("{} {what}", full.name), actual, expected, 1e-12);
            }
        }
    }
}

/// The header of a table and its rows by branch, branches as they first occur.
fn grouped(csv: &str) -> (&str, Vec<Vec<&str>>) {
    let (header, rows) = csv.split_once('\n').expect("a header");
    let key = |row: &str| row.split(',').next().map(str::to_string);
    let mut groups: Vec<Vec<&str>> = Vec::new();
    for row in rows.lines() {
        match groups.iter_mut().find(|group| key(group[0]) == key(row)) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    (header, groups)
}

/// The order of branches in the file does not change a bit.
#[test]
fn branches_may_come_in_any_order() {
    for case in cases() {
        let mut evaluator = case.evaluator(Backend::MachineCode);
        let positions = case.positions(&mut evaluator);
        let (header, mut groups) = grouped(&case.csv);
        // From the last to the first, odd ones before even ones.
        groups.reverse();
        let (odd, even): (Vec<_>, Vec<_>) =
            groups.into_iter().enumerate().partition(|(k, _)| k % 2 == 1);
        let shuffled: Vec<&str> =
            odd.into_iter().chain(even).flat_map(|(_, group)| group).collect();
        let permuted = Case { csv: format!("{header}\n{}\n", shuffled.join("\n")), ..case };
        let mut other = permuted.evaluator(Backend::MachineCode);
        for position in positions {
            let (expected, found) =
                (everything(&mut evaluator, &position), everything(&mut other, &position));
            for ((what, a), (_, b)) in expected.iter().zip(&found) {
                let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(a), bits(b), "{} {what}", permuted.name);
            }
        }
    }
}
