//! `reproduce`: a report that is whole, traceable, and readable in a browser.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use common::cli::{refused, run};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn reproduce(out: &Path, more: &[&str]) -> String {
    let out = out.to_str().unwrap();
    let quick = ["reproduce", "--quick", "--backend", "cpu", "--out", out];
    let output = run(&[&quick[..], more].concat());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{message}");
    message
}

fn read(path: impl AsRef<Path>) -> Value {
    let path = path.as_ref();
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn a_killed_reproduction_goes_on_and_every_number_can_be_traced() {
    let out = folder("reproduced");
    let _ = fs::remove_dir_all(&out);
    let data = out.join("data");

    // Killed in the middle of the plan.
    let mut child = Command::new(env!("CARGO_BIN_EXE_nnqft-gpu"))
        .args(["reproduce", "--quick", "--backend", "cpu", "--out"])
        .arg(&out)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let finished = || fs::read_dir(&data).map_or(0, |d| d.count());
    while finished() < 4 && start.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!out.join("report.html").exists());
    let before = fs::read(data.join("falloff-erf-n2.json")).unwrap();

    let message = reproduce(&out, &[]);
    assert!(
        message.contains("measurements were there already"),
        "{message}"
    );
    assert_eq!(fs::read(data.join("falloff-erf-n2.json")).unwrap(), before);

    // What is torn, or of another plan, is measured again; numbers do not depend on it.
    let path = data.join("symmetry-relu.json");
    let whole = read(&path);
    fs::write(&path, &fs::read(&path).unwrap()[..100]).unwrap();
    let other = fs::read_to_string(data.join("falloff-relu-n5.json")).unwrap();
    let other = other.replace("\"seed\":0", "\"seed\":1");
    fs::write(data.join("falloff-relu-n5.json"), other).unwrap();
    let message = reproduce(&out, &[]);
    assert!(message.contains("70 of 72 measurements"), "{message}");
    assert_eq!(read(&path)["checks"], whole["checks"]);

    // Every number of a verdict stands where it says.
    let mut documents = BTreeMap::new();
    let mut at = |file: &str, pointer: &str| {
        let document = documents.entry(file.to_string());
        let document = document.or_insert_with(|| read(out.join(file)));
        document.pointer(pointer).cloned()
    };
    let document = read(out.join("reproduce.json"));
    assert_eq!(document["schema"], "nnqft.reproduce/2");
    assert_eq!(document["command"], "reproduce");
    let claims = document["claims"].as_array().unwrap();
    assert!(claims.len() > 40);
    let by_construction = |c: &&Value| c["basis"] == "by_construction";
    assert_eq!(claims.iter().filter(by_construction).count(), 16);
    for claim in claims {
        let numbers = claim["numbers"].as_array().unwrap();
        assert!(!numbers.is_empty(), "{claim}");
        for number in numbers {
            let (file, pointer) = number["from"].as_str().unwrap().split_once('#').unwrap();
            assert_eq!(
                at(file, pointer).as_ref(),
                Some(&number["value"]),
                "{number}"
            );
        }
    }
    // So does every number of the page.
    let html = fs::read_to_string(out.join("report.html")).unwrap();
    let html = html.replace("&#x2f;", "/");
    assert!(html.len() < 1_200_000, "{} bytes", html.len());
    let links: BTreeSet<&str> = (html.split("href=\"").skip(1))
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(links.len() > 500, "{}", links.len());
    let mut views: BTreeMap<String, String> = BTreeMap::new();
    for link in links {
        match link.split_once('#') {
            Some(("", id)) => assert!(html.contains(&format!("id=\"{id}\"")), "{link}"),
            Some((view, pointer)) => {
                // The view has the number at its anchor, as the document has it.
                let value = at(&view.replace(".html", ".json"), pointer);
                let value = value.unwrap_or_else(|| panic!("{link}"));
                let view = views.entry(view.to_string()).or_insert_with(|| {
                    let text = fs::read_to_string(out.join(view)).unwrap();
                    text.replace("&#x2f;", "/").replace("&quot;", "\"")
                });
                assert!(
                    view.contains(&format!("<b id=\"{pointer}\">{value}</b>")),
                    "{link}"
                );
            }
            None if link.starts_with("https://") || link.starts_with("data:") => {}
            None => assert!(out.join(link).exists(), "{link}"),
        }
    }
    // Slides are those of a talk that the page names.
    assert!(html.contains("“The NN-QFT Correspondence”"));
    // Nothing is fetched.
    for fetch in ["src=", "@import", "url(", "<link rel=\"stylesheet\""] {
        assert!(!html.contains(fetch), "{fetch}");
    }
    for figure in document["figures"].as_array().unwrap() {
        let name = figure.as_str().unwrap();
        let of = |extension: &str| out.join("figures").join(format!("{name}.{extension}"));
        let svg = fs::read_to_string(of("svg")).unwrap();
        assert!(svg.starts_with("<svg width=\"420\"") && svg.trim_end().ends_with("</svg>"));
        assert!(svg.contains("<title>") && !svg.contains("NaN"), "{name}");
        assert!(html.contains(&format!("id=\"figure-{name}\"")));
        let figure = read(of("json"));
        let panels = figure["panels"].as_array().unwrap().iter();
        let points: usize = panels
            .flat_map(|panel| panel["series"].as_array().unwrap())
            .map(|s| s["points"].as_array().unwrap().len())
            .sum();
        assert_eq!(
            fs::read_to_string(of("csv")).unwrap().lines().count(),
            points + 1,
            "{name}"
        );
    }
    verdicts(claims);
}

/// The verdicts that hold at any scale, because exact values or the connected estimator
/// decide them.
fn verdicts(claims: &[Value]) {
    let verdict = |section: &str, net: &str, part: &str| -> &str {
        let found: Vec<&Value> = (claims.iter())
            .filter(|c| c["section"] == section && c["net"] == net)
            .filter(|c| c["statement"].as_str().unwrap().contains(part))
            .collect();
        assert_eq!(found.len(), 1, "{section} {net} {part}");
        found[0]["verdict"].as_str().unwrap()
    };
    for net in ["Erf-net", "ReLU-net", "Gauss-net"] {
        for (section, part) in [
            ("falloff", "2-point"),
            ("flow", "d_in = 1"),
            ("flow", "d_in = 2"),
            ("flow", "d_in = 3"),
            ("fixed", "→ ∞"),
            ("symmetry", "symmetric"),
            ("symmetry", "smaller coupling"),
            ("fits", "ℓ₀"),
            ("exact", "exact"),
            ("estimator", "worth"),
        ] {
            assert_eq!(verdict(section, net, part), "reproduced", "{section} {net}");
        }
    }
    assert_eq!(verdict("fixed", "Gauss-net", "→ 0"), "reproduced");
    assert_eq!(
        verdict("tail", "Gauss-net", "do not determine m_6"),
        "reproduced"
    );
    for part in ["m_4", "m_6"] {
        assert_eq!(verdict("falloff", "ReLU-net", part), "reproduced");
    }
    assert_eq!(verdict("falloff", "Gauss-net", "m_6"), "source_unconverged");
    assert_eq!(
        verdict("couplings", "Gauss-net", "6-point"),
        "source_unconverged"
    );
}

#[test]
fn refusals() {
    refused(
        &["reproduce", "--out", "/proc/nowhere"],
        &["--out /proc/nowhere", "cannot be written"],
    );
}

/// Put before everything else on the page: what goes wrong while it loads.
const COLLECT: &str = "<script>
window.problems = [];
window.addEventListener('error', e => problems.push('error: ' + e.message));
window.addEventListener('unhandledrejection', e => problems.push('rejection: ' + e.reason));
for (const level of ['error', 'warn'])
  console[level] = (...all) => problems.push(level + ': ' + all.join(' '));
</script>";

/// Put at its end: tells the page around it what a reader would see.
const MEASURE: &str = "<script>
window.addEventListener('load', () => {
  const width = document.documentElement.clientWidth;
  const inside = (a, b) => a.left >= b.left - 1 && a.right <= b.right + 1 &&
    a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
  const figures = [...document.querySelectorAll('figure')].map(f => {
    const box = f.querySelector('svg').getBoundingClientRect();
    const shapes = [...f.querySelectorAll('svg circle:not(.values *), svg polygon, svg polyline')]
      .filter(s => { const b = s.getBoundingClientRect(); return b.width + b.height > 0.5; });
    const values = [...f.querySelectorAll('.values circle')];
    return { id: f.id, width: box.width, height: box.height, shapes: shapes.length,
      values: values.length,
      outside: values.filter(v => {
        const b = v.getBoundingClientRect();
        const x = b.left + b.width / 2, y = b.top + b.height / 2;
        return x < box.left || x > box.right || y < box.top || y > box.bottom; }).length,
      cut: [...f.querySelectorAll('svg text')]
        .filter(t => !inside(t.getBoundingClientRect(), box)).map(t => t.textContent) };
  });
  // A table says what its numbers are, and is whole.
  const cut = [...document.querySelectorAll('.scroll')].filter(s => s.scrollWidth > s.clientWidth + 1);
  const letters = [...document.querySelectorAll('svg text')].map(t => {
    const svg = t.ownerSVGElement;
    return t.getAttribute('font-size') * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width; });
  const wide = [...document.querySelectorAll('body *')].filter(e =>
    e.getBoundingClientRect().right > width + 1 && !e.closest('svg'));
  const mark = document.querySelector('.values circle');
  mark.dispatchEvent(new PointerEvent('pointerover', { bubbles: true }));
  parent.postMessage({
    smallest: Math.min(...letters), tables: cut.map(t => t.textContent.slice(0, 60)),
    width, scroll: document.documentElement.scrollWidth, figures,
    wide: wide.slice(0, 5).map(e => e.tagName + ': ' + e.textContent.slice(0, 60)),
    problems, fetched: performance.getEntriesByType('resource').map(e => e.name),
    sections: document.querySelectorAll('main > section').length,
    hover: document.getElementById('value').textContent,
    background: getComputedStyle(document.body).backgroundColor,
    colour: getComputedStyle(document.body).color }, '*');
});
</script>";

fn chromium() -> &'static str {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| {
            Command::new(name)
                .arg("--version")
                .stdout(Stdio::null())
                .status()
                .is_ok()
        })
        .expect("no Chromium; scripts/browser-test installs it")
}

/// Renders a page in a frame of this width, because windows have a smallest one.
fn look(page: &Path, width: u32, dark: bool) -> Value {
    let frame = page.with_file_name("frame.html");
    let html = format!(
        "<!doctype html><meta name=\"color-scheme\" content=\"light dark\"><script>
        addEventListener('message', e => {{
          const out = document.createElement('pre');
          out.id = 'measured';
          out.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(e.data))));
          document.body.append(out);
        }});</script>
        <body style=\"margin:0\"><iframe src=\"{}\" width=\"{width}\" height=\"900\" style=\"border:0\"></iframe>",
        page.file_name().unwrap().to_str().unwrap()
    );
    fs::write(&frame, html).unwrap();
    let mut browser = Command::new(chromium());
    browser.args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--dump-dom",
    ]);
    browser.args([
        "--hide-scrollbars",
        "--virtual-time-budget=20000",
        "--window-size=1400,1000",
    ]);
    if dark {
        browser.arg("--blink-settings=preferredColorScheme=0");
    }
    let output = browser
        .arg(format!("file://{}", frame.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let measured = dom.split("<pre id=\"measured\">").nth(1);
    let measured = measured.unwrap_or_else(|| {
        panic!(
            "nothing was measured: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    });
    serde_json::from_slice(&decode(measured.split('<').next().unwrap())).unwrap()
}

/// Base64, as a browser writes it.
fn decode(text: &str) -> Vec<u8> {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for c in text.bytes().filter(|&c| c != b'=') {
        bits = bits << 6 | digits.iter().position(|&d| d == c).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

#[test]
#[ignore = "needs Chromium: scripts/browser-test"]
fn the_report_in_a_browser() {
    let out = folder("in-a-browser");
    // Of an earlier version, perhaps.
    reproduce(&out, &["--force"]);
    let html = fs::read_to_string(out.join("report.html")).unwrap();
    let html = html.replacen("<head>", &format!("<head>{COLLECT}"), 1);
    let html = html.replacen("</body>", &format!("{MEASURE}</body>"), 1);
    let page = out.join("measured.html");
    fs::write(&page, html).unwrap();
    let figures = read(out.join("reproduce.json"))["figures"]
        .as_array()
        .unwrap()
        .len();
    assert!(figures >= 20);
    let mut colours = Vec::new();
    for (width, dark) in [(390, false), (1280, false), (1280, true)] {
        let seen = look(&page, width, dark);
        assert_eq!(seen["width"], width);
        assert_eq!(
            seen["scroll"], width,
            "the page is wider than the window: {}",
            seen["wide"]
        );
        assert_eq!(
            seen["wide"].as_array().unwrap().len(),
            0,
            "{}",
            seen["wide"]
        );
        assert_eq!(
            seen["problems"].as_array().unwrap().len(),
            0,
            "{}",
            seen["problems"]
        );
        assert_eq!(
            seen["fetched"].as_array().unwrap().len(),
            0,
            "{}",
            seen["fetched"]
        );
        assert_eq!(seen["tables"].as_array().unwrap().len(), 0, "{seen}");
        assert!(seen["smallest"].as_f64().unwrap() >= 11.0, "{seen}");
        assert_eq!(seen["sections"], 13);
        assert!(
            seen["hover"].as_str().unwrap().contains("width N"),
            "{}",
            seen["hover"]
        );
        assert_eq!(seen["figures"].as_array().unwrap().len(), figures);
        for figure in seen["figures"].as_array().unwrap() {
            assert!(figure["width"].as_f64().unwrap() > 300.0, "{figure}");
            assert!(figure["height"].as_f64().unwrap() > 180.0, "{figure}");
            assert!(figure["shapes"].as_u64().unwrap() > 5, "{figure}");
            assert!(figure["values"].as_u64().unwrap() >= 4, "{figure}");
            assert_eq!(figure["outside"], 0, "{figure}");
            assert_eq!(figure["cut"].as_array().unwrap().len(), 0, "{figure}");
        }
        colours.push((seen["background"].clone(), seen["colour"].clone()));
    }
    assert_eq!(colours[0], colours[1]);
    assert_ne!(colours[1], colours[2], "dark is not light");
}
