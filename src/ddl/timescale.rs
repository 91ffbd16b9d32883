//! What of TimescaleDB's settings a script does not create: reported, each with the statement that does.

use super::context::Context;
use super::label::Label;
use super::object::relation_argument;
use super::omission::{Omission, OmissionReason};
use crate::catalog::model::{
    ContinuousAggregate, Extension, Hypertable, HypertableCompression, Job, Table, Timescale,
};
use crate::pg::{Ident, Literal, QualifiedName, Sql};
use crate::sql;

/// Continuous aggregates, jobs, compression, and hypertables that become plain tables.
pub(super) fn find_omissions(context: &Context<'_>) -> Vec<Omission> {
    let Some(timescale) = &context.catalog.timescale else {
        return Vec::new();
    };
    let mut extensions = context.catalog.extensions.iter();
    let extension = extensions.find(|extension| extension.id == timescale.extension);
    let tables = context.catalog.tables.iter();
    let hypertables = tables.filter_map(|table| Some((table, table.hypertable.as_ref()?)));
    match extension {
        None => hypertables
            .map(|(table, _)| Omission {
                object: Label::qualified("hypertable", &table.name),
                reason: OmissionReason::PlainTable,
            })
            .collect(),
        Some(extension) => hypertables
            .flat_map(|(table, hypertable)| of_hypertable(context, table, hypertable))
            .chain(timescale.aggregates.iter().map(of_aggregate))
            .chain(of_jobs(timescale, extension))
            .collect(),
    }
}

fn of_hypertable(context: &Context<'_>, table: &Table, hypertable: &Hypertable) -> Vec<Omission> {
    let object = Label::qualified("hypertable", &table.name);
    let tablespaces = hypertable.tablespaces.iter();
    let tablespaces = tablespaces.filter(|name| context.options.tablespace(Some(name)).is_none());
    let replaced = tablespaces.map(|name| Omission {
        object: object.clone(),
        reason: OmissionReason::Tablespace(name.clone()),
    });
    let compression = hypertable.compression.iter().map(|compression| Omission {
        object: Label::qualified("compression of hypertable", &table.name),
        reason: OmissionReason::ByHand(compress(&table.name, compression)),
    });
    replaced.chain(compression).collect()
}

/// The options hold lists of columns as text.
fn compress(table: &QualifiedName, compression: &HypertableCompression) -> Sql {
    let mut options = vec![sql!("timescaledb.compress")];
    let mut add = |name: &'static str, list: Sql| {
        if !list.as_str().is_empty() {
            options.push(sql!("{} = {}", Sql::fixed(name), Literal(list.as_str())));
        }
    };
    let HypertableCompression {
        segment_by,
        order_by,
    } = compression;
    add(
        "timescaledb.compress_segmentby",
        Sql::join(segment_by, ", "),
    );
    add("timescaledb.compress_orderby", Sql::join(order_by, ", "));
    sql!("ALTER TABLE {} SET ({})", table, Sql::join(options, ", "))
}

fn of_aggregate(aggregate: &ContinuousAggregate) -> Omission {
    let materialized_only = if aggregate.materialized_only {
        "true"
    } else {
        "false"
    };
    Omission {
        object: Label::qualified("continuous aggregate", &aggregate.name),
        reason: OmissionReason::ByHand(sql!(
            "CREATE MATERIALIZED VIEW {} WITH (timescaledb.continuous, \
             timescaledb.materialized_only = {}) AS {} WITH DATA",
            aggregate.name,
            Sql::fixed(materialized_only),
            aggregate.definition
        )),
    }
}

fn of_jobs<'a>(
    timescale: &'a Timescale,
    extension: &'a Extension,
) -> impl Iterator<Item = Omission> + 'a {
    timescale.jobs.iter().map(|job| {
        let procedure = format!(" ({})", job.procedure);
        let object = Label::text("TimescaleDB's job", &job.id.to_string()).with_detail(&procedure);
        let object = match &job.relation {
            Some(relation) => object.on(relation),
            None => object,
        };
        let reason = OmissionReason::ByHand(sql!("SELECT {}", call(job, &extension.schema)));
        Omission { object, reason }
    })
}

/// The policies that have a call of their own: their procedures, calls, and the settings that are
/// arguments of the same name.
const POLICIES: [(&str, &str, &[&str]); 4] = [
    ("policy_retention", "add_retention_policy", &["drop_after"]),
    (
        "policy_compression",
        "add_compression_policy",
        &["compress_after"],
    ),
    (
        "policy_refresh_continuous_aggregate",
        "add_continuous_aggregate_policy",
        &["start_offset", "end_offset"],
    ),
    ("policy_reorder", "add_reorder_policy", &["index_name"]),
];

/// The call that creates a job: a policy's own one where that says everything, else `add_job`.
fn call(job: &Job, schema: &Ident) -> Sql {
    own_call(job, schema).unwrap_or_else(|| {
        let procedure = sql!("{}", job.procedure);
        let mut arguments = vec![
            sql!("{}::pg_catalog.regproc", Literal(procedure.as_str())),
            sql!("{}::pg_catalog.interval", Literal(&job.schedule)),
        ];
        let config = job.config.clone().map(serde_json::Value::Object);
        arguments.extend(config.map(|config| sql!("config => {}", Literal(&config.to_string()))));
        sql!("{}.add_job({})", schema, Sql::join(arguments, ", "))
    })
}

fn own_call(job: &Job, schema: &Ident) -> Option<Sql> {
    let mut policies = POLICIES.iter();
    let procedure = job.procedure.name.as_str();
    let (_, call, settings) = policies.find(|(name, ..)| *name == procedure)?;
    let (relation, config) = (job.relation.as_ref()?, job.config.as_ref()?);
    let mut arguments = vec![relation_argument(relation)];
    for setting in *settings {
        let value = match config.get(*setting).unwrap_or(&serde_json::Value::Null) {
            serde_json::Value::Null => Sql::fixed("NULL"),
            serde_json::Value::Number(number) => {
                sql!("{}::pg_catalog.int8", Literal(&number.to_string()))
            }
            serde_json::Value::String(text) if *setting == "index_name" => {
                sql!("{}", Literal(text))
            }
            serde_json::Value::String(text) => sql!("{}::pg_catalog.interval", Literal(text)),
            serde_json::Value::Bool(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_) => return None,
        };
        arguments.push(sql!("{} => {}", Sql::fixed(setting), value));
    }
    if *call == "add_continuous_aggregate_policy" {
        arguments.push(sql!(
            "schedule_interval => {}::pg_catalog.interval",
            Literal(&job.schedule)
        ));
    }
    let call = Sql::fixed(call);
    Some(sql!("{}.{}({})", schema, call, Sql::join(arguments, ", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(procedure: &str, config: &str) -> Job {
        Job {
            id: 1000,
            procedure: QualifiedName::from_catalog("_timescaledb_functions", procedure),
            schedule: "1 day".to_owned(),
            config: serde_json::from_str(config).unwrap(),
            relation: Some(QualifiedName::from_catalog("s", "It's")),
        }
    }

    fn text(procedure: &str, config: &str) -> String {
        let schema = Ident::from_catalog("public");
        call(&job(procedure, config), &schema).as_str().to_owned()
    }

    #[test]
    fn a_policy_is_told_with_its_own_call() {
        assert_eq!(
            text(
                "policy_retention",
                r#"{"drop_after": "30 days", "hypertable_id": 1}"#
            ),
            r#""public".add_retention_policy('"s"."It''s"'::pg_catalog.regclass, drop_after => '30 days'::pg_catalog.interval)"#
        );
        assert_eq!(
            text("policy_compression", r#"{"compress_after": 1000}"#),
            r#""public".add_compression_policy('"s"."It''s"'::pg_catalog.regclass, compress_after => '1000'::pg_catalog.int8)"#
        );
        let refresh = text(
            "policy_refresh_continuous_aggregate",
            r#"{"start_offset": null, "end_offset": "01:00:00"}"#,
        );
        assert!(
            refresh.ends_with(
                "start_offset => NULL, end_offset => '01:00:00'::pg_catalog.interval, schedule_interval => '1 day'::pg_catalog.interval)"
            ),
            "{refresh}"
        );
    }

    #[test]
    fn any_other_job_is_added_with_its_settings() {
        assert_eq!(
            text("mine", r#"{"a": [1]}"#),
            r#""public".add_job('"_timescaledb_functions"."mine"'::pg_catalog.regproc, '1 day'::pg_catalog.interval, config => '{"a":[1]}')"#
        );
    }

    #[test]
    fn compression_names_its_columns() {
        let compression = HypertableCompression {
            segment_by: vec![Ident::from_catalog("De'v")],
            order_by: vec![Sql::fixed("\"time\" DESC NULLS FIRST")],
        };
        let table = QualifiedName::from_catalog("s", "t");
        assert_eq!(
            compress(&table, &compression).as_str(),
            r#"ALTER TABLE "s"."t" SET (timescaledb.compress, timescaledb.compress_segmentby = '"De''v"', timescaledb.compress_orderby = '"time" DESC NULLS FIRST')"#
        );
    }
}
