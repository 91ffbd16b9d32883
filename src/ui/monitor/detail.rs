//! The selected database: charts of its history, its tables, what needs attention.

use std::collections::VecDeque;
use std::time::Duration;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Sparkline, Widget as _, Wrap};

use super::overview::{lag, rate_text, retained, unknown};
use super::palette::Palette;
use super::state::State;
use crate::cluster::finding::Level;
use crate::pg::Lsn;
use crate::status::{DatabaseStatus, Names, Observation};
use crate::ui::replication::{Grade, TABLE_STATES, TargetState, table_state_code, trouble_text};
use crate::ui::report::{FindingBody, ShownStatus};
use crate::ui::text;

/// Tables that are named at most.
const LISTED_TABLES: usize = 20;

/// Rows of a chart.
const CHART: u16 = 3;

/// A lag of less than this many milliseconds does not fill the chart: the pair is level.
const LAG_SCALE: u64 = 1000;

/// Fewer bytes in a second do not fill the chart: they are keepalives.
const RATE_SCALE: u64 = 1 << 10;

/// The rows of charts and their headings.
pub(super) const CHARTS: u16 = CHART + 1;

/// Draws lag and throughput over time, side by side.
pub(super) fn draw_charts(frame: &mut Frame<'_>, area: Rect, state: &State, palette: Palette) {
    let Some(database) = state.selected() else {
        return;
    };
    let Some(track) = state.track(database) else {
        return;
    };
    let halves = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).spacing(2);
    let [left, right] = halves.areas(area);
    let lags = Chart {
        name: "lag",
        now: database.observation().map_or_else(unknown, lag),
        values: &track.lags,
        least_scale: LAG_SCALE,
        show: |lag| text::duration(Duration::from_millis(lag)),
    };
    lags.draw(frame, left, palette);
    let rates = Chart {
        name: "throughput",
        now: track.rate().map_or_else(unknown, rate_text),
        values: &track.rates,
        least_scale: RATE_SCALE,
        show: rate_text,
    };
    rates.draw(frame, right, palette);
}

/// A series over time.
struct Chart<'a> {
    name: &'static str,
    /// The newest value, as people read it.
    now: String,
    values: &'a VecDeque<Option<u64>>,
    /// A value that fills the chart if none is larger.
    least_scale: u64,
    show: fn(u64) -> String,
}

impl Chart<'_> {
    fn draw(&self, frame: &mut Frame<'_>, area: Rect, palette: Palette) {
        let [heading, chart] =
            Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        // The newest are on the right.
        let skipped = self.values.len().saturating_sub(usize::from(chart.width));
        let shown = self.values.iter().skip(skipped);
        let most = shown.clone().flatten().max();
        let line = Line::styled(self.heading(most, heading.width), palette.heading());
        frame.render_widget(line, heading);
        let bars = Sparkline::default()
            .data(shown)
            .max(most.map_or(self.least_scale, |most| (*most).max(self.least_scale)))
            .absent_value_symbol("·")
            .absent_value_style(palette.quiet())
            .style(palette.chart());
        frame.render_widget(bars, chart);
    }

    /// The newest value, and the largest one if there is room for it.
    fn heading(&self, most: Option<&u64>, columns: u16) -> String {
        let short = format!("{} {}", self.name, self.now);
        match most {
            None => short,
            Some(most) => {
                let long = format!("{short}, max {}", (self.show)(*most));
                let fits = long.chars().count() <= usize::from(columns);
                if fits { long } else { short }
            }
        }
    }
}

/// Draws what is known of the selected database. Returns whether there is more below.
pub(super) fn draw_facts(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &State,
    palette: Palette,
) -> bool {
    let Some(database) = state.selected() else {
        return false;
    };
    let lines = Facts { state, palette }.lines(database);
    let facts = Paragraph::new(lines).wrap(Wrap { trim: false });
    let has_more = has_line(&facts, state.scroll.saturating_add(area.height), area.width);
    frame.render_widget(facts.scroll((state.scroll, 0)), area);
    has_more
}

/// Whether a paragraph has a line at this place: none is blank.
fn has_line(paragraph: &Paragraph<'_>, line: u16, columns: u16) -> bool {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, 1));
    let area = buffer.area;
    paragraph
        .clone()
        .scroll((line, 0))
        .render(area, &mut buffer);
    buffer.content().iter().any(|cell| cell.symbol() != " ")
}

/// What lines of facts depend on.
#[derive(Clone, Copy)]
struct Facts<'a> {
    state: &'a State,
    palette: Palette,
}

impl Facts<'_> {
    fn lines(self, database: &DatabaseStatus) -> Vec<Line<'static>> {
        let (source, target) = (text::clean(&database.source), text::clean(&database.target));
        let heading = format!("{source} -> {target}");
        let mut lines = vec![Line::styled(heading, self.palette.heading())];
        match database.observation() {
            Some(seen) => {
                // What needs attention comes first: the rest may not fit.
                lines.extend(self.findings(seen, database));
                lines.extend(self.plain(seen));
                lines.extend(self.tables(seen));
                lines.extend(Self::names(&seen.names));
            }
            None => {
                let reason = ShownStatus::unknown_reason(database);
                let style = self.palette.grade(Grade::Doubtful);
                lines.extend(reason.map(|reason| Line::styled(reason, style)));
                lines.extend(self.next_steps(database));
            }
        }
        lines
    }

    fn plain(self, seen: &Observation) -> Vec<Line<'static>> {
        let target = TargetState::of(&seen.target);
        let worker = seen.target.worker.as_ref();
        let worker = worker.map_or_else(
            || "Not running".to_owned(),
            |one| format!("PID {}", one.pid),
        );
        let mut lines = vec![named(
            "target",
            &format!("{}, worker {worker}", target.name()),
        )];
        let lag_bytes = seen
            .lag
            .bytes
            .map(|bytes| format!(", {}", text::size(bytes)));
        lines.push(named("lag", &(lag(seen) + &lag_bytes.unwrap_or_default())));
        if let Some((shown, grade)) = retained(seen, self.state.settings.wal_budget) {
            let style = self.palette.grade(grade);
            lines.push(Line::from(vec![
                Span::raw("retained WAL: "),
                Span::styled(shown, style),
            ]));
        }
        if let Some(sender) = &seen.source.sender {
            let state = sender.state.as_deref().map_or_else(unknown, text::clean);
            let (sent, replay) = (lsn(sender.sent), lsn(sender.replay));
            lines.push(named(
                "sender",
                &format!("{state}, sent {sent}, replay {replay}"),
            ));
        }
        lines.extend(self.errors(seen));
        lines
    }

    /// The names of the objects, for those who look at them on the servers.
    fn names(names: &Names) -> impl Iterator<Item = Line<'static>> {
        let slot = names.slot.as_ref();
        let slot = slot.map(|slot| named("slot", slot.as_str()));
        let subscription = text::clean(names.subscription.as_str());
        slot.into_iter()
            .chain([named("subscription", &subscription)])
    }

    fn errors(self, seen: &Observation) -> Option<Line<'static>> {
        let conflicts: i64 = seen.target.conflicts().values().sum();
        let counts = [
            (seen.target.apply_errors().unwrap_or(0), "apply error"),
            (seen.target.sync_errors().unwrap_or(0), "sync error"),
            (conflicts, "conflict"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts
            .map(|(count, noun)| text::counted(u64::try_from(*count).unwrap_or(0), noun))
            .collect();
        let style = self.palette.grade(Grade::Bad);
        (!counts.is_empty()).then(|| Line::styled(counts.join(", "), style))
    }

    fn tables(self, seen: &Observation) -> Vec<Line<'static>> {
        let counts = TABLE_STATES.map(|state| (seen.target.count_tables(state), state));
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts
            .map(|(count, state)| format!("{count} {}", table_state_code(*state)))
            .collect();
        let mut lines = vec![named("tables", &counts.join(", "))];
        let style = self.palette.grade(Grade::Doubtful);
        let listed = seen.tables.iter().take(LISTED_TABLES);
        lines.extend(listed.map(|one| {
            let line = format!("! {}: {}", one.table, trouble_text(&one.trouble));
            Line::styled(line, style)
        }));
        let rest = seen.tables.len().saturating_sub(LISTED_TABLES);
        lines.extend((rest > 0).then(|| Line::raw(format!("and {rest} more"))));
        lines
    }

    fn findings(self, seen: &Observation, database: &DatabaseStatus) -> Vec<Line<'static>> {
        let findings = seen.findings.iter().map(|finding| {
            let style = match finding.level {
                Level::Error => self.palette.grade(Grade::Bad),
                Level::Warning => self.palette.grade(Grade::Doubtful),
                Level::Note | Level::Ok => Style::new(),
            };
            let body = FindingBody::new(finding, self.state.setting_name);
            Line::styled(body.headline(), style)
        });
        findings.chain(self.next_steps(database)).collect()
    }

    fn next_steps(self, database: &DatabaseStatus) -> Vec<Line<'static>> {
        let Some(report) = &self.state.report else {
            return Vec::new();
        };
        let shown = ShownStatus {
            report,
            setting_name: self.state.setting_name,
        };
        let steps = shown.next_steps(database).into_iter();
        steps.map(|step| named("next", &step)).collect()
    }
}

fn named(name: &str, value: &str) -> Line<'static> {
    Line::raw(format!("{name}: {value}"))
}

fn lsn(lsn: Option<Lsn>) -> String {
    lsn.map_or_else(unknown, |lsn| lsn.to_string())
}
