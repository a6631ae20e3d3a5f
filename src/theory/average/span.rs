//! Linear forms in as few normals as they span.

use super::dot;

/// The same forms in as few normals as they span: pivoted Gram-Schmidt.
pub fn span(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let largest = rows.iter().map(|r| dot(r, r)).fold(0.0, f64::max).sqrt();
    let mut rest = rows.to_vec();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    while basis.len() < rows[0].len() {
        let pivot = (rest.iter())
            .max_by(|a, b| dot(a, a).total_cmp(&dot(b, b)))
            .expect("there is a point")
            .clone();
        if dot(&pivot, &pivot).sqrt() <= 1e-14 * largest {
            break;
        }
        // What is left of nearly parallel rows is mostly rounding along the basis: twice more is
        // enough (Kahan).
        let mut e = pivot;
        for _ in 0..3 {
            basis.iter().for_each(|b| remove(&mut e, b));
            let norm = dot(&e, &e).sqrt();
            e.iter_mut().for_each(|x| *x /= norm);
        }
        rest.iter_mut().for_each(|row| remove(row, &e));
        basis.push(e);
    }
    (rows.iter())
        .map(|row| basis.iter().map(|e| dot(row, e)).collect())
        .collect()
}

/// Takes off a row what it has along a unit vector.
fn remove(row: &mut [f64], e: &[f64]) {
    let along = dot(row, e);
    row.iter_mut().zip(e).for_each(|(x, e)| *x -= along * e);
}
