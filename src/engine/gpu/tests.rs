//! Every text is valid WGSL, and none that loops grows with the spec. No device is needed.

use std::collections::HashSet;

use proptest::prelude::*;
use wgpu::naga::front::wgsl::parse_str;
use wgpu::naga::valid::{Capabilities, ValidationFlags, Validator};

use super::activation::Code;
use super::evaluate;
use super::layout::Layout;
use super::looped::Shape;
use super::profile::{Limits, Profile};
use super::setup::Setup;
use super::template::Text;
use super::{moments, networks, variates};
use crate::engine::{AdapterClass, Form};
use crate::model::activation::{Binary, Op, Tape, Unary};
use crate::model::{CatalogueEntry, EnsembleSpec, Estimator, Inputs, Law, source_nets};
use crate::plan::{Drawn, Plan};
use crate::tensor::MomentPlan;
use crate::theory;

/// Points that are no progression.
fn spec(points: usize, d_in: usize, width: u64) -> EnsembleSpec {
    let coordinate =
        |p: usize, c: usize| ((7 * p + 3 * p * p + 5 * c + 1) % 19) as f64 / 19.0 - 0.4;
    let inputs = (0..points)
        .map(|p| (0..d_in).map(|c| coordinate(p, c)).collect())
        .collect();
    EnsembleSpec {
        inputs: Inputs::new(inputs).unwrap(),
        // Long runs, whose blocks several threads share.
        nets: 1_000_000,
        experiments: 2,
        orders: vec![1, 2, 3, 4],
        ..EnsembleSpec::preset("erf", 1)
            .unwrap()
            .with_width(width)
            .with_d_in(d_in)
            .with_sigma_b(0.6)
    }
}

/// Lists a spec with every net, in all variants.
fn variants(spec: &EnsembleSpec) -> Vec<EnsembleSpec> {
    let of_net = |arch| variants_of(arch, spec);
    source_nets().flat_map(of_net).collect()
}

/// A spec with a net and every estimator, with and without biases, importance sampling, several
/// outputs, exponents that leave f32, and equally spaced points.
fn variants_of(arch: &str, spec: &EnsembleSpec) -> Vec<EnsembleSpec> {
    let mut all = Vec::new();
    let direct = spec.clone().with_net_named(arch).unwrap();
    let connected = EnsembleSpec {
        estimator: Estimator::Connected,
        orders: vec![2, 4, 6],
        ..direct.clone()
    };
    let gauss = connected
        .clone()
        .with_net_named("gauss")
        .unwrap()
        .with_sigma_w(4.0);
    let tilt = theory::tilt(&gauss);
    assert!(tilt.is_some());
    all.extend([
        EnsembleSpec {
            tilt,
            ..connected.clone()
        },
        direct.clone().with_d_out(3),
    ]);
    for base in [direct, connected] {
        let steps = |p: usize| vec![0.01 * p as f64; base.net.d_in()];
        all.extend([
            base.clone().with_sigma_b(0.0),
            base.clone().with_sigma_w(90.0),
            EnsembleSpec {
                inputs: Inputs::new((0..base.inputs.len()).map(steps).collect()).unwrap(),
                ..base.clone()
            },
            base,
        ]);
    }
    all
}

/// Lists the profiles of every class, and of adapters with little of everything.
fn profiles() -> Vec<Profile> {
    let weak = Limits {
        buffer: 128 << 20,
        workgroup_threads: 64,
        workgroup_memory: 4 << 10,
        subgroup: 4,
    };
    let limits = Limits {
        workgroup_threads: 256,
        workgroup_memory: 16 << 10,
        subgroup: 8,
        ..weak
    };
    let all = AdapterClass::ALL.map(|class| Profile::new(class, limits));
    // And of a software adapter whose compiler is slow.
    let of_little =
        [AdapterClass::Discrete, AdapterClass::Software].map(|class| Profile::new(class, weak));
    all.into_iter().chain(of_little).collect()
}

fn software() -> Profile {
    let is_software = |profile: &Profile| profile.class == AdapterClass::Software;
    profiles().into_iter().find(is_software).unwrap()
}

/// Renders the texts of every form, for adapters of every class.
fn texts(spec: &EnsembleSpec) -> Vec<Text> {
    let compiled = Plan::new(spec.clone()).unwrap();
    texts_of(
        &Setup::new(compiled.drawn()),
        compiled.measurement().moments(),
    )
}

fn texts_of(setup: &Setup, plan: &MomentPlan) -> Vec<Text> {
    let layout = Layout::new(setup);
    let mut all = Vec::new();
    for profile in profiles() {
        all.extend(looped_of(setup, plan, &profile));
    }
    if networks::statements(setup, plan) <= super::MAX_STATEMENTS {
        for profile in profiles() {
            for records_hidden in [false, true] {
                let samplers = networks::texts(setup, &profile, records_hidden);
                all.extend(samplers.into_iter().map(|sampler| sampler.stage));
            }
            let reduce = moments::texts(setup, plan, &profile);
            all.extend(reduce.into_iter().map(|reducer| reducer.stage));
            if !setup.is_deep() && profile.fuses {
                all.push(moments::ensemble(setup, &layout, plan, &profile).stage);
            }
        }
    }
    all
}

fn looped(spec: &EnsembleSpec) -> Vec<Text> {
    let plan = Plan::new(spec.clone()).unwrap();
    let setup = Setup::new(plan.drawn());
    looped_of(&setup, plan.measurement().moments(), &software())
}

fn looped_of(setup: &Setup, plan: &MomentPlan, profile: &Profile) -> Vec<Text> {
    Shape::new(setup, plan, profile).texts(setup)
}

pub(super) fn check(text: &Text) {
    let module = parse_str(&text.wgsl)
        .unwrap_or_else(|e| panic!("{}: {}", text.stage, e.emit_to_string(&text.wgsl)));
    Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .unwrap_or_else(|e| panic!("{}: {e:?}", text.stage));
}

#[test]
fn every_text_is_valid() {
    // One point; full groups and a remainder, alone and together; chunks; a remainder of more
    // fields than one thread draws for 16 networks; what only loops can do.
    let shapes = [
        (1, 1, 1),
        (2, 1, 16),
        (3, 2, 37),
        (2, 1, 5003),
        (12, 1, 21),
        (40, 3, 37),
    ];
    let mut seen = HashSet::new();
    for (points, d_in, width) in shapes {
        for spec in variants(&spec(points, d_in, width)) {
            let orders = match points > 3 {
                true => vec![2],
                false => spec.orders.clone(),
            };
            for text in texts(&EnsembleSpec { orders, ..spec }) {
                if !seen.contains(&text.wgsl) {
                    check(&text);
                    seen.insert(text.wgsl);
                }
            }
        }
    }
    for law in Law::ALL {
        check(&networks::draws(law));
    }
    for profile in profiles() {
        let plan = MomentPlan::new(3, &[4]);
        check(&moments::quadrature(256, &plan, &profile).stage);
    }
}

#[test]
fn texts_of_deep_nets_are_valid_in_every_form() {
    use Law::{Gaussian, Laplace, Phase, Uniform};
    let gaussian = [Gaussian; 4];
    let mut seen = HashSet::new();
    for (arch, hidden, law_w, law_b) in [
        ("erf", [37, 16, 5], gaussian, gaussian),
        ("relu", [2, 37, 20], gaussian, gaussian),
        (
            "tanh",
            [9, 9, 9],
            [Laplace, Gaussian, Gaussian, Gaussian],
            [Phase, Laplace, Uniform, Gaussian],
        ),
        (
            "gelu",
            [9, 9, 9],
            [Uniform, Laplace, Gaussian, Gaussian],
            gaussian,
        ),
    ] {
        // Theory takes its time for many points and other laws.
        let is_plain = law_w.iter().all(|law| law.is_gaussian());
        let most = if is_plain && arch == "erf" { 16 } else { 5 };
        for (points, d_in) in [(1, 1), (3, 2), (most, 1)] {
            for estimator in [Estimator::Direct, Estimator::Connected] {
                let spec = spec(points, d_in, 1).with_net_named(arch).unwrap();
                let net = spec.net.with_hidden(&hidden).unwrap();
                let net = net.with_law_w(law_w.to_vec()).unwrap();
                let spec = EnsembleSpec {
                    net: net.with_law_b(law_b.to_vec()).unwrap(),
                    orders: vec![2],
                    estimator,
                    ..spec
                };
                let compiled = Plan::new(spec.clone()).unwrap();
                let setup = Setup::new(compiled.drawn());
                setup.check_counters().unwrap();
                for text in texts(&spec) {
                    if seen.insert(text.wgsl.clone()) {
                        check(&text);
                    }
                }
            }
        }
    }
    assert!(seen.iter().any(|text| text.contains("factorise(")));
    assert!(seen.iter().any(|text| text.contains("takes_values")));
    assert!(seen.iter().any(|text| text.contains("is_bias")));
}

#[test]
fn no_looped_text_grows() {
    let longest = |spec: &EnsembleSpec| {
        let lengths = looped(spec).into_iter().map(|text| text.wgsl.len());
        lengths.max().unwrap()
    };
    for estimator in [Estimator::Direct, Estimator::Connected] {
        let of = |points, d_in| {
            longest(&EnsembleSpec {
                estimator,
                orders: vec![2],
                ..spec(points, d_in, 100)
            })
        };
        // Full tiles; what differs are the numbers' digits.
        let (few, many) = (of(32, 3), of(192, 784));
        assert!(many < few + few / 10, "{few} {many}");
        assert!(many < 60_000, "{many}");
    }
}

/// A spec with laws of its own for each kind of parameter.
fn with_laws(spec: EnsembleSpec, law_w: [Law; 2], law_b: [Law; 2]) -> EnsembleSpec {
    let net = spec.net.with_law_w(law_w.to_vec()).unwrap();
    EnsembleSpec {
        net: net.with_law_b(law_b.to_vec()).unwrap(),
        ..spec
    }
}

#[test]
fn laws_are_valid_in_every_form() {
    use Law::{Gaussian, Laplace, Phase, Rademacher, Uniform};
    for (law_w, law_b) in [
        ([Uniform, Rademacher], [Laplace, Phase]),
        ([Gaussian, Laplace], [Phase, Gaussian]),
        ([Rademacher, Gaussian], [Rademacher, Laplace]),
    ] {
        for (points, d_in, width) in [(3, 2, 37), (12, 1, 21), (40, 3, 37)] {
            let spec = EnsembleSpec {
                orders: vec![2],
                ..with_laws(spec(points, d_in, width), law_w, law_b)
            };
            for spec in [spec.clone(), spec.with_sigma_b(0.0)] {
                texts(&spec).iter().for_each(check);
            }
        }
    }
}

#[test]
fn gaussian_texts_know_no_other_law() {
    let others = Law::ALL.map(variates::function);
    let all = texts(&spec(12, 1, 21));
    for name in others.iter().filter(|name| **name != "normals") {
        assert!(all.iter().all(|text| !text.wgsl.contains(name)), "{name}");
    }
}

/// A spec with the activation of a tape, in every form.
fn tape_texts(spec: &EnsembleSpec, tape: &Tape) -> Vec<Text> {
    let compiled = Plan::new(spec.clone()).unwrap();
    let setup = Setup::with_activation(compiled.drawn(), Code::tape(tape));
    texts_of(&setup, compiled.measurement().moments())
}

/// Beside the catalogue's, activations of every operation and every kind of operand.
const TAPES: [&str; 9] = [
    "softplus(z)",
    "min(1, max(-1, z))",
    "sign(z)*sqrt(abs(z))",
    "log(1.5+sin(z))",
    "log1p(z^2)",
    "abs(z)^1.7/(2+abs(z)^-0.3)",
    "z*exp(-z^2) - 3/(v+1)",
    "(v-z)/3 + 2/(4+cos(z)) - (1-z)*0.1",
    "z^7 - v*z",
];

fn tape(text: &str) -> Tape {
    Tape::compile(&text.parse().unwrap()).unwrap()
}

#[test]
fn tapes_are_valid_in_every_form() {
    let mut seen = HashSet::new();
    // What the text of the activation is does not depend on where it stands: the forms are
    // checked with a function, and with a variance.
    for text in ["tanh(z)", "exp(z-v)"] {
        for shape in [(2, 1, 16), (3, 2, 37), (12, 1, 21), (40, 3, 37)] {
            let (points, d_in, width) = shape;
            for spec in variants_of("erf", &spec(points, d_in, width)) {
                let orders = match points > 3 {
                    true => vec![2],
                    false => spec.orders.clone(),
                };
                for text in tape_texts(&EnsembleSpec { orders, ..spec }, &tape(text)) {
                    if !seen.contains(&text.wgsl) {
                        check(&text);
                        seen.insert(text.wgsl);
                    }
                }
            }
        }
    }
}

#[test]
fn every_operation_is_valid() {
    let catalogue = CatalogueEntry::all().iter();
    let tapes: Vec<Tape> = (catalogue.map(|entry| entry.activation.as_str()))
        .chain(TAPES)
        .map(tape)
        .collect();
    let used: HashSet<_> = (tapes.iter())
        .flat_map(|tape| tape.ops().to_vec())
        .map(|op| match op {
            Op::Unary(op, _) => op.name(),
            Op::Binary(op, ..) => op.name(),
            _ => "",
        })
        .collect();
    for name in
        (Unary::ALL.iter().map(|op| op.name())).chain(Binary::ALL.iter().map(|op| op.name()))
    {
        assert!(used.contains(name), "{name}");
    }
    for tape in &tapes {
        check(&evaluate::text(tape, 0.7));
    }
}

/// Random expressions of all operations.
fn expressions() -> impl Strategy<Value = String> {
    let constant = (-50i32..50).prop_map(|k| format!("({})", f64::from(k) / 8.0));
    let leaf = prop_oneof![Just("z".to_string()), Just("v".to_string()), constant];
    leaf.prop_recursive(6, 40, 2, |inner| {
        let unary = prop::sample::select(&Unary::ALL[..]);
        let binary = prop::sample::select(&Binary::ALL[..]);
        prop_oneof![
            (unary, inner.clone()).prop_map(|(op, a)| format!("({}({a}))", op.name())),
            (binary, inner.clone(), inner.clone()).prop_map(|(op, a, b)| match op {
                Binary::Min | Binary::Max => format!("{}({a},{b})", op.name()),
                Binary::Pow => format!("abs({a})^1.3"),
                _ => format!("({a}{}{b})", op.name()),
            }),
        ]
    })
}

proptest! {
    #[test]
    fn random_tapes_are_valid(text in expressions()) {
        // Constants may have no finite value.
        let expression = text.parse().unwrap();
        if let Ok(tape) = Tape::compile(&expression) {
            check(&evaluate::text(&tape, 0.7));
        }
    }
}

#[test]
fn tapes_are_evaluated_at_the_points_of_a_network() {
    let mut gpu = super::GpuEngine::new(None).unwrap();
    // Full groups and a remainder.
    let spec = spec(3, 2, 21);
    let drawn = Drawn::at_all_points(&spec).unwrap();
    for form in [Form::Staged, Form::Looped] {
        gpu.set_form(Some(form));
        let values = |text: &str| {
            let setup = Setup::with_activation(&drawn, Code::tape(&tape(text)));
            gpu.hidden_values_of(&setup, 1).unwrap()
        };
        let (z, of_both) = (values("z"), values("tanh(z)-v"));
        for (z, h) in z.iter().flatten().zip(of_both.iter().flatten()) {
            for ((z, h), x) in z.iter().zip(h).zip(spec.inputs.points()) {
                // sigma_b^2 + sigma_w^2 x.x / d_in.
                let v = 0.36 + x.iter().map(|c| c * c).sum::<f64>() / 2.0;
                // The rounding of values below 2, and the bound of tanh.
                assert!((h - (z.tanh() - v)).abs() < 4e-7, "{form:?} {z} {h} {v}");
            }
        }
    }
}

#[test]
fn texts_of_cumulants_are_valid_and_do_not_grow() {
    let texts_of = |points: usize, width: u64, orders: &[usize]| -> Vec<Text> {
        let spec = EnsembleSpec {
            estimator: Estimator::Connected,
            orders: orders.to_vec(),
            ..spec(points, 1, width)
        };
        let net = spec
            .net
            .with_law_w(vec![Law::Gaussian, Law::Laplace])
            .unwrap();
        looped(&EnsembleSpec { net, ..spec })
    };
    let of_cumulants = |texts: Vec<Text>| -> Vec<Text> {
        let own = texts.into_iter().filter(|text| text.stage == "cumulants");
        own.inspect(check).collect()
    };
    for (points, width) in [(1, 3), (2, 16), (3, 37)] {
        assert_eq!(of_cumulants(texts_of(points, width, &[2])).len(), 0);
        assert_eq!(of_cumulants(texts_of(points, width, &[4])).len(), 1);
        assert_eq!(of_cumulants(texts_of(points, width, &[2, 4, 6])).len(), 2);
    }
    let longest = |points| {
        texts_of(points, 37, &[4])
            .iter()
            .map(|t| t.wgsl.len())
            .max()
            .unwrap()
    };
    assert!(longest(12) < longest(4) + longest(4) / 10);
}
