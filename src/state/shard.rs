use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A shard is part `index` of `count` of a run, written `index/count`, the first being 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    index: u64,
    count: u64,
}

/// The largest number of shards: more make no sense for 10^6 experiments of a few blocks each.
const MAX_SHARDS: u64 = 1 << 32;

impl Shard {
    /// Returns the number of the shard, from 0.
    pub fn index(self) -> u64 {
        self.index
    }

    /// Returns how many shards there are.
    pub fn count(self) -> u64 {
        self.count
    }

    /// Returns the shard's share of `blocks` blocks: all shards together have each block once, and
    /// none has two more than another.
    pub fn of(self, blocks: u64) -> Range<u64> {
        let bound = |k: u64| (u128::from(blocks) * u128::from(k) / u128::from(self.count)) as u64;
        bound(self.index)..bound(self.index + 1)
    }
}

impl std::str::FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = |reason: &str| Err(Error::invalid("shard", format!("'{text}'"), reason));
        let number = |t: &str| {
            let digits = !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
            t.parse::<u64>().ok().filter(|_| digits)
        };
        let (index, count) = match text.split_once('/') {
            Some((i, n)) => (number(i), number(n)),
            None => (None, None),
        };
        match (index, count) {
            (Some(index), Some(count @ 1..=MAX_SHARDS)) if index < count => {
                Ok(Self { index, count })
            }
            (Some(_), Some(0)) => bad("there must be at least one shard"),
            (Some(_), Some(n)) if n <= MAX_SHARDS => {
                bad("shards are counted from 0: use 0/n to (n-1)/n")
            }
            _ => bad("write i/n, such as 0/8 for the first of eight"),
        }
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl TryFrom<String> for Shard {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_all_blocks_evenly() {
        for blocks in [1, 7, 64, 320, 1_000_003, u64::MAX / 2] {
            for count in [1, 2, 3, 8, 1000] {
                let mut next = 0;
                let mut sizes = Vec::new();
                for index in 0..count {
                    let range = Shard { index, count }.of(blocks);
                    assert_eq!(range.start, next);
                    next = range.end;
                    sizes.push(range.end - range.start);
                }
                assert_eq!(next, blocks);
                assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
            }
        }
    }

    #[test]
    fn shards_are_counted_from_zero() {
        assert_eq!(
            "2/8".parse::<Shard>().unwrap(),
            Shard { index: 2, count: 8 }
        );
        for text in [
            "8/8",
            "0/0",
            "1",
            "",
            "/",
            "a/2",
            "-1/2",
            "+1/2",
            "1/2/3",
            "0/99999999999",
        ] {
            let message = text.parse::<Shard>().unwrap_err().to_string();
            assert!(message.starts_with("shard"), "{message}");
        }
    }
}
