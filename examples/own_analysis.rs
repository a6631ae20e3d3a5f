//! An analysis of your own on the elements of a tensor: the connected 4-point function of two
//! pairs of points, G^(4)(x, x, y, y) - GP, over their distance, at points of your own.
//!
//! Erf-net is not translation invariant: the kernel falls and the interaction grows as y leaves
//! the origin.

use nnqft_gpu::engine::{self, cpu::CpuEngine};
use nnqft_gpu::model::{EnsembleSpec, Estimator, Inputs};
use nnqft_gpu::theory::{Exact, kernel_matrix};
use nnqft_gpu::{Result, analysis};

fn main() -> Result<()> {
    let points: Vec<Vec<f64>> = (0..6).map(|i| vec![0.4 * f64::from(i)]).collect();
    let spec = EnsembleSpec {
        nets: 2000,
        orders: vec![4],
        estimator: Estimator::Connected,
        inputs: Inputs::new(points)?,
        ..EnsembleSpec::preset("erf", 1)?.with_width(20)
    }
    .validate()?;
    let moments = engine::run(&mut CpuEngine::new(), &spec, &|_| {})?;
    let four = analysis::correlators(&spec, &moments)?.remove(0);
    let (exact, kernel) = (Exact::new(&spec), kernel_matrix(&spec));

    println!("|x - y|   kernel    G4 - GP     ± error       exact");
    for (element, index) in four.indices.iter().enumerate() {
        // (x, x, y, y) with x the first point.
        let [0, 0, y, z] = index[..] else { continue };
        if y != z {
            continue;
        }
        let distance = spec.inputs.points()[y][0] - spec.inputs.points()[0][0];
        println!(
            "{distance:7.1}   {:.4}   {:.3e}   {:.3e}   {:.3e}",
            kernel[0][y],
            four.delta[element],
            four.std_err[element],
            exact.deviation(index),
        );
    }
    Ok(())
}
