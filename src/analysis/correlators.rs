//! The elements of a run become its n-point functions, beside those of theory.

use super::check_range;
use super::compare::Comparison;
use super::connected::Connected;
use super::correlator::Correlator;
use super::element_mean::ElementMean;
use super::elements::Elements;
use super::judge::Judge;
use super::measured::{Measured, Run};
use super::reference::Reference;
use super::verdict::Verdict;
use crate::Result;
use crate::model::EnsembleSpec;
use crate::plan::Plan;
use crate::tensor::Accumulator;
use crate::theory::Values;

/// Makes the n-point functions of a run, one entry per order of the spec.
///
/// # Errors
/// [`Error::NotFinite`](crate::Error::NotFinite) if the accumulator holds NaN or infinite values or nothing.
///
/// ```
/// use nnqft_gpu::analysis::correlators;
/// use nnqft_gpu::engine::{self, cpu::CpuEngine};
/// use nnqft_gpu::model::{EnsembleSpec, Estimator};
///
/// let spec = EnsembleSpec {
///     nets: 1000,
///     orders: vec![4],
///     estimator: Estimator::Connected,
///     ..EnsembleSpec::preset("relu", 1)?.with_width(20)
/// }
/// .validate()?;
/// let run = engine::run(&mut CpuEngine::new(), &spec, &|_| {})?;
/// let four = correlators(&spec, &run)?.remove(0);
/// let (measured, error) = (four.deviation_mean.unwrap(), four.deviation_mean_std_err.unwrap());
/// assert!((measured - 0.25).abs() < 5.0 * error); // exact: 5 / N
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub fn correlators(spec: &EnsembleSpec, run: &Accumulator) -> Result<Vec<Correlator>> {
    let plan = Plan::new(spec.clone())?;
    correlators_beside(&plan.values(), &plan, run)
}

/// Makes the n-point functions of a run beside values of theory that are known already: those of
/// this net and these inputs at any width, and of the spec's orders at least.
///
/// # Errors
/// Those of [`correlators`].
pub fn correlators_beside(
    values: &Values,
    plan: &Plan,
    run: &Accumulator,
) -> Result<Vec<Correlator>> {
    let values = (values.at_widths_of(&plan.spec().net)).unwrap_or_else(|| plan.values());
    correlators_against(&|elements| Reference::of(&values, elements), plan, run)
}

/// Makes the n-point functions of a run beside whatever theory knows of the elements of an order.
///
/// # Errors
/// Those of [`correlators`].
pub(crate) fn correlators_against(
    theory: &dyn Fn(&Elements) -> Reference,
    plan: &Plan,
    run: &Accumulator,
) -> Result<Vec<Correlator>> {
    let spec = plan.spec();
    check_range(spec)?;
    let run = Run::new(plan, run)?;
    let judge = Judge::new(plan, &run);
    let orders = run.plan.orders().iter().enumerate();
    Ok(orders
        .map(|(k, &(order, _))| {
            let elements = Elements::new(spec, plan.kernel(), order);
            let reference = theory(&elements);
            let measured = Measured::new(&run, k, &elements);
            let mean = ElementMean::new(&run, k, &elements, &measured);
            let blocks = run.total.blocks;
            let compared = Comparison::new(&reference, &elements, &measured, &mean, blocks);
            let judged = judge.order(k, &elements, &compared);
            let reason = judged.reason(spec, reference.exact().is_some());
            Correlator {
                order,
                connected: Connected::new(&run, order, &reference),
                left_out: elements.left_out(),
                background: mean.background,
                deviation_mean: mean.mean,
                deviation_mean_std_err: mean.std_err,
                deviation_mean_p_value: mean.p_value,
                deviation_mean_pull: compared.mean_pull,
                first_order_verdict: compared.first_order,
                deviation_abs_mean: mean.abs_mean,
                deviation_abs_max: mean.abs_max,
                verdict: Verdict::of(mean.p_value),
                deviation: elements.deviations(&measured.delta),
                largest_share: judged.largest_shares(),
                tail_index: judged.tail_indices(),
                converged: judged.converged(),
                reason: (reason.as_ref()).map(|r| format!("{}; {}", r.why, r.advice)),
                why: reason.map(|r| r.why),
                pull: compared.pulls,
                reference,
                indices: elements.tuples.points,
                outputs: elements.tuples.outputs,
                gp: elements.gp,
                mean: measured.mean,
                std_err: measured.std_err,
                experiments: measured.experiments,
                delta: measured.delta,
                delta_experiments: measured.delta_experiments,
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Agreement, Known};
    use crate::model::Inputs;
    use crate::theory::kernel_matrix;
    use serde_json::{Value, json};

    /// The m_4 of the blocks of a run, in two experiments, with mean 0.1 and error 0.005.
    const BLOCKS: [f64; 8] = [0.09, 0.13, 0.08, 0.10, 0.11, 0.09, 0.12, 0.08];

    /// Makes the 4-point function of a run at one point, beside what theory has of it.
    fn four(theory: &dyn Fn(&Elements) -> Reference) -> Correlator {
        let spec = EnsembleSpec {
            inputs: Inputs::new(vec![vec![0.5]]).unwrap(),
            nets: 64,
            experiments: 2,
            orders: vec![4],
            ..EnsembleSpec::preset("erf", 1).unwrap()
        };
        let gp = Elements::new(&spec, &kernel_matrix(&spec), 4).gp[0];
        let mut run = Accumulator::new();
        for (k, m) in BLOCKS.iter().enumerate() {
            let (experiment, block) = (k as u32 / 4, k as u64 % 4);
            run.add_block(experiment, block, 16, vec![gp * (1.0 + m), *m]);
        }
        correlators_against(theory, &Plan::new(spec).unwrap(), &run)
            .unwrap()
            .remove(0)
    }

    /// Makes a theory that has m_4 = `m` with some error.
    fn known(elements: &Elements, m: f64, error: f64) -> Known {
        let gp = elements.gp[0];
        Known::new(elements, vec![m * gp], vec![error * gp], None)
    }

    fn std_err() -> f64 {
        let squares: f64 = BLOCKS.iter().map(|m| (m - 0.1).powi(2)).sum();
        (squares / 56.0).sqrt()
    }

    fn document(c: &Correlator) -> Value {
        serde_json::to_value(c).unwrap()
    }

    #[test]
    fn an_exact_value_gives_a_pull() {
        let c = four(&|e| Reference::Exact(known(e, 0.11, 0.0)));
        let want = -0.01 / std_err();
        for got in [c.pull_of(0), c.mean_pull(), c.largest_pull().map(|p| -p)] {
            assert!((got.unwrap() / want - 1.0).abs() < 1e-9);
        }
        assert_eq!(c.first_order_verdict, None);
        let json = document(&c);
        assert_eq!(json["reference"], "exact");
        assert!(json["exact"][0].is_f64() && json["pull"][0].is_f64());
        assert!((json["deviation_mean_exact"].as_f64().unwrap() - 0.11).abs() < 1e-12);
        assert!(json["first_order"].is_null() && json.get("first_order_verdict").is_none());
    }

    #[test]
    fn a_first_order_gives_a_verdict_and_no_pull() {
        let at = |m, neglected| four(&|e| Reference::FirstOrder(known(e, m, neglected)));
        for (m, neglected, verdict) in [
            (0.11, 0.0, Agreement::AsPredicted),
            (0.2, 0.0, Agreement::NotAsPredicted),
            (0.2, 0.12, Agreement::AsPredicted),
            (0.3, 0.12, Agreement::NotAsPredicted),
        ] {
            let c = at(m, neglected);
            assert_eq!(c.first_order_verdict, Some(verdict), "{m} {neglected}");
            assert!(c.pull.is_none() && c.mean_pull().is_none() && c.pulls().all(|p| p.is_none()));
            let json = document(&c);
            assert_eq!(json["reference"], "first order");
            assert_eq!(json["first_order_verdict"], verdict.to_string());
            assert!(json["first_order"][0].is_f64());
            for absent in ["exact", "exact_error", "pull", "deviation_mean_pull"] {
                assert!(json[absent].is_null(), "{absent}");
            }
            // However far: only an exact value refutes an error bar.
            assert!(c.reason.is_none() && c.converged[0]);
        }
        let refuted = four(&|e| Reference::Exact(known(e, 0.3, 0.0)));
        assert!(refuted.reason.unwrap().contains("exact value"));
    }

    #[test]
    fn what_is_not_known_is_absent() {
        let c = four(&|_| Reference::None);
        assert!((c.deviation_mean.unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(c.largest_pull(), None);
        let json = document(&c);
        assert_eq!(json["reference"], "none");
        for absent in [
            "exact",
            "first_order",
            "pull",
            "deviation_exact",
            "deviation_mean_exact",
            "deviation_mean_exact_error",
            "deviation_mean_pull",
        ] {
            assert_eq!(json.get(absent), Some(&json!(null)), "{absent}");
        }
        assert!(json.get("first_order_verdict").is_none());
    }
}
