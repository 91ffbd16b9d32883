//! The command line as a process: exit codes, output, secrets.
