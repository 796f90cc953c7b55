//! Pictures: lines, points with error bars, logarithmic axes; to `.svg` or `.png`.

use plotters::coord::ranged1d::{KeyPointHint, Ranged};
use plotters::prelude::*;
use plotters::style::register_font;
use std::path::Path;
use wickring::Error;
use wickring::io::write_whole;

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A line through the points.
    Line,
    /// A dashed line.
    Dashed,
    /// Separate points.
    Points,
    /// Small separate points, for clouds.
    Dots,
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
    /// What is drawn.
    pub series: Vec<Series>,
}

const SIZE: (u32, u32) = (800, 560);
const FONT: &str = "sans-serif";
/// Colours that stay apart in print and for colour-blind readers (after Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(60, 60, 60),
];

/// Draws `figures` below each other and writes them to `path`, whole or not at all.
///
/// # Errors
/// `File` when the ending is neither `.svg` nor `.png` or the file cannot be written; `InvalidInput` when
/// nothing can be drawn.
pub fn save(path: &Path, figures: &[Figure]) -> Result<(), Error> {
    let fault = |what: String| Error::file(path, "", what);
    // An embedded font: the picture looks the same on every machine.
    let font = dejavu::sans::regular();
    if register_font(FONT, FontStyle::Normal, font).is_err() {
        return Err(fault("cannot be drawn: the embedded font is broken".into()));
    }
    let size = (SIZE.0, SIZE.1 * figures.len().max(1) as u32);
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

fn draw<B: DrawingBackend>(backend: B, figures: &[Figure]) -> Result<(), String> {
    let root = backend.into_drawing_area();
    root.fill(&WHITE).map_err(|e| e.to_string())?;
    for (area, figure) in root
        .split_evenly((figures.len().max(1), 1))
        .iter()
        .zip(figures)
    {
        let fx = |v: f64| if figure.log_x { v.log10() } else { v };
        let fy = |v: f64| if figure.log_y { v.log10() } else { v };
        one(area, figure, &fx, &fy)?;
    }
    root.present().map_err(|e| e.to_string())
}

/// An axis that may be logarithmic: positions are in drawing units, labels in those of the data.
struct Axis {
    from: f64,
    to: f64,
    log: bool,
}

impl Axis {
    /// 1, 2 and 5 of each decade, for a logarithmic axis of few decades.
    fn decades(&self) -> Vec<f64> {
        let (first, last) = (self.from.floor() as i32, self.to.ceil() as i32);
        let each =
            (first..=last).flat_map(|k| [1.0, 2.0, 5.0].map(|m: f64| f64::from(k) + m.log10()));
        each.filter(|v| (self.from..=self.to).contains(v)).collect()
    }
}

impl Ranged for Axis {
    type FormatOption = plotters::coord::ranged1d::NoDefaultFormatting;
    type ValueType = f64;
    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.from) / (self.to - self.from);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }
    fn key_points<H: KeyPointHint>(&self, hint: H) -> Vec<f64> {
        let most = hint.max_num_points().clamp(2, 9);
        if self.log && self.to - self.from < 2.5 {
            return self.decades();
        }
        let raw = (self.to - self.from) / most as f64;
        let step = if self.log && raw <= 1.0 {
            1.0
        } else {
            nice(raw)
        };
        let first = (self.from / step).ceil();
        (0..=most)
            .map(|k| (first + k as f64) * step)
            .filter(|v| *v <= self.to + 1e-9 * step)
            .collect()
    }
    fn range(&self) -> std::ops::Range<f64> {
        self.from..self.to
    }
}

impl plotters::coord::ranged1d::ValueFormatter<f64> for Axis {
    fn format_ext(&self, v: &f64) -> String {
        if self.log && (v - v.round()).abs() < 1e-9 && !(-3.0..4.5).contains(v) {
            return format!("1e{v:.0}");
        }
        let v = &if self.log { 10f64.powf(*v) } else { *v };
        let v = if v.abs() < 1e-12 * (self.to - self.from) {
            0.0
        } else {
            *v
        };
        if v != 0.0 && !(1e-3..1e5).contains(&v.abs()) {
            return format!("{v:.1e}");
        }
        let text = format!("{v:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// The least of 1, 2, 5 times a power of ten that is not below `raw`.
fn nice(raw: f64) -> f64 {
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|s| s * power >= raw);
    step.unwrap_or(10.0) * power
}

fn axis(values: impl Iterator<Item = f64>, log: bool) -> Result<Axis, String> {
    let (mut from, mut to) = (f64::INFINITY, f64::NEG_INFINITY);
    for v in values.filter(|v| v.is_finite()) {
        (from, to) = (from.min(v), to.max(v));
    }
    if from > to {
        return Err("nothing to draw: no finite point".into());
    }
    let margin = if to > from { 0.05 * (to - from) } else { 0.5 };
    Ok(Axis {
        from: from - margin,
        to: to + margin,
        log,
    })
}

fn one<B: DrawingBackend>(
    area: &DrawingArea<B, plotters::coord::Shift>,
    figure: &Figure,
    fx: &dyn Fn(f64) -> f64,
    fy: &dyn Fn(f64) -> f64,
) -> Result<(), String> {
    let text = |e: DrawingAreaErrorKind<B::ErrorType>| e.to_string();
    let all = || figure.series.iter().flat_map(|s| s.points.iter());
    let xs = axis(all().map(|p| fx(p.0)), figure.log_x)?;
    let ends = figure.series.iter().flat_map(|s| {
        let reach = |i: usize| s.errors.get(i).copied().unwrap_or(0.0);
        s.points
            .iter()
            .enumerate()
            .flat_map(move |(i, p)| [p.1 - reach(i), p.1 + reach(i)])
    });
    let ys = axis(ends.map(fy), figure.log_y)?;
    let mut chart = ChartBuilder::on(area)
        .caption(&figure.title, (FONT, 20))
        .margin(14)
        .x_label_area_size(46)
        .y_label_area_size(70)
        .build_cartesian_2d(xs, ys)
        .map_err(text)?;
    chart
        .configure_mesh()
        .x_desc(&figure.x)
        .y_desc(&figure.y)
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(225, 225, 225))
        .draw()
        .map_err(text)?;
    let mut colours = 0;
    for (n, series) in figure.series.iter().enumerate() {
        if n > 0 && !series.label.is_empty() {
            colours += 1;
        }
        let colour = COLOURS[colours % COLOURS.len()];
        let place = |p: &(f64, f64)| (fx(p.0), fy(p.1));
        let drawable = |p: &(f64, f64)| p.0.is_finite() && p.1.is_finite();
        let points: Vec<(f64, f64)> = series.points.iter().map(place).filter(drawable).collect();
        let style = colour.stroke_width(2);
        let drawn = match series.mark {
            Mark::Line => chart.draw_series(LineSeries::new(points, style)),
            Mark::Dashed => chart.draw_series(DashedLineSeries::new(points, 6, 4, style)),
            Mark::Points => {
                let dots = points.iter().map(|&p| Circle::new(p, 3, colour.filled()));
                chart.draw_series(dots)
            }
            Mark::Dots => {
                let dots = points.iter();
                let dots = dots.map(|&p| Circle::new(p, 1, colour.mix(0.7).filled()));
                chart.draw_series(dots)
            }
            Mark::Arrows => {
                let pairs = || points.chunks_exact(2);
                // The head is a dot: direction without clutter.
                let heads = pairs().map(|a| Circle::new(a[1], 2, colour.filled()));
                chart.draw_series(heads).map_err(text)?;
                let shafts = pairs().map(|a| PathElement::new(a.to_vec(), colour.stroke_width(1)));
                chart.draw_series(shafts)
            }
        };
        let drawn = drawn.map_err(text)?;
        if !series.label.is_empty() {
            drawn.label(series.label.as_str()).legend(move |(x, y)| {
                Rectangle::new([(x, y - 3), (x + 16, y + 3)], colour.filled())
            });
        }
        let bars = series
            .points
            .iter()
            .zip(&series.errors)
            .filter_map(|(p, &e)| {
                let (x, low, high) = (fx(p.0), fy(p.1 - e), fy(p.1 + e));
                let fine = x.is_finite() && low.is_finite() && high.is_finite();
                fine.then(|| PathElement::new(vec![(x, low), (x, high)], colour.stroke_width(1)))
            });
        chart.draw_series(bars).map_err(text)?;
    }
    if figure.series.iter().any(|s| !s.label.is_empty()) {
        chart
            .configure_series_labels()
            .label_font((FONT, 14))
            .background_style(WHITE.mix(0.85))
            .border_style(RGBColor(200, 200, 200))
            .draw()
            .map_err(text)?;
    }
    Ok(())
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
