//! A reproduction's documents are found by net and by the names of their files.

use std::collections::BTreeMap;

use serde::Serialize;

use super::names::Origin;
use super::source::{DIMENSIONS, SourceNet, source};
use super::traced::Traced;
use crate::analysis::{Falloff, WIDTHS};
use crate::run::{EftDocument, FalloffDocument, Head, RgDocument, SymmetryDocument};

/// A document is of one of four kinds.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(super) enum Document {
    Falloff(FalloffDocument),
    Eft(EftDocument),
    Flow(RgDocument),
    Symmetry(SymmetryDocument),
}

impl Document {
    pub fn head(&self) -> &Head {
        match self {
            Self::Falloff(d) => &d.head,
            Self::Eft(d) => &d.head,
            Self::Flow(d) => &d.head,
            Self::Symmetry(d) => &d.head,
        }
    }

    /// Returns the document as its file has it.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("documents have string keys")
    }
}

/// A type of this trait is a kind of document.
trait OfKind: Sized {
    fn of(document: &Document) -> Option<&Self>;
}

macro_rules! of_kind {
    ($($type:ident = $kind:ident),*) => {$(
        impl OfKind for $type {
            fn of(document: &Document) -> Option<&Self> {
                match document {
                    Document::$kind(d) => Some(d),
                    _ => None,
                }
            }
        }
    )*};
}
of_kind!(
    FalloffDocument = Falloff,
    EftDocument = Eft,
    RgDocument = Flow,
    SymmetryDocument = Symmetry
);

/// `Documents` holds all measurements of a reproduction, by name of their document.
#[derive(Debug, Clone)]
pub struct Documents {
    all: BTreeMap<String, Document>,
    seconds: f64,
}

/// `OfNet` holds one net's documents.
#[derive(Debug)]
pub(super) struct OfNet<'a> {
    pub net: &'static SourceNet,
    pub falloff: Traced<'a, FalloffDocument>,
    pub dimensions: Vec<OfDimension<'a>>,
    pub fixed_points: Traced<'a, RgDocument>,
    pub symmetry: Traced<'a, SymmetryDocument>,
    pub fits: Fits<'a>,
}

/// `OfDimension` holds one net's documents at an input dimension.
#[derive(Debug)]
pub(super) struct OfDimension<'a> {
    pub d_in: usize,
    pub couplings: ByOrigin<Traced<'a, EftDocument>>,
    pub flows: ByOrigin<Traced<'a, RgDocument>>,
    /// Flow of exact moments with weight vertices.
    pub weight_flow: Option<Traced<'a, RgDocument>>,
}

/// `ByOrigin` holds one kind of thing made from moments of each origin.
#[derive(Debug, Clone)]
pub(super) struct ByOrigin<T> {
    pub direct: T,
    pub connected: T,
    pub exact: T,
}

impl<T> ByOrigin<T> {
    pub fn each(&self) -> [(Origin, &T); 3] {
        Origin::ALL.map(|origin| match origin {
            Origin::Direct => (origin, &self.direct),
            Origin::Connected => (origin, &self.connected),
            Origin::Exact => (origin, &self.exact),
        })
    }
}

/// `Fits` holds the documents that have the coupling as a function.
#[derive(Debug, Clone)]
pub(super) struct Fits<'a> {
    pub exact: Traced<'a, EftDocument>,
    pub connected: Traced<'a, EftDocument>,
}

impl Fits<'_> {
    pub fn each(&self) -> [(Origin, &Traced<'_, EftDocument>); 2] {
        [
            (Origin::Exact, &self.exact),
            (Origin::Connected, &self.connected),
        ]
    }
}

impl Documents {
    /// Makes a collection that holds nothing yet.
    pub(super) fn new() -> Self {
        Self {
            all: BTreeMap::new(),
            seconds: 0.0,
        }
    }

    /// Takes the documents of one measurement, which share their time.
    pub(super) fn add(&mut self, documents: Vec<(String, Document)>) {
        self.seconds += (documents.last()).map_or(0.0, |(_, d)| d.head().timing.wall_s);
        self.all.extend(documents);
    }

    /// Joins the widths of each net to its falloff and fits the slopes.
    pub(super) fn join_widths(&mut self) {
        for net in &source().nets {
            let of = |width: &u64| self.get::<FalloffDocument>(&net.width_name(*width));
            let all: Vec<&FalloffDocument> = WIDTHS.iter().map(|w| of(w).value).collect();
            let widths = all.iter().flat_map(|d| d.falloff.widths.clone()).collect();
            let mut joined = FalloffDocument {
                falloff: Falloff::new(widths),
                ..all[0].clone()
            };
            joined.head.source.unconverged = joined.falloff.unconverged();
            joined.head.timing.wall_s = all.iter().map(|d| d.head.timing.wall_s).sum();
            let name = net.falloff_name();
            self.all.insert(name, Document::Falloff(joined));
        }
    }

    /// Adds up the seconds of all measurements, those of earlier runs included.
    pub(super) fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Lists all documents, by name.
    pub(super) fn each(&self) -> impl Iterator<Item = (&str, &Document)> {
        self.all.iter().map(|(name, d)| (name.as_str(), d))
    }

    /// Lists the joined falloffs, by name.
    pub(super) fn falloffs(&self) -> impl Iterator<Item = (String, &FalloffDocument)> {
        (source().nets.iter()).map(|net| (net.falloff_name(), self.get(&net.falloff_name()).value))
    }

    /// Groups the documents by net, in the order of the source.
    pub(super) fn nets(&self) -> Vec<OfNet<'_>> {
        source().nets.iter().map(|net| self.of_net(net)).collect()
    }

    fn of_net(&self, net: &'static SourceNet) -> OfNet<'_> {
        OfNet {
            net,
            falloff: self.get(&net.falloff_name()),
            dimensions: DIMENSIONS.map(|d_in| self.of_dimension(net, d_in)).into(),
            fixed_points: self.get(&net.fixed_points_name()),
            symmetry: self.get(&net.symmetry_name()),
            fits: Fits {
                exact: self.get(&net.fit_name(Origin::Exact)),
                connected: self.get(&net.fit_name(Origin::Connected)),
            },
        }
    }

    fn of_dimension(&self, net: &SourceNet, d_in: usize) -> OfDimension<'_> {
        OfDimension {
            d_in,
            couplings: self.by_origin(|origin| net.couplings_name(d_in, origin)),
            flows: self.by_origin(|origin| net.flow_name(d_in, origin)),
            weight_flow: (net.weight_flow).then(|| self.get(&net.weight_flow_name(d_in))),
        }
    }

    fn by_origin<T: OfKind>(&self, name: impl Fn(Origin) -> String) -> ByOrigin<Traced<'_, T>> {
        ByOrigin {
            direct: self.get(&name(Origin::Direct)),
            connected: self.get(&name(Origin::Connected)),
            exact: self.get(&name(Origin::Exact)),
        }
    }

    fn get<T: OfKind>(&self, name: &str) -> Traced<'_, T> {
        let document = self.all.get(name).and_then(T::of);
        // A run ends with every document of its plan, or with an error.
        Traced::document(name, document.expect("the plan measures every document"))
    }
}
