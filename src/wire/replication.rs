//! Commands of a replication connection (start-up parameter `replication=database`), and the
//! messages within `CopyBoth` ("Streaming Replication Protocol").

use bytes::{BufMut, BytesMut};

use super::connection::{Connection, Idle, ResultSet};
use super::error::Error;
use super::reader::{DecodeError, Reader};
use super::timestamp::Timestamp;
use crate::pg::{Lsn, ServerVersion, SlotName, Sql};
use crate::sql;

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemIdentity {
    /// Created by initdb; the same on all copies of a cluster.
    pub system_id: String,
    /// The current timeline.
    pub timeline: u32,
    /// How far WAL is flushed.
    pub flush_lsn: Lsn,
    /// The database, on a connection to one.
    pub database: Option<String>,
}

/// What a new slot does with the snapshot of its consistent point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotSnapshot {
    /// Exports it, until the next command on this connection.
    Export,
    /// Uses it in the transaction that is open on this connection.
    Use,
    /// Makes none.
    Nothing,
}

/// How long a new slot lives, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// Until the connection that has created it ends.
    Temporary,
    /// Until it is dropped.
    Permanent,
    /// Until it is dropped, also on standbys: they synchronize it. Since 17.
    Failover,
}

/// A slot just created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedSlot {
    /// Its name.
    pub name: SlotName,
    /// Where the stream can begin without a gap.
    pub consistent_point: Lsn,
    /// The exported snapshot, valid until the next command on this connection.
    pub snapshot_name: Option<String>,
    /// The output plugin.
    pub plugin: String,
}

impl Connection<Idle> {
    /// Asks who the server is. Not cancel safe, as [`query`](Self::query).
    ///
    /// # Errors
    /// This is no replication connection, or it failed.
    pub async fn identify_system(&mut self) -> Result<SystemIdentity, Error> {
        const COMMAND: &str = "IDENTIFY_SYSTEM";
        let answer = only_row(COMMAND, self.query(&Sql::fixed(COMMAND)).await?)?;
        Ok(SystemIdentity {
            system_id: require_field(COMMAND, &answer, "systemid")?,
            timeline: require_field(COMMAND, &answer, "timeline")?,
            flush_lsn: require_field(COMMAND, &answer, "xlogpos")?,
            database: answer.single("dbname").map(str::to_owned),
        })
    }

    /// Creates a logical slot for `pgoutput`. Waits for the transactions that are open now. Not
    /// cancel safe: whether the slot exists is unknown if the future is dropped.
    ///
    /// # Errors
    /// The name is taken, no slot is free, `wal_level` is not `logical`, the user may not, or the
    /// server has no failover slots.
    ///
    /// # Protocol
    /// `CREATE_REPLICATION_SLOT`, with an option list from 15 on.
    pub async fn create_logical_slot(
        &mut self,
        name: &SlotName,
        kind: SlotKind,
        snapshot: SlotSnapshot,
    ) -> Result<CreatedSlot, Error> {
        const COMMAND: &str = "CREATE_REPLICATION_SLOT";
        let command = create_slot_command(self.server_version()?, name, kind, snapshot);
        let answer = only_row(COMMAND, self.query(&command).await?)?;
        if answer.single("slot_name") != Some(name.as_str()) {
            return Err(no_field(COMMAND, "slot_name"));
        }
        Ok(CreatedSlot {
            name: name.clone(),
            consistent_point: require_field(COMMAND, &answer, "consistent_point")?,
            snapshot_name: answer.single("snapshot_name").map(str::to_owned),
            plugin: require_field(COMMAND, &answer, "output_plugin")?,
        })
    }

    /// Turns a logical slot that nobody uses into a failover slot. Not cancel safe, as
    /// [`query`](Self::query).
    ///
    /// # Errors
    /// There is no such slot, it is in use, or the server has no failover slots.
    ///
    /// # Protocol
    /// `ALTER_REPLICATION_SLOT`, since 17.
    pub async fn enable_failover(&mut self, name: &SlotName) -> Result<(), Error> {
        self.execute(&sql!("ALTER_REPLICATION_SLOT \"{}\" (FAILOVER)", name))
            .await
    }

    /// Drops a slot that nobody uses. Not cancel safe, as [`query`](Self::query).
    ///
    /// # Errors
    /// There is no such slot, or it is in use.
    pub async fn drop_slot(&mut self, name: &SlotName) -> Result<(), Error> {
        self.execute(&sql!("DROP_REPLICATION_SLOT \"{}\"", name))
            .await
    }

    /// The server's version by its `server_version` parameter, which replication connections
    /// know too: `18.4`, `15.18 (Debian …)`, `19beta1`.
    ///
    /// # Errors
    /// The server did not report it in a known form.
    pub fn server_version(&self) -> Result<ServerVersion, Error> {
        self.parameter("server_version")
            .and_then(parse_version)
            .ok_or_else(|| no_field("the start-up", "server_version"))
    }
}

/// Major and minor of versions from 10 on.
fn parse_version(text: &str) -> Option<ServerVersion> {
    let digits = |text: &str| {
        let end = text.find(|part: char| !part.is_ascii_digit());
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let major = digits(text);
    let minor = text[major.len()..].strip_prefix('.').map(digits);
    let major: u32 = major.parse().ok().filter(|major| *major < 1000)?;
    let minor: u32 = minor.map_or(Some(0), |minor| minor.parse().ok())?;
    Some(ServerVersion::new(major * 10_000 + minor.min(9_999)))
}

fn create_slot_command(
    version: ServerVersion,
    name: &SlotName,
    kind: SlotKind,
    snapshot: SlotSnapshot,
) -> Sql {
    let keywords = match kind {
        SlotKind::Temporary => "TEMPORARY LOGICAL",
        SlotKind::Permanent | SlotKind::Failover => "LOGICAL",
    };
    sql!(
        "CREATE_REPLICATION_SLOT \"{}\" {} pgoutput {}",
        name,
        Sql::fixed(keywords),
        Sql::fixed(slot_options(version, kind, snapshot))
    )
}

/// Keywords cannot express a failover slot: a server without an option list refuses it.
fn slot_options(version: ServerVersion, kind: SlotKind, snapshot: SlotSnapshot) -> &'static str {
    match (kind, snapshot) {
        (SlotKind::Failover, SlotSnapshot::Export) => "(FAILOVER, SNAPSHOT 'export')",
        (SlotKind::Failover, SlotSnapshot::Use) => "(FAILOVER, SNAPSHOT 'use')",
        (SlotKind::Failover, SlotSnapshot::Nothing) => "(FAILOVER, SNAPSHOT 'nothing')",
        (SlotKind::Temporary | SlotKind::Permanent, _) if version.has_slot_option_list() => {
            match snapshot {
                SlotSnapshot::Export => "(SNAPSHOT 'export')",
                SlotSnapshot::Use => "(SNAPSHOT 'use')",
                SlotSnapshot::Nothing => "(SNAPSHOT 'nothing')",
            }
        }
        (SlotKind::Temporary | SlotKind::Permanent, SlotSnapshot::Export) => "EXPORT_SNAPSHOT",
        (SlotKind::Temporary | SlotKind::Permanent, SlotSnapshot::Use) => "USE_SNAPSHOT",
        (SlotKind::Temporary | SlotKind::Permanent, SlotSnapshot::Nothing) => "NOEXPORT_SNAPSHOT",
    }
}

/// The one result of a command.
fn only_row(command: &'static str, results: Vec<ResultSet>) -> Result<ResultSet, Error> {
    let [result] = <[ResultSet; 1]>::try_from(results).map_err(|_| no_field(command, "row"))?;
    Ok(result)
}

fn require_field<T: std::str::FromStr>(
    command: &'static str,
    answer: &ResultSet,
    field: &'static str,
) -> Result<T, Error> {
    answer
        .single(field)
        .and_then(|text| text.parse().ok())
        .ok_or(no_field(command, field))
}

const fn no_field(command: &'static str, field: &'static str) -> Error {
    Error::Answer { command, field }
}

/// What a server sends within `CopyBoth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicationMessage<'a> {
    /// A piece of WAL, as the output plugin writes it.
    XLogData(XLogData<'a>),
    /// A sign of life.
    PrimaryKeepalive(PrimaryKeepalive),
}

/// `XLogData`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XLogData<'a> {
    /// Where this piece begins.
    pub start_lsn: Lsn,
    /// The end of WAL on the server.
    pub end_lsn: Lsn,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// The output plugin's message.
    pub data: &'a [u8],
}

/// `Primary keepalive message`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrimaryKeepalive {
    /// The end of WAL on the server.
    pub end_lsn: Lsn,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Whether the server disconnects unless it gets an answer soon.
    pub wants_reply: bool,
}

/// `Standby status update`: what we have of WAL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandbyStatusUpdate {
    /// Received up to here.
    pub write_lsn: Lsn,
    /// Durably stored up to here: the server may forget what is before.
    pub flush_lsn: Lsn,
    /// Visible up to here.
    pub apply_lsn: Lsn,
    /// When this was sent.
    pub sent_at: Timestamp,
    /// Whether we want an answer at once.
    pub wants_reply: bool,
}

const XLOG_DATA: u8 = b'w';
const PRIMARY_KEEPALIVE: u8 = b'k';
const STANDBY_STATUS_UPDATE: u8 = b'r';

impl<'a> ReplicationMessage<'a> {
    /// Decodes the data of a `CopyData`.
    ///
    /// # Errors
    /// It is no message that a server sends here.
    pub fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut body = Reader::new(body);
        let unknown = body.error("replication message w or k");
        match body.u8()? {
            XLOG_DATA => Ok(Self::XLogData(XLogData {
                start_lsn: body.lsn()?,
                end_lsn: body.lsn()?,
                sent_at: body.timestamp()?,
                data: body.rest(),
            })),
            PRIMARY_KEEPALIVE => {
                let message = PrimaryKeepalive {
                    end_lsn: body.lsn()?,
                    sent_at: body.timestamp()?,
                    wants_reply: decode_flag(&mut body)?,
                };
                body.end()?;
                Ok(Self::PrimaryKeepalive(message))
            }
            _ => Err(unknown),
        }
    }

    /// Appends the data of a `CopyData`.
    pub fn encode(&self, out: &mut BytesMut) {
        match self {
            Self::XLogData(message) => {
                out.put_u8(XLOG_DATA);
                out.put_u64(message.start_lsn.get());
                out.put_u64(message.end_lsn.get());
                out.put_i64(message.sent_at.get());
                out.put_slice(message.data);
            }
            Self::PrimaryKeepalive(message) => {
                out.put_u8(PRIMARY_KEEPALIVE);
                out.put_u64(message.end_lsn.get());
                out.put_i64(message.sent_at.get());
                out.put_u8(message.wants_reply.into());
            }
        }
    }
}

impl StandbyStatusUpdate {
    /// Decodes the data of a `CopyData`.
    ///
    /// # Errors
    /// It is another message.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut body = Reader::new(body);
        let other = body.error("replication message r");
        if body.u8()? != STANDBY_STATUS_UPDATE {
            return Err(other);
        }
        let message = Self {
            write_lsn: body.lsn()?,
            flush_lsn: body.lsn()?,
            apply_lsn: body.lsn()?,
            sent_at: body.timestamp()?,
            wants_reply: decode_flag(&mut body)?,
        };
        body.end()?;
        Ok(message)
    }

    /// Appends the data of a `CopyData`.
    pub fn encode(&self, out: &mut BytesMut) {
        debug_assert!(
            self.apply_lsn <= self.write_lsn && self.flush_lsn <= self.write_lsn,
            "nothing is stored before it is received"
        );
        out.put_u8(STANDBY_STATUS_UPDATE);
        out.put_u64(self.write_lsn.get());
        out.put_u64(self.flush_lsn.get());
        out.put_u64(self.apply_lsn.get());
        out.put_i64(self.sent_at.get());
        out.put_u8(self.wants_reply.into());
    }
}

fn decode_flag(body: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match body.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(body.error("a flag, 0 or 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slot() -> SlotName {
        SlotName::new("s_1").unwrap()
    }

    #[test]
    fn slots_are_created_by_keywords_before_15_and_by_options_since() {
        let (temporary, permanent) = (SlotKind::Temporary, SlotKind::Permanent);
        let (export, nothing) = (SlotSnapshot::Export, SlotSnapshot::Nothing);
        for (number, kind, snapshot, expected) in [
            (
                140_000,
                temporary,
                export,
                "TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT",
            ),
            (
                140_000,
                permanent,
                nothing,
                "LOGICAL pgoutput NOEXPORT_SNAPSHOT",
            ),
            (
                150_000,
                temporary,
                nothing,
                "TEMPORARY LOGICAL pgoutput (SNAPSHOT 'nothing')",
            ),
            (
                170_000,
                permanent,
                export,
                "LOGICAL pgoutput (SNAPSHOT 'export')",
            ),
            (
                170_000,
                SlotKind::Failover,
                export,
                "LOGICAL pgoutput (FAILOVER, SNAPSHOT 'export')",
            ),
            // A server of this version refuses it, instead of creating another slot.
            (
                140_000,
                SlotKind::Failover,
                export,
                "LOGICAL pgoutput (FAILOVER, SNAPSHOT 'export')",
            ),
        ] {
            let version = ServerVersion::new(number);
            let command = create_slot_command(version, &slot(), kind, snapshot);
            let expected = format!(r#"CREATE_REPLICATION_SLOT "s_1" {expected}"#);
            assert_eq!(command.as_str(), expected);
        }
    }

    #[test]
    fn versions_are_read_in_every_form_that_servers_report() {
        let read = |text| parse_version(text).map(ServerVersion::number);
        assert_eq!(read("18.4"), Some(180_004));
        assert_eq!(read("15.18 (Debian 15.18-1)"), Some(150_018));
        assert_eq!(read("19beta1"), Some(190_000));
        assert_eq!(read("beta"), None);
        assert_eq!(read("99999999999"), None);
    }

    proptest! {
        #[test]
        fn log_data_survives_the_wire(start: u64, end: u64, at: i64, data: Vec<u8>) {
            let message = ReplicationMessage::XLogData(XLogData {
                start_lsn: Lsn::new(start),
                end_lsn: Lsn::new(end),
                sent_at: Timestamp::new(at),
                data: &data,
            });
            let mut bytes = BytesMut::new();
            message.encode(&mut bytes);
            prop_assert_eq!(ReplicationMessage::decode(&bytes), Ok(message));
        }

        #[test]
        fn keepalives_survive_the_wire(end: u64, at: i64, wants_reply: bool) {
            let message = ReplicationMessage::PrimaryKeepalive(PrimaryKeepalive {
                end_lsn: Lsn::new(end),
                sent_at: Timestamp::new(at),
                wants_reply,
            });
            let mut bytes = BytesMut::new();
            message.encode(&mut bytes);
            prop_assert_eq!(ReplicationMessage::decode(&bytes), Ok(message));
            bytes.truncate(bytes.len() - 1);
            prop_assert!(ReplicationMessage::decode(&bytes).is_err());
        }

        #[test]
        fn status_updates_survive_the_wire(write: u64, flush: u64, at: i64, wants_reply: bool) {
            let message = StandbyStatusUpdate {
                write_lsn: Lsn::new(write),
                flush_lsn: Lsn::new(flush.min(write)),
                apply_lsn: Lsn::new(flush.min(write)),
                sent_at: Timestamp::new(at),
                wants_reply,
            };
            let mut bytes = BytesMut::new();
            message.encode(&mut bytes);
            prop_assert_eq!(StandbyStatusUpdate::decode(&bytes), Ok(message));
        }

        #[test]
        fn no_bytes_make_the_decoders_panic(bytes: Vec<u8>) {
            let _ = ReplicationMessage::decode(&bytes);
            let _ = StandbyStatusUpdate::decode(&bytes);
        }
    }
}
