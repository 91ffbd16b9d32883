//! Tables of reports: no frames, columns as wide as their content.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::ui::text;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Words, aligned to the left.
    Words(&'static str),
    /// Numbers, aligned to the right.
    Number(&'static str),
}

/// The rows under their headings, each line ended; empty without rows.
pub(super) fn render_table<const N: usize>(columns: [Column; N], rows: &[[String; N]]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(columns.map(|column| match column {
            Column::Words(heading) | Column::Number(heading) => heading,
        }));
    for row in rows {
        table.add_row(row.each_ref().map(|cell| text::clean(cell)));
    }
    for (shown, column) in table.column_iter_mut().zip(columns) {
        shown.set_padding((0, 2));
        if matches!(column, Column::Number(_)) {
            shown.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines = table.to_string();
    lines
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_aligned_left_and_numbers_right() {
        let rows = [
            ["orders".to_owned(), "1500000".to_owned()],
            ["a\nb".to_owned(), "7".to_owned()],
        ];
        let shown = render_table([Column::Words("table"), Column::Number("rows")], &rows);
        assert_eq!(shown, "table      rows\norders  1500000\na b           7\n");
    }
}
