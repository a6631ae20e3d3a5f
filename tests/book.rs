//! README.md and the book under docs/ say what the program prints: their commands are run, their links
//! followed.
//!
//! `UPDATE_BOOK=1 cargo test --release --test book` writes what the program prints today.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// README.md and the pages of the book.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> = fs::read_dir(root.join("docs/src"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    pages.push(root.join("README.md"));
    pages.sort();
    assert!(pages.len() > 10, "{pages:?}");
    pages
}

/// The lines of a page in fenced blocks of a kind, as ranges.
fn blocks(lines: &[&str], kind: &str) -> Vec<std::ops::Range<usize>> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, bool)> = None;
    for (at, line) in lines.iter().enumerate() {
        match (line.strip_prefix("```"), open) {
            (Some(_), Some((from, is_kind))) => {
                if is_kind {
                    blocks.push(from..at);
                }
                open = None;
            }
            (Some(of), None) => open = Some((at + 1, of == kind)),
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a block has no end");
    blocks
}

/// Runs a line of a shell in a folder, with the program of this build on the path.
fn shell(line: &str, folder: &Path) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_nnqft-gpu"));
    let path = format!(
        "{}:{}",
        program.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let mut shell = Command::new("bash");
    shell.args(["-c", line]).env("PATH", path);
    shell.current_dir(folder).output().unwrap()
}

/// What a reader sees of a command: results, and what went wrong.
fn shown(output: &Output) -> Vec<String> {
    let mut text = String::from_utf8(output.stdout.clone()).unwrap();
    if output.status.code() == Some(2) {
        text += str::from_utf8(&output.stderr).unwrap();
    }
    text.lines().map(|line| line.trim_end().into()).collect()
}

/// Times and devices differ from machine to machine.
fn is_of_the_machine(line: &str) -> bool {
    ["networks/s", " s on "]
        .iter()
        .any(|words| line.contains(words))
}

/// Whether two lines have the same words, and numbers that agree to three digits. What is 1e-13 of the number
/// before it is rounding, which processors have their own of; columns and rules are as wide as it is written.
fn is_same(page: &str, line: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let ruled = text.chars().any(|c| c != '─' && !c.is_whitespace());
        let words = text.split_whitespace().filter(|_| ruled);
        words
            .map(|word| word.trim_end_matches([',', ')', ':', ';']).into())
            .collect()
    };
    let (page, line) = (words(page), words(line));
    let mut before = f64::NAN;
    page.len() == line.len()
        && page.iter().zip(&line).all(|(a, b)| {
            let numbers = a.parse::<f64>().ok().zip(b.parse::<f64>().ok());
            let is_noise = |x: f64| x.abs() <= 1e-13 * before.abs();
            let same = a == b
                || numbers.is_some_and(|(a, b)| {
                    (a - b).abs() <= 1e-3 * a.abs().max(b.abs()) || (is_noise(a) && is_noise(b))
                });
            if let Some((a, _)) = numbers.filter(|(a, _)| *a != 0.0) {
                before = a;
            }
            same
        })
}

#[test]
fn numbers_agree_to_rounding_and_words_exactly() {
    let row = "100   -6.062e-11   1.531e-12   5.909e-26   constant";
    assert!(is_same(row, "100  -6.062e-11  1.531e-12  -2e-26  constant"));
    assert!(!is_same(
        row,
        "100  -6.162e-11  1.531e-12  5.909e-26  constant"
    ));
    assert!(!is_same(
        row,
        "100  -6.062e-11  1.531e-12  5.909e-22  constant"
    ));
    assert!(!is_same(
        row,
        "100  -6.062e-11  1.531e-12  5.909e-26  function"
    ));
    assert!(is_same("────", "──────") && !is_same("────", "n ────"));
}

/// Whether lines are those of the page, where a line `...` stands for any number of lines.
fn agree(page: &[&str], lines: &[String]) -> bool {
    match page {
        [] => lines.is_empty(),
        ["...", rest @ ..] => (0..=lines.len()).any(|skip| agree(rest, &lines[skip..])),
        [first, rest @ ..] => lines.first().is_some_and(|line| {
            let both = is_of_the_machine(line) && is_of_the_machine(first);
            (both || is_same(first, line)) && agree(rest, &lines[1..])
        }),
    }
}

#[test]
fn transcripts_are_what_the_program_prints() {
    let update = std::env::var_os("UPDATE_BOOK").is_some();
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in pages() {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let folder = tempfile::tempdir().unwrap();
        let mut page: Vec<String> = Vec::new();
        let mut done = 0;
        for block in blocks(&lines, "console") {
            page.extend(lines[done..block.start].iter().map(|&line| line.into()));
            done = block.end;
            let mut rest = &lines[block];
            while let [prompt, more @ ..] = rest {
                let command = prompt
                    .strip_prefix("$ ")
                    .unwrap_or_else(|| panic!("{}: {prompt} is no command", path.display()));
                let end = more.iter().position(|line| line.starts_with("$ "));
                let (printed, next) = more.split_at(end.unwrap_or(more.len()));
                rest = next;
                count += 1;
                let lines = shown(&shell(command, folder.path()));
                page.push(prompt.to_string());
                let is_abridged = printed.contains(&"...");
                if agree(printed, &lines) || (update && is_abridged) {
                    page.extend(printed.iter().map(|&line| line.into()));
                    continue;
                }
                wrong.push(format!(
                    "{}: {command}\n{}",
                    path.display(),
                    lines.join("\n")
                ));
                page.extend(lines);
            }
        }
        page.extend(lines[done..].iter().map(|&line| line.into()));
        if update {
            fs::write(&path, page.join("\n") + "\n").unwrap();
        }
    }
    assert!(count > 10, "{count} commands");
    assert!(update || wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The same command with few networks, as options are all that is tested.
fn small(command: &str) -> String {
    let samples = [
        "ensemble", "falloff", "eft", "rg", "symmetry", "sample", "train",
    ];
    let mut words: Vec<String> = command.split_whitespace().map(String::from).collect();
    // What is trained is checked, too, which takes some more.
    let few = if words[1..].iter().any(|w| w == "train") {
        "512"
    } else {
        "100"
    };
    match words.iter().position(|word| word == "--nets") {
        Some(at) => words[at + 1] = few.into(),
        None if words[1..].iter().any(|w| samples.contains(&w.as_str())) => {
            words.splice(2..2, ["--nets".into(), few.into()]);
        }
        None => {}
    }
    words.join(" ")
}

#[test]
fn examples_of_commands_are_taken() {
    let mut count = 0;
    for path in pages() {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let folder = tempfile::tempdir().unwrap();
        for block in blocks(&lines, "sh") {
            let joined = lines[block].join("\n").replace("\\\n", " ");
            for line in joined.lines().filter(|line| line.starts_with("nnqft-gpu")) {
                // Its own test makes a whole report; adapters and clusters are not everywhere.
                let elsewhere = [
                    "reproduce",
                    "compare-cpu",
                    "--resume",
                    "merge",
                    "--backend gpu",
                ];
                if elsewhere.iter().any(|word| line.contains(word)) {
                    continue;
                }
                let command = line.split(['|', '#']).next().unwrap();
                let output = shell(&small(command), folder.path());
                let said = String::from_utf8_lossy(&output.stderr);
                let code = output.status.code();
                // So few networks may leave a coupling unmeasured, which is a result, not a failure.
                let is_result = code == Some(1) && !output.stdout.is_empty();
                assert!(code == Some(0) || is_result, "{command}: {code:?}, {said}");
                count += 1;
            }
        }
    }
    assert!(count > 10, "{count} commands");
}

/// The anchor that readers of Markdown make of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .replace(' ', "-");
    kept.chars()
        .filter(|c| c.is_alphanumeric() || "-_".contains(*c))
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut count = 0;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let more = [
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/ARCHITECTURE.md",
        "benches/README.md",
    ];
    for path in pages().into_iter().chain(more.map(|name| root.join(name))) {
        let text = fs::read_to_string(&path).unwrap();
        for part in text.split("](").skip(1) {
            let link = part.split(')').next().unwrap();
            if link.starts_with("https://") {
                continue;
            }
            count += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                _ => path.parent().unwrap().join(file),
            };
            assert!(target.exists(), "{}: {link}", path.display());
            if !heading.is_empty() {
                let target = fs::read_to_string(&target).unwrap();
                let mut headings = target.lines().filter(|line| line.starts_with('#'));
                let found = headings.any(|line| anchor(line) == heading);
                assert!(found, "{}: {link}", path.display());
            }
        }
    }
    assert!(count > 20, "{count} links");
}

#[test]
fn the_summary_lists_every_page() {
    let summary = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/SUMMARY.md");
    let summary = fs::read_to_string(summary).unwrap();
    for page in pages() {
        let name = page.file_name().unwrap().to_str().unwrap();
        if !["README.md", "SUMMARY.md"].contains(&name) {
            assert!(summary.contains(&format!("({name})")), "{name}");
        }
    }
}
