use std::io;
use std::path::Path;

use crate::report::arrays::{Arrays, flat, whole};
use crate::run::EnsembleDocument;

/// Writes a run's tensors as NumPy arrays.
///
/// `inputs` `(points, d_in)`, `kernel` `(points, points)` and for each order n, over its E
/// unique elements (values that are undefined are NaN):
///
/// | array | shape | holds |
/// |---|---|---|
/// | `G{n}_indices` | `(E, n)`, int64 | points of each element |
/// | `G{n}_outputs` | `(E, n)`, int64 | outputs of each, with several |
/// | `G{n}_mean`, `_std_err` | `(E,)` | estimate of G^(n), unit f^n |
/// | `G{n}_gp` | `(E,)` | Wick's value |
/// | `G{n}_exact`, `_exact_error`, `_pull` | `(E,)` | the exact value, and (mean - exact) / error |
/// | `G{n}_first_order`, `_first_order_neglected` | `(E,)` | instead of them, what is known to first order |
/// | `G{n}_delta` | `(E,)` | G^(n) - G_GP^(n), to its own precision |
/// | `G{n}_deviation`, `_deviation_exact` or `_deviation_first_order` | `(E,)` | m_n and what theory has of it |
/// | `G{n}_converged` | `(E,)`, bool | whether mean and error bar can be believed |
/// | `G{n}_connected`, `_connected_std_err`, `_connected_exact` | `(E,)` | connected n-point function (connected estimator, n = 4 and 6), as far as each is known |
/// | `G{n}_experiments`, `_delta_experiments` | `(experiments, E)` | mean and difference in each experiment |
///
/// # Errors
/// Those of writing the file.
pub fn write_npz(path: &Path, document: &EnsembleDocument) -> io::Result<()> {
    let mut npz = Arrays::create(path)?;
    let spec = &document.head.spec;
    let points = spec.inputs.len();
    npz.put(
        "inputs",
        &[points, spec.net.d_in()],
        flat(spec.inputs.points()),
    )?;
    npz.put("kernel", &[points, points], flat(&document.kernel))?;
    for c in &document.correlators {
        let (n, elements) = (c.order, c.mean.len());
        let name = |what: &str| format!("G{n}_{what}");
        npz.put(&name("indices"), &[elements, n], whole(&c.indices))?;
        if spec.net.d_out() > 1 {
            npz.put(&name("outputs"), &[elements, n], whole(&c.outputs))?;
        }
        let mut columns = vec![
            ("mean", &c.mean),
            ("std_err", &c.std_err),
            ("gp", &c.gp),
            ("delta", &c.delta),
        ];
        if let Some(exact) = c.reference.exact() {
            columns.push(("exact", &exact.mean));
            columns.push(("exact_error", &exact.error));
        }
        if let Some(first) = c.reference.first_order() {
            columns.push(("first_order", &first.mean));
            columns.push(("first_order_neglected", &first.error));
        }
        if let Some(connected) = &c.connected {
            columns.push(("connected", &connected.mean));
            let known = [
                ("connected_std_err", &connected.std_err),
                ("connected_exact", &connected.exact),
                ("connected_first_order", &connected.first_order),
            ];
            for (what, values) in known {
                columns.extend(values.as_ref().map(|values| (what, values)));
            }
        }
        for (what, values) in columns {
            npz.put(&name(what), &[elements], values.iter().copied())?;
        }
        let exact = c.reference.exact().map(|known| &known.deviation);
        let first_order = c.reference.first_order().map(|known| &known.deviation);
        for (what, values) in [
            ("deviation", Some(&c.deviation)),
            ("deviation_exact", exact),
            ("deviation_first_order", first_order),
            ("pull", c.pull.as_ref()),
        ] {
            let Some(values) = values else { continue };
            let values = values.iter().map(|x| x.unwrap_or(f64::NAN));
            npz.put(&name(what), &[elements], values)?;
        }
        npz.put(&name("converged"), &[elements], c.converged.iter().copied())?;
        for (what, rows) in [
            ("experiments", &c.experiments),
            ("delta_experiments", &c.delta_experiments),
        ] {
            npz.put(&name(what), &[rows.len(), elements], flat(rows))?;
        }
    }
    npz.finish()
}

#[cfg(test)]
mod tests {
    use zip::ZipArchive;

    use super::*;
    use crate::report::by_hand;

    /// An array is its header, here without blanks, and the bytes of its values.
    fn bytes(path: &Path, name: &str) -> (String, Vec<u8>) {
        let mut npz = ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
        let mut entry = npz.by_name(&format!("{name}.npy")).unwrap();
        let mut all = Vec::new();
        io::Read::read_to_end(&mut entry, &mut all).unwrap();
        assert_eq!(&all[..8], b"\x93NUMPY\x01\x00");
        let start = 10 + usize::from(u16::from_le_bytes([all[8], all[9]]));
        let header = String::from_utf8(all[10..start].to_vec()).unwrap();
        (header.replace(' ', ""), all[start..].to_vec())
    }

    #[test]
    fn what_is_undefined_is_nan_and_shapes_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moments.npz");
        let document = by_hand::ensemble(vec![by_hand::undefined_correlator(4)]);
        write_npz(&path, &document).unwrap();
        for name in ["G4_deviation", "G4_deviation_exact", "G4_pull"] {
            let (header, values) = bytes(&path, name);
            assert!(
                header.contains("'<f8'") && header.contains("(5,)"),
                "{header}"
            );
            assert!(values == f64::NAN.to_le_bytes().repeat(5), "{name}");
        }
        let (header, values) = bytes(&path, "G4_indices");
        assert!(
            header.contains("'<i8'") && header.contains("(5,4,"),
            "{header}"
        );
        // 0000, 0001, 0011, 0111, 1111.
        let ones = values.chunks(8).filter(|v| v[0] == 1).count();
        assert_eq!((values.len(), ones), (8 * 20, 10));
        let (header, values) = bytes(&path, "G4_delta_experiments");
        assert!(header.contains("(2,5,"), "{header}");
        let first = document.correlators[0].delta_experiments[0][0];
        assert_eq!(values[..8], first.to_le_bytes());
        assert!(bytes(&path, "kernel").0.contains("(2,2,"));
        assert!(bytes(&path, "inputs").0.contains("(2,1,"));
    }
}
