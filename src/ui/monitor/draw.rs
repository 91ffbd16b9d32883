//! Draws the state: a pure function of it.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::keys::HELP;
use super::palette::Palette;
use super::state::State;
use super::{detail, overview};
use crate::ui::replication::{Grade, Health};
use crate::ui::text;

/// Rows of alerts.
const ALERTS: u16 = 3;

/// The rows from which the alerts fit.
const HIGH: u16 = 16;

/// That the details have more lines than fit.
const MORE: &str = " PgDn ▼";

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State, palette: Palette) {
    let area = frame.area();
    let alerts = match area.height {
        HIGH.. => ALERTS.min(u16::try_from(state.alerts.len()).unwrap_or(ALERTS)),
        _ => 0,
    };
    let charts = if area.height >= HIGH {
        detail::CHARTS
    } else {
        0
    };
    // Most of the rows are for the selected database.
    let table = overview::height(state).min((area.height / 3).max(2));
    let rows = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(table),
        Constraint::Length(charts),
        Constraint::Fill(1),
        Constraint::Length(alerts + alerts.min(1)),
        Constraint::Length(1),
    ]);
    let [title, table, charts, facts, alerts, keys] = rows.areas(area);
    frame.render_widget(title_line(state, palette), title);
    if state.report.is_none() {
        frame.render_widget(Line::raw("waiting for the first report"), table);
    } else {
        overview::draw(frame, table, state, palette);
    }
    if charts.height > 0 {
        detail::draw_charts(frame, charts, state, palette);
    }
    let has_more = detail::draw_facts(frame, facts, state, palette);
    draw_alerts(frame, alerts, state, palette);
    frame.render_widget(keys_line(state, palette), keys);
    if has_more {
        let more = Line::styled(MORE, palette.selected()).right_aligned();
        frame.render_widget(more, keys);
    }
    if state.is_help_shown {
        draw_help(frame, area, palette);
    }
}

/// A time of day in the time zone of this machine is not certain; UTC is.
fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

fn title_line(state: &State, palette: Palette) -> Line<'static> {
    let mut spans = vec![Span::styled("status", palette.heading())];
    if let Some(report) = &state.report {
        let health = Health::of_all(report);
        let count = u64::try_from(report.databases.len()).unwrap_or(u64::MAX);
        spans.push(Span::raw(" "));
        let verdict = format!("{} {}", health.mark(), health.name());
        spans.push(Span::styled(verdict, palette.grade(health.grade())));
        spans.push(Span::raw(match state.overdue {
            None => format!(
                " {} {} UTC",
                text::counted(count, "database"),
                clock(report.at)
            ),
            Some(_) => String::new(),
        }));
    }
    if let Some(overdue) = state.overdue {
        let shown = format!(" no report for {}", text::duration(overdue));
        spans.push(Span::styled(shown, palette.grade(Grade::Bad)));
    }
    Line::from(spans)
}

fn keys_line(state: &State, palette: Palette) -> Line<'static> {
    let keys = format!("q quit  ? help  s sort: {}", state.sort.name());
    Line::styled(keys, palette.selected())
}

/// The newest alerts, the last one first.
fn draw_alerts(frame: &mut Frame<'_>, area: Rect, state: &State, palette: Palette) {
    let Some(rows) = area.height.checked_sub(1) else {
        return;
    };
    let mut lines = vec![Line::styled("alerts", palette.heading())];
    let newest = state.alerts.iter().rev().take(usize::from(rows));
    lines.extend(newest.map(|alert| {
        let style = palette.grade(alert.grade);
        let shown = format!("{} {}", clock(alert.at), alert.text);
        Line::styled(shortened(shown, area.width), style)
    }));
    frame.render_widget(Paragraph::new(lines), area);
}

/// A line that fits: without what comes after its last comma, then without its end.
fn shortened(line: String, columns: u16) -> String {
    let fits = |line: &str| Line::raw(line).width() <= usize::from(columns);
    if fits(&line) {
        return line;
    }
    let short = match line.rsplit_once(", ") {
        Some((short, _)) => short.to_owned(),
        None => line,
    };
    if fits(&short) {
        return short;
    }
    let mut cut = short;
    while !fits(&format!("{cut}…")) && cut.pop().is_some() {}
    cut + "…"
}

/// The keys, over everything else.
fn draw_help(frame: &mut Frame<'_>, area: Rect, palette: Palette) {
    let keys = HELP.iter().map(|(keys, _)| keys.len()).max().unwrap_or(0);
    let lines: Vec<_> = HELP
        .iter()
        .map(|(key, what)| Line::raw(format!("{key:<keys$}  {what}")))
        .collect();
    let width = lines.iter().map(Line::width).max().unwrap_or(0);
    let [wide, high] =
        [width + 2, lines.len() + 2].map(|size| u16::try_from(size).unwrap_or(u16::MAX));
    let window = area.centered(Constraint::Length(wide), Constraint::Length(high));
    let frame_lines = Block::bordered()
        .title(" keys ")
        .border_style(palette.heading());
    frame.render_widget(Clear, window);
    frame.render_widget(Paragraph::new(lines).block(frame_lines), window);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_does_not_fit_loses_its_end() {
        let shown = |columns| shortened("a: BROKEN, was CAUGHT UP".to_owned(), columns);
        assert_eq!(shown(24), "a: BROKEN, was CAUGHT UP");
        assert_eq!(shown(23), "a: BROKEN");
        assert_eq!(shown(8), "a: BROK…");
        assert_eq!(shown(0), "…");
    }
}
