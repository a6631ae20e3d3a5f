use crate::model::{EnsembleSpec, Growth};

/// `TiltChoice` says in words what importance sampling a spec has: `{}` prints them.
pub struct TiltChoice<'a>(pub &'a EnsembleSpec);

impl std::fmt::Display for TiltChoice<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let spec = self.0;
        let Some(tilt) = &spec.tilt else {
            if !spec.net.has_gaussian_units() {
                return f.write_str("none, it is for normal laws of the hidden layer");
            }
            let why = match spec.net.activation().growth() {
                Growth::Bounded => "its hidden units are bounded",
                Growth::Power(_) => "powers of its hidden units have light tails",
                Growth::Exponential { .. } => "sigma_b, sigma_w and the inputs are small enough",
            };
            return write!(f, "none, {} needs none: {why}", spec.net.title());
        };
        let shifts = tilt.shifts.len();
        let biases_only =
            (tilt.shifts.iter()).all(|t| t[..spec.net.d_in()].iter().all(|w| w.abs() < 0.1));
        let what = if biases_only {
            let mut biases: Vec<f64> = tilt.shifts.iter().map(|t| t[spec.net.d_in()]).collect();
            biases.sort_by(f64::total_cmp);
            let list: Vec<String> = biases.iter().map(|b| format!("{b:.3}")).collect();
            format!("the bias by {} sigma_b", list.join(", "))
        } else {
            "weights and bias together".into()
        };
        write!(
            f,
            "one hidden unit in {shifts} of {} networks is shifted, {what}",
            shifts + 1
        )?;
        if tilt.reach > 1.5 {
            write!(
                f,
                "; these inputs have tails up to {:.1} standard deviations from any shift: expect wide error bars, or move the inputs together",
                tilt.reach
            )?;
        }
        Ok(())
    }
}
