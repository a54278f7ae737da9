package io.zipcomm.bench.doctor;

/**
 * What the doctor says of one topic.
 *
 * @param topic a word or two; no two findings of one examination have the same
 * @param text  what was found, and what to do
 * @param wrong whether something is to be mended
 */
public record Finding(String topic, String text, boolean wrong) {}
