//! Laws of grouping, hashing and holding out, and that no bytes make it panic.

use super::*;
use crate::data::DataErrorKind;

/// Rows of a long file, with branches that are far from each other.
fn long_rows() -> Vec<String> {
    (0..200).map(|k| format!("{},{},{},{k}", k * k % 23, k % 7 * 3, k * k % 23 * 2)).collect()
}

#[test]
fn the_order_of_branches_does_not_matter() {
    let schema = schema(&["g"], vec![per_row("y"), branch("u"), per_row("k")]);
    let rows = long_rows();
    let text = |rows: &[String]| format!("g,y,u,k\n{}\n", rows.join("\n"));
    let expected = bind(&text(&rows), &schema);
    let group = |row: &String| row.split(',').next().map(str::to_string);
    let mut shuffled = rows.clone();
    // A stable sort by a scrambled key permutes branches and keeps each one's rows in order.
    shuffled.sort_by_key(|row| group(row).map(|g| g.bytes().rev().collect::<Vec<u8>>()));
    let mut descending = rows.clone();
    descending.sort_by_key(|row| std::cmp::Reverse(group(row)));
    for rows in [shuffled, descending] {
        let bound = bind(&text(&rows), &schema);
        assert_eq!(bound.fingerprint(), expected.fingerprint());
        assert_eq!(keys(&bound), keys(&expected));
        assert_eq!(bound.values, expected.values);
        assert_eq!(bound.hold_out(0.3, 7, false), expected.hold_out(0.3, 7, false));
    }
}

#[test]
fn grouping_agrees_with_a_map() {
    let schema = schema(&["g"], vec![per_row("y"), branch("u"), per_row("k")]);
    let rows = long_rows();
    let bound = bind(&format!("g,y,u,k\n{}\n", rows.join("\n")), &schema);
    let mut by_key = std::collections::BTreeMap::<i64, Vec<[f64; 3]>>::new();
    for row in &rows {
        let cells: Vec<f64> = row.split(',').map(|cell| cell.parse().expect("digits")).collect();
        by_key.entry(cells[0] as i64).or_default().push([cells[1], cells[2], cells[3]]);
    }
    assert_eq!(bound.n_branches(), by_key.len());
    for (branch, (key, rows)) in by_key.iter().enumerate() {
        assert_eq!(bound.key(branch), [key.to_string()]);
        assert_eq!(bound.values(1)[branch], rows[0][1]);
        let column = |c: usize| rows.iter().map(|row| row[c]).collect::<Vec<f64>>();
        assert_eq!(bound.values(0)[bound.rows(branch)], column(0));
        assert_eq!(bound.values(2)[bound.rows(branch)], column(2));
    }
}

#[test]
fn the_fingerprint_sees_every_part_of_the_content() {
    let schema = schema(&["g"], vec![per_row("y"), per_row("z")]);
    let print = |text| bind(text, &schema).fingerprint();
    let base = print("g,y,z\n1,1,2\n2,3,4\n");
    for other in [
        "g,y,z\n1,1,2\n2,3,5\n",
        "g,y,z\n1,2,1\n2,3,4\n",
        "g,y,z\n1,1,2\n3,3,4\n",
        "g,y,z\n1,1,2\n1,3,4\n",
        "g,y,z\n1,3,2\n2,1,4\n",
        "g,y,z\n1,1,2\n",
    ] {
        assert_ne!(print(other), base, "{other}");
    }
    assert_eq!(print("z,g,y\n2,1,1.0\n4,2,3e0\n"), base);
}

#[test]
fn a_share_of_each_branch_is_held_out() {
    let rows: String = (0..100).map(|k| format!("{},{k}\n", k % 3)).collect();
    let text = format!("g,y\n{rows}9,0\n");
    let bound = bind(&text, &schema(&["g"], vec![per_row("y")]));
    for by_order in [false, true] {
        let mask = bound.hold_out(0.25, 1, by_order).expect("enough rows");
        for branch in 0..bound.n_branches() {
            let rows = bound.rows(branch);
            let n_out = mask[rows.clone()].iter().filter(|kept| **kept == 0.0).count();
            assert_eq!(n_out, rows.len() / 4);
            if by_order {
                assert!(mask[rows].is_sorted_by(|a, b| a >= b), "the last rows are held out");
            }
        }
    }
    let mask = |seed| bound.hold_out(0.25, seed, false);
    assert_eq!(mask(1), mask(1));
    assert_ne!(mask(1), mask(2));
    for fraction in [0.0, 1.0, -0.5, f64::NAN, 0.01] {
        let error = bound.hold_out(fraction, 1, false).expect_err("it is refused");
        assert_eq!(error.kind(), DataErrorKind::HoldOut, "{fraction}");
    }
    let single = bind("g,y\n1,1\n2,2\n", &schema(&["g"], vec![per_row("y")]));
    assert!(single.hold_out(0.5, 1, false).is_err());
}

#[test]
fn random_hold_out_favours_no_row() {
    let rows: String = (0..40_000).map(|k| format!("{},{k}\n", k / 4)).collect();
    let bound = bind(&format!("g,y\n{rows}"), &schema(&["g"], vec![per_row("y")]));
    let mask = bound.hold_out(0.25, 3, false).expect("enough rows");
    for place in 0..4 {
        let n_out = mask.iter().skip(place).step_by(4).filter(|kept| **kept == 0.0).count();
        // 10 000 draws with probability 1/4: six standard deviations are 260.
        assert!(n_out.abs_diff(2500) < 260, "place {place}: {n_out}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let seed =
        b"g,day,y,x1,x2\n1,1,2,\"a\n\"\"b\",0\r\n2,x,NA,0,1e5\n1,3,-4,TRUE,9\n\n2,4,0.5,1,\"2\"\n";
    let mut y = per_row("y");
    y.lower = Some(Bound::Number(-10.0));
    y.upper = Some(Bound::Datum(1));
    let x = matrix("x", Size::constant(2), &["x*"]);
    let plain = schema(&["g"], vec![y.clone(), int(per_row("x2"))]);
    let sorted = by(schema(&["g", "day"], vec![y, branch("x2"), x]), &["day"]);
    let bytes = b"\0\n\r\",;0129.eE+-_NAna \xff\xef\xbb\xbf";
    let mut state = 12345_u64;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..20_000 {
        let mut mutant = seed.to_vec();
        for _ in 0..random(6) + 1 {
            let at = random(mutant.len().max(1)).min(mutant.len());
            match random(4) {
                0 => mutant.insert(at, bytes[random(bytes.len())]),
                1 if at < mutant.len() => mutant[at] = bytes[random(bytes.len())],
                2 => mutant.truncate(at),
                _ if at < mutant.len() => drop(mutant.remove(at)),
                _ => {}
            }
        }
        let Ok(data) = Dataset::from_csv_bytes("m.csv", mutant) else { continue };
        for schema in [&plain, &sorted] {
            for data in [data.clone(), data.clone().na_drop()] {
                match data.bind_columns(schema) {
                    Ok(bound) => {
                        drop((bound.fingerprint(), bound.summary(), bound.hold_out(0.5, 1, false)))
                    }
                    Err(error) => assert!(!error.to_string().is_empty()),
                }
            }
        }
    }
}
