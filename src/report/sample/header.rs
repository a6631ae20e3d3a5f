//! This module writes the start of a .npy file, which can be written again when fewer networks have
//! come than were expected.

use crate::engine::Float;

/// Length of the header. It has room for every shape and is a multiple of 64, as NumPy wants it.
pub const LENGTH: usize = 192;

/// Returns the header of an array of a shape, in C order, of numbers as this machine has them:
/// version 1.0 of <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.
pub fn header(shape: [u64; 3], float: Float) -> [u8; LENGTH] {
    let order = if cfg!(target_endian = "little") {
        '<'
    } else {
        '>'
    };
    let [networks, points, outputs] = shape;
    let dictionary = format!(
        "{{'descr': '{order}f{}', 'fortran_order': False, 'shape': ({networks}, {points}, {outputs}), }}",
        float.bytes()
    );
    let mut all = [b' '; LENGTH];
    all[..8].copy_from_slice(b"\x93NUMPY\x01\x00");
    all[8..10].copy_from_slice(&(LENGTH as u16 - 10).to_le_bytes());
    all[10..10 + dictionary.len()].copy_from_slice(dictionary.as_bytes());
    all[LENGTH - 1] = b'\n';
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_has_room() {
        for shape in [[0, 1, 1], [7, 6, 3], [u64::MAX; 3]] {
            for (float, descr) in [(Float::F32, "f4"), (Float::F64, "f8")] {
                let header = header(shape, float);
                let read = npyz::NpyHeader::from_reader(&header[..]);
                let text = String::from_utf8_lossy(&header).into_owned();
                assert!(text.ends_with('\n') && text.contains(descr), "{text}");
                // Sizes beyond memory are refused by the reader.
                if shape[0] < u64::MAX {
                    let read = read.unwrap();
                    assert_eq!((read.shape(), read.order()), (&shape[..], npyz::Order::C));
                }
            }
        }
    }
}
