//! This module has nets as JSON has them.

use serde::{Deserialize, Serialize};

use super::{Net, check_depth};
use crate::model::{Activation, CatalogueEntry, Law};
use crate::{Error, Result};

/// `Data` is a net as JSON has it.
#[derive(Serialize, Deserialize)]
pub(super) struct Data {
    arch: Option<String>,
    activation: Activation,
    hidden: Vec<u64>,
    d_in: usize,
    d_out: u64,
    sigma_w: Vec<f64>,
    sigma_b: Vec<f64>,
    law_w: Vec<Law>,
    law_b: Vec<Law>,
}

impl From<Net> for Data {
    fn from(net: Net) -> Self {
        let (readout, hidden) = net.layers.split_last().expect("a net has a readout");
        Self {
            hidden: hidden.iter().map(|layer| layer.width).collect(),
            d_out: readout.width,
            sigma_w: net.layers.iter().map(|layer| layer.sigma_w).collect(),
            sigma_b: net.layers.iter().map(|layer| layer.sigma_b).collect(),
            law_w: net.layers.iter().map(|layer| layer.law_w).collect(),
            law_b: net.layers.iter().map(|layer| layer.law_b).collect(),
            arch: net.name,
            activation: net.activation,
            d_in: net.d_in,
        }
    }
}

impl TryFrom<Data> for Net {
    type Error = Error;

    fn try_from(data: Data) -> Result<Self> {
        check_depth(data.hidden.len())?;
        if let Some(name) = &data.arch
            && CatalogueEntry::find(name)?
                .activation
                .parse::<Activation>()?
                != data.activation
        {
            let reason = format!("this net has another activation than {}", data.activation);
            return Err(Error::invalid("arch", name, reason));
        }
        let mut net = Self::new(data.activation, data.d_in);
        net.name = data.arch;
        net = net.with_hidden(&data.hidden)?;
        net.layers[data.hidden.len()].width = data.d_out;
        let each = |list: usize| list == net.layers.len();
        for (name, list) in [
            ("sigma_w", data.sigma_w.len()),
            ("sigma_b", data.sigma_b.len()),
            ("law_w", data.law_w.len()),
            ("law_b", data.law_b.len()),
        ] {
            if !each(list) {
                let reason = format!(
                    "a net of {} affine layers has one for each",
                    net.layers.len()
                );
                return Err(Error::invalid(name, format!("with {list} entries"), reason));
            }
        }
        (net.with_law_w(data.law_w)?.with_law_b(data.law_b)?)
            .with_each_sigma_w(data.sigma_w)?
            .with_each_sigma_b(data.sigma_b)
    }
}
