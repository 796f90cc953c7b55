//! Pictures: lines, points with error bars, bars, logarithmic axes; to `.svg` or `.png`.

mod axis;
mod draw;
mod legend;

use draw::draw;
use plotters::prelude::*;
use plotters::style::register_font;
use std::path::Path;
use wickring::Error;
use wickring::io::write_whole;

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A line through the points; a single point is a disc.
    Line,
    /// A dashed line.
    Dashed,
    /// Separate points.
    Points,
    /// Small separate points, for clouds.
    Dots,
    /// Bars from zero, side by side with those of other series.
    Bars,
    /// Points are tails and heads of arrows, alternating.
    Arrows,
}

/// One series of points, with optional half-widths of error bars.
#[derive(Clone, Debug)]
pub struct Series {
    /// What the legend says; empty for none: the series then has the colour of the one before it.
    pub label: String,
    /// The points; those with a coordinate that cannot be drawn are left out.
    pub points: Vec<(f64, f64)>,
    /// Half-width of the error bar of each point; empty for none.
    pub errors: Vec<f64>,
    /// How it is drawn.
    pub mark: Mark,
}

impl Series {
    /// A series without error bars.
    pub fn new(label: impl Into<String>, mark: Mark, points: Vec<(f64, f64)>) -> Self {
        let label = label.into();
        let errors = Vec::new();
        Self {
            label,
            points,
            errors,
            mark,
        }
    }
}

/// A figure with one pair of axes.
#[derive(Clone, Debug, Default)]
pub struct Figure {
    /// Title above the axes.
    pub title: String,
    /// Label of the horizontal axis.
    pub x: String,
    /// Label of the vertical axis.
    pub y: String,
    /// Whether the horizontal axis is logarithmic.
    pub log_x: bool,
    /// Whether the vertical axis is logarithmic.
    pub log_y: bool,
    /// Whether one unit has the same length on both axes: for geometry.
    pub equal: bool,
    /// Names of the positions 0, 1, .. on the horizontal axis; empty for numbers.
    pub categories: Vec<String>,
    /// What is drawn; what comes first lies behind.
    pub series: Vec<Series>,
}

const SIZE: (u32, u32) = (800, 560);
const FONT: &str = "sans-serif";
/// Colours that stay apart in print and for colour-blind readers (after Okabe and Ito, and Tol). No picture has more
/// series than there are colours: [`Figure::series`] is cut by whoever makes it, and says so.
pub const COLOURS: [RGBColor; 12] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(60, 60, 60),
    RGBColor(136, 34, 85),
    RGBColor(153, 153, 51),
    RGBColor(51, 34, 136),
    RGBColor(160, 160, 160),
    RGBColor(102, 17, 0),
];

/// Figures side by side, by their number.
fn columns(figures: usize) -> usize {
    if figures > 3 { 2 } else { 1 }
}

/// Draws `figures` in rows of one or, where they are many, two and writes them to `path`, whole or not at all.
///
/// # Errors
/// `File` when the ending is neither `.svg` nor `.png` or the file cannot be written; `InvalidInput` when
/// nothing can be drawn.
pub fn save(path: &Path, figures: &[Figure]) -> Result<(), Error> {
    let fault = |what: String| Error::file(path, "", what);
    embed_font()?;
    let beside = columns(figures.len());
    let rows = figures.len().div_ceil(beside).max(1);
    let size = (SIZE.0 * beside as u32, SIZE.1 * rows as u32);
    match path.extension().and_then(|e| e.to_str()) {
        Some("svg") => {
            let mut text = String::new();
            draw(SVGBackend::with_string(&mut text, size), figures).map_err(fault)?;
            write_whole(path, text.as_bytes())
        }
        Some("png") => {
            let mut pixels = vec![0u8; (size.0 * size.1 * 3) as usize];
            draw(BitMapBackend::with_buffer(&mut pixels, size), figures).map_err(fault)?;
            let bytes = encode_png(size, &pixels).map_err(|e| fault(e.to_string()))?;
            write_whole(path, &bytes)
        }
        _ => Err(fault("--plot writes .svg or .png".into())),
    }
}

/// One figure as the text of an SVG element.
///
/// # Errors
/// `InvalidInput` when nothing can be drawn.
pub fn svg(figure: &Figure) -> Result<String, Error> {
    embed_font()?;
    let mut text = String::new();
    let drawn = draw(
        SVGBackend::with_string(&mut text, SIZE),
        std::slice::from_ref(figure),
    );
    drawn.map_err(|what| Error::invalid("--report", what))?;
    Ok(text)
}

/// An embedded font: a picture looks the same on every machine.
fn embed_font() -> Result<(), Error> {
    let font = dejavu::sans::regular();
    let broken = |_| Error::Backend {
        op: "--plot",
        routine: "the embedded font",
    };
    register_font(FONT, FontStyle::Normal, font).map_err(broken)
}

fn encode_png(size: (u32, u32), pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size.0, size.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_draw_and_nothing_is_an_error() {
        let folder = std::env::temp_dir().join(format!("wickring-plot-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let points = (1..50)
            .map(|i| (f64::from(i), 1.0 / f64::from(i * i)))
            .collect();
        let mut noisy = Series::new("measured", Mark::Points, vec![(2.0, 0.3), (20.0, 0.004)]);
        noisy.errors = vec![0.1, 0.001];
        let figure = Figure {
            title: "decay".into(),
            x: "n".into(),
            y: "error".into(),
            log_x: true,
            log_y: true,
            series: vec![Series::new("theory", Mark::Line, points), noisy],
            ..Figure::default()
        };
        let (svg, png) = (folder.join("a.svg"), folder.join("a.png"));
        save(&svg, std::slice::from_ref(&figure)).unwrap();
        save(&png, &[figure.clone(), figure]).unwrap();
        assert!(std::fs::read_to_string(&svg).unwrap().contains("measured"));
        assert!(std::fs::read(&png).unwrap().starts_with(b"\x89PNG"));
        let empty = Figure {
            series: vec![Series::new("", Mark::Line, vec![(f64::NAN, 1.0)])],
            ..Figure::default()
        };
        assert!(save(&svg, &[empty]).is_err());
        if let Ok(keep) = std::env::var("WICKRING_KEEP_PLOT") {
            std::fs::copy(&png, keep).unwrap();
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
