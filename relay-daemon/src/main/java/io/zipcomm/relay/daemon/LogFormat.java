package io.zipcomm.relay.daemon;

/** How log lines look. */
enum LogFormat {
    /** For people. */
    TEXT,
    /** For programs: one object a line. */
    JSON
}
