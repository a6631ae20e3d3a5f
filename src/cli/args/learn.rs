use clap::Args;
use nnqft_gpu::model::{EnsembleSpec, Learning, TrainSpec, TrainingData};
use nnqft_gpu::{Error, Result};

use super::{PartialSpec, list, value};

/// `LearnArgs` has the options of what networks learn, and how.
#[derive(Args, Clone)]
pub struct LearnArgs {
    /// What the networks learn: points with their targets, "x=y;x=y", coordinates and targets by comma; or a
    /// file with coordinates, then targets, in each row (as many of either as --d-in or --d-out say, else one
    /// target). Up to 64 points with up to 8 targets
    #[arg(long, allow_hyphen_values = true, value_name = "X=Y;X=Y")]
    pub data: Option<String>,
    /// Rate of the descent [default: 1 over the largest eigenvalue of the tangent kernel at the data]
    #[arg(long, allow_hyphen_values = true, value_parser = value::rate)]
    rate: Option<f64>,
    /// Numbers of steps after which the networks are looked at, all in one run [default:
    /// 0,1,10,100,1000]
    #[arg(
        long,
        value_delimiter = ',',
        allow_hyphen_values = true,
        value_parser = value::steps
    )]
    steps: Option<Vec<u64>>,
    /// Parameters that move: all, or the readout alone [default: all]
    #[arg(long, value_name = "all|readout")]
    train: Option<Learning>,
    /// Average over the networks that have not diverged, rather than fail
    #[arg(long)]
    pub allow_diverged: bool,
}

impl LearnArgs {
    /// Makes one validated spec per width, in the order given.
    pub fn specs(&self, given: &PartialSpec) -> Result<Vec<TrainSpec>> {
        let mut given = given.clone();
        let d_out = d_out(&given)?;
        let fields = &mut given.model.fields;
        let Some(data) = &self.data else {
            let reason = "give points with their targets as \"-1=0.5;0.2=-0.3\", or a file";
            return Err(Error::invalid("data", "''", reason));
        };
        let points = fields.inputs.as_ref().map(|points| points.inputs.d_in());
        let data = TrainingData::parse_with(data, fields.d_in.or(points), d_out)?;
        if fields.inputs.is_none() {
            fields.d_in.get_or_insert(data.d_in());
        }
        let orders = fields.orders.clone();
        let sampling = &mut given.sampling;
        sampling.nets.get_or_insert(10_000);
        sampling.experiments.get_or_insert(1);
        if given.tilts() {
            let reason = "networks that learn are drawn as they are; leave it out";
            return Err(Error::invalid("tilt", "auto", reason));
        }
        let steps = (self.steps.clone()).unwrap_or_else(|| vec![0, 1, 10, 100, 1000]);
        (given.unmeasured()?.into_iter())
            .map(|ensemble| {
                let (d_out, net) = (d_out.unwrap_or(data.d_out()), ensemble.net.clone());
                let mut spec = TrainSpec::new(ensemble, data.clone(), steps.clone());
                spec.ensemble.net = net.with_d_out(d_out);
                if let Some(orders) = &orders {
                    spec.ensemble.orders.clone_from(orders);
                }
                (spec.rate, spec.train) = (self.rate, self.train.unwrap_or_default());
                spec.validate()
            })
            .collect()
    }

    /// Puts what was given over the specs of a run; the rest stays. What is wrong with the result shows when it is
    /// compared with the run.
    pub fn over(&self, given: &PartialSpec, run: &[TrainSpec]) -> Result<Vec<TrainSpec>> {
        let old: Vec<EnsembleSpec> = run.iter().map(|spec| spec.ensemble.clone()).collect();
        let net = &old[0].net;
        let data = match &self.data {
            Some(text) => {
                let fields = &given.model.fields;
                let points = fields.inputs.as_ref().map(|points| points.inputs.d_in());
                let d_in = fields.d_in.or(points).unwrap_or(net.d_in());
                let d_out = d_out(given)?.unwrap_or(net.d_out());
                TrainingData::parse_with(text, Some(d_in), Some(d_out))?
            }
            None => run[0].data.clone(),
        };
        let specs = given.over(&old)?.into_iter().map(|ensemble| {
            let mut spec = run[0].clone();
            (spec.ensemble, spec.data) = (ensemble, data.clone());
            spec.rate = self.rate.or(spec.rate);
            if let Some(steps) = &self.steps {
                spec.steps.clone_from(steps);
            }
            spec.train = self.train.unwrap_or(spec.train);
            spec
        });
        Ok(specs.collect())
    }
}

fn d_out(given: &PartialSpec) -> Result<Option<usize>> {
    match given.model.fields.d_out.as_deref() {
        None => Ok(None),
        Some(&[one]) => Ok(Some(one)),
        Some(several) => {
            let reason = "one value at a time; it is that of the data";
            Err(Error::invalid("d_out", list(several), reason))
        }
    }
}
