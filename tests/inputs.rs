//! Files of points as programs and people write them: each is read right, or refused with what is
//! wrong, where, and what to do.

mod common;

use std::fs;
use std::path::PathBuf;

use common::cli::{json, refused};
use nnqft_gpu::Error;
use nnqft_gpu::model::Inputs;
use proptest::prelude::*;

/// Reads a file of this name and content.
fn read_as(name: &str, bytes: &[u8]) -> Result<Vec<Vec<f64>>, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    let result = Inputs::parse(path.to_str().unwrap());
    let at = Inputs::parse(&format!("@{}", path.display()));
    assert_eq!(result.is_ok(), at.is_ok());
    match result {
        Ok(inputs) => Ok(inputs.points().to_vec()),
        Err(e) => {
            assert!(matches!(e, Error::File { .. }), "{e:?}");
            assert!(e.is_usage() && !e.to_string().contains('\n'));
            Err(e.to_string().replace(path.to_str().unwrap(), name))
        }
    }
}

fn read(text: impl AsRef<[u8]>) -> Result<Vec<Vec<f64>>, String> {
    read_as("points", text.as_ref())
}

/// The points that most of the files hold.
const POINTS: [[f64; 2]; 3] = [[0.25, -1.0], [0.5, 2e-3], [1.0, 0.125]];

#[test]
fn every_flavour_of_text() {
    for text in [
        // Plain, as MATLAB's writematrix and Julia's writedlm have it.
        "0.25,-1\n0.5,0.002\n1,0.125\n",
        "0.25\t-1.0\n0.5\t0.002\n1.0\t0.125\n",
        "0.25;-1\n0.5;0.002\n1;0.125",
        "0.25 -1\n0.5 2e-3\n1 .125\n",
        // Right-aligned by tabs and blanks.
        "   0.25\t  -1\n\t0.5  \t\t 0.002  \n 1\t0.125\t\n",
        "0.25 , -1\n0.5 ,2E-3\n 1. , 0.125",
        // numpy.savetxt with and without a header.
        "2.500000000000000000e-01 -1.000000000000000000e+00\n5.000000000000000000e-01 2.000000000000000042e-03\n1.000000000000000000e+00 1.250000000000000000e-01\n",
        "# x y\n0.25 -1\n0.5 0.002\n1 0.125\n",
        // A header: pandas without its index, MATLAB's writetable, R's write.csv.
        "x,y\n0.25,-1.0\n0.5,0.002\n1.0,0.125\n",
        "\"V1\",\"V2\"\n0.25,-1\n0.5,0.002\n1,0.125\n",
        "pos x\tpos y\n0.25\t-1\n0.5\t0.002\n1\t0.125\n",
        "x y\n0.25 -1\n0.5 0.002\n1 0.125\n",
        "Points for Fig. 3\n0.25,-1\n0.5,0.002\n1,0.125\n",
        // LaTeX's and MATLAB's comments, whole lines and ends of lines.
        "% x, y\n0.25,-1 % first\n0.5,0.002 # second, the hard one\n\n1,0.125 %last\n",
        "%% Points\n%x y\n0.25 -1\n% 7 8\n0.5 0.002\n1 0.125\n",
        // Windows, with Excel's mark of UTF-8 and its hint; an old Macintosh.
        "\u{feff}x;y\r\n0.25;-1\r\n0.5;0.002\r\n1;0.125\r\n",
        "sep=;\r\nx;y\r\n0.25;-1\r\n0.5;0.002\r\n1;0.125\r\n",
        "0.25,-1\r0.5,0.002\r1,0.125\r",
        // Quotes, separators at the end of lines, empty columns and lines of a spreadsheet.
        "\"0.25\",\"-1\"\n'0.5',\"0.002\"\n\"1\",0.125\n",
        "0.25,-1,\n0.5,0.002,\n1,0.125,\n",
        "x,y,\n0.25,-1,\n0.5,0.002,\n1,0.125,\n",
        "x,y,,\n0.25,-1,,\n0.5,0.002,,\n1,0.125,,\n,,,\n,,,\n",
        "0.25;-1;\n0.5;0.002;\n1;0.125;\n",
        // Fortran's double precision.
        "  0.25D0  -1.0D+00\n  0.5d0   2.D-03\n  1D0   1.25D-1\n",
        "\n\n  \n0.25,-1\n\t\n0.5,0.002\n\n1,0.125",
    ] {
        assert_eq!(
            read(text).as_deref(),
            Ok(&POINTS.map(Vec::from)[..]),
            "{text:?}"
        );
    }
    // A name in Latin-1.
    let latin = b"L\xe4nge;H\xf6he\n0.25;-1\n0.5;0.002\n1;0.125\n";
    assert_eq!(read(latin).unwrap(), POINTS.map(Vec::from));
    for (text, points) in [
        ("1\n2\n3\n", vec![vec![1.0], vec![2.0], vec![3.0]]),
        ("x\n1\n-2\n", vec![vec![1.0], vec![-2.0]]),
        ("\"x\"\n\"1\"\n\"-2\"\n", vec![vec![1.0], vec![-2.0]]),
        ("1,\n2,\n", vec![vec![1.0], vec![2.0]]),
        ("1 2 3", vec![vec![1.0, 2.0, 3.0]]),
        ("0\n1\n2\n", vec![vec![0.0], vec![1.0], vec![2.0]]),
        ("0,1\n1,0\n", vec![vec![0.0, 1.0], vec![1.0, 0.0]]),
        (
            "0,1\n0.5,1\n2,0.5\n",
            vec![vec![0.0, 1.0], vec![0.5, 1.0], vec![2.0, 0.5]],
        ),
    ] {
        assert_eq!(read(text).unwrap(), points, "{text:?}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, parts) in [
        (
            "1,2\n3,four\n",
            &["line 2", "'four' is not a number (column 2)", "\"3,four\""][..],
        ),
        (
            "x\n1\ntwo\n",
            &["line 3", "'two' is not a number", "one point a line"],
        ),
        // A damaged number is no header.
        (
            "1,2x\n3,4\n",
            &["line 1", "'2x' is not a number (column 2)"],
        ),
        ("1x\n2\n", &["line 1", "'1x'"]),
        ("\u{2212}1,\u{2212}2\n3,4\n", &["line 1", "is not a number"]),
        ("x,y\na,b\n1,2\n", &["line 2", "'a'"]),
        ("x,y\n", &["no points, only a header"]),
        ("# nothing\n\n", &["holds no points"]),
        ("", &["the file is empty"]),
        (
            "1,2\n3\n",
            &["line 2", "1 coordinates, the first point (line 1) has 2"],
        ),
        (
            "# p\n1 2\n\n3 4 5\n",
            &["line 4", "3 coordinates, the first point (line 2) has 2"],
        ),
        (
            "x,y,z\n1,2\n3,4\n",
            &["line 2", "2 coordinates, the header (line 1) names 3"],
        ),
        // Missing values.
        ("x,y\n1,2\n3,\n", &["line 3", "no value (column 2)"]),
        ("1,2,\n3,4,5\n", &["line 1", "no value (column 3)"]),
        ("1,,2\n3,4,5\n", &["line 1", "no value (column 2)"]),
        ("1,2\n,\n3,4\n", &["line 2", "no value (column 1)"]),
        ("x\n1\n\"\"\n2\n", &["line 3", "no value"]),
        (
            "x,y\n1,NaN\n",
            &["line 2", "'NaN' is not finite (column 2)"],
        ),
        ("x,y\n1,NA\n", &["line 2", "'NA' is no value"]),
        ("NA,NA\n1,2\n", &["line 1", "'NA' is no value"]),
        // What spreadsheets and C libraries write for a number is no comment.
        ("x,y\n1,2\n#N/A,4\n5,6\n", &["line 3", "'#N/A'"]),
        ("x,y\n1,2\n3,#DIV/0!\n", &["line 3", "'#DIV/0!'"]),
        ("x\n1\n#NAME?\n3\n", &["line 3", "'#NAME?'"]),
        ("x,y\n2,1.#INF\n", &["line 2", "'1.#INF'"]),
        ("1\n-1.#IND\n", &["line 2", "'-1.#IND'"]),
        ("1,2#3\n", &["line 1", "'2#3'"]),
        // Numbers of rows that were kept.
        ("id,x\n7,0.5\n3,0.7\n", &["line 1", "'id'", "index=False"]),
        ("index,x\n10,0.5\n20,0.7\n", &["line 1", "'index'"]),
        ("1\n-inf\n", &["line 2", "'-inf' is not finite"]),
        ("1\n1e400\n", &["line 2", "not finite"]),
        ("1\n1e-400\n", &["line 2", "below the smallest number"]),
        ("1\n(1+2j)\n", &["line 2", "complex"]),
        ("5%\n3%\n", &["line 1", "'5%'"]),
        ("5 %, 3 %\n2 %, 1 %\n", &["line 1", "'5 %'"]),
        ("1 2, 3\n", &["line 1", "'1 2'"]),
        ("\"1,2\n3,4\n", &["line 1", "quote is not closed"]),
        // Decimal commas.
        (
            "1,5;2,5\n3,5;4\n",
            &["line 1", "'1,5'", "decimal point", "a line of its own"],
        ),
        ("x;y\n1;2\n3;4,5\n", &["line 3", "'4,5'", "decimal"]),
        ("1,5 2,5\n3,5 4,5\n", &["line 1", "'1,5'", "decimal"]),
        ("1,5\t2,5\n", &["line 1", "'1,5'", "decimal"]),
        (
            "0.5,1;1,1;2,3\n",
            &["line 1", "'0.5,1'", "a line of its own"],
        ),
        ("0.5,1 1,1\n", &["line 1", "'0.5,1'", "a line of its own"]),
        ("\"1,5\",\"2,5\"\n", &["line 1", "'1,5'", "with a point"]),
        (
            "x\n1,5\n3,5\n",
            &["line 2", "2 coordinates, the header (line 1) names 1"],
        ),
        (
            "x,y\n1,5,2,5\n",
            &["line 2", "4 coordinates, the header (line 1) names 2"],
        ),
    ] {
        let message = read(text).expect_err(text);
        for part in parts {
            assert!(message.contains(part), "{text:?}: no {part:?} in {message}");
        }
    }
    // A long line is shown in part.
    let long = format!("1,{}\n", "x".repeat(10_000));
    assert!(read(long).unwrap_err().len() < 400);
}

#[test]
fn an_index_is_no_coordinate() {
    for text in [
        // pandas' to_csv with its index, of named and of unnamed columns, and read and written twice.
        ",x,y\n0,0.25,-1.0\n1,0.5,2.0\n",
        ",0,1\n0,0.25,-1.0\n1,0.5,2.0\n",
        "\tx\ty\n0\t0.25\t-1.0\n1\t0.5\t2.0\n",
        "\t0\t1\n0\t0.25\t-1.0\n1\t0.5\t2.0\n",
        "Unnamed: 0,x,y\n0,0.25,-1.0\n1,0.5,2.0\n",
        "index,x\n0,0.25\n1,0.5\n",
        "id,x,y\n1,0.25,-1.0\n2,0.5,2.0\n",
        // R's write.csv and write.table with row names, and without column names.
        "\"\",\"V1\",\"V2\"\n\"1\",0.25,-1\n\"2\",0.5,2\n",
        "\"V1\" \"V2\"\n\"1\" 0.25 -1\n\"2\" 0.5 2\n",
        "\"mpg\",\"cyl\"\n\"Mazda RX4\",21,6\n\"Datsun\",22.8,4\n",
        "\"1\" 0.25 -1\n\"2\" 0.5 2\n",
        "V1 V2\n1 0.25 -1\n2 0.5 2\n",
        // pandas' names of columns that nobody named.
        "0,1,2\n0.5,0.1,0.2\n1.0,0.3,0.4\n",
    ] {
        let message = read(text).expect_err(text);
        assert!(
            message.contains("index=False") || message.contains("row.names=FALSE"),
            "{text:?}: {message}"
        );
    }
    // An 'id' that does not count is a column like others.
    assert_eq!(
        read("id,x\n0.5,1\n0.7,2\n").unwrap(),
        [[0.5, 1.0], [0.7, 2.0]]
    );
}

fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let mut header = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend(data);
    file
}

macro_rules! bytes {
    ($type:ty, $order:ident) => {
        [
            1 as $type, 2 as $type, 3 as $type, 4 as $type, 5 as $type, 6 as $type,
        ]
        .iter()
        .flat_map(|x| x.$order())
        .collect::<Vec<u8>>()
    };
}

#[test]
fn arrays_of_every_real_type() {
    let halves = [0x3c00u16, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600];
    for (descr, data) in [
        ("'<f8'", bytes!(f64, to_le_bytes)),
        ("'>f8'", bytes!(f64, to_be_bytes)),
        ("'<f4'", bytes!(f32, to_le_bytes)),
        ("'>f4'", bytes!(f32, to_be_bytes)),
        (
            "'<f2'",
            halves.iter().flat_map(|h| h.to_le_bytes()).collect(),
        ),
        (
            "'>f2'",
            halves.iter().flat_map(|h| h.to_be_bytes()).collect(),
        ),
        ("'|i1'", bytes!(i8, to_le_bytes)),
        ("'<i2'", bytes!(i16, to_le_bytes)),
        ("'>i2'", bytes!(i16, to_be_bytes)),
        ("'<i4'", bytes!(i32, to_le_bytes)),
        ("'>i4'", bytes!(i32, to_be_bytes)),
        ("'<i8'", bytes!(i64, to_le_bytes)),
        ("'>i8'", bytes!(i64, to_be_bytes)),
        ("'|u1'", bytes!(u8, to_le_bytes)),
        ("'<u2'", bytes!(u16, to_le_bytes)),
        ("'>u2'", bytes!(u16, to_be_bytes)),
        ("'<u4'", bytes!(u32, to_le_bytes)),
        ("'>u4'", bytes!(u32, to_be_bytes)),
        ("'<u8'", bytes!(u64, to_le_bytes)),
        ("'>u8'", bytes!(u64, to_be_bytes)),
    ] {
        let rows = read(npy(descr, false, "(3, 2)", &data)).unwrap();
        assert_eq!(rows, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "{descr}");
        let columns = read(npy(descr, true, "(3, 2)", &data)).unwrap();
        assert_eq!(columns, [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]], "{descr}");
        assert_eq!(read(npy(descr, false, "(6,)", &data)).unwrap()[4], [5.0]);
        assert_eq!(read(npy(descr, false, "()", &data)).unwrap(), [[1.0]]);
    }
    let truth = npy("'|b1'", false, "(2, 2)", &[0, 1, 1, 1]);
    assert_eq!(read(truth).unwrap(), [[0.0, 1.0], [1.0, 1.0]]);
}

#[test]
fn other_arrays_are_refused_by_name() {
    let data = [0; 64];
    for (descr, shape, part) in [
        ("'<f16'", "(2, 2)", "128-bit floats (longdouble)"),
        ("'<c16'", "(2, 2)", "complex"),
        ("'|O'", "(2, 2)", "Python objects"),
        ("'<U4'", "(2, 2)", "strings"),
        ("'|S4'", "(2, 2)", "strings"),
        ("'<M8[s]'", "(2,)", "times"),
        ("[('x', '<f8'), ('y', '<f8')]", "(2,)", "several types"),
        ("'<f8'", "(2, 2, 2)", "shape [2, 2, 2]"),
        ("'<f8'", "(0, 2)", "no points"),
        ("'<f8'", "(9,)", "ends early"),
        ("'<f8'", "(4000000000,)", "too short"),
    ] {
        let message = read(npy(descr, false, shape, &data)).unwrap_err();
        assert!(message.contains(part), "{descr} {shape}: {message}");
    }
    let nan: Vec<u8> = [1.0, f64::NAN]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let message = read(npy("'<f8'", false, "(1, 2)", &nan)).unwrap_err();
    assert!(
        message.contains("element [0, 1]") && message.contains("NaN"),
        "{message}"
    );
}

fn zip(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    use std::io::Write;
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        archive.start_file(*name, stored).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The same archive as if its entry were deflated: method 8 where 0 is, in both headers.
fn compressed(archive: &[u8]) -> Vec<u8> {
    let mut bytes = archive.to_vec();
    for (signature, at) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
        let start = bytes.windows(4).position(|w| w == signature).unwrap();
        bytes[start + at] = 8;
    }
    bytes
}

#[test]
fn an_npz_holds_one_array() {
    let array = || npy("'<f4'", false, "(3, 2)", &bytes!(f32, to_le_bytes));
    let one = zip(&[("x.npy", array())]);
    assert_eq!(read(&one).unwrap(), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    for (bytes, part) in [
        (
            zip(&[("x.npy", array()), ("y.npy", array())]),
            "2 arrays (x, y)",
        ),
        (zip(&[("readme", Vec::new())]), "without NumPy arrays"),
        (
            zip(&[("x.npy", b"\x93NUMPY".to_vec())]),
            "x.npy: not a readable",
        ),
        (
            zip(&[("[Content_Types].xml", Vec::new()), ("xl/a", Vec::new())]),
            "Excel",
        ),
        (zip(&[("content.xml", Vec::new())]), "OpenDocument"),
        (zip(&[("m/data.pkl", Vec::new())]), "PyTorch"),
        (compressed(&one), "numpy.savez_compressed"),
        (one[..one.len() - 9].to_vec(), "cannot be read"),
    ] {
        let message = read(bytes).unwrap_err();
        assert!(message.contains(part), "no {part} in {message}");
    }
}

#[test]
fn other_formats_are_called_by_their_names() {
    let wide = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    };
    for (bytes, part) in [
        (wide("\u{feff}1,2\n3,4\n", u16::to_le_bytes), "UTF-16"),
        (wide("\u{feff}1,2\n3,4\n", u16::to_be_bytes), "UTF-16"),
        (wide("1,2\n3,4\n", u16::to_le_bytes), "UTF-16"),
        (b"\x1f\x8b\x08\x00".to_vec(), "gzip"),
        (b"\xd0\xcf\x11\xe0\xa1".to_vec(), "old Excel"),
        (b"\x89HDF\r\n\x1a\n".to_vec(), "HDF5"),
        (b"PAR1\x15".to_vec(), "Parquet"),
        (b"{\"x\": [1, 2]}".to_vec(), "JSON"),
        (b" [[1, 2], [3, 4]]\n".to_vec(), "JSON"),
        (b"<html>".to_vec(), "HTML"),
        (b"\x80\x04\x95".to_vec(), "pickle"),
        (b"1,2\n\xff\xfe\x00,3\n".to_vec(), "unknown kind"),
    ] {
        let message = read(&bytes).unwrap_err();
        assert!(
            message.contains(part) && message.contains("CSV"),
            "{bytes:?}: {message}"
        );
    }
}

#[test]
fn a_name_of_a_file_needs_no_at() {
    let file = |text| Inputs::file(text).map(PathBuf::from);
    for points in [
        "1",
        "0.5",
        "1,2;3,4",
        "-1e3",
        "erf-d1",
        "no-such-preset",
        "1;x",
        "",
    ] {
        assert_eq!(file(points), None, "{points}");
    }
    for name in [
        "points.csv",
        "POINTS.CSV",
        "x.npy",
        "./x",
        "a/b",
        "@points",
        "@1,2",
    ] {
        assert_eq!(
            file(name),
            Some(name.trim_start_matches('@').into()),
            "{name}"
        );
    }
    // A file that exists, whatever its name; tests run in the package's folder.
    assert_eq!(file("LICENSE-MIT"), Some("LICENSE-MIT".into()));
    refused(
        &["theory", "--inputs", "no such.csv"],
        &["no such.csv", "cannot read it"],
    );
    refused(
        &["theory", "--inputs", "src"],
        &["'src' in point 1", "a file's name", "erf-d1"],
    );
    refused(&["theory", "--inputs", "src/"], &["src/", "cannot read it"]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("points.csv");
    fs::write(&path, "x;y\r\n0.25;-1\r\n").unwrap();
    let document = json(&["theory", "--inputs", path.to_str().unwrap(), "--json"]);
    assert_eq!(
        document["spec"]["inputs"],
        serde_json::json!([[0.25, -1.0]])
    );
}

/// A table of numbers and a way to write it.
#[derive(Debug, Clone)]
struct Written {
    points: Vec<Vec<f64>>,
    separator: &'static str,
    line_end: &'static str,
    has_mark: bool,
    has_header: bool,
    has_comments: bool,
    ends_lines: bool,
    quotes: bool,
}

impl Written {
    fn text(&self) -> String {
        let mut text = String::from(if self.has_mark { "\u{feff}" } else { "" });
        let mut line = |cells: Vec<String>, comment: &str| {
            text += &cells.join(self.separator);
            if self.ends_lines {
                text += self.separator;
            }
            if self.has_comments {
                text += comment;
            }
            text += self.line_end;
        };
        if self.has_header {
            let names = 0..self.points[0].len();
            line(names.map(|k| format!("x{k}")).collect(), "");
        }
        for point in &self.points {
            let number = |x: &f64| match self.quotes {
                true => format!("\"{x:?}\""),
                false => format!("{x:?}"),
            };
            line(point.iter().map(number).collect(), " # a point");
        }
        text
    }
}

fn written() -> impl Strategy<Value = Written> {
    let number = prop_oneof![
        -1e3..1e3,
        any::<f64>().prop_filter("finite", |x| x.is_finite())
    ];
    let points = (1usize..5).prop_flat_map(move |d| {
        prop::collection::vec(prop::collection::vec(number.clone(), d), 1..6)
    });
    let separator = prop::sample::select(vec![",", ";", "\t", " ", ", ", " ; ", " \t  "]);
    let line_end = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    (points, separator, line_end, any::<[bool; 5]>()).prop_map(
        |(
            points,
            separator,
            line_end,
            [has_mark, has_header, has_comments, ends_lines, quotes],
        )| {
            Written {
                points,
                separator,
                line_end,
                has_mark,
                has_header,
                has_comments,
                ends_lines,
                quotes,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_the_flavour_the_numbers_come_back(table in written()) {
        prop_assert_eq!(read(table.text()), Ok(table.points.clone()));
    }
}
