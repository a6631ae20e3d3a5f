//! The results of the source are measured again, judged, and shown on one page.
//!
//! A [`Plan`] lists the measurements, [`run`] makes those that a [`Folder`] does not hold yet, and
//! a [`Report`] has the verdicts, the figures and the page. What is judged are the documents' own
//! fields; every number of a verdict or a table names the file and the place where it stands.

mod claims;
mod document;
mod documents;
mod figures;
mod folder;
mod names;
mod page;
mod plan;
mod report;
mod run;
mod source;
mod table;
mod traced;
mod verdict;

pub use document::{ReproductionDocument, ReproductionSpec};
pub use documents::Documents;
pub use figures::Plot;
pub use folder::Folder;
pub use plan::{Plan, Scale, work};
pub use report::Report;
pub use run::{Failure, Step, Watch, run};
pub use traced::Number;
pub use verdict::{Basis, Claim, Outcome, Section, Statement};
