//! Damaged files: errors, never a panic; and only what is wanted is read of them.

use std::fs;
use std::ops::Range;
use std::path::Path;

use hbdc::{CompiledModel, DataErrorKind, Dataset, Source, compile};
use parquet::basic::Compression;
use parquet::file::reader::{FileReader, SerializedFileReader};
use tempfile::TempDir;

use crate::write::{Layout, Values, write};

const N_ROWS: usize = 200;

fn model() -> CompiledModel {
    let text = "data { branch g { rows N; vector[N] y missing; } }
        global { real m ~ normal(0, 1); } local { y ~ normal(m, 1); }";
    compile(&Source::new("m.hbd", text)).expect("it compiles")
}

fn write_rows(path: &Path, codec: Compression, dictionary: bool) {
    let y = |k: usize| (k % 9 != 1).then(|| (k as f64).sqrt());
    let texts: Vec<String> = (0..N_ROWS).map(|k| format!("text {}", k % 50)).collect();
    let columns = [
        ("optional int64 g", Values::I64((0..N_ROWS).map(|k| Some(k as i64 % 7)).collect())),
        ("optional binary other (UTF8)", Values::texts(texts.iter().map(String::as_str))),
        ("optional double y", Values::F64((0..N_ROWS).map(y).collect())),
    ];
    write(path, Layout { codec, dictionary, rows_per_group: 100, rows_per_page: 40 }, &columns);
}

/// The bytes of a column in each row group.
fn places_of(path: &Path, column: usize) -> Vec<Range<usize>> {
    let file = fs::File::open(path).expect("it is there");
    let reader = SerializedFileReader::new(file).expect("a good file");
    let range = |group: &parquet::file::metadata::RowGroupMetaData| {
        let (start, length) = group.column(column).byte_range();
        start as usize..(start + length) as usize
    };
    reader.metadata().row_groups().iter().map(range).collect()
}

#[test]
fn columns_that_are_not_wanted_are_not_read() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("d.parquet");
    write_rows(&path, Compression::SNAPPY, true);
    let model = model();
    let expected = Dataset::read_file(&path).expect("it opens").bind(model.schema());
    let expected = expected.expect("a good file").fingerprint();
    let whole = fs::read(&path).expect("it is there");
    let damaged = |column: usize| {
        let mut bytes = whole.clone();
        places_of(&path, column).into_iter().for_each(|place| bytes[place].fill(0xff));
        let path = folder.path().join(format!("{column}.parquet"));
        fs::write(&path, bytes).expect("a file of the test");
        Dataset::read_file(&path).expect("its description is whole")
    };
    let other = damaged(1).bind(model.schema()).expect("no model reads it");
    assert_eq!(other.fingerprint(), expected);
    let error = damaged(2).bind(model.schema()).expect_err("it is damaged");
    assert_eq!(error.kind(), DataErrorKind::File);
    assert!(error.message().contains("2.parquet, column `y`, row 1 or after: "), "{error}");
    // Memory is judged by the description, before any row is read.
    let error = damaged(2).max_memory(100).bind(model.schema()).expect_err("it is little");
    assert_eq!(error.kind(), DataErrorKind::Memory);
    assert!(error.message().contains("to read about 200 rows of "), "{error}");
}

#[test]
fn no_bytes_make_it_panic() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("d.parquet");
    let mutant_path = folder.path().join("mutant.parquet");
    let model = model();
    let mut state = 2_463_534_242_u64;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut n_refused, mut n_read) = (0, 0);
    for (codec, dictionary) in [
        (Compression::UNCOMPRESSED, false),
        (Compression::UNCOMPRESSED, true),
        (Compression::SNAPPY, true),
        (Compression::ZSTD(Default::default()), true),
    ] {
        write_rows(&path, codec, dictionary);
        let whole = fs::read(&path).expect("it is there");
        for _ in 0..1500 {
            let mut mutant = whole.clone();
            for _ in 0..random(3) + 1 {
                let at = random(mutant.len());
                match random(5) {
                    0 => mutant.truncate(at.max(1)),
                    1 => mutant[at] = 0xff,
                    _ => mutant[at] ^= 1 << random(8),
                }
            }
            fs::write(&mutant_path, mutant).expect("a file of the test");
            let bound = Dataset::read_file(&mutant_path).and_then(|data| data.bind(model.schema()));
            match bound {
                Ok(_) => n_read += 1,
                Err(_) => n_refused += 1,
            }
        }
    }
    assert!(n_refused > 100 && n_read > 100, "{n_refused} refused, {n_read} read");
}
