use std::fmt;

/// A five-character error code (manual, appendix A). Decisions depend on it, never on text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SqlState([u8; 5]);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)+) => {
        $($(#[$doc])* pub const $name: Self = Self(*$code);)+
    };
}

impl SqlState {
    codes! {
        /// `successful_completion`; also used for a code that could not be read.
        UNKNOWN = b"00000";
        /// `connection_exception`.
        CONNECTION_EXCEPTION = b"08000";
        /// `connection_failure`.
        CONNECTION_FAILURE = b"08006";
        /// `protocol_violation`.
        PROTOCOL_VIOLATION = b"08P01";
        /// `feature_not_supported`.
        FEATURE_NOT_SUPPORTED = b"0A000";
        /// `character_not_in_repertoire`: bytes that are not valid in the encoding.
        CHARACTER_NOT_IN_REPERTOIRE = b"22021";
        /// `untranslatable_character`: an encoding lacks it.
        UNTRANSLATABLE_CHARACTER = b"22P05";
        /// `invalid_parameter_value`: also a provider of security labels that is not loaded.
        INVALID_PARAMETER_VALUE = b"22023";
        /// `prohibited_sql_statement_attempted`: also a subscription without a password.
        PROHIBITED_SQL_STATEMENT = b"2F003";
        /// `invalid_authorization_specification`.
        INVALID_AUTHORIZATION = b"28000";
        /// `invalid_password`.
        INVALID_PASSWORD = b"28P01";
        /// `invalid_catalog_name`: the database does not exist.
        INVALID_CATALOG_NAME = b"3D000";
        /// `invalid_schema_name`: the schema does not exist.
        INVALID_SCHEMA_NAME = b"3F000";
        /// `serialization_failure`.
        SERIALIZATION_FAILURE = b"40001";
        /// `deadlock_detected`.
        DEADLOCK_DETECTED = b"40P01";
        /// `insufficient_privilege`.
        INSUFFICIENT_PRIVILEGE = b"42501";
        /// `undefined_object`.
        UNDEFINED_OBJECT = b"42704";
        /// `duplicate_object`.
        DUPLICATE_OBJECT = b"42710";
        /// `unique_violation`.
        UNIQUE_VIOLATION = b"23505";
        /// `syntax_error`.
        SYNTAX_ERROR = b"42601";
        /// `indeterminate_datatype`: nothing gives a parameter a type.
        INDETERMINATE_DATATYPE = b"42P18";
        /// `undefined_column`.
        UNDEFINED_COLUMN = b"42703";
        /// `undefined_table`.
        UNDEFINED_TABLE = b"42P01";
        /// `undefined_function`.
        UNDEFINED_FUNCTION = b"42883";
        /// `duplicate_database`.
        DUPLICATE_DATABASE = b"42P04";
        /// `duplicate_function`.
        DUPLICATE_FUNCTION = b"42723";
        /// `duplicate_table`, also an index or view.
        DUPLICATE_TABLE = b"42P07";
        /// `duplicate_schema`.
        DUPLICATE_SCHEMA = b"42P06";
        /// `disk_full`.
        DISK_FULL = b"53100";
        /// `out_of_memory`, also when the lock table is full.
        OUT_OF_MEMORY = b"53200";
        /// `too_many_connections`.
        TOO_MANY_CONNECTIONS = b"53300";
        /// `configuration_limit_exceeded`: no free slot or WAL sender.
        CONFIGURATION_LIMIT_EXCEEDED = b"53400";
        /// `object_not_in_prerequisite_state`.
        OBJECT_NOT_IN_PREREQUISITE_STATE = b"55000";
        /// `cant_change_runtime_param`.
        CANT_CHANGE_RUNTIME_PARAM = b"55P02";
        /// `object_in_use`.
        OBJECT_IN_USE = b"55006";
        /// `lock_not_available`: also a lock timeout.
        LOCK_NOT_AVAILABLE = b"55P03";
        /// `query_canceled`: also a statement timeout.
        QUERY_CANCELED = b"57014";
        /// `admin_shutdown`: also `pg_terminate_backend`.
        ADMIN_SHUTDOWN = b"57P01";
        /// `crash_shutdown`.
        CRASH_SHUTDOWN = b"57P02";
        /// `cannot_connect_now`: starting up or shutting down.
        CANNOT_CONNECT_NOW = b"57P03";
        /// `database_dropped`.
        DATABASE_DROPPED = b"57P04";
        /// `idle_session_timeout`.
        IDLE_SESSION_TIMEOUT = b"57P05";
        /// `internal_error`: also "cache lookup failed" when a definition is gone meanwhile.
        INTERNAL_ERROR = b"XX000";
    }

    /// A code as the server sent it; [`UNKNOWN`](Self::UNKNOWN) unless it has five ASCII characters.
    pub fn parse(code: &str) -> Self {
        match code.as_bytes().try_into() {
            Ok(bytes) if code.is_ascii() => Self(bytes),
            _ => Self::UNKNOWN,
        }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("parse admits ASCII only")
    }

    /// The class: the first two characters.
    pub fn class(&self) -> &str {
        &self.as_str()[..2]
    }

    /// Whether the server understood the statement and refuses it. The reason is an invalid value, an unknown
    /// name, a missing privilege, or a parameter that is fixed once a session runs.
    pub fn is_refusal(self) -> bool {
        matches!(self.class(), "0A" | "22" | "42") || self == Self::CANT_CHANGE_RUNTIME_PARAM
    }

    /// Whether the same call may succeed later on a new connection: the connection was lost
    /// (class 08, shutdown codes), or another transaction interfered (class 40, a lock timeout).
    pub fn is_transient(&self) -> bool {
        matches!(self.class(), "08" | "40")
            || matches!(
                *self,
                Self::LOCK_NOT_AVAILABLE
                    | Self::ADMIN_SHUTDOWN
                    | Self::CRASH_SHUTDOWN
                    | Self::CANNOT_CONNECT_NOW
                    | Self::IDLE_SESSION_TIMEOUT
                    | Self::TOO_MANY_CONNECTIONS
            )
    }
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlState({self})")
    }
}
