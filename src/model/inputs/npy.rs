//! This module reads NumPy arrays of points.

use std::io::{Cursor, Read};

use half::f16;
use npyz::{DType, Endianness, NpyFile, NpyHeader, Order, TypeChar};
use zip::{CompressionMethod, ZipArchive};

/// Opens an array whose header is no longer than the bytes that are there: npyz reserves what a
/// header of version 2 or 3 says, which may be 4 GB.
pub(crate) fn open(bytes: &[u8]) -> std::io::Result<NpyFile<&[u8]>> {
    let long = bytes.get(6).is_some_and(|&version| version >= 2);
    let length = bytes.get(8..).and_then(|rest| rest.first_chunk());
    if long && length.is_some_and(|&length| u32::from_le_bytes(length) as usize > bytes.len()) {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    NpyFile::new(bytes)
}

/// Reads the points of an array of shape (points, d_in), (points,), or () for a single one.
pub fn parse(bytes: &[u8]) -> Result<Vec<Vec<f64>>, String> {
    let npy = open(bytes).map_err(|e| format!("not a readable .npy file: {e}"))?;
    let shape = npy.shape().to_vec();
    let (rows, columns) = match shape[..] {
        [] => (1, 1),
        [p] => (p, 1),
        [p, d] => (p, d),
        _ => {
            return Err(format!(
                "the array has shape {shape:?}; it must be (points, d_in), or (points,) for d_in 1"
            ));
        }
    };
    if rows == 0 || columns == 0 {
        return Err(format!("the array has shape {shape:?} and holds no points"));
    }
    // The header's shape is untrusted: it must fit the bytes that are there.
    if rows
        .checked_mul(columns)
        .is_none_or(|n| n > bytes.len() as u64)
    {
        return Err(format!("the file is too short for its shape {shape:?}"));
    }
    let is_fortran = npy.order() == Order::Fortran;
    let values = values(npy, bytes)?;
    let (rows, columns) = (rows as usize, columns as usize);
    let at = |r: usize, c: usize| match is_fortran {
        true => c * rows + r,
        false => r * columns + c,
    };
    for r in 0..rows {
        if let Some(c) = (0..columns).find(|&c| !values[at(r, c)].is_finite()) {
            let value = values[at(r, c)];
            return Err(format!(
                "element [{r}, {c}] of the array, of shape {shape:?}, is {value}; coordinates must be finite numbers"
            ));
        }
    }
    Ok((0..rows)
        .map(|r| (0..columns).map(|c| values[at(r, c)]).collect())
        .collect())
}

/// Reads every real type of NumPy as f64.
fn values(npy: NpyFile<&[u8]>, bytes: &[u8]) -> Result<Vec<f64>, String> {
    let DType::Plain(kind) = npy.dtype() else {
        return Err(
            "the array has fields of several types; save its columns as one of float64".into(),
        );
    };
    macro_rules! read {
        ($type:ty, $to_f64:expr) => {
            (npy.data::<$type>().map_err(|e| e.to_string())?)
                .map(|x| x.map($to_f64))
                .collect::<std::io::Result<Vec<f64>>>()
                .map_err(|e| format!("the file ends early or is damaged: {e}"))
        };
    }
    use TypeChar::{Bool, Float, Int, Uint};
    match (kind.type_char(), kind.size_field()) {
        (Bool, _) => read!(bool, f64::from),
        (Int, 1) => read!(i8, f64::from),
        (Int, 2) => read!(i16, f64::from),
        (Int, 4) => read!(i32, f64::from),
        (Int, 8) => read!(i64, |x| x as f64),
        (Uint, 1) => read!(u8, f64::from),
        (Uint, 2) => read!(u16, f64::from),
        (Uint, 4) => read!(u32, f64::from),
        (Uint, 8) => read!(u64, |x| x as f64),
        (Float, 2) => halves(bytes, npy.len() as usize, kind.endianness()),
        (Float, 4) => read!(f32, f64::from),
        (Float, 8) => read!(f64, |x| x),
        (kind, size) => Err(refusal(kind, size)),
    }
}

/// Reads float16, which npyz knows as a name only.
fn halves(bytes: &[u8], len: usize, order: Endianness) -> Result<Vec<f64>, String> {
    let mut data = bytes;
    NpyHeader::from_reader(&mut data).map_err(|e| e.to_string())?;
    let (pairs, _) = data.as_chunks::<2>();
    let pairs = pairs
        .get(..len)
        .ok_or("the file ends early or is damaged")?;
    Ok((pairs.iter())
        .map(|&pair| match order {
            Endianness::Big => f16::from_be_bytes(pair).into(),
            _ => f16::from_le_bytes(pair).into(),
        })
        .collect())
}

fn refusal(kind: TypeChar, size: u64) -> String {
    let what = match kind {
        TypeChar::Float => format!("of {}-bit floats (longdouble)", 8 * size),
        TypeChar::Complex => "of complex numbers, and coordinates are real".into(),
        TypeChar::Object => "of Python objects (a pickle)".into(),
        TypeChar::ByteStr | TypeChar::UnicodeStr => "of strings".into(),
        TypeChar::DateTime | TypeChar::TimeDelta => "of times".into(),
        _ => "of an unknown type".into(),
    };
    format!("the array is {what}; save it as a real type, such as x.astype(float)")
}

/// Reads the points of a zip archive that holds one array, as numpy.savez writes it.
pub fn parse_zip(bytes: &[u8]) -> Result<Vec<Vec<f64>>, String> {
    let mut zip = ZipArchive::new(Cursor::new(bytes))
        .map_err(|e| format!("a .zip or .npz that cannot be read: {e}"))?;
    let names: Vec<String> = (zip.file_names().filter_map(Result::ok))
        .map(|name| name.into_owned())
        .collect();
    let has = |part: &str| names.iter().any(|name| name.contains(part));
    let other = if has("xl/") || has("[Content_Types].xml") {
        Some("this is an Excel workbook; save it as CSV")
    } else if has("content.xml") {
        Some("this is an OpenDocument file; save it as CSV")
    } else if has("data.pkl") {
        Some("this is a PyTorch file; use numpy.save(.., x.numpy())")
    } else {
        None
    };
    if let Some(other) = other {
        return Err(other.into());
    }
    let arrays: Vec<&String> = names.iter().filter(|name| name.ends_with(".npy")).collect();
    let [array] = arrays[..] else {
        if arrays.is_empty() {
            return Err("this is a .zip archive without NumPy arrays; unpack it first".into());
        }
        let mut list: Vec<&str> = (arrays.iter().take(8))
            .map(|name| name.trim_end_matches(".npy"))
            .collect();
        if arrays.len() > list.len() {
            list.push("..");
        }
        return Err(format!(
            "it holds {} arrays ({}); save the points alone, with numpy.save",
            arrays.len(),
            list.join(", ")
        ));
    };
    let index = zip.index_for_name(array).ok_or("it cannot be read")?;
    let cannot = |e: &dyn std::fmt::Display| format!("{array} cannot be read: {e}");
    let is_stored = (zip.by_index_raw(index).map_err(|e| cannot(&e))?).compression()
        == CompressionMethod::Stored;
    if !is_stored {
        return Err(format!(
            "{array} is compressed; write it with numpy.savez or numpy.save instead of numpy.savez_compressed"
        ));
    }
    let entry = zip.by_index(index).map_err(|e| cannot(&e))?;
    // Stored, not compressed: no longer than the archive.
    let mut inner = Vec::new();
    (entry.take(bytes.len() as u64).read_to_end(&mut inner)).map_err(|e| cannot(&e))?;
    parse(&inner).map_err(|reason| format!("{array}: {reason}"))
}
