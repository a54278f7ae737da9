package io.zipcomm.bench.doctor;

import java.util.function.Consumer;

/** Hands on what the parts of an examination find. */
final class Report {

    private final Consumer<Finding> findings;
    private boolean healthy = true;

    Report(Consumer<Finding> findings) {
        this.findings = findings;
    }

    void say(String topic, String text) {
        findings.accept(new Finding(topic, text, false));
    }

    /** Something is to be mended. */
    void wrong(String topic, String text) {
        healthy = false;
        findings.accept(new Finding(topic, text, true));
    }

    boolean isHealthy() {
        return healthy;
    }
}
