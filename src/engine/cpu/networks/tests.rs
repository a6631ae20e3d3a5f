use super::*;
use crate::model::EnsembleSpec;
use crate::plan::Plan;

fn plan(estimator: Estimator, d_in: usize, d_out: usize) -> Plan {
    let spec = EnsembleSpec::preset("erf", d_in).unwrap();
    let spec = EnsembleSpec {
        estimator,
        net: spec.net.with_width(37).with_d_out(d_out),
        ..spec
    };
    Plan::new(spec.validate().unwrap()).unwrap()
}

fn tape(text: &str) -> Tape {
    Tape::compile(&text.parse().unwrap()).unwrap()
}

#[test]
fn fields_of_a_tape_are_those_of_the_code_that_is_written_for_it() {
    for (estimator, d_in, d_out) in [
        (Estimator::Direct, 1, 1),
        (Estimator::Direct, 2, 3),
        (Estimator::Connected, 3, 1),
    ] {
        let plan = plan(estimator, d_in, d_out);
        let mut written = Networks::new(plan.drawn());
        let mut of_tape = Networks::with_tape(plan.drawn(), &tape("erf(z)"));
        let mut fields = [(); 2].map(|()| vec![[0.0; TILE]; written.fields()]);
        for number in 0..4 {
            written.draw(1, number, &mut fields[0]);
            of_tape.draw(1, number, &mut fields[1]);
            assert_eq!(fields[0], fields[1], "{estimator} {number}");
        }
    }
}

#[test]
fn hidden_values_of_a_tape_are_its_values_at_the_pre_activations() {
    let plan = plan(Estimator::Direct, 2, 1);
    let points = plan.drawn().spec().inputs.points();
    let variance = |x: &[f64]| -> f64 {
        let form = plan.drawn().spec().net.linear_form(x);
        form.iter().map(|c| c * c).sum()
    };
    let mut z = Networks::with_tape(plan.drawn(), &tape("z"));
    for text in ["tanh(z)", "z*exp(z-v)", "max(z,0.1*z)", "cos(z)+v*sin(z)"] {
        let tape = tape(text);
        let mut networks = Networks::with_tape(plan.drawn(), &tape);
        for network in [0, 5, 31] {
            let all = networks.hidden_values(0, network);
            let units = z.hidden_values(0, network).into_iter().zip(&all);
            assert_eq!(all.len(), 37);
            for (z, values) in units {
                for ((z, value), x) in z.iter().zip(values).zip(points) {
                    let want = tape.evaluate(*z, variance(x));
                    assert!(
                        (value - want).abs() < 1e-14 * want.abs().max(1.0),
                        "{text} {z}"
                    );
                }
            }
        }
    }
}
