//! The quartic coupling of Gauss-net over the cutoff, from exact moments: λ(L), β = dλ / d log L,
//! and the slope of log|λ|, which tends to -d_in.

use nnqft_gpu::analysis::{Interactions, flow};
use nnqft_gpu::model::EnsembleSpec;
use nnqft_gpu::theory::{Exact, Vertex};
use nnqft_gpu::{Error, Result};

fn main() -> Result<()> {
    let spec = EnsembleSpec::preset("gauss", 1)?.validate()?;
    let four = Interactions::exact_four(&spec, &Exact::new(&spec));
    let cutoffs = [10.0, 100.0, 1e3, 1e4, 1e5];
    let flow = flow(&spec, Vertex::Full, &cutoffs, &four)?;
    println!("      L        lambda          beta     slope");
    for point in &flow.points {
        let (Some(lambda), Some(beta), Some(slope)) = (point.lambda_mean, point.beta, point.slope)
        else {
            return Err(Error::NotFinite(format!(
                "the coupling at {}",
                point.cutoff
            )));
        };
        println!(
            "{:7.0}   {lambda:11.4e}   {beta:11.4e}   {slope:.5}",
            point.cutoff
        );
    }
    Ok(())
}
