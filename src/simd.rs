//! This module holds what loops that compilers vectorise share. Each loop is compiled for several
//! processors by `multiversion` and picked at run time.

/// Number of samples that are processed side by side, in one row: enough that their sum in
/// registers is worth a load and a store, few enough that the table of a usual run (84 rows) stays
/// in a second-level cache.
pub const ROW: usize = 128;

/// Computes a b + c, fused where the processor has it. Without the choice a processor that lacks it
/// would call a function per operation.
#[inline(always)]
pub(crate) fn madd<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Evaluates the polynomial in x with coefficients from the highest power down, even and odd powers
/// apart: two chains of half the length keep a processor busier than one.
#[inline(always)]
pub(crate) fn polynomial<const FMA: bool, const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    let square = x * x;
    let (mut a, mut b) = (coefficients[0], coefficients[1]);
    let mut k = 2;
    while k + 1 < N {
        a = madd::<FMA>(a, square, coefficients[k]);
        b = madd::<FMA>(b, square, coefficients[k + 1]);
        k += 2;
    }
    match N % 2 {
        0 => madd::<FMA>(a, x, b),
        _ => madd::<FMA>(b, x, madd::<FMA>(a, square, coefficients[N - 1])),
    }
}

/// A line is eight numbers on a cache line of their own: vectors that cross lines cost twice.
#[derive(Debug, Clone, Copy, bytemuck::Zeroable, bytemuck::Pod)]
#[repr(C, align(64))]
struct Line([f64; 8]);

/// `Aligned` holds numbers that start on a cache line.
#[derive(Debug, Clone)]
pub(crate) struct Aligned {
    lines: Vec<Line>,
    len: usize,
}

impl Aligned {
    /// Makes `len` times `value`.
    pub fn new(value: f64, len: usize) -> Self {
        let lines = vec![Line([value; 8]); len.div_ceil(8)];
        Self { lines, len }
    }
}

impl std::ops::Deref for Aligned {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl std::ops::DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f64] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}

/// Compiles a function for the processors that have vectors of their own, besides the plain one, and
/// picks one at run time.
macro_rules! vectorised {
    ($($function:tt)*) => {
        #[multiversion::multiversion(targets(
            "x86_64+avx512f+avx512dq+avx512vl+avx2+fma",
            "x86_64+avx2+fma",
            "aarch64+neon"
        ))]
        $($function)*
    };
}
pub(crate) use vectorised;

/// Whether the version of a multiversioned function that is being compiled has fused
/// multiply-add.
macro_rules! has_fma {
    () => {
        cfg!(target_arch = "aarch64") || multiversion::target::target_cfg_f!(target_feature = "fma")
    };
}
pub(crate) use has_fma;
