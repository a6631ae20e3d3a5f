//! Every result in every form that it has.

use std::io;
use std::path::Path;

use serde::Serialize;

use super::figure::Figure;
use super::heading::shape;
use super::{
    cross_check_table, depth_figure, depth_table, eft_figure, eft_table, elements_table,
    ensemble_figure, ensemble_table, falloff_figure, falloff_table, fit_table, flow_table,
    rg_figure, sample_table, six_point_table, symmetry_figure, symmetry_table,
    theory_elements_table, theory_table, train_figure, train_table, write_npz,
};
use crate::analysis::Unconverged;
use crate::run::{
    CompareDocument, DepthDocument, EftDocument, EnsembleDocument, FalloffDocument, RgDocument,
    SampleDocument, SymmetryDocument, TheoryDocument, TrainDocument,
};
use crate::{Error, Result};
#[cfg(feature = "gpu")]
use {super::devices_table, crate::run::DevicesDocument};

/// A result in every form that it has: its JSON is its serialisation.
///
/// ```
/// use nnqft_gpu::model::EnsembleSpec;
/// use nnqft_gpu::report::outcome::Outcome;
/// use nnqft_gpu::run::theory;
///
/// let documents = theory(vec![EnsembleSpec::preset("relu", 1)?])?;
/// assert!(documents[0].table(80).starts_with("ReLU-net"));
/// assert!(Outcome::verdict(&documents).is_ok());
/// # Ok::<(), nnqft_gpu::Error>(())
/// ```
pub trait Outcome: Serialize + Sized {
    /// The command that makes it, which names its file.
    const NAME: &'static str;

    /// Whether the table is read with the figure below it.
    const FIGURE_BESIDE_TABLE: bool = false;

    /// The table, with the notes that belong to it; columns are left out of one that is wider than so many
    /// characters.
    fn table(&self, width: usize) -> String;

    /// All elements, one a line, on request.
    fn elements(&self) -> String {
        String::new()
    }

    /// The figure of one of so many documents.
    fn figure(&self, _documents: usize) -> Option<Figure> {
        None
    }

    /// The name of the file of arrays of one of so many documents.
    fn arrays(&self, _documents: usize) -> Option<String> {
        None
    }

    /// Writes the file of arrays.
    ///
    /// # Errors
    /// What the file system says.
    fn write_arrays(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Fails if what is concluded does not hold, or cannot be relied on.
    ///
    /// # Errors
    /// [`Error::Unconverged`], [`Error::Symmetry`], [`Error::Disagreement`].
    fn verdict(_documents: &[Self]) -> Result<()> {
        Ok(())
    }
}

/// The way out of averages that have not converged, where theory has the moments.
const EXACT_MOMENTS: Option<&str> = Some("exact moments give it from theory");

/// Fails if a conclusion rests on averages that have not converged: one sentence for each, and
/// what to do `instead`.
fn must_rest_on(unconverged: Vec<String>, instead: Option<&str>) -> Result<()> {
    if unconverged.is_empty() {
        return Ok(());
    }
    let instead = instead.map(|text| format!(" ({text})")).unwrap_or_default();
    Err(Error::Unconverged(unconverged.join("; ") + &instead))
}

/// The sentences on n-point functions of some orders.
fn sentences(all: &[Unconverged], orders: &[usize]) -> Vec<String> {
    (all.iter().filter(|u| orders.contains(&u.order)))
        .map(ToString::to_string)
        .collect()
}

impl Outcome for EnsembleDocument {
    const NAME: &'static str = Self::COMMAND;

    fn table(&self, width: usize) -> String {
        ensemble_table(self, width)
    }

    fn elements(&self) -> String {
        elements_table(self)
    }

    fn figure(&self, documents: usize) -> Option<Figure> {
        Some(ensemble_figure(self, documents))
    }

    fn arrays(&self, documents: usize) -> Option<String> {
        Some(match documents {
            1 => "moments.npz".into(),
            _ => format!("moments-{}.npz", shape(&self.head.spec)),
        })
    }

    fn write_arrays(&self, path: &Path) -> io::Result<()> {
        write_npz(path, self)
    }
}

/// The draws themselves are in a file already.
impl Outcome for SampleDocument {
    const NAME: &'static str = Self::COMMAND;

    fn table(&self, _: usize) -> String {
        sample_table(self)
    }
}

impl Outcome for TheoryDocument {
    const NAME: &'static str = Self::COMMAND;

    fn table(&self, width: usize) -> String {
        theory_table(self, width)
    }

    fn elements(&self) -> String {
        theory_elements_table(self)
    }
}

impl Outcome for FalloffDocument {
    const NAME: &'static str = Self::COMMAND;
    const FIGURE_BESIDE_TABLE: bool = true;

    fn table(&self, width: usize) -> String {
        falloff_table(self, width)
    }

    fn figure(&self, _: usize) -> Option<Figure> {
        Some(falloff_figure(self))
    }

    fn verdict(documents: &[Self]) -> Result<()> {
        let all = documents.iter().flat_map(|d| &d.head.source.unconverged);
        must_rest_on(all.map(ToString::to_string).collect(), None)
    }
}

impl Outcome for DepthDocument {
    const NAME: &'static str = Self::COMMAND;
    const FIGURE_BESIDE_TABLE: bool = true;

    fn table(&self, width: usize) -> String {
        depth_table(self, width)
    }

    fn figure(&self, _: usize) -> Option<Figure> {
        Some(depth_figure(self))
    }

    fn verdict(documents: &[Self]) -> Result<()> {
        let all = documents.iter().flat_map(|d| &d.head.source.unconverged);
        must_rest_on(all.map(ToString::to_string).collect(), None)
    }
}

impl Outcome for EftDocument {
    const NAME: &'static str = Self::COMMAND;

    fn table(&self, width: usize) -> String {
        match self.fits.is_empty() {
            true => eft_table(self, width),
            false => fit_table(self, width),
        }
    }

    fn elements(&self) -> String {
        six_point_table(self)
    }

    /// There is none of fits.
    fn figure(&self, documents: usize) -> Option<Figure> {
        let fits = !self.fits.is_empty();
        (!fits).then(|| eft_figure(self, documents))
    }

    fn verdict(documents: &[Self]) -> Result<()> {
        documents
            .iter()
            .try_for_each(|d| must_rest_on(sentences(&d.train_unconverged, &[4]), EXACT_MOMENTS))?;
        documents.iter().try_for_each(|d| {
            // Fits are of the 4-point function alone.
            let orders = if d.fits.is_empty() { &[4, 6][..] } else { &[4] };
            let reasons = sentences(&d.head.source.unconverged, orders).into_iter();
            must_rest_on(reasons.chain(d.unmeasured()).collect(), EXACT_MOMENTS)
        })
    }
}

impl Outcome for RgDocument {
    const NAME: &'static str = Self::COMMAND;
    const FIGURE_BESIDE_TABLE: bool = true;

    fn table(&self, width: usize) -> String {
        flow_table(self, width)
    }

    fn figure(&self, documents: usize) -> Option<Figure> {
        Some(rg_figure(self, documents))
    }

    fn verdict(documents: &[Self]) -> Result<()> {
        documents.iter().try_for_each(|d| {
            let reasons = sentences(&d.head.source.unconverged, &[4]).into_iter();
            must_rest_on(reasons.chain(d.unmeasured()).collect(), EXACT_MOMENTS)
        })
    }
}

impl Outcome for SymmetryDocument {
    const NAME: &'static str = Self::COMMAND;

    fn table(&self, width: usize) -> String {
        symmetry_table(self, width)
    }

    fn figure(&self, documents: usize) -> Option<Figure> {
        Some(symmetry_figure(self, documents))
    }

    fn verdict(documents: &[Self]) -> Result<()> {
        let checks = || documents.iter().flat_map(|d| &d.checks);
        let failed: Vec<String> = (checks().filter(|c| c.pass == Some(false)))
            .map(|c| format!("{} at d_out = {}", c.name, c.d_out))
            .collect();
        if !failed.is_empty() {
            return Err(Error::Symmetry(failed.join(", ")));
        }
        let reasons = documents.iter().flat_map(|d| &d.head.source.unconverged);
        let unmeasured = documents.iter().filter_map(Self::unmeasured);
        let reasons = reasons.map(ToString::to_string).chain(unmeasured);
        must_rest_on(reasons.collect(), EXACT_MOMENTS)?;
        let undecided = checks().filter_map(|c| {
            let reason = c.reason.as_ref()?;
            let check = format!("{} at d_out = {}", c.name, c.d_out);
            Some(format!("{check} is undecided, {reason}"))
        });
        must_rest_on(undecided.collect(), None)
    }
}

impl Outcome for TrainDocument {
    const NAME: &'static str = Self::COMMAND;

    fn table(&self, width: usize) -> String {
        train_table(self, width)
    }

    fn figure(&self, _: usize) -> Option<Figure> {
        Some(train_figure(self))
    }

    fn verdict(documents: &[Self]) -> Result<()> {
        let failed: Vec<String> = (documents.iter().flat_map(|d| &d.checks))
            .filter(|c| !c.pass)
            .map(|c| format!("{} at width {}", c.name, c.width))
            .collect();
        match failed.is_empty() {
            true => Ok(()),
            false => Err(Error::Symmetry(failed.join(", "))),
        }
    }
}

impl Outcome for CompareDocument {
    const NAME: &'static str = Self::COMMAND;

    fn table(&self, width: usize) -> String {
        let verdict = match self.check.pass {
            true => "every stage and fit agrees",
            false => "the GPU computes wrongly",
        };
        format!(
            "{} ({}) against the f64 CPU engine\n{}{verdict}, {:.1} s\n",
            self.head.device.adapter,
            self.head.device.driver,
            cross_check_table(&self.check, width),
            self.head.timing.wall_s
        )
    }

    fn verdict(documents: &[Self]) -> Result<()> {
        let checks = || documents.iter().map(|d| &d.check);
        let stages = checks().flat_map(|c| &c.stages).filter(|s| !s.pass);
        let fits = checks().flat_map(|c| &c.fits).filter(|f| !f.pass);
        let failed: Vec<&str> = (stages.map(|s| s.stage))
            .chain(fits.map(|f| &f.fit[..]))
            .collect();
        match checks().all(|c| c.pass) {
            true => Ok(()),
            false => Err(Error::Disagreement(failed.join(", "))),
        }
    }
}

#[cfg(feature = "gpu")]
impl Outcome for DevicesDocument {
    const NAME: &'static str = Self::COMMAND;

    fn table(&self, width: usize) -> String {
        let adapters = match self.adapters.is_empty() {
            true => "no adapter: no Vulkan, Metal or DirectX 12 driver answers\n".into(),
            false => devices_table(&self.adapters, width),
        };
        format!("{adapters}auto takes {}\n", self.auto)
    }
}
