//! How files are read: keys, order, lines, odd encodings.

use super::*;

#[test]
fn one_row_per_branch() {
    let bound = bind("school,y,sigma\nB,8,10\nA,28,15\n", &schools());
    assert_eq!(keys(&bound), ["A", "B"]);
    assert_eq!((bound.values(0), bound.values(1)), (&[28.0, 8.0][..], &[15.0, 10.0][..]));
    assert_eq!((bound.n_branches(), bound.n_rows_total(), bound.max_rows()), (2, 2, 1));
    assert_eq!(lines(&bound), [3, 2]);
    assert_eq!(bound.branch_label(0), "school = A");
    assert_eq!(bound.place(0), "obs.csv:3");
}

#[test]
fn ragged_rows_keep_the_order_of_the_file() {
    let schema = schema(&["g"], vec![per_row("y"), branch("u")]);
    let bound = bind("u,y,g\n5,1,10\n6,2,9\n5,3,10\n6,4,9\n5,5,10\n", &schema);
    assert_eq!(keys(&bound), ["9", "10"], "canonical integers order as numbers");
    assert_eq!((bound.rows(0), bound.rows(1)), (0..2, 2..5));
    assert_eq!(bound.values(0), [2.0, 4.0, 1.0, 3.0, 5.0]);
    assert_eq!(bound.values(1), [6.0, 5.0]);
    assert_eq!(lines(&bound), [3, 5, 2, 4, 6]);
}

#[test]
fn one_key_that_is_no_canonical_integer_makes_all_text() {
    for odd in ["01", "+1", "1.0"] {
        let text = format!("g,y\n10,1\n9,2\n{odd},3\n");
        let bound = bind(&text, &schema(&["g"], vec![per_row("y")]));
        assert_eq!(keys(&bound), [odd, "10", "9"].to_vec(), "{odd}");
    }
}

#[test]
fn keys_are_trimmed_and_kept_whole_beyond_64_bits() {
    let text = "g,y\n18446744073709551617,1\n 18446744073709551616,2\n18446744073709551616 ,3\n";
    let bound = bind(text, &schema(&["g"], vec![per_row("y")]));
    assert_eq!(keys(&bound), ["18446744073709551616", "18446744073709551617"]);
    assert_eq!(bound.values(0), [2.0, 3.0, 1.0]);
}

#[test]
fn compound_keys_and_no_key() {
    let text = "a,b,y\nx,10,1\nx,9,2\nw,10,3\nx,10,4\n";
    let bound = bind(text, &schema(&["a", "b"], vec![per_row("y")]));
    assert_eq!(keys(&bound), ["w/10", "x/9", "x/10"]);
    assert_eq!(bound.branch_label(2), "a = x, b = 10");
    assert_eq!(bound.values(0), [3.0, 2.0, 1.0, 4.0]);

    let bound = bind(text, &schema(&[], vec![branch("y")]));
    assert_eq!(bound.key_columns(), ["row"]);
    assert_eq!(keys(&bound), ["1", "2", "3", "4"]);
    assert_eq!(bound.values(0), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn rows_are_sorted_by_declared_columns() {
    let text = "g,day,y\n1,10,1\n1,9,2\n2,7,3\n1,-1,4\n";
    let bound = bind(text, &by(schema(&["g"], vec![per_row("y")]), &["day"]));
    assert_eq!(bound.values(0), [4.0, 2.0, 1.0, 3.0]);
    assert_eq!(lines(&bound), [5, 3, 2, 4]);

    // One text among them, and all are ordered by bytes.
    let text = "g,day,y\n1,10,1\n1,9,2\n1,x,3\n";
    let bound = bind(text, &by(schema(&["g"], vec![per_row("y")]), &["day"]));
    assert_eq!(bound.values(0), [1.0, 2.0, 3.0]);

    let text = "g,day,hour,y\n1,2,b,1\n1,2,a,2\n1,1,z,3\n";
    let bound = bind(text, &by(schema(&["g"], vec![per_row("y")]), &["day", "hour"]));
    assert_eq!(bound.values(0), [3.0, 2.0, 1.0]);

    // As floats these are equal.
    let text = "g,t,y\n1,9007199254740993,1\n1,9007199254740992,2\n";
    let bound = bind(text, &by(schema(&["g"], vec![per_row("y")]), &["t"]));
    assert_eq!(bound.values(0), [2.0, 1.0]);
}

#[test]
fn a_column_may_give_several_data() {
    let twice = Datum { origin: Origin::Column("y".to_string()), ..per_row("again") };
    let bound = bind("g,y\n2,1\n1,2\n", &schema(&["g"], vec![per_row("y"), twice, per_row("g")]));
    assert_eq!(bound.values(0), bound.values(1));
    assert_eq!(bound.values(2), [1.0, 2.0], "the key, read as numbers");
}

#[test]
fn odd_files_have_one_reading() {
    let expected = bind("school,y,sigma\nA,28,15\nB,8,10\n", &schools());
    for text in [
        "\u{feff}school,y,sigma\nA,28,15\nB,8,10\n",
        "school,y,sigma\r\nA,28,15\r\nB,8,10\r\n",
        "school,y,sigma\rA,28,15\rB,8,10",
        "school,y,sigma\nA,28,15\n\n\nB,8,10",
        " school , y,sigma\nA, 28,15\nB, 8 ,10\n",
        "\"school\",\"y\",\"sigma\"\n\"A\",\"28\",15\nB,8,10\n",
        "school,note,y,sigma\nA,\"one\ntwo, \"\"three\"\"\",28,15\nB,,8,10\n",
        ",school,,y,sigma\nx,A,,2.8e1,15.0\nx,B,,+8,10.\n",
    ] {
        let bound = bind(text, &schools());
        assert_eq!(bound.fingerprint(), expected.fingerprint(), "{text:?}");
    }
    let latin = b"school,caf\xe9?,y,sigma\n";
    assert!(Dataset::from_csv_bytes("obs.csv", latin.to_vec()).is_err());
    let latin = b"note,school,y,sigma\ncaf\xe9,A,28,15\n\xff,B,8,10\n";
    let bound = csv(latin).bind_columns(&schools()).expect("the column of notes is not read");
    assert_eq!(bound.fingerprint(), expected.fingerprint());
}

#[test]
fn latin_1_keys_stay_distinct() {
    let bound =
        csv(b"school,y,sigma\ncaf\xe9,1,1\ncaf\xe8,2,1\n").bind_columns(&schools()).expect("keys");
    assert_eq!((bound.n_branches(), keys(&bound)[0].as_str()), (2, "caf\u{fffd}"));
}

#[test]
fn lines_are_right_in_spite_of_quoted_newlines_and_blank_lines() {
    for end in ["\n", "\r\n"] {
        let text = ["g,t,y", "1,\"a", "b\",1", "", "", "1,\"", "", "\",2", "1,c,3"].join(end);
        let bound = bind(&text, &schema(&["g"], vec![per_row("y")]));
        assert_eq!(lines(&bound), [2, 6, 9], "{end:?}");
    }
}

#[test]
fn true_and_false_are_one_and_zero() {
    let bound = bind("g,y\n1,TRUE\n1,false\n1,True\n", &schema(&["g"], vec![int(per_row("y"))]));
    assert_eq!(bound.values(0), [1.0, 0.0, 1.0]);
}
