//! The 4-point function's deviation from the GP, m_4, measured and exact, over the width.
//!
//! The connected estimator draws hidden layers only; ten thousand networks are enough for what
//! takes a direct average 10^9.

use nnqft_gpu::engine::{self, cpu::CpuEngine};
use nnqft_gpu::model::{EnsembleSpec, Estimator};
use nnqft_gpu::{Result, analysis};

fn main() -> Result<()> {
    let mut cpu = CpuEngine::new();
    println!("   N     mean m_4      ± error      exact m_4   pull");
    for width in [10, 100, 1000] {
        let spec = EnsembleSpec {
            nets: 1000,
            orders: vec![4],
            estimator: Estimator::Connected,
            ..EnsembleSpec::preset("relu", 1)?.with_width(width)
        }
        .validate()?;
        let moments = engine::run(&mut cpu, &spec, &|_| {})?;
        let four = analysis::correlators(&spec, &moments)?.remove(0);
        let row = (
            four.deviation_mean,
            four.deviation_mean_std_err,
            four.reference
                .exact()
                .and_then(|exact| exact.deviation_mean),
            four.mean_pull(),
        );
        let (Some(mean), Some(error), Some(exact), Some(pull)) = row else {
            unreachable!("a 4-point function of ten experiments has them all")
        };
        println!("{width:4}   {mean:.4e}   {error:.4e}   {exact:.4e}   {pull:+.1}");
    }
    Ok(())
}
