use super::*;

#[test]
fn json_has_every_layer_and_comes_back() {
    let net = Net::named("gauss", 3).unwrap().with_width(7).with_d_out(2);
    let json = serde_json::to_value(&net).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "arch": "gauss", "activation": "exp(z-v)", "hidden": [7], "d_in": 3,
            "d_out": 2, "sigma_w": [1.0, 1.0], "sigma_b": [1.0, 1.0],
            "law_w": ["gaussian", "gaussian"], "law_b": ["gaussian", "gaussian"],
        })
    );
    assert_eq!(serde_json::from_value::<Net>(json).unwrap(), net);
}

#[test]
fn json_that_is_no_net_is_refused() {
    let net = serde_json::to_value(Net::named("erf", 1).unwrap()).unwrap();
    for (key, value) in [
        ("hidden", serde_json::json!([3, 4])),
        ("hidden", serde_json::json!([])),
        ("sigma_w", serde_json::json!([1.0])),
        ("sigma_b", serde_json::json!([])),
        ("law_w", serde_json::json!(["gaussian"])),
        ("law_w", serde_json::json!(["gaussian", "phase"])),
        ("law_b", serde_json::json!(["gaussian", "normal"])),
        ("law_b", serde_json::json!(["phase", "gaussian"])),
        ("activation", serde_json::json!("z + ")),
        ("activation", serde_json::json!("max(z, 0)")),
        ("arch", serde_json::json!("erff")),
        ("arch", serde_json::json!("relu")),
    ] {
        let mut bad = net.clone();
        bad[key] = value;
        assert!(serde_json::from_value::<Net>(bad).is_err(), "{key}");
    }
}
#[test]
fn any_net_comes_back_from_json() {
    let own = Net::new("z*exp(-z^2) + v".parse().unwrap(), 2)
        .with_law_w(vec![Law::Uniform, Law::Rademacher])
        .unwrap()
        .with_law_b(vec![Law::Phase, Law::Laplace])
        .unwrap()
        .with_each_sigma_w(vec![1.3, 0.7])
        .unwrap()
        .with_sigma_b(0.4);
    assert_eq!(own.first().sigma_b, Law::PHASE_SIGMA);
    assert_eq!(own.readout().sigma_b, 0.4);
    assert!(!own.has_gaussian_units() && !own.has_gaussian_readout());
    for net in [own, Net::named("cos", 2).unwrap()] {
        let json = serde_json::to_value(&net).unwrap();
        assert_eq!(serde_json::from_value::<Net>(json).unwrap(), net);
    }
}

#[test]
fn lists_have_one_entry_for_each_affine_layer() {
    let net = || Net::named("tanh", 1).unwrap();
    let wrong = net().with_each_sigma_w(vec![1.0; 3]).unwrap_err();
    assert!(wrong.to_string().starts_with("sigma_w"), "{wrong}");
    assert!(net().with_law_w(Law::Phase).is_err());
    let phase = net().with_law_b(vec![Law::Phase, Law::Gaussian]).unwrap();
    assert!(phase.clone().with_each_sigma_b(vec![0.5, 0.5]).is_err());
    assert_eq!(phase.with_sigma_b(0.0).readout().sigma_b, 0.0);
    // One number is for the other biases, of which there must be some.
    let phases = net().with_law_b(Law::Phase).unwrap();
    assert!(phases.with_each_sigma_b(0.5).is_err());
}

#[test]
fn new_hidden_layers_are_like_the_last_one() {
    let cos = Net::named("cos", 1).unwrap().with_d_out(2);
    let deep = cos.with_hidden(&[5, 7, 6]).unwrap();
    assert_eq!((deep.depth(), deep.hidden()), (3, vec![5, 7, 6]));
    assert_eq!((deep.width(), deep.d_out()), (6, 2));
    let laws: Vec<Law> = deep.layers().iter().map(|layer| layer.law_b).collect();
    assert_eq!(laws, [Law::Phase, Law::Phase, Law::Phase, Law::Gaussian]);
    let json = serde_json::to_value(&deep).unwrap();
    assert_eq!(json["hidden"], serde_json::json!([5, 7, 6]));
    assert_eq!(serde_json::from_value::<Net>(json).unwrap(), deep);
    let shallow = deep.clone().with_hidden(&[9]).unwrap();
    assert_eq!(shallow.layers().len(), 2);
    assert_eq!(shallow.d_out(), 2);
    for wrong in [&[][..], &[3; MAX_DEPTH + 1]] {
        let message = deep.clone().with_hidden(wrong).unwrap_err().to_string();
        assert!(message.starts_with("depth"), "{message}");
    }
}

#[test]
fn degrees_multiply_along_the_layers() {
    let net = |expression: &str| Net::new(expression.parse().unwrap(), 1).with_sigma_b(0.0);
    for (expression, degree) in [("max(z,0)", 1.0), ("z^2", 8.0), ("step(z)", 0.0)] {
        let deep = net(expression).with_hidden(&[4, 4, 4]).unwrap();
        assert_eq!(deep.homogeneous(), Some(degree), "{expression}");
    }
}
