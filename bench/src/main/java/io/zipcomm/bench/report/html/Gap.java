package io.zipcomm.bench.report.html;

/**
 * Why there is no number.
 *
 * @param word   what stands in its place
 * @param reason why, as a sentence without its point
 */
record Gap(String word, String reason) {}
