//! Progress on a terminal; silent in a pipe.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::compiling;

/// A bar over networks with rate and remaining time, on stderr.
pub fn bar(networks: u64) -> ProgressBar {
    // indicatif hides the bar itself when stderr is no terminal.
    let bar = ProgressBar::with_draw_target(Some(networks), ProgressDrawTarget::stderr_with_hz(10));
    bar.set_style(
        ProgressStyle::with_template(
            "{wide_bar} {human_pos}/{human_len} networks, {per_sec}, {eta} left",
        )
        .expect("a valid template"),
    );
    compiling::in_place_of(&bar);
    bar
}
