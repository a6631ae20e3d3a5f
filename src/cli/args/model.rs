use std::str::FromStr;
use std::sync::Once;

use clap::Args;
use nnqft_gpu::model::{Activation, CatalogueEntry, EnsembleSpec, Inputs, Law, Net};
use nnqft_gpu::theory::critical;
use nnqft_gpu::{Error, Result};

use super::{help, value};

/// `NetArgs` has the options of a network but for its dimensions.
#[derive(Args, Clone, Default)]
pub struct NetArgs {
    #[arg(long, value_parser = value::arch, help = help::arch())]
    pub arch: Option<&'static CatalogueEntry>,
    /// Activation as an expression in z, and in v, the variance of z: numbers, pi, e, + - * / ^,
    /// abs sign step exp log log1p sqrt sin cos tanh sigmoid erf min max, such as "max(z,0)" or
    /// "z*exp(-z^2)" [default: that of --arch]
    #[arg(long, allow_hyphen_values = true, value_name = "EXPR", value_parser = value::activation)]
    pub activation: Option<Activation>,
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_parser = value::sigma_w,
        help = help::sigma_w())]
    pub sigma_w: Option<Vec<f64>>,
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_parser = value::sigma_b,
        help = help::sigma_b())]
    pub sigma_b: Option<Vec<f64>>,
    /// Standard deviations of weights and biases at the critical point of the activation, where
    /// perturbations neither grow nor decay from layer to layer
    #[arg(long, conflicts_with_all = ["sigma_w", "sigma_b"])]
    pub critical: bool,
    #[arg(long, value_delimiter = ',', value_name = "LAW", value_parser = value::law_w,
        help = help::law_w())]
    pub law_w: Option<Vec<Law>>,
    #[arg(long, value_delimiter = ',', value_name = "LAW", value_parser = value::law_b,
        help = help::law_b())]
    pub law_b: Option<Vec<Law>>,
}

impl NetArgs {
    /// Returns the net of the catalogue: the first one, if none was given.
    pub fn arch(&self) -> &'static CatalogueEntry {
        self.arch.unwrap_or(&CatalogueEntry::all()[0])
    }

    /// Returns the net that was given, or `None` if nothing was.
    pub fn given(&self, depth: usize) -> Result<Option<Net>> {
        let is_given = self.arch.is_some()
            || self.activation.is_some()
            || self.critical
            || self.law_w.is_some()
            || self.law_b.is_some()
            || self.sigma_w.is_some()
            || self.sigma_b.is_some()
            || depth > 1;
        match is_given {
            true => {
                let net = Net::named(&self.arch().name, 1)?;
                let widths = vec![net.width(); depth];
                Ok(Some(self.over(net.with_hidden(&widths)?)?))
            }
            false => Ok(None),
        }
    }

    /// Puts what was given over a net, whose dimensions stay.
    fn over(&self, mut net: Net) -> Result<Net> {
        if let Some(arch) = self.arch {
            net = net.like(&arch.name)?;
        }
        if let Some(activation) = &self.activation {
            net = net.with_activation(activation.clone());
        }
        // A phase brings its standard deviation along.
        if let Some(laws) = &self.law_w {
            net = net.with_law_w(laws.clone())?;
        }
        if let Some(laws) = &self.law_b {
            net = net.with_law_b(laws.clone())?;
        }
        if self.critical {
            let point = critical(net.activation())?;
            net = net.with_sigma_w(point.sigma_w).with_sigma_b(point.sigma_b);
        }
        if let Some(sigmas) = &self.sigma_w {
            net = net.with_each_sigma_w(sigmas.clone())?;
        }
        if let Some(sigmas) = &self.sigma_b {
            net = net.with_each_sigma_b(sigmas.clone())?;
        }
        Ok(net)
    }
}

/// `FieldArgs` has the dimensions of a network, the points, and the orders.
#[derive(Args, Clone, Default)]
pub struct FieldArgs {
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_parser = value::width,
        help = help::width())]
    pub width: Option<Vec<u64>>,
    /// Number of hidden layers, all of --width; several, separated by commas, are run one after the
    /// other [default: 1; depth: 1,2,3,5,10,20,50]
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_parser = value::depth)]
    pub depth: Option<Vec<usize>>,
    /// Widths of the hidden layers one by one, from the inputs to the outputs
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_name = "N1,N2,..",
        value_parser = value::hidden, conflicts_with_all = ["width", "depth"])]
    pub hidden: Option<Vec<u64>>,
    /// Input dimension [default: that of --inputs, else 1]
    #[arg(long, allow_hyphen_values = true, value_parser = value::d_in)]
    pub d_in: Option<usize>,
    /// Output dimension; symmetry takes several, separated by commas. The direct estimator has
    /// C(P d_out + n - 1, n) elements at P points (6 points, orders 2,4,6: 609 at d_out 1,
    /// 13819 at 2; order 2 alone 4656 at 16), connected those whose outputs pair (3486 at 2,
    /// 5257 from 3 on); a run may take 8 GiB, some millions [default: 1; symmetry: 1,2,4,8]
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_parser = value::d_out)]
    pub d_out: Option<Vec<usize>>,
    /// Points "x;x;.." with coordinates by comma; a file, one point a line (CSV, TSV, blanks, a
    /// header, comments) or a NumPy array (.npy, .npz with one); or a preset such as relu-d2
    /// [default: the source's for --arch and --d-in]
    #[arg(long, allow_hyphen_values = true)]
    pub inputs: Option<Points>,
    /// Orders n of the n-point functions, 1 to 6 [default: 2,4,6; train: 1,2,4]
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_parser = value::order)]
    pub orders: Option<Vec<usize>>,
}

/// `ModelArgs` has the options of the field theory: networks and points.
#[derive(Args, Clone, Default)]
pub struct ModelArgs {
    #[command(flatten)]
    pub net: NetArgs,
    #[command(flatten)]
    pub fields: FieldArgs,
}

impl ModelArgs {
    /// Returns the source's ensemble for the net and the input dimension.
    pub fn preset(&self) -> Result<EnsembleSpec> {
        let d_in = self.fields.d_in.filter(|_| self.fields.inputs.is_none());
        EnsembleSpec::preset(&self.net.arch().name, d_in.unwrap_or(1))
    }

    /// Sets what was given, in a copy for each depth and width that was given.
    pub fn apply(&self, spec: &EnsembleSpec) -> Result<Vec<EnsembleSpec>> {
        (self.shapes(&spec.net)?.into_iter())
            .map(|net| {
                let mut spec = EnsembleSpec {
                    net,
                    ..spec.clone()
                };
                self.apply_to_one(&mut spec)?;
                Ok(spec)
            })
            .collect()
    }

    /// Tells whether the hidden layers were given.
    pub fn has_shape(&self) -> bool {
        let fields = &self.fields;
        fields.width.is_some() || fields.depth.is_some() || fields.hidden.is_some()
    }

    /// Copies a net for each depth and width that was given.
    fn shapes(&self, net: &Net) -> Result<Vec<Net>> {
        let fields = &self.fields;
        if let Some(hidden) = &fields.hidden {
            return Ok(vec![net.clone().with_hidden(hidden)?]);
        }
        let mut deep = Vec::new();
        match &fields.depth {
            None => deep.push(net.clone()),
            Some(depths) => {
                for &depth in depths {
                    deep.push(net.clone().with_hidden(&vec![net.width(); depth])?);
                }
            }
        }
        let of = |net: Net| match &fields.width {
            None => vec![net],
            Some(widths) => (widths.iter())
                .map(|&width| net.clone().with_width(width))
                .collect(),
        };
        Ok(deep.into_iter().flat_map(of).collect())
    }

    /// Sets what was given, but for the hidden layers' number and widths.
    fn apply_to_one(&self, spec: &mut EnsembleSpec) -> Result<()> {
        let mut net = self.net.over(spec.net.clone())?;
        if let Some(points) = &self.fields.inputs {
            spec.inputs = points.inputs.clone();
            net = net.with_d_in(spec.inputs.d_in());
        }
        if let Some(d_in) = self.fields.d_in {
            net = net.with_d_in(d_in);
        }
        match self.fields.d_out.as_deref() {
            Some(&[d_out]) => net = net.with_d_out(d_out),
            Some(several) => {
                let reason = "one value at a time; only symmetry takes several";
                return Err(Error::invalid("d_out", list(several), reason));
            }
            None => {}
        }
        spec.net = net;
        if let Some(orders) = &self.fields.orders {
            spec.orders.clone_from(orders);
            // They are kept ascending, each once.
            spec.orders.sort_unstable();
            spec.orders.dedup();
        }
        Ok(())
    }

    /// Says once what a list of numbers without a semicolon is: often several points were meant.
    pub fn remark_on_one_point(&self) {
        static SAID: Once = Once::new();
        let Some(Points { text, inputs }) = &self.fields.inputs else {
            return;
        };
        let numbers: Vec<&str> = text.split(',').map(str::trim).collect();
        let is_list = numbers.len() > 1 && numbers.iter().all(|n| n.parse::<f64>().is_ok());
        // Who says how many coordinates there are means one point.
        if is_list && inputs.len() == 1 && self.fields.d_in.is_none() {
            let count = numbers.len();
            SAID.call_once(|| {
                note!(
                    "inputs: one point of {count} coordinates; {count} points of one coordinate are written \"{}\"",
                    numbers.join(";")
                );
            });
        }
    }
}

/// Writes numbers as they were given.
pub fn list<T: ToString>(values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(T::to_string).collect();
    values.join(",")
}

/// `Points` holds points, and how they were written.
#[derive(Clone)]
pub struct Points {
    text: String,
    pub inputs: Inputs,
}

impl FromStr for Points {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(Self {
            text: text.into(),
            inputs: Inputs::parse(text)?,
        })
    }
}

impl From<Inputs> for Points {
    fn from(inputs: Inputs) -> Self {
        Self {
            text: String::new(),
            inputs,
        }
    }
}
