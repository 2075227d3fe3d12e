//! A Parquet file binds to what the same rows in CSV bind to.

use hbdc::{BoundData, Dataset, Source, compile};
use parquet::basic::Compression;
use tempfile::TempDir;

use crate::write::{Layout, PLAIN, Values, write};

const MODEL: &str = "
data {
  factor film;
  factor half;
  factor sure;
  table makers by maker { real size; }
  branch (user, site) {
    rows N by (day);
    array[N] index(film) film;
    array[N] index(half) half;
    array[N] index(sure) sure;
    array[N] index(makers) maker;
    array[N] int<lower=0> n;
    vector[N] y missing;
    vector[N] liked;
    vector[N] good from \"word\" == \"good\";
    vector[N] is_sure from \"sure\" == \"TRUE\";
    vector[N] price;
    vector[N] loss;
    vector[N] wide;
    real u;
  }
}
global { real m ~ normal(0, 1); }
local { y ~ normal(m, 1); }
";

/// Rows as cells of text, which are what a CSV file has.
const N_ROWS: usize = 61;

struct Row {
    user: i64,
    site: &'static str,
    day: i64,
    film: &'static str,
    half: f64,
    sure: bool,
    maker: u32,
    n: i32,
    y: Option<f64>,
    liked: bool,
    word: &'static str,
    /// In hundredths.
    price: i64,
    loss: i32,
    wide: f32,
}

fn rows() -> Vec<Row> {
    let row = |k: usize| Row {
        // Keys that `f64` does not tell apart.
        user: 9_007_199_254_740_992 + (k * k % 5) as i64,
        site: ["north", "south, far", "\"x\""][k % 3],
        day: i64::MAX - (k as i64 * 37 % 61),
        film: ["Brazil", "Alien", " Heat ", "M"][k * 7 % 4],
        half: [0.5, 1.0, -2.0, 1e20][k % 4],
        sure: k % 3 == 1,
        maker: if k.is_multiple_of(2) { 7 } else { 4_000_000_000 },
        n: (k * k % 11) as i32,
        y: (k % 5 != 2).then(|| (k as f64 * 0.1).sin()),
        liked: k.is_multiple_of(4),
        word: ["good", "bad", "good ", "NA-ish"][k % 4],
        price: k as i64 * 2503 - 60_000,
        loss: -(k as i32),
        wide: k as f32 * 0.125,
    };
    (0..N_ROWS).map(row).collect()
}

fn u_of(row: &Row) -> f64 {
    (row.user % 10) as f64 + row.site.len() as f64
}

fn csv(rows: &[Row]) -> String {
    let mut text =
        "user,site,day,film,half,sure,maker,n,y,liked,word,price,loss,wide,u\n".to_string();
    for row in rows {
        let site = row.site.replace('"', "\"\"");
        let y = row.y.map_or(String::new(), |y| format!("{y:?}"));
        let half =
            if row.half == 1e20 { "100000000000000000000".into() } else { row.half.to_string() };
        let bool = |b: bool| if b { "TRUE" } else { "FALSE" };
        let sign = if row.price < 0 { "-" } else { "" };
        let (whole, cents) = (row.price.abs() / 100, row.price.abs() % 100);
        text += &format!(
            "{},\"{site}\",{},{},{half},{},{},{},{y},{},{},{sign}{whole}.{cents:02},{},{},{}\n",
            row.user,
            row.day,
            row.film,
            bool(row.sure),
            row.maker,
            row.n,
            bool(row.liked),
            row.word,
            row.loss,
            row.wide,
            u_of(row)
        );
    }
    text
}

fn columns(rows: &[Row]) -> Vec<(&'static str, Values)> {
    let each = rows.iter();
    vec![
        ("optional int64 user", Values::I64(each.clone().map(|r| Some(r.user)).collect())),
        ("optional binary site (UTF8)", Values::texts(each.clone().map(|r| r.site))),
        ("required int64 day", Values::I64(each.clone().map(|r| Some(r.day)).collect())),
        ("optional binary film (ENUM)", Values::texts(each.clone().map(|r| r.film))),
        ("optional double half", Values::F64(each.clone().map(|r| Some(r.half)).collect())),
        ("optional boolean sure", Values::Bool(each.clone().map(|r| Some(r.sure)).collect())),
        (
            "required int32 maker (UINT_32)",
            Values::I32(each.clone().map(|r| Some(r.maker.cast_signed())).collect()),
        ),
        ("optional int32 n (INT_16)", Values::I32(each.clone().map(|r| Some(r.n)).collect())),
        ("optional double y", Values::F64(each.clone().map(|r| r.y).collect())),
        ("required boolean liked", Values::Bool(each.clone().map(|r| Some(r.liked)).collect())),
        ("required binary word", Values::texts(each.clone().map(|r| r.word))),
        (
            "optional fixed_len_byte_array(5) price (DECIMAL(10, 2))",
            Values::Fixed(
                each.clone().map(|r| Some(r.price.to_be_bytes()[3..].to_vec())).collect(),
            ),
        ),
        (
            "optional int32 loss (DECIMAL(9, 0))",
            Values::I32(each.clone().map(|r| Some(r.loss)).collect()),
        ),
        ("optional float wide", Values::F32(each.clone().map(|r| Some(r.wide)).collect())),
        ("optional double u", Values::F64(each.map(|r| Some(u_of(r))).collect())),
    ]
}

fn bind(data: Dataset) -> BoundData {
    let model = compile(&Source::new("m.hbd", MODEL)).unwrap_or_else(|error| panic!("{error}"));
    let makers = Dataset::from_csv_bytes("makers.csv", b"maker,size\n7,1\n4000000000,2\n".to_vec());
    let data = data.table("makers", makers.expect("a header"));
    data.bind(model.schema()).unwrap_or_else(|error| panic!("{error}"))
}

/// All that a model reads of `found` is what it reads of `expected`, to the bit.
#[track_caller]
fn assert_same(found: &BoundData, expected: &BoundData) {
    let keys = |data: &BoundData| -> Vec<String> {
        (0..data.n_branches()).map(|branch| data.branch_label(branch)).collect()
    };
    assert_eq!(keys(found), keys(expected));
    assert_eq!(found.n_dropped(), expected.n_dropped());
    for (k, datum) in expected.schema().data.iter().enumerate() {
        let bits = |data: &BoundData| -> Vec<u64> {
            data.values(k).iter().map(|value| value.to_bits()).collect()
        };
        assert_eq!(bits(found), bits(expected), "{}", datum.name);
    }
    for factor in ["film", "half", "sure"] {
        assert_eq!(found.levels(factor), expected.levels(factor), "{factor}");
    }
    assert_eq!(found.fingerprint(), expected.fingerprint());
}

#[test]
fn rows_are_those_of_the_same_csv_however_they_are_laid_out() {
    let rows = rows();
    let expected = Dataset::from_csv_bytes("d.csv", csv(&rows).into_bytes());
    let expected = bind(expected.expect("a header"));
    assert_eq!(expected.levels("film"), ["Alien", "Brazil", "Heat", "M"]);
    let folder = TempDir::new().expect("a folder");
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::ZSTD(Default::default()),
        Compression::LZ4_RAW,
    ];
    for (k, codec) in codecs.into_iter().enumerate() {
        for (dictionary, rows_per_group, rows_per_page) in
            [(true, 1000, 1000), (false, 1000, 7), (true, 13, 4), (false, 1, 1)]
        {
            let path = folder.path().join(format!("{k}.parquet"));
            write(
                &path,
                Layout { codec, dictionary, rows_per_group, rows_per_page },
                &columns(&rows),
            );
            let found = bind(Dataset::read_file(&path).unwrap_or_else(|error| panic!("{error}")));
            assert_same(&found, &expected);
            // Rows are numbered from 1, lines from 2.
            for row in 0..N_ROWS {
                assert_eq!(found.line(row).map(|n| n + 1), expected.line(row));
            }
            assert_eq!(found.provenance().rows.as_deref(), Some(path.as_path()));
        }
    }
}

#[test]
fn more_rows_than_are_held_at_a_time_are_all_read_in_order() {
    let n = 3 * 8192 + 5;
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("long.parquet");
    let g = (0..n).map(|k| Some((k % 1000) as i32)).collect();
    let y = (0..n).map(|k| (k % 7 != 3).then_some(k as f64)).collect();
    let columns = [("required int32 g", Values::I32(g)), ("optional double y", Values::F64(y))];
    let model = "data { branch g { rows N; vector[N] y missing; } }
        global { real m ~ normal(0, 1); } local { y ~ normal(m, 1); }";
    let model = compile(&Source::new("m.hbd", model)).expect("it compiles");
    for rows_per_group in [10_000, 1 << 20] {
        write(&path, Layout { rows_per_group, ..PLAIN }, &columns);
        let data = Dataset::read_parquet(&path).expect("it opens").bind(model.schema());
        let data = data.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((data.n_branches(), data.n_rows_total()), (1000, n));
        let y = data.schema_position("y").expect("it is read");
        let mut n_empty = 0;
        for branch in 0..1000 {
            for (place, row) in data.rows(branch).enumerate() {
                let k = place * 1000 + branch;
                match k % 7 {
                    3 => n_empty += 1,
                    _ => assert_eq!(data.values(y)[row], k as f64),
                }
                assert_eq!(data.line(row), Some(k as u64 + 1));
            }
        }
        assert_eq!(data.n_missing(y), n_empty);
    }
}

#[test]
fn nulls_are_empty_cells_and_rows_with_them_are_dropped_if_wanted() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("d.parquet");
    let columns = [
        ("optional binary g (UTF8)", Values::texts(["a", "a", "", "b", "b", "NA"])),
        (
            "optional double y",
            Values::F64(vec![Some(1.0), None, Some(3.0), Some(f64::NAN), Some(5.0), Some(6.0)]),
        ),
        ("optional int64 n", Values::I64(vec![Some(1), Some(2), Some(3), Some(4), Some(5), None])),
    ];
    write(&path, PLAIN, &columns);
    let model = "data { branch g { rows N; vector[N] y; array[N] int n; } }
        global { real m ~ normal(0, 1); } local { y ~ normal(m, 1); n ~ poisson_log(m); }";
    let model = compile(&Source::new("m.hbd", model)).expect("it compiles");
    let data = Dataset::read_file(&path).expect("it opens").na_drop().bind(model.schema());
    let data = data.unwrap_or_else(|error| panic!("{error}"));
    let keys: Vec<Vec<&str>> = (0..data.n_branches()).map(|branch| data.key(branch)).collect();
    assert_eq!(keys, [["a"], ["b"]]);
    assert_eq!(data.n_dropped(), 4);
    let y = data.schema_position("y").expect("it is read");
    assert_eq!(data.values(y), [1.0, 5.0]);
    assert_eq!([data.line(0), data.line(1)], [Some(1), Some(5)]);
}
