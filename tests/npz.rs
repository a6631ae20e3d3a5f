//! The arrays that `--out` leaves for NumPy, and for `eft --from`.

mod common;

use std::fs::File;
use std::path::Path;

use common::cli::{json, run};
use npyz::{Deserialize, NpyFile};
use serde_json::Value;
use zip::ZipArchive;

fn array<T: Deserialize>(dir: &Path, name: &str) -> (String, Vec<u64>, Vec<T>) {
    array_of(&dir.join("moments.npz"), name)
}

fn array_of<T: Deserialize>(file: &Path, name: &str) -> (String, Vec<u64>, Vec<T>) {
    let mut npz = ZipArchive::new(File::open(file).unwrap()).unwrap();
    let entry = npz.by_name(&format!("{name}.npy")).unwrap();
    let npy = NpyFile::new(entry).unwrap();
    let (kind, shape) = (npy.dtype().descr(), npy.shape().to_vec());
    (kind, shape, npy.into_vec().unwrap())
}

fn optional(values: &Value) -> Vec<Option<f64>> {
    (values.as_array().unwrap().iter())
        .map(Value::as_f64)
        .collect()
}

fn same(array: &[f64], column: &[Option<f64>]) {
    assert_eq!(array.len(), column.len());
    for (x, y) in array.iter().zip(column) {
        assert!(y.map_or(x.is_nan(), |y| *x == y), "{x} {y:?}");
    }
}

#[test]
fn arrays_have_the_types_and_columns_of_the_document() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let options = ["--backend", "cpu", "--nets", "200", "--experiments", "3"];
    let command = ["ensemble", "--estimator", "connected", "--orders", "2,4,6"];
    let output = run(&[&command[..], &options, &["--json", "--out", out]].concat());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (i, (n, elements)) in [(2, 21), (4, 126), (6, 462)].into_iter().enumerate() {
        let c = &document["correlators"][i];
        let (kind, shape, indices) = array::<i64>(dir.path(), &format!("G{n}_indices"));
        assert_eq!((kind.as_str(), shape), ("'<i8'", vec![elements, n]));
        let flat: Vec<i64> = serde_json::from_value::<Vec<Vec<i64>>>(c["indices"].clone())
            .unwrap()
            .concat();
        assert_eq!(indices, flat);
        let (kind, shape, converged) = array::<bool>(dir.path(), &format!("G{n}_converged"));
        assert_eq!((kind.as_str(), shape), ("'|b1'", vec![elements]));
        assert_eq!(serde_json::json!(converged), c["converged"]);
        let connected = ["connected", "connected_std_err", "connected_exact"];
        let columns = [
            "mean",
            "std_err",
            "gp",
            "exact",
            "exact_error",
            "deviation",
            "deviation_exact",
            "pull",
        ];
        for what in columns
            .iter()
            .chain(&connected[..if n > 2 { 3 } else { 0 }])
        {
            let (_, shape, values) = array::<f64>(dir.path(), &format!("G{n}_{what}"));
            assert_eq!(shape, [elements]);
            same(&values, &optional(&c[what]));
        }
        // Differences to their own precision: m_n is formed from them.
        let (_, _, delta) = array::<f64>(dir.path(), &format!("G{n}_delta"));
        for ((delta, gp), m) in
            (delta.iter().zip(optional(&c["gp"]))).zip(optional(&c["deviation"]))
        {
            assert!(m.is_none_or(|m| delta / gp.unwrap() == m));
        }
        let (_, shape, all) = array::<f64>(dir.path(), &format!("G{n}_delta_experiments"));
        assert_eq!(shape, [3, elements]);
        let first: f64 = (0..3).map(|e| all[e * elements as usize] / 3.0).sum();
        assert!((first - delta[0]).abs() <= 1e-12 * delta[0].abs());
    }
}

/// At N = 10^6 the deviations are 10^-6 of the n-point functions: formed from those that the
/// folder holds they would keep nine digits.
#[test]
fn couplings_of_a_folder_are_those_of_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let sampling = [
        "--arch",
        "erf",
        "--width",
        "10000",
        "--nets",
        "512",
        "--experiments",
        "4",
        "--seed",
        "3",
        "--estimator",
        "connected",
        "--backend",
        "cpu",
        "--inputs",
        "0.5;1;2",
    ];
    let output = run(&[
        &["ensemble", "--orders", "4,6", "--out", folder][..],
        &sampling,
    ]
    .concat());
    assert!(output.status.success());
    for command in ["eft", "rg"] {
        let of = |source: &[&str]| {
            let cutoffs = ["--cutoffs", "5,10,20,100", "--json"];
            let output = run(&[&[command][..], source, &cutoffs].concat());
            let mut document: Value = serde_json::from_slice(&output.stdout).unwrap();
            for key in ["device", "timing", "source", "version"] {
                document.as_object_mut().unwrap().remove(key);
            }
            document.as_object_mut().unwrap().remove("spec");
            document
        };
        assert_eq!(of(&["--from", folder]), of(&sampling), "{command}");
    }
    let spec = json(&["eft", "--from", folder, "--json"])["spec"].clone();
    assert_eq!(spec["hidden"], serde_json::json!([10000]));
}

#[test]
fn what_networks_have_learnt_is_written_as_the_document_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let command = "train --arch tanh --width 4,6 --nets 600 --data -1=0.5,1;1=0,-1 --inputs 0.5 --rate 0.1 --steps 0,3";
    let options = ["--orders", "1,2", "--json", "-q", "--out", out];
    let command: Vec<&str> = command.split(' ').chain(options).collect();
    let output = run(&command);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = dir.path().join("train.npz");
    let steps: Vec<&Value> = (document["widths"].as_array().unwrap().iter())
        .flat_map(|width| width["steps"].as_array().unwrap())
        .collect();
    assert_eq!(steps.len(), 4);
    let column = |of: &dyn Fn(&Value) -> Value| -> Vec<Option<f64>> {
        steps.iter().flat_map(|step| optional(&of(step))).collect()
    };
    let (_, shape, widths) = array_of::<i64>(&file, "width");
    assert_eq!((shape, widths), (vec![2], vec![4, 6]));
    assert_eq!(array_of::<i64>(&file, "step").2, [0, 3]);
    assert_eq!(array_of::<i64>(&file, "networks").2, [600; 4]);
    let (_, shape, points) = array_of::<f64>(&file, "points");
    assert_eq!((shape, points), (vec![6, 1], [-1.0, 1.0, 0.5].repeat(2)));
    assert_eq!(array_of::<i64>(&file, "output").2, [0, 0, 0, 1, 1, 1]);
    let (_, _, targets) = array_of::<f64>(&file, "target");
    same(
        &targets,
        &[Some(0.5), Some(0.0), None, Some(1.0), Some(-1.0), None],
    );
    for (name, key) in [
        ("mean", "mean"),
        ("mean_std_err", "std_err"),
        ("variance", "variance"),
        ("variance_std_err", "variance_std_err"),
        ("kurtosis", "kurtosis"),
        ("kurtosis_std_err", "kurtosis_std_err"),
    ] {
        let (_, shape, values) = array_of::<f64>(&file, name);
        assert_eq!(shape, [2, 2, 6], "{name}");
        same(&values, &column(&|step| step[key].clone()));
    }
    // Before the first step there is none.
    let (_, _, deviation) = array_of::<f64>(&file, "mean_deviation");
    assert!(deviation[..6].iter().all(|x| x.is_nan()));
    same(&deviation[6..12], &optional(&steps[1]["mean_deviation"]));
    let (_, shape, infinite) = array_of::<f64>(&file, "infinite_mean");
    assert_eq!(shape, [2, 6]);
    same(&infinite[6..], &optional(&steps[1]["infinite_mean"]));
    let (_, shape, loss) = array_of::<f64>(&file, "loss");
    assert_eq!(
        (shape, loss[3]),
        (vec![2, 2], steps[3]["loss"].as_f64().unwrap())
    );
    let (_, shape, outputs) = array_of::<i64>(&file, "G2_outputs");
    assert_eq!((shape, outputs.len()), (vec![21, 2], 42));
    for (name, key) in [
        ("G2_mean", "mean"),
        ("G2_connected_std_err", "connected_std_err"),
    ] {
        let (_, shape, values) = array_of::<f64>(&file, name);
        assert_eq!(shape, [2, 2, 21]);
        same(
            &values,
            &column(&|step| step["correlators"][1][key].clone()),
        );
    }
    let (_, _, infinite) = array_of::<f64>(&file, "G2_infinite");
    same(
        &infinite[21..],
        &optional(&steps[1]["correlators"][1]["infinite"]),
    );
    let curve = &document["curve"];
    let (_, shape, means) = array_of::<f64>(&file, "curve_mean");
    assert_eq!(shape, [2, 2, 121]);
    same(&means[3 * 121..], &optional(&curve["steps"][1]["mean"][1]));
    let (_, shape, _) = array_of::<f64>(&file, "curve_variance");
    assert_eq!(shape, [2, 121]);
}
