//! One figure after the other onto a surface.

use super::axis::{Axis, axis};
use super::legend::{self, Entry};
use super::{COLOURS, FONT, Figure, Mark, Series};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Heights and widths around the axes, in pixels.
const TITLE: i32 = 40;
const MARGIN: u32 = 14;
const BELOW: u32 = 46;
const LEFT: u32 = 74;

type Area<B> = DrawingArea<B, Shift>;

/// Draws the figures in rows, from left to right.
///
/// # Errors
/// What is wrong, when nothing can be drawn.
pub fn draw<B: DrawingBackend>(backend: B, figures: &[Figure]) -> Result<(), String> {
    let root = backend.into_drawing_area();
    let beside = super::columns(figures.len());
    let rows = figures.len().div_ceil(beside).max(1);
    root.fill(&WHITE).map_err(|e| e.to_string())?;
    for (area, figure) in root.split_evenly((rows, beside)).iter().zip(figures) {
        one(area, figure)?;
    }
    root.present().map_err(|e| e.to_string())
}

/// Positions in drawing units.
struct Place<'a>(&'a Figure);

impl Place<'_> {
    fn x(&self, v: f64) -> f64 {
        if self.0.log_x { v.log10() } else { v }
    }

    fn y(&self, v: f64) -> f64 {
        if self.0.log_y { v.log10() } else { v }
    }

    /// The points that can be drawn.
    fn points(&self, series: &Series) -> Vec<(f64, f64)> {
        let placed = series.points.iter().map(|p| (self.x(p.0), self.y(p.1)));
        placed
            .filter(|p| p.0.is_finite() && p.1.is_finite())
            .collect()
    }
}

fn one<B: DrawingBackend>(area: &Area<B>, figure: &Figure) -> Result<(), String> {
    let text = |e: DrawingAreaErrorKind<B::ErrorType>| e.to_string();
    let (title, rest) = area.split_vertically(TITLE);
    let middle = Pos::new(HPos::Center, VPos::Center);
    let style = (FONT, 19)
        .into_font()
        .color(&RGBColor(30, 30, 30))
        .pos(middle);
    let width = title.dim_in_pixel().0 as i32;
    title
        .draw(&Text::new(
            figure.title.clone(),
            (width / 2, TITLE / 2 + 2),
            style,
        ))
        .map_err(text)?;
    let colours = colours(figure);
    let labelled = figure.series.iter().zip(&colours);
    let entries: Vec<Entry> = labelled
        .filter(|(s, _)| !s.label.is_empty())
        .map(|(s, c)| Entry::new(&s.label, s.mark, *c))
        .collect();
    let plot = legend::beside(&rest, &entries).map_err(text)?;
    let (xs, ys) = axes(figure, plot.dim_in_pixel())?;
    let (floor, zero) = (ys.from, !figure.log_y && ys.from < 0.0 && ys.to > 0.0);
    let ends = (xs.from, xs.to);
    let mut chart = ChartBuilder::on(&plot)
        .margin(MARGIN)
        .margin_top(2)
        .x_label_area_size(BELOW)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(xs, ys)
        .map_err(text)?;
    chart
        .configure_mesh()
        .x_desc(&figure.x)
        .y_desc(&figure.y)
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(228, 228, 228))
        .draw()
        .map_err(text)?;
    if zero {
        let line = vec![(ends.0, 0.0), (ends.1, 0.0)];
        let line = PathElement::new(line, RGBColor(120, 120, 120).stroke_width(1));
        chart.draw_series([line]).map_err(text)?;
    }
    let bars = figure
        .series
        .iter()
        .filter(|s| s.mark == Mark::Bars)
        .count();
    let mut drawn = 0;
    for (series, colour) in figure.series.iter().zip(&colours) {
        if series.mark == Mark::Bars {
            let base = if figure.log_y { floor } else { 0.0 };
            self::bars(
                &mut chart,
                &Place(figure).points(series),
                (drawn, bars, base),
                *colour,
            )
            .map_err(text)?;
            drawn += 1;
        } else {
            marks(
                &mut chart,
                &Place(figure).points(series),
                series.mark,
                *colour,
            )
            .map_err(text)?;
        }
        errors(&mut chart, figure, series, *colour).map_err(text)?;
    }
    Ok(())
}

/// The colour of each series: a new one for each that has a label.
fn colours(figure: &Figure) -> Vec<RGBColor> {
    let mut at = 0;
    let each = figure.series.iter().enumerate().map(|(n, series)| {
        if n > 0 && !series.label.is_empty() {
            at += 1;
        }
        COLOURS[at % COLOURS.len()]
    });
    each.collect()
}

/// Axes that hold every point, error bar and bar; in equal units when the figure asks for it.
fn axes(figure: &Figure, (width, height): (u32, u32)) -> Result<(Axis, Axis), String> {
    let place = Place(figure);
    let all = || figure.series.iter().flat_map(|s| &s.points);
    let mut xs = axis(all().map(|p| place.x(p.0)), figure.log_x)?;
    let ends = figure.series.iter().flat_map(|s| {
        let reach = |i: usize| s.errors.get(i).copied().unwrap_or(0.0);
        let points = s.points.iter().enumerate();
        points.flat_map(move |(i, p)| [p.1 - reach(i), p.1 + reach(i)])
    });
    let barred = figure.series.iter().any(|s| s.mark == Mark::Bars);
    let zero = (barred && !figure.log_y).then_some(0.0);
    let mut ys = axis(ends.chain(zero).map(|v| place.y(v)), figure.log_y)?;
    if barred || !figure.categories.is_empty() {
        let last = figure.categories.len().saturating_sub(1) as f64;
        (xs.from, xs.to) = (xs.from.clamp(-0.7, -0.5), xs.to.max(last + 0.5));
        xs.names.clone_from(&figure.categories);
    }
    if figure.equal {
        let across = f64::from(width.saturating_sub(2 * MARGIN + LEFT).max(1));
        let down = f64::from(height.saturating_sub(MARGIN + 2 + BELOW).max(1));
        let (x, y) = ((xs.to - xs.from) / across, (ys.to - ys.from) / down);
        let widen = |a: &mut Axis, by: f64| {
            let half = 0.5 * (a.to - a.from) * (by - 1.0);
            (a.from, a.to) = (a.from - half, a.to + half);
        };
        match x < y {
            true => widen(&mut xs, y / x),
            false => widen(&mut ys, x / y),
        }
    }
    Ok((xs, ys))
}

type Chart<'a, B> = ChartContext<'a, B, Cartesian2d<Axis, Axis>>;
type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

fn marks<B: DrawingBackend>(
    chart: &mut Chart<'_, B>,
    points: &[(f64, f64)],
    mark: Mark,
    colour: RGBColor,
) -> Drawn<B> {
    let style = colour.stroke_width(2);
    let discs = |size: i32, strength: f64| {
        let disc = move |&p: &(f64, f64)| Circle::new(p, size, colour.mix(strength).filled());
        points.iter().map(disc)
    };
    match mark {
        // A line through one point would be invisible.
        Mark::Line | Mark::Dashed if points.len() == 1 => {
            chart.draw_series(discs(4, 1.0))?;
        }
        Mark::Line => {
            chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
            if points.len() <= 12 {
                chart.draw_series(discs(3, 1.0))?;
            }
        }
        Mark::Dashed => {
            chart.draw_series(DashedLineSeries::new(points.iter().copied(), 6, 4, style))?;
        }
        Mark::Points => {
            chart.draw_series(discs(3, 0.8))?;
        }
        Mark::Dots => {
            chart.draw_series(discs(1, 0.7))?;
        }
        Mark::Arrows => {
            let pairs = || points.chunks_exact(2);
            // The head is a small dot, and arrows are pale: direction without clutter.
            let heads = pairs().map(|a| Circle::new(a[1], 1, colour.mix(0.8).filled()));
            chart.draw_series(heads)?;
            let pale = colour.mix(0.45).stroke_width(1);
            let shafts = pairs().map(|a| PathElement::new(a.to_vec(), pale));
            chart.draw_series(shafts)?;
        }
        Mark::Bars => {}
    }
    Ok(())
}

/// The bars of one of several series, each with its share of the width.
fn bars<B: DrawingBackend>(
    chart: &mut Chart<'_, B>,
    points: &[(f64, f64)],
    (number, count, base): (usize, usize, f64),
    colour: RGBColor,
) -> Drawn<B> {
    let width = 0.8 / count.max(1) as f64;
    let bar = |&(x, y): &(f64, f64)| {
        let left = x - 0.4 + number as f64 * width;
        Rectangle::new([(left, base), (left + 0.92 * width, y)], colour.filled())
    };
    chart.draw_series(points.iter().map(bar))?;
    Ok(())
}

fn errors<B: DrawingBackend>(
    chart: &mut Chart<'_, B>,
    figure: &Figure,
    series: &Series,
    colour: RGBColor,
) -> Drawn<B> {
    let place = Place(figure);
    let each = series.points.iter().zip(&series.errors);
    let bars = each.filter_map(|(p, &e)| {
        let (x, low, high) = (place.x(p.0), place.y(p.1 - e), place.y(p.1 + e));
        let fine = x.is_finite() && low.is_finite() && high.is_finite();
        fine.then(|| PathElement::new(vec![(x, low), (x, high)], colour.stroke_width(1)))
    });
    chart.draw_series(bars)?;
    Ok(())
}
