use crate::model::EnsembleSpec;

/// Words of one ChaCha block, which are the hidden units, or networks, that are drawn together.
pub const GROUP: u64 = 16;

/// `Part` says which parameters a stream of random words feeds.
///
/// Hidden and output layers have streams of their own, so that the hidden layer of a
/// network does not depend on what is attached to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// W0 and b0 of full groups.
    Hidden = 0,
    /// W1 of full groups.
    Output = 1,
    /// The shift of a network in importance sampling, and the hidden unit that gets it.
    Tilt = 2,
    /// W0 and b0 of the units that fill no group.
    HiddenRemainder = 3,
    /// W1 of the units that fill no group, and b1.
    OutputRemainder = 4,
}

impl Part {
    /// Returns ChaCha's 64-bit stream number: experiment in the low word, part in the high one.
    pub fn stream(self, experiment: u32) -> u64 {
        (self as u64) << 32 | u64::from(experiment)
    }
}

/// Returns the ChaCha key of a seed: the seed in the first two words, zeros after it.
pub fn key(seed: u64) -> [u8; 32] {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key
}

/// A stream layout says where in its streams a network finds its parameters.
///
/// Units come in groups of 16. For each full group a network owns d_in + 1 ChaCha blocks of
/// the hidden stream (word u of block c is component c of unit u: the coordinates of W0,
/// then b0) and d_out blocks of the output stream. Network n starts at block
/// n x (blocks per network).
///
/// The r = N mod 16 units that are left are drawn for 16 networks at a time, so that narrow
/// networks throw no words away: word i of every block belongs to network 16 m + i. Block
/// c r + u of the hidden remainder is component c of unit u of those; block a (r + 1) + u of the
/// output remainder is the weight of unit u of those in output a, and u = r is b1_a.
///
/// Within a block of normals, words 0..8 are the radii and words 8..16 the angles of eight
/// Box-Muller pairs: normals u and u + 8 share words u and u + 8. Variates of the other laws have
/// a word each.
///
/// With importance sampling a network owns one block of the tilt stream: word 0 picks the
/// shift, word 1 the hidden unit, each as the high half of word x number of choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLayout {
    /// Groups of 16 hidden units.
    pub full_groups: u64,
    /// Hidden units that fill no group (0 to 15).
    pub remainder: u64,
    /// Number of components of a hidden unit: d_in + 1.
    pub hidden_components: u64,
    /// Number of components that are drawn: b0 is last, and left out where sigma_b is zero.
    pub drawn_components: u64,
    /// Number of outputs.
    pub outputs: u64,
}

impl StreamLayout {
    /// Lays out the streams of the first hidden layer, and of the readout where that is the only one.
    pub fn new(spec: &EnsembleSpec) -> Self {
        let components = spec.net.d_in() as u64 + 1;
        // A tilt weighs b0 whatever it is multiplied with.
        let has_bias =
            spec.net.layers().iter().any(|layer| layer.sigma_b != 0.0) || spec.tilt.is_some();
        let width = spec.net.first().width;
        Self {
            full_groups: width / GROUP,
            remainder: width % GROUP,
            hidden_components: components,
            drawn_components: components - u64::from(!has_bias),
            outputs: spec.net.d_out() as u64,
        }
    }

    /// Tells whether b0 and b1 move anything; otherwise they are not drawn.
    pub fn has_bias(&self) -> bool {
        self.drawn_components == self.hidden_components
    }

    /// Counts the ChaCha blocks in a part of the stream: per network, or for the remainders per 16
    /// networks.
    pub fn blocks(&self, part: Part) -> u64 {
        match part {
            Part::Hidden => self.full_groups * self.hidden_components,
            Part::Output => self.full_groups * self.outputs,
            Part::Tilt => 1,
            Part::HiddenRemainder => self.remainder * self.hidden_components,
            Part::OutputRemainder => (self.remainder + 1) * self.outputs,
        }
    }
}

/// An inner layout says where in its streams a network finds the parameters of an affine layer
/// above the first, in a net with several hidden layers.
///
/// It is that of hidden layers: a full group of 16 units has a block for each component, and the
/// units that fill no group share their blocks with 16 networks. Components are the normals of a
/// unit, or its weights, then its bias if that is drawn by itself. A layer has two streams, with
/// parts after those of [`Part`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InnerLayout {
    /// Number of the affine layer: 1 for the one above the first hidden layer.
    pub layer: u64,
    /// Number of units.
    pub units: u64,
    /// Number of variates of a unit.
    pub components: u64,
}

impl InnerLayout {
    /// Counts the groups of 16 units.
    pub fn full_groups(&self) -> u64 {
        self.units / GROUP
    }

    /// Counts the units that fill no group (0 to 15).
    pub fn remainder(&self) -> u64 {
        self.units % GROUP
    }

    /// Counts the ChaCha blocks of full groups that a network has.
    pub fn blocks(&self) -> u64 {
        self.full_groups() * self.components
    }

    /// Counts the ChaCha blocks of the remainder that 16 networks have.
    pub fn remainder_blocks(&self) -> u64 {
        self.remainder() * self.components
    }

    /// Returns ChaCha's stream number of the full groups.
    pub fn stream(&self, experiment: u32) -> u64 {
        (3 + 2 * self.layer) << 32 | u64::from(experiment)
    }

    /// Returns ChaCha's stream number of the remainder.
    pub fn remainder_stream(&self, experiment: u32) -> u64 {
        (4 + 2 * self.layer) << 32 | u64::from(experiment)
    }
}
