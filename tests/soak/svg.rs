//! What a terminal shows, as a picture.

use std::fmt::Write as _;

use vt100::{Cell, Color, Screen};

/// The width of a cell.
const WIDTH: f64 = 8.4;
/// The height of a row.
const HEIGHT: f64 = 18.0;
/// Where letters are in a row, from its top.
const BASELINE: f64 = 13.5;
/// The space around the rows.
const MARGIN: f64 = 10.0;

/// The colour of text without a colour.
const TEXT: &str = "#d0d7de";
/// The background.
const PAGE: &str = "#0d1117";

/// How a cell looks.
#[derive(Clone, Copy, PartialEq)]
struct Look {
    text: &'static str,
    page: &'static str,
    is_bold: bool,
    is_dim: bool,
}

impl Look {
    const PLAIN: Self = Self {
        text: TEXT,
        page: PAGE,
        is_bold: false,
        is_dim: false,
    };

    fn of(cell: &Cell) -> Self {
        let colors = [color(cell.fgcolor(), TEXT), color(cell.bgcolor(), PAGE)];
        let [text, page] = match cell.inverse() {
            true => [colors[1], colors[0]],
            false => colors,
        };
        Self {
            text,
            page,
            is_bold: cell.bold(),
            is_dim: cell.dim(),
        }
    }
}

/// The colours that the monitor uses.
fn color(color: Color, default: &'static str) -> &'static str {
    match color {
        Color::Default => default,
        Color::Idx(1) => "#ff7b72",
        Color::Idx(2) => "#56d364",
        Color::Idx(3) => "#e3b341",
        Color::Idx(6) => "#56d4dd",
        other @ (Color::Idx(_) | Color::Rgb(..)) => panic!("{other:?} has no colour in pictures"),
    }
}

/// Cells of a row that look alike.
struct Run {
    row: u16,
    column: u16,
    look: Look,
    text: String,
}

/// Draws a screen as SVG.
pub(crate) fn draw(screen: &Screen, title: &str) -> String {
    let (rows, columns) = screen.size();
    let width = f64::from(columns.get()) * WIDTH + 2.0 * MARGIN;
    let height = f64::from(rows.get()) * HEIGHT + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" width=\"{width:.1}\" \
         height=\"{height:.1}\" role=\"img\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, \
         monospace\" font-size=\"14\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{PAGE}\"/>\n",
        escaped(title)
    );
    for row in 0..rows.get() {
        for run in runs(screen, row, columns.get()) {
            run.draw(&mut svg);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn runs(screen: &Screen, row: u16, columns: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..columns {
        let cell = screen.cell(row, column).unwrap();
        assert!(!cell.is_wide(), "wide letters are not drawn");
        let text = if cell.has_contents() {
            cell.contents()
        } else {
            " "
        };
        // Of a blank only the background is seen.
        let look = match (text, Look::of(cell)) {
            (" ", look) if look.page == PAGE => Look::PLAIN,
            (_, look) => look,
        };
        match runs.last_mut() {
            Some(run) if run.look == look => run.text.push_str(text),
            _ => runs.push(Run {
                row,
                column,
                look,
                text: text.to_owned(),
            }),
        }
    }
    runs
}

impl Run {
    fn draw(&self, svg: &mut String) {
        let [x, y] = [self.x(0), MARGIN + f64::from(self.row) * HEIGHT];
        let width = self.x(self.text.chars().count()) - x;
        let Look { text, page, .. } = self.look;
        if page != PAGE {
            writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\" fill=\"{page}\"/>"
            )
            .unwrap();
        }
        for (at, block) in self.text.chars().enumerate() {
            if let Some(eighths) = eighths(block) {
                let high = HEIGHT * f64::from(eighths) / 8.0;
                let (left, top) = (self.x(at), y + HEIGHT - high);
                writeln!(
                    svg,
                    "<rect x=\"{left:.1}\" y=\"{top:.2}\" width=\"{WIDTH}\" height=\"{high:.2}\" fill=\"{text}\"/>"
                )
                .unwrap();
            }
        }
        self.draw_letters(svg, y + BASELINE);
    }

    /// Words are placed each by its column: no font has exactly the width of a cell.
    fn draw_letters(&self, svg: &mut String, y: f64) {
        let Look {
            text,
            is_bold,
            is_dim,
            ..
        } = self.look;
        let weight = if is_bold { " font-weight=\"bold\"" } else { "" };
        let opacity = if is_dim { " opacity=\"0.6\"" } else { "" };
        let is_letter = |letter: char| letter != ' ' && eighths(letter).is_none();
        let letters: Vec<char> = self.text.chars().collect();
        let mut at = 0;
        for word in letters.chunk_by(|one, next| is_letter(*one) == is_letter(*next)) {
            if is_letter(word[0]) {
                let x = self.x(at);
                let length = self.x(at + word.len()) - x;
                let word = escaped(&word.iter().collect::<String>());
                writeln!(
                    svg,
                    "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\" \
                     fill=\"{text}\"{weight}{opacity}>{word}</text>"
                )
                .unwrap();
            }
            at += word.len();
        }
    }

    /// The left end of a letter of this run.
    fn x(&self, letter: usize) -> f64 {
        let column = u32::from(self.column) + u32::try_from(letter).unwrap();
        MARGIN + f64::from(column) * WIDTH
    }
}

/// How much of its cell a block fills (U+2581 to U+2588). Fonts leave gaps between blocks, so they are drawn.
fn eighths(letter: char) -> Option<u32> {
    let eighths = u32::from(letter).checked_sub(0x2580)?;
    (1..=8).contains(&eighths).then_some(eighths)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[test]
fn a_screen_is_drawn_with_its_colours() {
    let mut parser = vt100::Parser::new(1.try_into().unwrap(), 12.try_into().unwrap(), 0);
    parser.process("a \u{1b}[31;1m<b> \u{1b}[0m\u{1b}[7mk\u{1b}[0m ▄".as_bytes());
    let svg = draw(parser.screen(), "a & b");
    for part in [
        "<title>a &amp; b</title>",
        "fill=\"#ff7b72\" font-weight=\"bold\">&lt;b&gt;</text>",
        "fill=\"#0d1117\">k</text>",
        "height=\"9.00\" fill=\"#d0d7de\"/>",
    ] {
        assert!(svg.contains(part), "{part}: {svg}");
    }
}
