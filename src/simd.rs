//! What loops that compilers vectorise share. Each is compiled for several processors by
//! `multiversion` and picked at run time.

/// a b + c; fused where the processor has it. Without the choice a processor that lacks it
/// would call a function per operation.
#[inline(always)]
pub(crate) fn madd<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// The polynomial in x with coefficients from the highest power down.
#[inline(always)]
pub(crate) fn horner<const FMA: bool, const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    let mut sum = coefficients[0];
    for c in &coefficients[1..] {
        sum = madd::<FMA>(sum, x, *c);
    }
    sum
}

/// Whether the version of a multiversioned function that is being compiled has fused
/// multiply-add.
macro_rules! has_fma {
    () => {
        cfg!(target_arch = "aarch64") || multiversion::target::target_cfg_f!(target_feature = "fma")
    };
}
pub(crate) use has_fma;
