use super::*;

fn spec() -> TrainSpec {
    let ensemble = EnsembleSpec::preset("tanh", 1).unwrap();
    TrainSpec::new(
        ensemble,
        TrainingData::parse("-1=0.5;0.2=-0.3").unwrap(),
        vec![10, 0, 10],
    )
}

fn refusal(change: impl FnOnce(&mut TrainSpec)) -> String {
    let mut spec = spec();
    change(&mut spec);
    spec.validate().unwrap_err().to_string()
}

#[test]
fn steps_and_orders_are_put_in_order() {
    let mut spec = spec();
    spec.ensemble.orders = vec![2, 1, 2];
    let spec = spec.validate().unwrap();
    assert_eq!(
        (spec.steps, spec.ensemble.orders),
        (vec![0, 10], vec![1, 2])
    );
}

#[test]
fn what_cannot_be_trained_is_refused_with_its_reason() {
    let hidden = |spec: &mut TrainSpec| {
        spec.ensemble.net = spec.ensemble.net.clone().with_hidden(&[3, 4]).unwrap();
    };
    for (message, part) in [
        (refusal(hidden), "one hidden layer"),
        (
            refusal(|s| s.ensemble.estimator = Estimator::Connected),
            "use direct, or `train` readout",
        ),
        (
            refusal(|s| (s.ensemble.nets, s.ensemble.experiments) = (10, 2)),
            "512 networks",
        ),
        (refusal(|s| s.ensemble.orders = vec![6]), "orders 1 to 4"),
        (refusal(|s| s.rate = Some(0.0)), "above 0"),
        (refusal(|s| s.rate = Some(-0.1)), "above 0"),
        (refusal(|s| s.rate = Some(f64::INFINITY)), "above 0"),
        (refusal(|s| s.steps.clear()), "at least one"),
        (
            refusal(|s| s.steps = vec![MAX_STEPS + 1]),
            "at most 100000000 steps",
        ),
        (
            refusal(|s| s.steps = (0..101).collect()),
            "at most 100 steps",
        ),
        (
            refusal(|s| s.ensemble = s.ensemble.clone().with_d_out(2)),
            "1 targets a point",
        ),
        (
            refusal(|s| s.ensemble = s.ensemble.clone().with_width(100_000_000)),
            "GiB of memory",
        ),
        (
            refusal(|s| s.data = TrainingData::parse("1,2=3").unwrap()),
            "data with 2 coordinates per point",
        ),
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn data_are_refused_with_what_is_wrong() {
    for (text, part) in [
        ("", "point 1 has no target"),
        ("1=2;3", "point 2 has no target"),
        ("1=2=3", "more than one '='"),
        ("1=two", "'two' in point 1 is not a number"),
        ("=2", "'' in point 1"),
        ("1=2;1,2=3", "2 coordinates, the first point has 1"),
        ("1=2;2=3,4", "2 targets, the first point has 1"),
        ("1=nan", "finite"),
        ("1=1e200", "1e70 at most"),
        ("inf=1", "finite"),
        ("1=1,2,3,4,5,6,7,8,9", "from 1 to 8"),
        ("no-such-file.csv", "no-such-file.csv"),
    ] {
        let message = TrainingData::parse(text).unwrap_err().to_string();
        assert!(message.contains(part), "{text}: {message}");
    }
    let many = vec!["1=1"; 65].join(";");
    let message = TrainingData::parse(&many).unwrap_err().to_string();
    assert!(message.contains("at most 64 points"), "{message}");
}

#[test]
fn files_have_coordinates_and_then_targets() {
    let path = std::env::temp_dir().join(format!("nnqft-train-data-{}.csv", std::process::id()));
    std::fs::write(&path, "x,y\n-1,0.5\n0.2,-0.3\n").unwrap();
    let text = path.display().to_string();
    let data = TrainingData::parse(&text).unwrap();
    assert_eq!(data, TrainingData::parse("-1=0.5;0.2=-0.3").unwrap());
    let wrong = TrainingData::parse_with(&text, Some(2), None).unwrap_err();
    assert!(wrong.to_string().contains("2 columns"), "{wrong}");
    std::fs::write(&path, "1 2 3 4\n5 6 7 8\n").unwrap();
    for (d_in, d_out) in [(Some(2), None), (None, Some(2)), (Some(2), Some(2))] {
        let data = TrainingData::parse_with(&text, d_in, d_out).unwrap();
        assert_eq!(
            (data.d_in(), data.targets()),
            (2, &[vec![3.0, 4.0], vec![7.0, 8.0]][..])
        );
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn points_that_repeat_are_found() {
    let data = TrainingData::parse("0=1;2=3;-0=2;2=3;5=1").unwrap();
    assert_eq!(data.repeated(), [vec![0, 2], vec![1, 3]]);
}
