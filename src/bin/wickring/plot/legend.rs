//! Legends beside or below the axes, never over the data.

use super::{FONT, Mark};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Labels up to this many characters stand beside the axes, longer ones below.
const SHORT: usize = 22;
/// Pixels of a line, of a character and of the mark before it.
const LINE: i32 = 22;
const LETTER: f64 = 8.0;
const BEFORE: i32 = 30;

/// One line of a legend.
pub struct Entry<'a> {
    label: &'a str,
    mark: Mark,
    colour: RGBColor,
}

impl<'a> Entry<'a> {
    /// A line for a series.
    pub fn new(label: &'a str, mark: Mark, colour: RGBColor) -> Self {
        Self {
            label,
            mark,
            colour,
        }
    }
}

/// Draws the legend and returns what is left for the axes.
///
/// # Errors
/// Those of the surface.
pub fn beside<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    entries: &[Entry<'_>],
) -> Result<DrawingArea<B, Shift>, DrawingAreaErrorKind<B::ErrorType>> {
    let longest = entries.iter().map(|e| e.label.chars().count()).max();
    let Some(longest) = longest else {
        return Ok(area.clone());
    };
    let (width, height) = area.dim_in_pixel();
    let (width, height) = (width as i32, height as i32);
    if longest <= SHORT {
        let room = BEFORE + 14 + (LETTER * longest as f64) as i32;
        let (left, right) = area.split_horizontally(width - room);
        for (k, e) in entries.iter().enumerate() {
            line(&right, e, (0, 16 + k as i32 * LINE))?;
        }
        return Ok(left);
    }
    let (above, below) = area.split_vertically(height - LINE * entries.len() as i32 - 10);
    for (k, e) in entries.iter().enumerate() {
        line(&below, e, (74, 10 + k as i32 * LINE))?;
    }
    Ok(above)
}

fn line<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    entry: &Entry<'_>,
    (x, y): (i32, i32),
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let colour = entry.colour;
    match entry.mark {
        Mark::Points | Mark::Dots => {
            area.draw(&Circle::new((x + 11, y), 4, colour.filled()))?;
        }
        Mark::Bars => {
            area.draw(&Rectangle::new(
                [(x + 4, y - 5), (x + 18, y + 5)],
                colour.filled(),
            ))?;
        }
        Mark::Dashed => {
            for start in [0, 9, 18] {
                let ends = vec![(x + start, y), (x + start + 5, y)];
                area.draw(&PathElement::new(ends, colour.stroke_width(2)))?;
            }
        }
        Mark::Line | Mark::Arrows => {
            let ends = vec![(x, y), (x + 22, y)];
            area.draw(&PathElement::new(ends, colour.stroke_width(2)))?;
        }
    }
    let middle = Pos::new(HPos::Left, VPos::Center);
    let style = (FONT, 14)
        .into_font()
        .color(&RGBColor(40, 40, 40))
        .pos(middle);
    area.draw(&Text::new(entry.label.to_owned(), (x + BEFORE, y), style))
}
