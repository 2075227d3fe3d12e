//! Saved draws, read back by the specification of Zarr version 3 and nothing else. That the bytes
//! are what zarr-python writes is held beside the writer; that ArviZ opens them, by
//! `tests/oracle/arviz.py`, which needs Python.

use std::fs;
use std::path::Path;

use hbdc::{Dataset, Fit, FitConfig, Source, compile, fit, write_fit};
use serde_json::{Value, json};

/// A stored array.
struct Stored {
    dims: Vec<String>,
    shape: Vec<usize>,
    data_type: String,
    chunk: Vec<u8>,
    attributes: Value,
}

impl Stored {
    /// Reads one array whose only chunk holds all of it, not compressed.
    fn read(root: &Path, path: &str) -> Stored {
        let place = root.join(path);
        let text = fs::read_to_string(place.join("zarr.json")).expect("metadata");
        let own: Value = serde_json::from_str(&text).expect("JSON");
        let text = fs::read_to_string(root.join("zarr.json")).expect("metadata of the root");
        let of_root: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(of_root["consolidated_metadata"]["metadata"][path], own, "{path}");
        assert_eq!((&own["zarr_format"], &own["node_type"]), (&json!(3), &json!("array")));
        assert_eq!(own["chunk_grid"]["name"], "regular");
        assert_eq!(own["chunk_grid"]["configuration"]["chunk_shape"], own["shape"]);
        let shape: Vec<usize> = serde_json::from_value(own["shape"].clone()).expect("sizes");
        let codecs = own["codecs"].as_array().expect("codecs");
        let codec = match own["data_type"].as_str().expect("a type") {
            "string" => json!({"name": "vlen-utf8", "configuration": {}}),
            _ => json!({"name": "bytes", "configuration": {"endian": "little"}}),
        };
        assert_eq!(codecs, &[codec]);
        let key = format!("c{}", "/0".repeat(shape.len()));
        Stored {
            dims: serde_json::from_value(own["dimension_names"].clone()).expect("names"),
            data_type: own["data_type"].as_str().expect("a type").to_string(),
            chunk: fs::read(place.join(key)).expect("the chunk"),
            attributes: own["attributes"].clone(),
            shape,
        }
    }

    fn words(&self, data_type: &str) -> Vec<[u8; 8]> {
        assert_eq!(self.data_type, data_type);
        let words: Vec<[u8; 8]> =
            self.chunk.chunks(8).map(|word| word.try_into().expect("whole words")).collect();
        assert_eq!(words.len(), self.shape.iter().product::<usize>());
        words
    }

    fn reals(&self) -> Vec<f64> {
        self.words("float64").into_iter().map(f64::from_le_bytes).collect()
    }

    fn ints(&self) -> Vec<i64> {
        self.words("int64").into_iter().map(i64::from_le_bytes).collect()
    }

    fn texts(&self) -> Vec<String> {
        assert_eq!(self.data_type, "string");
        let mut rest = self.chunk.as_slice();
        let mut take = |n: usize| {
            let (taken, after) = rest.split_at(n);
            rest = after;
            taken.to_vec()
        };
        let number =
            |bytes: Vec<u8>| u32::from_le_bytes(bytes.try_into().expect("four bytes")) as usize;
        let count = number(take(4));
        let text = |_| {
            let length = number(take(4));
            String::from_utf8(take(length)).expect("text")
        };
        let texts: Vec<String> = (0..count).map(text).collect();
        assert!(rest.is_empty());
        texts
    }
}

/// Grades of pupils by judges, whose names are no numbers; one cell is empty.
const GRADES: &str = "
data {
  factor judge;
  branch pupil {
    rows N;
    array[N] index(judge) judge;
    vector[N] grade missing;
  }
}
global {
  real m ~ normal(0, 5);
  real<lower=0> s ~ normal(0, 2);
  vector[size(judge)] mild ~ normal(0, 1);
  cholesky_factor_corr[2] L ~ lkj_corr_cholesky(2);
}
local {
  vector[2] able ~ multi_normal_cholesky([m, 0]', L);
  grade ~ normal(able[1] + able[2] + mild[judge], s);
}";

const ROWS: &str = "pupil,judge,grade
ann,Zoë,1.5
ann,\"Lee, J\",2.5
bob,Zoë,0.5
bob,Max,
bob,\"Lee, J\",-0.5
";

fn grades(config: &FitConfig, root: &Path) -> Fit {
    let model = compile(&Source::new("grades.hbd", GRADES)).expect("the model is right");
    let data = Dataset::from_csv_bytes("grades.csv", ROWS.as_bytes().to_vec());
    let bound = data.expect("a table").bind(model.schema()).expect("data of the model");
    let fit = fit(&model, &bound, config).expect("the fit starts");
    write_fit(root, &model, &fit, false).expect("it can be written");
    fit
}

/// Draw `s` stands in chain `s % 4`.
fn dealt(draws: &[f64]) -> Vec<f64> {
    (0..4).flat_map(|chain| draws.iter().skip(chain).step_by(4).copied()).collect()
}

#[test]
fn saved_draws_are_those_of_the_posterior() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("grades.fit");
    let config = FitConfig::default().max_steps(30).draws(402).log_likelihood(true);
    let fit = grades(&config, &root);
    let root = root.join("draws.zarr");
    let draws = fit.posterior().draws(400);

    let m = Stored::read(&root, "posterior/m");
    assert_eq!((m.dims, m.shape), (vec!["chain".into(), "draw".into()], vec![4, 100]));
    let m = Stored::read(&root, "posterior/m").reals();
    assert_eq!(m, dealt(&draws.column("m").expect("it is a global").to_vec()));

    let mild = Stored::read(&root, "posterior/mild");
    assert_eq!(mild.dims, ["chain", "draw", "judge"]);
    assert_eq!(mild.shape, [4, 100, 3]);
    let of_max: Vec<f64> = mild.reals().chunks(3).map(|draw| draw[1]).collect();
    assert_eq!(of_max, dealt(&draws.column("mild[2]").expect("an element").to_vec()));
    assert_eq!(Stored::read(&root, "posterior/judge").texts(), ["Lee, J", "Max", "Zoë"]);

    let factor = Stored::read(&root, "posterior/L");
    assert_eq!(factor.dims, ["chain", "draw", "L_dim_0", "L_dim_1"]);
    assert_eq!(Stored::read(&root, "posterior/L_dim_1").ints(), [1, 2]);
    let expected = dealt(&draws.column("L[2,1]").expect("an element").to_vec());
    for (elements, expected) in factor.reals().chunks(4).zip(expected) {
        assert_eq!((elements[1], elements[2]), (0.0, expected));
    }
    assert_eq!(Stored::read(&root, "posterior/chain").ints(), [0, 1, 2, 3]);

    let grade = Stored::read(&root, "observed_data/grade");
    assert_eq!(grade.dims, ["row"]);
    assert_eq!(grade.attributes, json!({"coordinates": "pupil"}));
    let values = grade.reals();
    assert_eq!(values[..3], [1.5, 2.5, 0.5]);
    assert!(values[3].is_nan(), "an empty cell");
    assert_eq!(Stored::read(&root, "observed_data/row").ints(), [2, 3, 4, 5, 6]);

    // The empty cell is no observation.
    let pointwise = Stored::read(&root, "log_likelihood/grade");
    assert_eq!(pointwise.shape, [4, 100, 4]);
    assert_eq!(Stored::read(&root, "log_likelihood/row").ints(), [2, 3, 4, 6]);
    let pupils = Stored::read(&root, "log_likelihood/pupil");
    assert_eq!(pupils.texts(), ["ann", "ann", "bob", "bob"]);
    // No normal density is above that at its mean.
    let s = Stored::read(&root, "posterior/s").reals();
    for (terms, s) in pointwise.reals().chunks(4).zip(&s) {
        let most = -(s * std::f64::consts::TAU.sqrt()).ln();
        assert!(terms.iter().all(|term| term.is_finite() && *term <= most + 1e-12));
    }
    for name in ["lp", "log_q", "log_prior"] {
        let values = Stored::read(&root, &format!("sample_stats/{name}")).reals();
        assert!(values.len() == 400 && values.iter().all(|x| x.is_finite()), "{name}");
    }
}

/// In a normal model with one global the densities of draws have closed forms.
#[test]
fn densities_of_draws_are_those_of_the_model() {
    let text = "data { branch g { real y; } }
        global { real m ~ normal(1, 2); }
        local { real z ~ normal(m, 1); y ~ normal(z, 0.5); }";
    let model = compile(&Source::new("normal.hbd", text)).expect("the model is right");
    let data = Dataset::from_csv_bytes("y.csv", b"g,y\na,0.5\nb,-1\nc,2\n".to_vec());
    let bound = data.expect("a table").bind(model.schema()).expect("data of the model");
    let config = FitConfig::default().max_steps(200).draws(1000).log_likelihood(true);
    let fit = fit(&model, &bound, &config).expect("the fit starts");
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("normal.fit");
    write_fit(&root, &model, &fit, false).expect("it can be written");
    let root = root.join("draws.zarr");
    let read = |path: &str| Stored::read(&root, path).reals();
    let log_normal = |x: f64, mean: f64, sd: f64| {
        -0.5 * ((x - mean) / sd).powi(2) - sd.ln() - 0.5 * std::f64::consts::TAU.ln()
    };
    let (m, log_prior, lp) =
        (read("posterior/m"), read("sample_stats/log_prior"), read("sample_stats/lp"));
    let terms = read("log_likelihood/y");
    assert_eq!(Stored::read(&root, "log_likelihood/g").texts(), ["a", "b", "c"]);
    for (draw, &m) in m.iter().enumerate() {
        assert!((log_prior[draw] - log_normal(m, 1.0, 2.0)).abs() < 1e-12);
        // Each zᵢ lies on one of two sides of yᵢ, at the distance that its likelihood tells.
        let own: Vec<[f64; 2]> = [0.5, -1.0, 2.0]
            .iter()
            .zip(&terms[draw * 3..draw * 3 + 3])
            .map(|(y, term)| {
                let distance = (2.0 * (log_normal(0.0, 0.0, 0.5) - term)).max(0.0).sqrt() * 0.5;
                [-1.0, 1.0].map(|side| log_normal(y + side * distance, m, 1.0) + term)
            })
            .collect();
        let sums = (0..8).map(|k| (0..3).map(|i| own[i][k >> i & 1]).sum::<f64>());
        let nearest =
            sums.map(|sum| (lp[draw] - log_prior[draw] - sum).abs()).fold(f64::MAX, f64::min);
        assert!(nearest < 1e-6, "{nearest}");
    }
}
