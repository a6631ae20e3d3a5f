//! Operations and activations in f32, as shaders compute them, against f64.

mod common;

use common::gpu;
use nnqft_gpu::engine::gpu::GpuEngine;
use nnqft_gpu::model::CatalogueEntry;
use nnqft_gpu::model::activation::Tape;

fn tape(text: &str) -> Tape {
    Tape::compile(&text.parse().unwrap()).unwrap()
}

/// The spacing of f32 at a number.
fn ulp(x: f64) -> f64 {
    let x = (x.abs() as f32).max(f32::MIN_POSITIVE);
    f64::from(f32::from_bits(x.to_bits() + 1)) - f64::from(x)
}

/// f32 of full precision and 0 that lie dense on the line between two of them.
fn line(low: f32, high: f32) -> Vec<f32> {
    // A step that is prime leaves no pattern in the last bits.
    let positive = (f32::MIN_POSITIVE.to_bits()..=f32::MAX.to_bits()).step_by(1009);
    let all = positive.chain([f32::MAX.to_bits()]).map(f32::from_bits);
    let near_one = (0..200_000).map(|k| 1.0 + (k - 100_000) as f32 / 131_072.0);
    (all.chain(near_one).flat_map(|x| [x, -x]).chain([0.0]))
        .filter(|x| (low..=high).contains(x))
        .collect()
}

/// f32 between -reach and reach, equally spaced.
fn grid(reach: f32) -> Vec<f32> {
    let count = 1 << 19;
    (-count..=count)
        .map(|k| reach * (k as f32 / count as f32))
        .collect()
}

/// Holds the values of an activation against f64: each error is at most what `allowed` makes of
/// the argument and the exact value. Prints the largest.
fn check(
    gpu: &GpuEngine,
    text: &str,
    arguments: &[f32],
    variance: f64,
    allowed: impl Fn(f64, f64) -> f64,
) {
    let tape = tape(text);
    let values = gpu.evaluate(&tape, arguments, variance).unwrap();
    let mut worst = (0.0, 0.0, 0.0, 0.0);
    for (&z, &value) in arguments.iter().zip(&values) {
        let (z, value) = (f64::from(z), f64::from(value));
        let exact = tape.evaluate(z, variance);
        let share = (value - exact).abs() / allowed(z, exact);
        // The share of what is no number is none, either.
        if share.is_nan() || share > worst.0 {
            worst = (share, z, value, exact);
        }
    }
    let (share, z, value, exact) = worst;
    println!("{text:24} {share:.3} of the bound at {z:e}: {value:e} for {exact:e}");
    assert!(share <= 1.0, "{text} at {z:e}: {value:e} for {exact:e}");
}

/// The bound of one operation: 4 units in the last place, or 1e-7 of the larger of value and 1.
fn of_operation(_: f64, exact: f64) -> f64 {
    (4.0 * ulp(exact)).max(1e-7 * exact.abs().max(1.0))
}

const MAX: f32 = f32::MAX;

#[test]
fn every_operation_is_accurate_on_the_whole_line() {
    let gpu = gpu();
    for (text, low, high) in [
        ("-z", -MAX, MAX),
        ("abs(z)", -MAX, MAX),
        ("sign(z)", -MAX, MAX),
        ("step(z)", -MAX, MAX),
        ("exp(z)", -MAX, 88.72283),
        ("log(z)", f32::MIN_POSITIVE, MAX),
        ("log1p(z)", -0.99999994, MAX),
        ("softplus(z)", -MAX, MAX),
        ("sqrt(z)", 0.0, MAX),
        // The limits of the reduction.
        ("sin(z)", -102_900.0, 102_900.0),
        ("cos(z)", -102_900.0, 102_900.0),
        ("tanh(z)", -MAX, MAX),
        ("sigmoid(z)", -MAX, MAX),
        ("erf(z)", -MAX, MAX),
        // Up to values of 2^127.
        ("z^0.1", 0.0, MAX),
        ("z^0.3", 0.0, MAX),
        ("z^1.5", 0.0, 3.1e25),
        ("z^2.7", 0.0, 1.4e14),
        ("z^-0.7", f32::MIN_POSITIVE, MAX),
        ("z^-3.3", 2.7e-12, 1e38),
        ("z^11.3", 0.0, 2.4e3),
        ("z^-15.9", 4e-3, 1e38),
    ] {
        check(&gpu, text, &line(low, high), 1.0, of_operation);
    }
    // Multiples of quarter turns lie closer together than the line above is dense.
    for reach in [10.0, 1000.0, 102_900.0] {
        for text in ["sin(z)", "cos(z)"] {
            check(&gpu, text, &grid(reach), 1.0, of_operation);
        }
    }
}

#[test]
fn odd_operations_keep_their_digits_near_zero() {
    let gpu = gpu();
    for text in ["sin(z)", "tanh(z)", "erf(z)", "log1p(z)", "z*sigmoid(z)"] {
        let relative = |_: f64, exact: f64| 4.0 * ulp(exact);
        check(&gpu, text, &line(-0.5, 0.5), 1.0, relative);
    }
}

#[test]
fn beyond_its_range_an_operation_is_a_number() {
    let gpu = gpu();
    let far = [MAX, -MAX, 1e30, -1e30, 1e6, -1e6, 0.0, -0.0];
    for text in ["sin(z)", "cos(z)", "tanh(z*1e30)", "1/(1+exp(z))"] {
        let values = gpu.evaluate(&tape(text), &far, 1.0).unwrap();
        assert!(values.iter().all(|x| x.abs() <= 1.0), "{text}: {values:?}");
    }
    for text in [
        "exp(z)",
        "log(z)",
        "log1p(z)",
        "sqrt(z)",
        "z^0.3",
        "z^-16",
        "softplus(z)",
    ] {
        let values = gpu.evaluate(&tape(text), &far[..7], 1.0).unwrap();
        let is_number = |x: &f32| !x.is_nan() && (text == "z^-16" || x.is_finite());
        assert!(values.iter().all(is_number), "{text}: {values:?}");
    }
}

#[test]
fn activations_are_accurate_where_networks_are() {
    let gpu = gpu();
    let others = [
        "softplus(z)",
        "z*exp(-z^2)",
        "z*tanh(softplus(z))",
        "min(1, max(-1, z))",
        "sign(z)*sqrt(abs(z))",
        "log(1.5+sin(z))",
        "abs(z)^1.7/(2+abs(z)^0.3)",
        "z/(1+v)+tanh(v-z)/3",
    ];
    let catalogue = CatalogueEntry::all().iter();
    for text in (catalogue.map(|entry| entry.activation.as_str())).chain(others) {
        // Each operation adds half a unit or a few of the last place of what it works on, which is
        // no larger than the largest of z, the value and 1; e^(z-v) has |z - v| half units from
        // its argument.
        let allowed = |z: f64, exact: f64| {
            let size = exact.abs().max(z.abs()).max(1.0);
            5e-7 * size
        };
        check(&gpu, text, &grid(10.0), 0.7, allowed);
    }
}
