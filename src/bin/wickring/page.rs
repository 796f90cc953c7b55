//! Pages of HTML: one file without anything beside it, readable on a telephone.

use crate::plot::{Figure, svg};
use serde_json::Value;
use wickring::Error;

/// What a page shows, from top to bottom.
#[derive(Default)]
pub struct Page {
    /// The heading.
    pub title: String,
    /// One sentence under it: what became of the work.
    pub verdict: String,
    /// Whether everything that was claimed holds.
    pub good: bool,
    /// Parts in order.
    pub parts: Vec<Part>,
}

/// A part of a page.
pub enum Part {
    /// A heading.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// Text as it stands, in columns.
    Code(String),
    /// Commands; long ones are broken.
    Command(String),
    /// A table: names of the columns, rows, and for each row whether it is good, bad, or neither.
    Table(Vec<String>, Vec<(Vec<String>, Option<bool>)>),
    /// A picture, drawn here.
    Picture(String),
}

impl Part {
    /// A picture.
    ///
    /// # Errors
    /// `InvalidInput` when it holds nothing that can be drawn.
    pub fn picture(figure: &Figure) -> Result<Self, Error> {
        Ok(Self::Picture(svg(figure)?))
    }
}

const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;color:#1d1d1f;background:#fff;max-width:56rem;margin:0 auto;padding:1.5rem 1rem 4rem}\
h1{font-size:1.6rem;margin:.2em 0;overflow-wrap:anywhere}h2{font-size:1.15rem;margin:2em 0 .5em}\
p.verdict{padding:.6em .9em;border-left:5px solid;background:#f4f8f6;border-color:#006d4c;overflow-wrap:anywhere}\
p.verdict.bad{background:#fbf1f2;border-color:#b00020}\
table{border-collapse:collapse;width:100%;font-size:.93rem}\
th,td{text-align:left;vertical-align:top;padding:.4em .6em;border-bottom:1px solid #ddd;overflow-wrap:anywhere}\
th{font-weight:600;color:#555;overflow-wrap:normal;white-space:nowrap}td.num{white-space:nowrap;font-variant-numeric:tabular-nums}\
.good{color:#006d4c;font-weight:600}.bad{color:#b00020;font-weight:600}.other{color:#666}td.other{white-space:nowrap}\
pre{background:#f5f5f5;padding:.8em;overflow-x:auto;font-size:.85rem;line-height:1.45}\
pre.command{white-space:pre-wrap;overflow-wrap:anywhere}\
figure{margin:1.2em 0}figure svg{box-sizing:border-box;max-width:100%;height:auto;border:1px solid #e4e4e4}\
footer{margin-top:3em;color:#777;font-size:.85rem}\
@media(max-width:36rem){body{padding:1rem .8rem 3rem}\
table,tbody,tr,td{display:block}thead{display:none}tr{border-bottom:1px solid #ccc;padding:.5em 0}\
td{border:0;padding:.1em 0}td[data-name]:not([data-name=\"\"])::before{content:attr(data-name) \": \";color:#666}\
td:empty{display:none}td.other{white-space:normal}}";

impl Page {
    /// The text of the file.
    pub fn html(&self) -> String {
        let class = if self.good { "verdict" } else { "verdict bad" };
        let (title, verdict) = (escape(&self.title), escape(&self.verdict));
        let mut body = format!("<h1>{title}</h1>\n<p class=\"{class}\">{verdict}</p>\n");
        for part in &self.parts {
            body += &match part {
                Part::Heading(text) => format!("<h2>{}</h2>\n", escape(text)),
                Part::Text(text) => format!("<p>{}</p>\n", escape(text)),
                Part::Code(text) => format!("<pre>{}</pre>\n", escape(text)),
                Part::Command(text) => format!("<pre class=\"command\">{}</pre>\n", escape(text)),
                Part::Table(names, rows) => table(names, rows),
                Part::Picture(svg) => format!("<figure>{svg}</figure>\n"),
            };
        }
        let version = env!("CARGO_PKG_VERSION");
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>{title}</title>\n\
             <style>{STYLE}</style></head><body>\n{body}<footer>wickring {version}. This page needs no network and \
             no other file.</footer>\n</body></html>\n"
        )
    }
}

fn table(names: &[String], rows: &[(Vec<String>, Option<bool>)]) -> String {
    let head: String = names
        .iter()
        .map(|n| format!("<th>{}</th>", escape(n)))
        .collect();
    let mut text = format!("<table><thead><tr>{head}</tr></thead><tbody>\n");
    for (cells, good) in rows {
        let last = cells.len().saturating_sub(1);
        let each = cells.iter().enumerate().map(|(k, cell)| {
            let name = names.get(k).map_or("", String::as_str);
            let class = match (k == last, good) {
                (true, Some(true)) => "good",
                (true, Some(false)) => "bad",
                (true, None) => "other",
                _ if k > 0 && cell.parse::<f64>().is_ok() => "num",
                _ => "",
            };
            let (cell, name) = (escape(cell), escape(name));
            format!("<td class=\"{class}\" data-name=\"{name}\">{cell}</td>")
        });
        text += &format!("<tr>{}</tr>\n", each.collect::<String>());
    }
    text + "</tbody></table>\n"
}

/// Text that is safe inside of elements and of attributes in double quotes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            c => out.push(c),
        }
    }
    out
}

/// What the statuses of model files and reports mean to a reader.
fn meaning(status: &str) -> &'static str {
    match status {
        "converged" => "every test that was promised was run and passed",
        "undecided" => "nothing speaks against the result, but the data could not have shown much",
        "iteration-limit" => "the number of steps ran out before the tests passed",
        "stalled" => "no further progress was possible and a test failed",
        "ill-conditioned" => "the result was reached, but small errors in the data move it far",
        "stopped" => "stopped before the end; this is the best so far",
        _ => "see the report below",
    }
}

/// The page of a fit: status, evidence, pictures, and how to make it again.
///
/// # Errors
/// None of its own; pictures are drawn before.
pub fn of_fit(command: &str, json: &Value, text: &str, pictures: Vec<Part>) -> Page {
    let status = json["status"].as_str().unwrap_or("unknown");
    let mut page = Page {
        title: command.to_owned(),
        verdict: format!("{status}: {}", meaning(status)),
        good: status == "converged",
        parts: Vec::new(),
    };
    let checks = json["report"]["checks"].as_array();
    let rows: Vec<_> = checks.into_iter().flatten().map(check).collect();
    if !rows.is_empty() {
        let names = ["what was measured", "value", "at most", "verdict"];
        page.parts.push(Part::Heading("Evidence".into()));
        page.parts.push(Part::Text(
            "Each line is a number that was computed from the data and the result, after the search had ended. Those \
             with a bound decide; the others are there for you to judge."
                .into(),
        ));
        page.parts
            .push(Part::Table(names.map(str::to_owned).to_vec(), rows));
    }
    if !pictures.is_empty() {
        page.parts.push(Part::Heading("Pictures".into()));
        page.parts.extend(pictures);
    }
    page.parts
        .push(Part::Heading("What the command printed".into()));
    page.parts.push(Part::Code(text.trim_end().to_owned()));
    page.parts.extend(again(json));
    page
}

/// One line of evidence.
fn check(check: &Value) -> (Vec<String>, Option<bool>) {
    let number = |v: &Value| v.as_f64().map_or("-".to_owned(), short);
    let bounded = check["allowed"].is_number();
    let holds = check["holds"].as_bool().unwrap_or(false);
    let (word, good) = match (bounded, holds) {
        (false, _) => ("for information", None),
        (true, true) => ("holds", Some(true)),
        (true, false) => ("FAILS", Some(false)),
    };
    let label = check["label"].as_str().unwrap_or_default().to_owned();
    let bound = if bounded {
        number(&check["allowed"])
    } else {
        String::new()
    };
    (
        vec![label, number(&check["measured"]), bound, word.to_owned()],
        good,
    )
}

/// At most six digits.
fn short(x: f64) -> String {
    match x.abs() {
        a if a == 0.0 || (1e-3..1e6).contains(&a) => {
            let text = format!("{x:.5}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => format!("{x:.3e}"),
    }
}

/// The command as it was given, the inputs by their digests, and what replays without us.
fn again(json: &Value) -> Vec<Part> {
    let given: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|a| quoted(&a.to_string_lossy()))
        .collect();
    let mut parts = vec![
        Part::Heading("Make it again".into()),
        Part::Text("The same command on the same files gives the same numbers, whatever the number of threads.".into()),
        Part::Command(format!("wickring {}", given.join(" "))),
    ];
    let inputs = json["inputs"].as_array().into_iter().flatten();
    let rows: Vec<_> = inputs
        .filter_map(|i| {
            let (path, digest) = (i["path"].as_str()?, i["sha256"].as_str()?);
            Some((vec![path.to_owned(), digest.to_owned()], None))
        })
        .collect();
    if !rows.is_empty() {
        let names = ["input", "sha256"];
        parts.push(Part::Table(names.map(str::to_owned).to_vec(), rows));
    }
    if let Some(certificate) = json["certificate"].as_str() {
        parts.push(Part::Text(
            "The certificate is replayed by an independent checker, without this page or the data:"
                .into(),
        ));
        parts.push(Part::Command(format!(
            "wickring check {}",
            quoted(certificate)
        )));
    }
    parts
}

/// An argument as a shell reads it.
fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    match !argument.is_empty() && argument.chars().all(plain) {
        true => argument.to_owned(),
        false => format!("'{}'", argument.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_data_becomes_markup() {
        let json = serde_json::json!({ "status": "stalled", "report": { "checks": [
            { "label": "<b>\"x\" & y", "measured": 2.0, "allowed": 1.0, "holds": false },
            { "label": "plain", "measured": 3e-9, "allowed": null, "holds": true },
        ] } });
        let html = of_fit("decompose <cp>", &json, "a < b\n", Vec::new()).html();
        assert!(html.contains("&lt;b&gt;&quot;x&quot; &amp; y") && !html.contains("<b>"));
        assert!(
            html.contains("verdict bad") && html.contains(">FAILS<") && html.contains("a &lt; b")
        );
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(
            (short(0.0), short(3e-9), short(1234.5)),
            ("0".into(), "3.000e-9".into(), "1234.5".into())
        );
    }
}
